"""A stand-in for an AWS account: our emulator over HTTP, behind a proxy that injects what accounts do."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ACCOUNT = "123456789012"
REGION = "eu-central-1"
SERVICES = "ecr,sts,iam,ecs,logs,s3,elbv2,ec2"


@dataclass
class Fault:
    """Answers `times` calls of `operation` with an error in place of the account's answer, after `after` calls."""

    operation: str
    code: str
    status: int = 400
    times: int = 1
    after: int = 0
    message: str = "injected"


@dataclass
class StandIn:
    """The account at `url`. `calls` are (operation, access key) in order; `faults` may be added at any time."""

    url: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    identity: str = ""  # the ARN to answer GetCallerIdentity with
    on_call: Callable[[str], None] | None = None

    def fault(self, operation: str) -> Fault | None:
        for one in self.faults:
            if one.operation == operation:
                if one.after:
                    one.after -= 1
                elif one.times:
                    one.times -= 1
                    return one
        return None

    def environment(self, state: Path) -> dict[str, str]:
        """What whoever grades on it has in the environment."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7OWNER00",
            "AWS_SECRET_ACCESS_KEY": "owner",
            "FARGRADE_STATE": str(state),
        }


@pytest.fixture(scope="session")
def emulator() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "fargrade.emulator", "--port", str(port), "--services", SERVICES],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    while "Ready." not in process.stdout.readline():
        assert process.poll() is None
    yield port
    process.kill()
    process.wait()


@pytest.fixture
def account(emulator: int) -> Iterator[StandIn]:
    """An empty account. It refuses what is not AWS's, LocalStack's paths included."""
    connection = HTTPConnection("127.0.0.1", emulator, timeout=20)
    connection.request("POST", "/_localstack/state/reset")
    assert connection.getresponse().status == 200
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            operation = operation_of(self.command, self.path, dict(self.headers.items()), body)
            key = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
            stand_in.calls.append((operation, key[1] if key else ""))
            if stand_in.on_call:
                stand_in.on_call(operation)
            if self.path.startswith("/_"):
                return self._say(404, {}, b"")
            if fault := stand_in.fault(operation):
                return self._say(fault.status, *error(self.headers, fault))
            if operation == "GetCallerIdentity" and stand_in.identity:
                return self._say(200, {"Content-Type": "text/xml"}, identity(stand_in.identity))
            onward = HTTPConnection("127.0.0.1", emulator, timeout=60)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            onward.request(self.command, self.path, body, headers)
            came = onward.getresponse()
            content = came.read()
            return self._say(came.status, dict(came.getheaders()), content)

        def _say(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    yield stand_in
    server.shutdown()
    server.server_close()


def operation_of(method: str, path: str, headers: dict[str, str], body: bytes) -> str:
    """The operation's name, as far as the faults need it."""
    target = {name.lower(): value for name, value in headers.items()}.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2]
    found = re.search(rb"(?:^|&)Action=(\w+)", body)
    return found[1].decode() if found else f"{method} {path.partition('?')[0]}"


def error(headers: Any, fault: Fault) -> tuple[dict[str, str], bytes]:
    if "json" in headers.get("Content-Type", ""):
        said = json.dumps({"__type": fault.code, "message": fault.message}).encode()
        return {"Content-Type": "application/x-amz-json-1.1"}, said
    text = (
        f"<ErrorResponse><Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
        "<RequestId>1</RequestId></ErrorResponse>"
    )
    return {"Content-Type": "text/xml"}, text.encode()


def identity(arn: str) -> bytes:
    return (
        "<GetCallerIdentityResponse><GetCallerIdentityResult>"
        f"<Arn>{arn}</Arn><UserId>X</UserId><Account>{arn.split(':')[4]}</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    ).encode()
