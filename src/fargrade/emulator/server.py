"""HTTP for the learner's side of the world: waitress over the gateway, one thread a listener."""

from __future__ import annotations

import logging
import random
import socket
import threading
from collections.abc import Callable, Iterable
from http.client import responses
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import create_server

from fargrade.emulator.gateway import MAX_BODY, Gateway

THREADS = 4
CLOCK_PATH = "/_fargrade/clock"
MOST_SECONDS = 366 * 86_400
logging.getLogger("waitress").setLevel(logging.ERROR)


class Listeners:
    """The sockets that learners reach the gateway by."""

    def __init__(self, gateway: Gateway, *, alone: bool = False) -> None:
        self._application = application(gateway, alone=alone)
        self._servers: list[Any] = []

    def serve(self, listening: socket.socket) -> int:
        """Serve on a listening socket, in a thread; returns its port."""
        port = int(listening.getsockname()[1])
        server: Any = create_server(
            self._application,
            map={},
            sockets=[listening],
            threads=THREADS,
            ident="fargrade",
            max_request_body_size=MAX_BODY,
            channel_timeout=60,
            clear_untrusted_proxy_headers=True,
        )
        server.channel_class = _Channel
        self._servers.append(server)
        threading.Thread(target=server.run, daemon=True, name=f"learner-{port}").start()
        return port

    def close(self) -> None:
        """Stop listening, and hang up on those who are connected."""
        for server in self._servers:
            ended = threading.Event()
            # In the loop's own thread: it holds what is to be closed.
            server.trigger.pull_trigger(lambda server=server, ended=ended: _hang_up(server, ended))
            ended.wait(5)
        self._servers.clear()


class _Channel(HTTPChannel):
    """waitress waits for ever where "Expect: 100-continue" stands over a body of no bytes, as S3's clients send it for
    an empty object: the request is complete, but is taken for one that is still to come (upstream, too).
    """

    def send_continue(self) -> None:
        waiting: Any = self.request
        if waiting.completed:
            waiting.expect_continue = False
        else:
            super().send_continue()


def _hang_up(server: Any, ended: threading.Event) -> None:
    try:
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.close()
    finally:
        ended.set()


def application(gateway: Gateway, *, alone: bool) -> Callable[..., Iterable[bytes]]:
    """The WSGI application over the gateway; `alone`, LocalStack's paths for health and reset are answered, too."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # As it was sent: PATH_INFO is unquoted, and would make one path of two.
        path = _origin_form(environ["REQUEST_URI"])
        if alone and path == "/_localstack/health":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [health()]
        if alone and path == CLOCK_PATH:
            status, content = clock_answer(gateway, environ["REQUEST_METHOD"], environ["wsgi.input"].read())
            start_response(status, [("Content-Type", "application/json")])
            return [content]
        if alone and path == "/_localstack/state/reset" and environ["REQUEST_METHOD"] == "POST":
            gateway.reset(random.SystemRandom().randrange(2**31))
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
            return [b"{}"]
        headers = {
            key[5:].replace("_", "-").title(): value for key, value in environ.items() if key.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        body = environ["wsgi.input"].read()
        response = gateway.from_learner(environ["REQUEST_METHOD"], path, headers, body)
        kept = [(k, v) for k, v in response.headers.items() if k.lower() not in ("content-length", "connection")]
        # Of what a HEAD asks about, the length is the answer: there is no body to count.
        said = next((v for k, v in response.headers.items() if k.lower() == "content-length"), "0")
        length = said if environ["REQUEST_METHOD"] == "HEAD" else str(len(response.body))
        start_response(
            f"{response.status} {responses.get(response.status, 'Unknown')}", [*kept, ("Content-Length", length)]
        )
        return [response.body]

    return answer


def _origin_form(address: str) -> str:
    """The path and query of what a request asks for, which may be a whole address (RFC 9112, 3.2.2)."""
    if not address.startswith("/"):
        address = "/" + address.partition("://")[2].partition("/")[2]
    return address.partition("#")[0]


def clock_answer(gateway: Gateway, method: str, body: bytes) -> tuple[str, bytes]:
    """The world's clock for whoever uses the emulator alone: GET tells the time, POST {"seconds": n} lets n pass.

    What takes time on AWS (a deployment, an alarm's periods, a scan) is an event on this clock; it also moves with
    the calls that are made.
    """
    import json

    try:
        given = json.loads(body or b"{}") if method == "POST" else {}
        seconds = given.get("seconds", 0)
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= MOST_SECONDS:
            raise ValueError
    except (ValueError, AttributeError):
        return "400 Bad Request", b'{"message": "POST {\\"seconds\\": n}, n from 0 to a year"}'
    return "200 OK", json.dumps({"now": gateway.control("advance", {"seconds": seconds})}).encode()


def health() -> bytes:
    """LocalStack's health answer, for those who wait for it."""
    import json

    from fargrade import __version__
    from fargrade.emulator.services import BY_MODEL

    return json.dumps(
        {"services": dict.fromkeys(BY_MODEL, "available"), "edition": "fargrade", "version": __version__}
    ).encode()


def loopback_socket(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """A new listening socket. Raises OSError, as for a port in use."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(128)
    return listening
