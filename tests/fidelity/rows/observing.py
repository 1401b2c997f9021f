"""CloudWatch Logs, X-Ray, EventBridge."""

from __future__ import annotations

import json
from typing import Any

from tests.fidelity.table import Row, Service

logs = Service("logs")
xray = Service("xray")
events = Service("events")
LOGS = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_{}.html"
XRAY = "https://docs.aws.amazon.com/xray/latest/api/API_{}.html"
SEGMENTS = "https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html"
EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_{}.html"
PATTERNS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html"

SHOP = {"logGroupName": "/shop"}
GROUP = logs.step("CreateLogGroup", SHOP)
QUERY = {**SHOP, "startTime": 0, "endTime": 1}
RULE: dict[str, Any] = {
    "RuleName": "orders", "ResourceARN": "*", "Priority": 10, "FixedRate": 0.5, "ReservoirSize": 2, "ServiceName": "*",
    "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1,
}  # fmt: skip
OLD = {"name": "orders", "id": "70de5b6f19ff9a0a", "trace_id": "1-58406520-a006649127e371903a2de979", "start_time": 1.0,
       "end_time": 2.0}  # fmt: skip
STOPPED = json.dumps({"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"]}})
WATCH = events.step("PutRule", {"Name": "stopped", "EventPattern": STOPPED})
TOPIC = "arn:aws:sns:us-east-1:123456789012:ops"
EVENT = {"id": "1", "account": "123456789012", "source": "aws.ecs", "time": "2026-03-01T00:00:00Z",
         "resources": [], "region": "us-east-1",
         "detail-type": "ECS Task State Change", "detail": {"lastStatus": "STOPPED"}}  # fmt: skip


def _filter(kind: str, pattern: str, why: str) -> Row:
    return logs.refuses("FilterLogEvents", {**SHOP, "filterPattern": pattern}, "InvalidParameterException", why,
                        given=[GROUP], source=LOGS.format(kind))  # fmt: skip


def _left(segment: dict[str, Any], code: str, why: str) -> Row:
    given = {"TraceSegmentDocuments": [json.dumps(segment)]}
    return xray.accepts("PutTraceSegments", given, why, shows={"UnprocessedTraceSegments[0].ErrorCode": code},
                        source=SEGMENTS)  # fmt: skip


def _rule(given: dict[str, Any], code: str, why: str, **more: Any) -> Row:
    return events.refuses("PutRule", {"Name": "x", **given}, code, why, source=EVENTS.format("PutRule"), **more)


def _target(target: dict[str, Any], why: str) -> Row:
    given = {"Rule": "stopped", "Targets": [{"Id": "1", **target}]}
    return events.refuses("PutTargets", given, "ValidationException", why, given=[WATCH],
                          source=EVENTS.format("PutTargets"))  # fmt: skip


ROWS: list[Row] = [
    logs.accepts("PutRetentionPolicy", {**SHOP, "retentionInDays": 14}, "two weeks of retention", given=[GROUP],
                 then=[logs.step("DescribeLogGroups", {}, shows={"logGroups[0].retentionInDays": 14})],
                 source=LOGS.format("PutRetentionPolicy")),
    logs.refuses("PutRetentionPolicy", {**SHOP, "retentionInDays": 10}, "InvalidParameterException",
                 "ten days of retention",
                 given=[GROUP], source=LOGS.format("PutRetentionPolicy")),
    logs.refuses("PutRetentionPolicy", {**SHOP, "retentionInDays": 7}, "ResourceNotFoundException",
                 "retention of a group that is not there", source=LOGS.format("PutRetentionPolicy")),
    logs.refuses("CreateLogGroup", SHOP, "ResourceAlreadyExistsException", "a group that is there", given=[GROUP],
                 source=LOGS.format("CreateLogGroup")),
    _filter("FilterLogEvents", "{ level = ERROR }", "a JSON pattern without a selector"),
    _filter("FilterLogEvents", "order: 17", "a colon outside quotation marks"),
    logs.accepts("TestMetricFilter", {"filterPattern": "[ip, status = 5*]", "logEventMessages": ["a 500", "b 200"]},
                 "a pattern that is tried out", shows={"matches[].eventNumber": [1]},
                 source=LOGS.format("TestMetricFilter")),
    logs.refuses("StartQuery", {**QUERY, "queryString": "select * from logs"}, "MalformedQueryException",
                 "a query in SQL", given=[GROUP], source=LOGS.format("StartQuery")),
    logs.refuses("StartQuery", {**QUERY, "startTime": 9, "queryString": "fields @message"}, "InvalidParameterException",
                 "a query that ends before it begins", given=[GROUP], source=LOGS.format("StartQuery")),
    logs.refuses("GetQueryResults", {"queryId": "ghost"}, "ResourceNotFoundException", "a query that is not there",
                 source=LOGS.format("GetQueryResults")),
    logs.refuses("PutSubscriptionFilter", {**SHOP, "filterName": "x", "filterPattern": "",
                                           "destinationArn": "arn:aws:s3:::bucket"},
                 "InvalidParameterException", "a bucket as destination", given=[GROUP],
                 source=LOGS.format("PutSubscriptionFilter")),
    logs.refuses("PutLogEvents", {**SHOP, "logStreamName": "ghost", "logEvents": [{"timestamp": 1, "message": "x"}]},
                 "ResourceNotFoundException", "a stream that is not there", given=[GROUP],
                 source=LOGS.format("PutLogEvents")),
    _left({**OLD, "id": "17"}, "MissingId", "a segment id of two digits"),
    _left({**OLD, "trace_id": "1234"}, "InvalidTraceId", "a trace id without its parts"),
    xray.accepts("CreateSamplingRule", {"SamplingRule": RULE}, "a sampling rule",
                 then=[xray.step("GetSamplingRules", {}, shows={"SamplingRuleRecords[].SamplingRule.RuleName":
                                                                ["orders", "Default"]})],
                 source=XRAY.format("CreateSamplingRule")),
    xray.refuses("CreateSamplingRule", {"SamplingRule": {**RULE, "FixedRate": 2}}, "InvalidRequestException",
                 "a rate of two hundred per cent", source=XRAY.format("CreateSamplingRule")),
    xray.refuses("CreateGroup", {"GroupName": "x", "FilterExpression": "colour = red"}, "InvalidRequestException",
                 "a group with an expression that cannot be read", source=XRAY.format("CreateGroup")),
    xray.accepts("CreateGroup", {"GroupName": "slow", "FilterExpression": "responsetime > 1"}, "a group of traces",
                 shows={"Group.[GroupName, FilterExpression]": ["slow", "responsetime > 1"]},
                 then=[xray.step("GetGroups", shows={"Groups[*].GroupName": ["Default", "slow"]}),
                       xray.step("GetGroup", {"GroupName": "slow"}, shows={"Group.GroupName": "slow"})],
                 source=XRAY.format("CreateGroup")),
    xray.refuses("GetTraceSummaries", {"StartTime": 1_000_000, "EndTime": 1_200_000}, "InvalidRequestException",
                 "traces of more than a day", source=XRAY.format("GetTraceSummaries")),
    _rule({"ScheduleExpression": "rate(1 minutes)"}, "ValidationException", "a rate in the wrong number",
          says="ScheduleExpression is not valid"),
    _rule({"ScheduleExpression": "0 9 * * *"}, "ValidationException", "a schedule as crontab has it"),
    _rule({"EventPattern": '{"source": "aws.ecs"}'}, "InvalidEventPatternException", "a value outside an array"),
    _rule({"EventPattern": '{"source": [{"prefx": "aws"}]}'}, "InvalidEventPatternException", "an unknown operator"),
    _rule({}, "ValidationException", "a rule without pattern or schedule"),
    _target({"Arn": "nonsense"}, "a target that is no ARN"),
    _target({"Arn": TOPIC, "Input": "not json"}, "an input that is no JSON"),
    _target({"Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/shop"}, "a cluster without what to run"),
    events.refuses("PutTargets", {"Rule": "stopped", "Targets": [{"Id": str(n), "Arn": TOPIC} for n in range(6)]},
                   "LimitExceededException", "six targets of a rule", given=[WATCH],
                   source=EVENTS.format("PutTargets")),
    events.refuses("PutTargets", {"Rule": "ghost", "Targets": [{"Id": "1", "Arn": TOPIC}]},
                   "ResourceNotFoundException", "targets of a rule that is not there",
                   source=EVENTS.format("PutTargets")),
    events.accepts("TestEventPattern", {"EventPattern": STOPPED, "Event": json.dumps(EVENT)},
                   "a pattern that is tried out",
                   shows={"Result": True}, source=PATTERNS),
]  # fmt: skip
