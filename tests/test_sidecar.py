"""The X-Ray daemon beside a learner's code: what it reads of a datagram, and that it hands over what it got."""

from __future__ import annotations

import importlib
import json
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

import fargrade.sandbox
from fargrade.backends.embedded import EmbeddedWorld
from fargrade.sandbox import Job, Limits, PythonCall, Sandbox

sys.path.insert(0, str(Path(fargrade.sandbox.__file__).parent / "inside"))  # as it is inside the confinement
otlp = importlib.import_module("otlp")
sidecar = importlib.import_module("sidecar")
sys.path.pop(0)

CODE = b"""
import json, os, socket, time

def send(count):
    host, port = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000").split(":")
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
        (b'{"format":"json","version":1}\n{\n  "a": 1\n}\n', ['{\n  "a": 1\n}\n']),
        (b'{"format": "json", "version": "1"}\n{"a": 1}', []),
        (b'{"format": "json"}\n{"a": 1}', []),
        (b'{"format": "json", "version": 1}\n', []),
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


def attribute(name: str, value: str) -> dict[str, object]:
    return {"key": name, "value": {"stringValue": value}}


def test_spans_become_segments_and_subsegments() -> None:
    spans = [
        {"traceId": "67a1b2c3" + "0" * 24, "spanId": "1" * 16, "name": "POST /orders", "kind": 2,
         "startTimeUnixNano": "1738650307250000000", "endTimeUnixNano": "1738650307750000000", "status": {"code": 2},
         "attributes": [attribute("order_id", "17"), attribute("http.method", "POST"),
                        {"key": "aws.xray.annotations",
                         "value": {"arrayValue": {"values": [{"stringValue": "order_id"}]}}}]},
        {"traceId": "67a1b2c3" + "0" * 24, "spanId": "2" * 16, "parentSpanId": "1" * 16, "name": "load", "kind": 1,
         "startTimeUnixNano": "1738650307250000000", "endTimeUnixNano": "1738650307500000000"},
    ]  # fmt: skip
    resource = {"attributes": [attribute("service.name", "orders")]}
    request = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    segment, part = map(json.loads, otlp.documents(json.dumps(request).encode()))
    assert (segment["name"], segment["trace_id"], segment["fault"]) == ("orders", "1-67a1b2c3-" + "0" * 24, True)
    assert segment["annotations"] == {"order_id": "17"}
    assert segment["metadata"]["default"] == {"http.method": "POST"}
    assert (part["type"], part["parent_id"], part["name"]) == ("subsegment", "1" * 16, "load")
    assert part["end_time"] - part["start_time"] == 0.25


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"resourceSpans": [{}]}', b"\xff"])
def test_what_is_no_export_request(body: bytes) -> None:
    with pytest.raises(ValueError):
        otlp.documents(body)
