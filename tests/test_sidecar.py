"""The X-Ray daemon beside a learner's code: what it reads of a datagram, and that it hands over what it got."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.sandbox import Job, Limits, PythonCall, Sandbox
from fargrade.sandbox.inside import sidecar

CODE = b"""
import json, os, socket, time

def send(count):
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(count):
        now = time.time()
        segment = {"name": "orders", "id": f"{number:016x}", "trace_id": f"1-{int(now):08x}-{number:024x}",
                   "start_time": now, "end_time": now}
        daemon.sendto(b'{"format": "json", "version": 1}\\n' + json.dumps(segment).encode(), (host, int(port)))
    return "FARGRADE_SIDECAR" in os.environ
"""


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (b'{"format": "json", "version": 1}\n{"a": 1}', ['{"a": 1}']),
        (b'{"format":"json","version":1}\n{"a": 1}\n{"b": 2}\n', ['{"a": 1}', '{"b": 2}']),
        (b'{"a": 1}', []),
        (b'{"format": "xml"}\n{"a": 1}', []),
        (b"\xff\xfe", []),
        (b"[]\n{}", []),
        (b"", []),
    ],
)
def test_datagrams(datagram: bytes, expected: list[str]) -> None:
    assert sidecar.segments(datagram) == expected


def test_all_that_was_sent_arrives(embedded: EmbeddedWorld, sandbox: Sandbox) -> None:
    embedded.reset(3)
    environment = {**embedded.environment, "FARGRADE_SIDECAR": "xray"}
    began = time.monotonic()
    outcome = sandbox.run(
        Job(files={"app.py": CODE}, entry=PythonCall("app.py", "send", (60,), {}), env=environment, limits=Limits())
    )
    assert (outcome.kind, outcome.value) == ("returned", False), outcome.sentence()
    assert time.monotonic() - began < 10
    now = embedded.now()
    found = embedded.client("xray").get_trace_summaries(
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(seconds=5)
    )["TraceSummaries"]
    assert len(found) == 60, json.dumps(found, default=str)[:500]
