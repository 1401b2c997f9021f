"""ECR's front before a real registry: who logged in may push where ECR lets them; what arrives is in the world.

It speaks the registry's protocol (distribution.github.io/distribution/spec/api) on loopback. The path's first two
parts are account and region: /v2/ACCOUNT/REGION/NAME/…. A manifest is put to ECR first, whose refusals are the push's.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fargrade.emulator import ecr, rules
from fargrade.emulator.errors import Refused

PATH = re.compile(
    r"/v2/(?P<account>\d{12})/(?P<region>[a-z0-9-]+)/(?P<name>.+)/(?P<what>blobs|manifests|tags)/(?P<rest>.*)"
)
MOST_MANIFEST = 4 << 20
MOST_BLOB = 1 << 30
PIECE = 1 << 20
# AWS's words for a push, by ECR's code: docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html.
WORDS = {"RepositoryNotFoundException": "NAME_UNKNOWN", "ImageTagAlreadyExistsException": "TAG_INVALID"}


class RegistryFront:
    """Serves docker on a loopback port, before the registry at `upstream` (host:port)."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True, name="registry-front").start()

    def reference(self, region: str, name: str, tag: str) -> str:
        """What docker calls an image of the world's registry here."""
        return f"127.0.0.1:{self.port}/{rules.account()}/{region}/{name}:{tag}"


def allowed(header: str, account: str, region: str) -> bool:
    """Whether the Authorization header carries a login that ECR issued for this registry."""
    kind, _, encoded = header.partition(" ")
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return False
    registry = f"{account}.dkr.ecr.{region}.amazonaws.com"
    return kind.lower() == "basic" and user == "AWS" and ecr.token_registry(password) == registry


def admit_manifest(region: str, name: str, reference: str, manifest: bytes, media: str) -> None:
    """Put the manifest into the world's ECR, its layers taken for pushed. Raises Refused, as PutImage does."""
    held = ecr.creation_templates.pushed_to(region, name)
    try:
        parsed = json.loads(manifest)
        parts = [*parsed.get("layers", ()), *([parsed["config"]] if "config" in parsed else ())]
        held.layers.update({part["digest"]: int(part["size"]) for part in parts})
    except (ValueError, KeyError, TypeError):
        raise Refused("InvalidParameterException", "The manifest cannot be read.") from None
    tag = None if reference.startswith("sha256:") else reference
    try:
        image = ecr.store_image(held, manifest.decode(), tag, media)
    except Refused as refused:
        if refused.code == "ImageAlreadyExistsException":
            return
        raise
    ecr.scan_on_push(region, held, image)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, front: RegistryFront) -> None:
        self.front = front
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 120

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        found = PATH.fullmatch(path)
        if path != "/v2/" and found is None:
            return self._refuse(404, "NAME_UNKNOWN", "There is no such registry here.")
        if found is None:
            known = _password_known(self.headers.get("Authorization", ""))
            return self._say(200, b"{}") if known else self._ask_for_login()
        if found["account"] != rules.account() or not allowed(
            self.headers.get("Authorization", ""), found["account"], found["region"]
        ):
            return self._ask_for_login()
        try:
            writes = self.command in ("POST", "PUT", "PATCH")
            (ecr.creation_templates.pushed_to if writes else ecr.repository)(found["region"], found["name"])
            if found["what"] == "manifests" and self.command == "PUT":
                return self._put_manifest(found)
        except Refused as refused:
            status = 404 if refused.code == "RepositoryNotFoundException" else 400
            return self._refuse(status, WORDS.get(refused.code, "DENIED"), refused.message)
        return self._pass_on(None)

    def _put_manifest(self, found: re.Match[str]) -> None:
        manifest = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MOST_MANIFEST))
        media = self.headers.get("Content-Type", "")
        admit_manifest(found["region"], found["name"], found["rest"], manifest, media)
        self._pass_on(manifest)

    def _pass_on(self, body: bytes | None) -> None:
        """The request to the registry, its answer back: blobs in pieces, since they are large."""
        host, _, port = self.server.front.upstream.partition(":")
        onward = HTTPConnection(host, int(port), timeout=120)
        try:
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            # The registry answers with addresses of its own: they must lead back here.
            onward.putheader("Host", self.headers.get("Host", ""))
            for name, value in self.headers.items():
                if name.lower() not in ("host", "authorization", "connection"):
                    onward.putheader(name, value)
            onward.endheaders()
            self._send_body(onward, body)
            came = onward.getresponse()
            content = came.read()
            self.send_response(came.status)
            for name, value in came.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "date", "server", "content-length"):
                    self.send_header(name, value)
            size = came.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", size or "0")
            self.end_headers()
            self.wfile.write(content)
        except (OSError, HTTPException) as error:
            self.close_connection = True
            self._refuse(502, "UNAVAILABLE", str(error))
        finally:
            onward.close()

    def _send_body(self, onward: HTTPConnection, body: bytes | None) -> None:
        if body is not None:
            return onward.send(body)
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._send_chunks(onward)
        left = min(int(self.headers.get("Content-Length") or 0), MOST_BLOB)
        while left > 0 and (piece := self.rfile.read(min(left, PIECE))):
            onward.send(piece)
            left -= len(piece)
        return None

    def _send_chunks(self, onward: HTTPConnection) -> None:
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            onward.send(f"{size:x}\r\n".encode() + self.rfile.read(size) + b"\r\n")
            self.rfile.readline(8)
        self.rfile.readline(8)
        onward.send(b"0\r\n\r\n")

    def _ask_for_login(self) -> None:
        said = {"errors": [{"code": "UNAUTHORIZED", "message": "no basic auth credentials"}]}
        headers = {"WWW-Authenticate": 'Basic realm="Amazon ECR"'}
        self._say(401, json.dumps(said).encode(), headers)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._say(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode())

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        if self.headers.get("Content-Length") not in (None, "0") or self.headers.get("Transfer-Encoding"):
            self.close_connection = True  # its body was not read
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing: what arrived is in the world."""


def _password_known(header: str) -> bool:
    """Whether a login that ECR issued, for whichever registry, comes with the request."""
    try:
        user, _, password = base64.b64decode(header.partition(" ")[2]).decode().partition(":")
    except ValueError:
        return False
    return user == "AWS" and ecr.token_registry(password) is not None


__all__ = ["RegistryFront", "admit_manifest", "allowed"]
