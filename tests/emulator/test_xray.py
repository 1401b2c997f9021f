"""X-Ray in the world: a trace is read as it was sent, and what is no segment is not taken."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.emulator import clock
from fargrade.semantics.tracing import new_trace_id


def code(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


def segment(**more: Any) -> dict[str, Any]:
    now = clock.now().timestamp()
    return {
        "name": "orders", "id": "70de5b6f19ff9a0a", "trace_id": new_trace_id(now, 7),
        "start_time": now - 1, "end_time": now,
        "annotations": {"order": "17"},
        "subsegments": [{"name": "load", "id": "53995c3f42cd8ad8", "start_time": now - 1, "end_time": now - 0.5}],
        **more,
    }  # fmt: skip


def put(xray: Any, *documents: dict[str, Any]) -> list[Any]:
    found: list[Any] = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(one) for one in documents])[
        "UnprocessedTraceSegments"
    ]
    return found


def summaries(xray: Any, expression: str = "") -> list[dict[str, Any]]:
    now = clock.now()
    found: list[dict[str, Any]] = xray.get_trace_summaries(
        StartTime=now - timedelta(hours=1), EndTime=now, FilterExpression=expression
    )["TraceSummaries"]
    return found


def test_a_trace_is_read_as_it_was_sent(client: Any) -> None:
    xray, sent = client("xray"), segment(fault=True)
    assert put(xray, sent) == []
    (trace,) = xray.batch_get_traces(TraceIds=[sent["trace_id"]])["Traces"]
    assert json.loads(trace["Segments"][0]["Document"]) == sent
    (summary,) = summaries(xray)
    assert (summary["HasFault"], summary["IsPartial"]) == (True, False)
    assert summary["Annotations"]["order"][0]["AnnotationValue"] == {"StringValue": "17"}
    assert summary["ServiceIds"][0]["Name"] == "orders"


def test_subsegments_sent_alone_find_their_parent(client: Any) -> None:
    xray, sent = client("xray"), segment()
    now = sent["end_time"]
    alone = {
        "type": "subsegment", "name": "charge", "id": "0000000000000001", "parent_id": sent["id"],
        "trace_id": sent["trace_id"], "start_time": now - 0.4, "end_time": now - 0.1,
    }  # fmt: skip
    assert put(xray, alone, sent) == []
    (trace,) = xray.batch_get_traces(TraceIds=[sent["trace_id"]])["Traces"]
    document = json.loads(trace["Segments"][0]["Document"])
    assert [one["name"] for one in document["subsegments"]] == ["load", "charge"]


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("", True),
        ('service("orders")', True),
        ('service("users")', False),
        ('annotation.order = "17"', True),
        ('annotation[order] = "18"', False),
        ("fault", False),
        ("ok AND duration < 5", True),
        ("!(responsetime > 5 OR fault)", True),
    ],
)
def test_filter_expressions(client: Any, expression: str, fits: bool) -> None:
    xray = client("xray")
    put(xray, segment())
    assert bool(summaries(xray, expression)) is fits


@pytest.mark.parametrize(
    "change",
    [
        {"trace_id": "1-not-one"},
        {"id": "17"},
        {"name": None},
        {"name": "a;b"},
        {"start_time": "now"},
        {"end_time": None},
        {"type": "subsegment"},
        {"subsegments": [{"name": "load"}]},
    ],
)
def test_what_is_no_segment_is_not_taken(client: Any, change: dict[str, Any]) -> None:
    xray = client("xray")
    (left,) = put(xray, segment(**change))
    assert left["ErrorCode"]
    assert summaries(xray) == []


def test_what_is_refused(client: Any) -> None:
    xray, now = client("xray"), clock.now()
    times = {"StartTime": now, "EndTime": now - timedelta(hours=1)}
    assert code(xray.get_trace_summaries, **times) == "InvalidRequestException"
    times = {"StartTime": now - timedelta(days=3), "EndTime": now}
    assert code(xray.get_trace_summaries, **times) == "InvalidRequestException"
    ids = [new_trace_id(now.timestamp(), number) for number in range(6)]
    assert code(xray.batch_get_traces, TraceIds=ids) == "InvalidRequestException"


def test_sampling_rules_and_groups(client: Any) -> None:
    xray = client("xray")
    rule = {
        "RuleName": "orders", "ResourceARN": "*", "Priority": 10, "FixedRate": 0.5, "ReservoirSize": 2,
        "ServiceName": "orders",
        "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1,
    }  # fmt: skip
    xray.create_sampling_rule(SamplingRule=rule)
    names = [one["SamplingRule"]["RuleName"] for one in xray.get_sampling_rules()["SamplingRuleRecords"]]
    assert names == ["orders", "Default"]
    assert code(xray.create_sampling_rule, SamplingRule=rule) == "InvalidRequestException"
    assert (
        code(xray.create_sampling_rule, SamplingRule={**rule, "RuleName": "x", "FixedRate": 2})
        == "InvalidRequestException"
    )
    xray.delete_sampling_rule(RuleName="orders")
    xray.create_group(GroupName="slow", FilterExpression="responsetime > 5")
    assert [one["GroupName"] for one in xray.get_groups()["Groups"]] == ["Default", "slow"]
    assert code(xray.create_group, GroupName="slow") == "InvalidRequestException"
    assert code(xray.create_group, GroupName="odd", FilterExpression="colour = red") == "InvalidRequestException"
