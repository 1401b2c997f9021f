"""A real HTTP proxy in the load balancer's place: clients reach containers through it as through an ALB.

Targets take turns. Its own answers are an ALB's: 503 with no target, 502 for a target that refuses or breaks off, 504
for one that does not answer in time (docs.aws.amazon.com/elasticloadbalancing/latest/application,
load-balancer-troubleshooting.html).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TARGET_SECONDS = 10.0
MOST_BODY = 1 << 20
HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
    "content-length",
}


class Proxy:
    """Serves on a loopback port; `targets` are (address, port)."""

    def __init__(self, targets: Iterable[tuple[str, int]]) -> None:
        self.targets = list(targets)
        self._turns = itertools.count()
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True, name="proxy").start()

    def next_target(self) -> tuple[str, int] | None:
        """Whose turn it is; None where there is no target."""
        return self.targets[next(self._turns) % len(self.targets)] if self.targets else None

    def close(self) -> None:
        """Serve nobody."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def _answer(self) -> None:
        target = self.server.proxy.next_target()
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MOST_BODY))
        if target is None:
            return self._say(503, {}, b"Service Temporarily Unavailable")
        connection = HTTPConnection(*target, timeout=TARGET_SECONDS)
        try:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            given = {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "http", "X-Forwarded-Port": "80"}
            connection.request(self.command, self.path, body, {**kept, **given})
            came = connection.getresponse()
            return self._say(came.status, dict(came.getheaders()), came.read(MOST_BODY))
        except TimeoutError:
            return self._say(504, {}, b"Gateway Time-out")
        except (OSError, HTTPException):
            return self._say(502, {}, b"Bad Gateway")
        finally:
            connection.close()

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""
