"""CloudWatch Logs in the world: what is written is found, for as long as it should be."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.emulator import clock

GROUP = {"logGroupName": "/shop/web"}


def code(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


def now() -> int:
    return int(clock.now().timestamp() * 1000)


@pytest.fixture
def logs(client: Any) -> Any:
    """A client, with a group and a stream."""
    made = client("logs")
    made.create_log_group(**GROUP)
    made.create_log_stream(**GROUP, logStreamName="web/app/1")
    return made


def put(logs: Any, *messages: str, ago: int = 0) -> None:
    events = [{"timestamp": now() - ago * 1000 + number, "message": one} for number, one in enumerate(messages)]
    logs.put_log_events(**GROUP, logStreamName="web/app/1", logEvents=events)


def test_pages_may_be_empty_and_go_on(logs: Any) -> None:
    put(logs, *[f"INFO request {number}" for number in range(2500)], "ERROR the last one")
    first = logs.filter_log_events(**GROUP, filterPattern="ERROR")
    assert first["events"] == []
    assert first["nextToken"]
    pages = logs.get_paginator("filter_log_events").paginate(**GROUP, filterPattern="ERROR")
    assert [event["message"] for page in pages for event in page["events"]] == ["ERROR the last one"]


def test_retention_takes_what_is_too_old(logs: Any) -> None:
    put(logs, "kept for a while")
    logs.put_retention_policy(**GROUP, retentionInDays=3)
    clock.advance(2 * 86400)
    assert logs.get_log_events(**GROUP, logStreamName="web/app/1")["events"]
    clock.advance(86400 + 60)
    assert logs.get_log_events(**GROUP, logStreamName="web/app/1")["events"] == []
    assert logs.filter_log_events(**GROUP)["events"] == []


def test_a_query_takes_a_moment(logs: Any) -> None:
    put(logs, "ERROR order 1", "INFO order 2", "ERROR order 3", ago=10)
    started = logs.start_query(
        **GROUP, startTime=now() // 1000 - 60, endTime=now() // 1000,
        queryString="fields @message | filter @message like /ERROR/ | sort @timestamp asc",
    )["queryId"]  # fmt: skip
    assert logs.get_query_results(queryId=started)["status"] == "Running"
    clock.advance(3)
    found = logs.get_query_results(queryId=started)
    assert found["status"] == "Complete"
    assert [row[0]["value"] for row in found["results"]] == ["ERROR order 1", "ERROR order 3"]
    assert found["statistics"]["recordsScanned"] == 3
    assert logs.describe_queries()["queries"][0]["queryId"] == started


def test_a_metric_filter_counts(logs: Any, client: Any) -> None:
    logs.put_metric_filter(
        **GROUP, filterName="errors", filterPattern="ERROR",
        metricTransformations=[{"metricName": "Errors", "metricNamespace": "Shop", "metricValue": "1"}],
    )  # fmt: skip
    put(logs, "ERROR 1", "fine", "ERROR 2")
    (metric,) = client("cloudwatch").list_metrics(Namespace="Shop")["Metrics"]
    assert metric["MetricName"] == "Errors"


def test_a_pattern_is_tried_out(logs: Any) -> None:
    found = logs.test_metric_filter(filterPattern="[ip, status = 5*]", logEventMessages=["1.2.3.4 500", "1.2.3.4 200"])
    assert found["matches"] == [
        {"eventNumber": 1, "eventMessage": "1.2.3.4 500", "extractedValues": {"$ip": "1.2.3.4", "$status": "500"}}
    ]


def test_what_is_refused(logs: Any) -> None:
    assert code(logs.put_retention_policy, **GROUP, retentionInDays=10) == "InvalidParameterException"
    assert code(logs.put_retention_policy, logGroupName="ghost", retentionInDays=7) == "ResourceNotFoundException"
    assert code(logs.filter_log_events, **GROUP, filterPattern="{ a = 1 }") == "InvalidParameterException"
    assert code(logs.create_log_group, **GROUP) == "ResourceAlreadyExistsException"
    assert code(logs.create_log_group, logGroupName="spaces are wrong") == "InvalidParameterException"
    events = [{"timestamp": now(), "message": "b"}, {"timestamp": now() - 5000, "message": "a"}]
    put_events = logs.put_log_events
    assert code(put_events, **GROUP, logStreamName="web/app/1", logEvents=events) == "InvalidParameterException"
    assert code(put_events, **GROUP, logStreamName="ghost", logEvents=events[:1]) == "ResourceNotFoundException"
    query = {"startTime": 0, "endTime": 1, "queryString": "select *"}
    assert code(logs.start_query, **GROUP, **query) == "MalformedQueryException"
    assert code(logs.get_query_results, queryId="ghost") == "ResourceNotFoundException"
    given = {"filterName": "x", "filterPattern": "", "destinationArn": "arn:aws:s3:::bucket"}
    assert code(logs.put_subscription_filter, **GROUP, **given) == "InvalidParameterException"


def test_old_and_future_events_are_left_out(logs: Any) -> None:
    logs.put_retention_policy(**GROUP, retentionInDays=1)
    old = logs.put_log_events(
        **GROUP, logStreamName="web/app/1", logEvents=[{"timestamp": now() - 2 * 86_400_000, "message": "x"}]
    )
    assert old["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] == 1
    new = logs.put_log_events(
        **GROUP, logStreamName="web/app/1", logEvents=[{"timestamp": now() + 3 * 3_600_000, "message": "x"}]
    )
    assert new["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] == 0
    assert logs.filter_log_events(**GROUP)["events"] == []
