"""The X-Ray daemon beside a learner's code: takes segments on UDP, hands them to the world with the task's keys.

On ECS it is a container of the same task: it listens on the loopback address that both share, and speaks to X-Ray with
the task role's credentials. Here it is a process of the same sandbox, with the same environment. What the role does not
allow never arrives, and nobody is told: so it is on AWS, too.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
from typing import Any

import otlp

MARK = "FARGRADE_SIDECAR"  # in a job's environment: "xray", or "collector", which takes OpenTelemetry's spans, too
ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"
OTLP_ADDRESS = "OTEL_EXPORTER_OTLP_ENDPOINT"
PORT = 2000
LARGEST = 65_507  # of a datagram
A_CALL = 40  # documents; PutTraceSegments takes 50
FINISH_SECONDS = 10.0
_sleep = time.sleep  # the machine's: the learner's time is not meant here
_clock = time.monotonic


class Sidecar:
    """A daemon that runs; `finish()` lets it hand over what it has, and ends it."""

    def __init__(self, process: int, leash: int) -> None:
        self._process, self._leash = process, leash

    def finish(self) -> None:
        """The learner's code is done: wait until all that it sent is handed over."""
        os.close(self._leash)
        until = _clock() + FINISH_SECONDS
        while _clock() < until:
            try:
                if os.waitpid(self._process, os.WNOHANG)[0]:
                    return
            except ChildProcessError:
                return
            _sleep(0.005)


def start() -> Sidecar | None:
    """Start the daemon if this job's task has one, where it always listens.

    ECS puts no address into the environment, so nor is there one here: but where the place is taken, which only happens
    without a confinement, the environment says which it is.
    """
    kind = os.environ.pop(MARK, "")
    if kind not in ("xray", "collector"):
        return None
    listening = _bound(socket.SOCK_DGRAM, PORT)
    _elsewhere(listening, PORT, ADDRESS, "127.0.0.1:{}")
    spans = _bound(socket.SOCK_STREAM, otlp.PORT) if kind == "collector" else None
    if spans:
        spans.listen(16)
        _elsewhere(spans, otlp.PORT, OTLP_ADDRESS, "http://127.0.0.1:{}")
    held, leash = os.pipe()
    process = os.fork()
    if process:
        listening.close()
        if spans:
            spans.close()
        os.close(held)
        return Sidecar(process, leash)
    try:
        os.close(leash)
        os.close(3)
        serve(listening, held, spans)
    finally:
        os._exit(0)


def _bound(kind: int, port: int) -> Any:
    made = socket.socket(socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:  # the job before has left connections behind that wait for their end
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except OSError:  # somebody else's, where the code is not confined
        made.bind(("127.0.0.1", 0))
    return made


def _elsewhere(listening: Any, port: int, variable: str, form: str) -> None:
    """Say where it listens if that is not its usual place."""
    found = listening.getsockname()[1]
    if found != port:
        os.environ[variable] = form.format(found)


def serve(listening: Any, held: int, spans: Any = None) -> None:
    """Take segments (and spans) until the leash is let go, then hand over the rest."""
    listening.setblocking(False)
    documents: list[str] = []
    while True:
        ready, _, _ = select.select([listening, held, *([spans] if spans else [])], [], [], 60)
        if spans in ready:
            documents += _exported(spans)
        while True:
            try:
                datagram = listening.recv(LARGEST)
            except BlockingIOError:
                break
            documents += segments(datagram)
        if held in ready or not ready:
            break
    hand_over(documents)


def _exported(spans: Any) -> list[str]:
    connection, _ = spans.accept()
    try:
        exported: list[str] = otlp.answer(connection)
        return exported
    except (OSError, ValueError):
        return []
    finally:
        connection.close()


def segments(datagram: bytes) -> list[str]:
    """The document in a datagram, if it has one: a header in JSON on the first line, the document after it.

    Source: github.com/aws/aws-xray-daemon, cmd/tracing/daemon.go (poll): format "json", version the number 1; the rest
    of the datagram, however many lines, is one document.
    """
    header, _, rest = datagram.partition(b"\n")
    try:
        told = json.loads(header)
        version = told.get("version")
        if str(told.get("format")).lower() != "json" or version != 1 or not isinstance(version, int):
            return []
    except (ValueError, AttributeError):
        return []
    return [rest.decode("utf-8", "replace")] if rest.strip() else []


def hand_over(documents: list[str]) -> None:
    """Send them to X-Ray, as the task's role."""
    if not documents:
        return
    import boto3

    xray = boto3.client("xray")
    for first in range(0, len(documents), A_CALL):
        try:
            xray.put_trace_segments(TraceSegmentDocuments=documents[first : first + A_CALL])
        except Exception:  # the daemon writes it to its log, and goes on
            continue
