"""OpenTelemetry's spans as a collector with the awsxray exporter hands them to X-Ray: OTLP over HTTP, in JSON.

Sources: opentelemetry.io/docs/specs/otlp (POST /v1/traces) and exporter/awsxrayexporter of
github.com/open-telemetry/opentelemetry-collector-contrib: a span without a parent, or of kind SERVER, is a segment
named for its service, any other a subsegment; the attributes that `aws.xray.annotations` lists are annotations, the
rest is metadata.
"""

from __future__ import annotations

import json
from typing import Any

PORT = 4318
PATH = "/v1/traces"
SERVER, ERROR = 2, 2
ANNOTATIONS = "aws.xray.annotations"
MOST = 4 << 20


def documents(body: bytes) -> list[str]:
    """The segment documents of an export request. Raises ValueError for what is none."""
    try:
        request = json.loads(body)
        return [
            json.dumps(_document(span, _attributes(group.get("resource") or {})))
            for group in request["resourceSpans"]
            for scope in group["scopeSpans"]
            for span in scope["spans"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no export request: {error}") from None


def _document(span: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    trace, own, parent = str(span["traceId"]), str(span["spanId"]), str(span.get("parentSpanId") or "")
    given = _attributes(span)
    listed = given.pop(ANNOTATIONS, [])
    segment = not parent or span.get("kind") in (SERVER, "SPAN_KIND_SERVER")
    document: dict[str, Any] = {
        "trace_id": f"1-{trace[:8]}-{trace[8:]}",
        "id": own,
        "name": str(resource.get("service.name") or span["name"]) if segment else str(span["name"]),
        "start_time": _seconds(span["startTimeUnixNano"]),
        "end_time": _seconds(span["endTimeUnixNano"]),
        "annotations": {_key(name): value for name, value in given.items() if name in listed},
        "metadata": {"default": {name: value for name, value in given.items() if name not in listed}},
    }
    if parent:
        document["parent_id"] = parent
    if not segment:
        document["type"] = "subsegment"
    if (span.get("status") or {}).get("code") in (ERROR, "STATUS_CODE_ERROR"):
        document["fault"] = True
    return document


def _seconds(nanoseconds: Any) -> float:
    """To the microsecond, which is what a float of seconds since 1970 can hold."""
    return int(nanoseconds) // 1000 / 1e6


def _key(name: str) -> str:
    """X-Ray's annotation keys have letters, digits and underscores."""
    return "".join(sign if sign.isalnum() else "_" for sign in name)


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    return {str(one["key"]): _value(one["value"]) for one in holder.get("attributes") or []}


def _value(given: dict[str, Any]) -> Any:
    kind, value = next(iter(given.items()))
    if kind == "intValue":
        return int(value)
    if kind == "arrayValue":
        return [_value(one) for one in value.get("values") or []]
    return value


def answer(connection: Any) -> list[str]:
    """Read one HTTP request, answer it, and return the documents that it brought."""
    connection.settimeout(2)
    received = b""
    while b"\r\n\r\n" not in received and len(received) < 1 << 16:
        part = connection.recv(1 << 16)
        if not part:
            return []
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("content-length") or 0)
    while len(body) < min(length, MOST):
        part = connection.recv(1 << 16)
        if not part:
            break
        body += part
    found: list[str] = []
    if lines[0].split(" ")[:2] != ["POST", PATH]:
        status = "404 Not Found"
    elif "json" not in headers.get("content-type", ""):
        status = "415 Unsupported Media Type"
    else:
        try:
            found, status = documents(body), "200 OK"
        except ValueError:
            status = "400 Bad Request"
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    return found
