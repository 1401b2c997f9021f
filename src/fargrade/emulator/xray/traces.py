"""Traces: put, summed up, read. moto gives back ids and little else, and no subsegment; for upstream, surely."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, answer, refusal
from fargrade.semantics.tracing import BadExpression, BadSegment, Trace, parse_expression, parse_segment

MOST_TRACES = 5  # BatchGetTraces: xray-api-gettingdata.html
A_DAY = 86_400
_regions: defaultdict[str, dict[str, Trace]] = defaultdict(dict)


def of(region: str) -> dict[str, Trace]:
    """The region's traces by id, in the order in which they first arrived."""
    return _regions[region]


@on_reset
def _forget() -> None:
    _regions.clear()


def invalid(message: str) -> Refused:
    """InvalidRequestException."""
    return Refused("InvalidRequestException", message)


@answer("xray", "PutTraceSegments")
def put_trace_segments(call: Call) -> dict[str, Any]:
    """PutTraceSegments: each document by itself; what cannot be processed is listed, the rest is taken."""
    left = []
    for text in call.parameters["TraceSegmentDocuments"]:
        try:
            segment = parse_segment(text)
        except BadSegment as bad:
            left.append({"Id": bad.id or None, "ErrorCode": bad.code, "Message": str(bad)})
            continue
        of(call.region).setdefault(segment.trace, Trace(segment.trace)).add(segment)
    return {"UnprocessedTraceSegments": [{k: v for k, v in one.items() if v is not None} for one in left]}


@answer("xray", "PutTelemetryRecords")
def put_telemetry_records(call: Call) -> dict[str, Any]:
    """PutTelemetryRecords: what the daemon says of itself."""
    assert call.parameters["TelemetryRecords"] is not None
    return {}


@refusal("xray", "GetTraceSummaries", "GetServiceGraph")
def the_times_are_right(call: Call) -> None:
    """API_GetTraceSummaries.html: start before end, a day at the most."""
    start, end = _seconds(call.parameters["StartTime"]), _seconds(call.parameters["EndTime"])
    if start > end:
        raise invalid("StartTime must be before EndTime")
    if end - start > A_DAY:
        raise invalid("The time range cannot be longer than 24 hours")


def _seconds(when: datetime) -> float:
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _between(call: Call) -> list[Trace]:
    start, end = _seconds(call.parameters["StartTime"]), _seconds(call.parameters["EndTime"])
    return [trace for trace in of(call.region).values() if start <= trace.start <= end]


@answer("xray", "GetTraceSummaries")
def get_trace_summaries(call: Call) -> dict[str, Any]:
    """GetTraceSummaries: the traces that began in the time and fit the filter expression."""
    given = call.parameters
    try:
        fits = parse_expression(given.get("FilterExpression") or "")
    except BadExpression as wrong:
        raise invalid(str(wrong)) from None
    found = [trace for trace in _between(call) if fits(trace)]
    return {
        "TraceSummaries": [_summary(trace) for trace in found],
        "TracesProcessedCount": len(_between(call)),
        "ApproximateTime": given["StartTime"],
    }


def _summary(trace: Trace) -> dict[str, Any]:
    tops = trace.segments()
    services = [{"Name": top["name"], "Names": [top["name"]], "Type": top.get("origin") or "client"} for top in tops]
    annotations = {
        key: [{"AnnotationValue": _annotation(value), "ServiceIds": services} for value in values]
        for key, values in trace.annotations().items()
    }
    summary: dict[str, Any] = {
        "Id": trace.id,
        "StartTime": datetime.fromtimestamp(trace.start, UTC),
        "Duration": trace.duration,
        "ResponseTime": trace.duration,
        "HasFault": trace.has("fault"),
        "HasError": trace.has("error"),
        "HasThrottle": trace.has("throttle"),
        "IsPartial": trace.partial,
        "Annotations": annotations,
        "Users": [{"UserName": top["user"], "ServiceIds": services} for top in tops if top.get("user")],
        "ServiceIds": services,
        "Revision": len(trace.parts),
    }
    http: dict[str, Any] = next((top["http"] for top in tops if isinstance(top.get("http"), dict)), {})
    request, response = http.get("request") or {}, http.get("response") or {}
    if request or response:
        told = {
            "HttpURL": request.get("url"),
            "HttpMethod": request.get("method"),
            "HttpStatus": response.get("status"),
        }
        summary["Http"] = {name: value for name, value in told.items() if value is not None}
    return {**summary, "EntryPoint": services[0]} if services else summary


def _annotation(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BooleanValue": value}
    return {"NumberValue": float(value)} if isinstance(value, int | float) else {"StringValue": str(value)}


@answer("xray", "BatchGetTraces")
def batch_get_traces(call: Call) -> dict[str, Any]:
    """BatchGetTraces: whole segments with all of their subsegments; five traces at a time."""
    wanted = call.parameters["TraceIds"]
    if len(wanted) > MOST_TRACES:
        raise invalid(f"The number of trace ids must be at most {MOST_TRACES}")
    held = of(call.region)
    return {
        "Traces": [
            {
                "Id": name,
                "Duration": held[name].duration,
                "LimitExceeded": False,
                "Segments": [{"Id": top["id"], "Document": json.dumps(top)} for top in held[name].segments()],
            }
            for name in wanted
            if name in held
        ],
        "UnprocessedTraceIds": [name for name in wanted if name not in held],
    }


@answer("xray", "GetServiceGraph")
def get_service_graph(call: Call) -> dict[str, Any]:
    """GetServiceGraph: a node a service name, an edge from a parent's service to the child's."""
    traces = _between(call)
    names = sorted({top["name"] for trace in traces for top in trace.segments()})
    numbers = {name: number for number, name in enumerate(names)}
    edges: dict[int, set[int]] = {number: set() for number in numbers.values()}
    for trace in traces:
        tops = {top["id"]: top for top in trace.segments()}
        for top in tops.values():
            parent = tops.get(str(top.get("parent_id") or ""))
            if parent:
                edges[numbers[parent["name"]]].add(numbers[top["name"]])
    return {
        "StartTime": call.parameters["StartTime"],
        "EndTime": call.parameters["EndTime"],
        "ContainsOldGroupVersions": False,
        "Services": [
            {"ReferenceId": number, "Name": name, "Names": [name], "State": "active",
             "Edges": [{"ReferenceId": one} for one in sorted(edges[number])]}
            for name, number in numbers.items()
        ],
    }  # fmt: skip
