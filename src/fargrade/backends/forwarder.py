"""Stands between the learner's code and an endpoint: lets AWS calls of the course through, records them, signs anew.

The learner's code holds no credentials that are worth anything: what passes is signed here, with those of the world.
Nothing else passes: service and region come from the signature, as with the embedded backend's own guard.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fargrade.emulator.errors import Refused, Response, error_in, error_response
from fargrade.emulator.guard import MAX_BODY, Incoming, admit
from fargrade.emulator.recording import RecordedCall, Recording
from fargrade.emulator.services import service_model

READ_SECONDS = 60
# Of a hop, not of the message: RFC 9110, 7.6.1; and what the answer's own reading has undone.
DROPPED = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "server", "date"}
Send = Callable[[Incoming], Response]
Watch = Callable[[RecordedCall, Response], None]
Route = Callable[[str, bytes], Response]
ROUTES = ("/_fargrade/time", "/_fargrade/engine")  # the learner's sleep and docker
NO_ROUTE = Refused("UnknownOperationException", "There is no such address here.", 404)


class Forwarder:
    """Serves learners on listening sockets: `send` passes a request on, signed; `may` refuses one, raising Refused.

    `watch` sees every answer; `route` answers what is no call to AWS.
    """

    def __init__(
        self,
        send: Send,
        region: str,
        *,
        may: Callable[[Incoming], None] | None = None,
        watch: Watch | None = None,
        route: Route | None = None,
    ) -> None:
        self._send = send
        self._may = may
        self._watch = watch
        self._route = route
        self._region = region
        self._servers: list[ThreadingHTTPServer] = []
        self._lock = threading.Lock()
        self.recording = Recording()

    def listen(self, listening: socket.socket | None = None) -> int:
        """Serve on the socket handed over (it is ours from now on), else on loopback; returns the port."""
        if listening is None:
            own = socket.create_server(("127.0.0.1", 0))
        else:
            own = socket.socket(fileno=socket.dup(listening.fileno()))
        server = _Server(own, self.answer)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True, name="forwarder").start()
        return int(own.getsockname()[1])

    def close_listeners(self) -> None:
        """Serve no learner any more."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def forget(self) -> None:
        """Begin a recording anew."""
        self.recording = Recording()

    def calls(self) -> list[RecordedCall]:
        """The learner's calls since, in order."""
        with self._lock:
            return [RecordedCall(**one) for one in self.recording.as_json()]

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """The answer to a learner's request: the endpoint's, or a refusal of our own."""
        if path.startswith("/_"):
            ours = self._route if path in ROUTES and method == "POST" else None
            return ours(path, body) if ours else error_response(NO_ROUTE, "json")
        try:
            given = admit(method, path, headers, body, self._region)
        except Refused as refused:
            self._record("?", f"{method[:10]} {path.partition('?')[0][:80]}", {}, error_response(refused, "json"), "")
            return error_response(refused, "json")
        operation, parameters = decoded(given)
        try:
            if self._may:
                self._may(given)
            response = self._send(given)
        except Refused as refused:
            response = error_response(refused, service_model(given.service.model).protocol)
        except Exception as error:  # ours, or the backend's: never the learner's
            fault = Refused("InternalFailure", f"{type(error).__name__}: {error}"[:300], 501)
            response = error_response(fault, service_model(given.service.model).protocol)
        call = self._record(given.service.model, operation, parameters, response, given.region)
        if self._watch:
            self._watch(call, response)
        return response

    def _record(
        self, service: str, operation: str, parameters: dict[str, Any], response: Response, region: str
    ) -> RecordedCall:
        code, message = error_in(response)
        if response.status >= 400 and not code:
            code = str(response.status)
        with self._lock:
            self.recording.add(
                service,
                operation,
                parameters,
                status=response.status,
                error=code,
                message=message,
                region=region,
            )
            number = self.recording.count
        return RecordedCall(number, service, operation, parameters, response.status, code, message, region)


def decoded(given: Incoming) -> tuple[str, dict[str, Any]]:
    """The operation and its parameters by botocore's model, for the recording; "?" where it cannot be read."""
    from fargrade.emulator import moto_backend

    try:
        return moto_backend.decode(given.service, moto_backend.request_of(given))
    except Refused:
        return "?", {}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listening: socket.socket, answer: Callable[..., Response]) -> None:
        self.answer = answer
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_address = listening.getsockname()[:2]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = READ_SECONDS

    def _pass_on(self) -> None:
        try:
            body = self._body()
        except (ValueError, OSError):
            self.close_connection = True
            return
        response = self.server.answer(self.command, self.path, dict(self.headers.items()), body)
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        told = response.headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", told or str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _body(self) -> bytes:
        """The request's body. Raises ValueError for one that is too large or malformed."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return self._chunks()
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 <= size <= MAX_BODY:
            raise ValueError(size)
        return self.rfile.read(size)

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := int(self.rfile.readline(1024).split(b";")[0], 16):
            if size < 0 or sum(map(len, parts)) + size > MAX_BODY:
                raise ValueError(size)
            parts.append(self.rfile.read(size))
            self.rfile.readline(1024)
        self.rfile.readline(1024)
        return b"".join(parts)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _pass_on  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing: what was called is in the recording."""
