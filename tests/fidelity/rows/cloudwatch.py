"""CloudWatch: alarms, composite alarms, metric data."""

from __future__ import annotations

from typing import Any

from tests.fidelity.table import Row, Service, Step

cloudwatch = Service("cloudwatch")
world = Service("world")
API = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_{}.html"
GUIDE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/{}.html"

ALARM: dict[str, Any] = {
    "AlarmName": "busy", "Namespace": "Shop", "MetricName": "Busy", "Statistic": "Average", "Period": 60,
    "EvaluationPeriods": 3, "Threshold": 80.0, "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
PUT = cloudwatch.step("PutMetricAlarm", ALARM)
MATH = {name: ALARM[name] for name in ("AlarmName", "EvaluationPeriods", "Threshold", "ComparisonOperator")}
STAT = {"Metric": {"Namespace": "Shop", "MetricName": "Busy"}, "Period": 60, "Stat": "Sum"}
M1 = {"Id": "m1", "MetricStat": STAT, "ReturnData": False}
MINUTE = world.step("advance", {"seconds": 60})


def datum(value: float) -> Step:
    return cloudwatch.step(
        "PutMetricData", {"Namespace": "Shop", "MetricData": [{"MetricName": "Busy", "Value": value}]}
    )


def minutes(*values: float) -> list[Step]:
    """A value a minute, as a service publishes them."""
    return [step for value in values for step in (datum(value), MINUTE)]


def shows_state(state: str) -> list[Step]:
    return [cloudwatch.step("DescribeAlarms", {"AlarmNames": ["busy"]}, shows={"MetricAlarms[0].StateValue": state})]


def _no(change: dict[str, Any], why: str, **more: Any) -> Row:
    given = {name: one for name, one in {**ALARM, **change}.items() if one is not None}
    source = more.pop("source", API.format("PutMetricAlarm"))
    return cloudwatch.refuses("PutMetricAlarm", given, "ValidationError", why, source=source, **more)


def _math(metrics: list[dict[str, Any]], why: str) -> Row:
    return cloudwatch.refuses("PutMetricAlarm", {**MATH, "Metrics": metrics}, "ValidationError", why,
                              source=GUIDE.format("using-metric-math"))  # fmt: skip


def _data(code: str, change: dict[str, Any], why: str, namespace: str = "Shop") -> Row:
    entry = {name: one for name, one in {"MetricName": "Busy", "Value": 1.0, **change}.items() if one is not None}
    given = {"Namespace": namespace, "MetricData": [entry]}
    return cloudwatch.refuses("PutMetricData", given, code, why, source=API.format("PutMetricData"))


ROWS: list[Row] = [
    cloudwatch.accepts("PutMetricAlarm", ALARM, "a new alarm", then=shows_state("INSUFFICIENT_DATA"),
                       source=GUIDE.format("alarm-evaluation")),
    cloudwatch.accepts(
        "DescribeAlarms", {}, "three datapoints above the threshold", given=[MINUTE, PUT, *minutes(90, 90, 90, 90)],
        shows={"MetricAlarms[0].StateValue": "ALARM"}, source=GUIDE.format("alarm-evaluation"),
    ),
    cloudwatch.accepts(
        "DescribeAlarms", {}, "a datapoint below it", given=[MINUTE, PUT, *minutes(90, 50, 90, 50)],
        shows={"MetricAlarms[0].StateValue": "OK"}, source=GUIDE.format("alarm-evaluation"),
    ),
    cloudwatch.accepts(
        "DescribeAlarms", {}, "an alarm on another metric's data",
        given=[cloudwatch.step("PutMetricAlarm", {**ALARM, "Dimensions": [{"Name": "Service", "Value": "web"}]}),
               *minutes(90, 90, 90, 90)],
        shows={"MetricAlarms[0].StateValue": "INSUFFICIENT_DATA"}, source=GUIDE.format("cloudwatch_concepts"),
    ),
    cloudwatch.accepts(
        "DescribeAlarms", {}, "missing data that are treated as breaching",
        given=[cloudwatch.step("PutMetricAlarm", {**ALARM, "TreatMissingData": "breaching"}), MINUTE, MINUTE],
        shows={"MetricAlarms[0].StateValue": "ALARM"}, source=GUIDE.format("alarms-and-missing-data"),
    ),
    cloudwatch.accepts(
        "SetAlarmState", {"AlarmName": "busy", "StateValue": "ALARM", "StateReason": "a drill"}, "a state that is set",
        given=[PUT], then=shows_state("ALARM"), source=API.format("SetAlarmState"),
    ),
    _no({"Period": 45}, "a period of 45 seconds"),
    _no({"Period": 90}, "a period of 90 seconds"),
    _no({"Statistic": "Mean"}, "an unknown statistic"),
    _no({"ComparisonOperator": "GreaterThan"}, "an unknown operator"),
    _no({"DatapointsToAlarm": 4}, "more datapoints to alarm than periods",
        says="DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        source="observed: hashicorp/terraform issue 24070"),
    _no({"Statistic": None, "ExtendedStatistic": "p99", "EvaluateLowSampleCountPercentile": "drop"},
        "few samples of a percentile treated in an unknown way",
        says="Option drop is not supported. Supported options .* are evaluate and ignore."),
    _no({"TreatMissingData": "notbreaching"}, "missing data treated in an unknown way"),
    _no({"EvaluationPeriods": 2000}, "an alarm over more than a day"),
    _no({"AlarmActions": ["ops@example.org"]}, "an address as action", says="Invalid arn syntax"),
    _no({"AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:ops"]}, "an action in another region"),
    _no({"ExtendedStatistic": "p99"}, "two statistics"),
    _no({"Statistic": None}, "no statistic"),
    _no({"Threshold": None}, "no threshold"),
    _no({"Unit": "Percents"}, "an unknown unit"),
    _math([M1], "metric math that returns nothing"),
    _math([{**M1, "ReturnData": True}, {"Id": "e1", "Expression": "m1*2"}], "metric math that returns twice"),
    _math([M1, {"Id": "e1", "Expression": "m2*2"}], "metric math on a metric that is not there"),
    _math([M1, {"Id": "E1", "Expression": "m1*2"}], "an id that begins with a capital"),
    cloudwatch.accepts("PutMetricAlarm", {**MATH, "Metrics": [M1, {"Id": "e1", "Expression": "m1*2"}]}, "metric math",
                       source=GUIDE.format("using-metric-math")),
    cloudwatch.accepts(
        "PutCompositeAlarm", {"AlarmName": "page", "AlarmRule": "ALARM(busy) OR FALSE"}, "a composite alarm",
        given=[PUT],
        then=[cloudwatch.step("DescribeAlarms", {}, shows={"CompositeAlarms": []}),
              cloudwatch.step("DescribeAlarms", {"AlarmTypes": ["CompositeAlarm"]},
                              shows={"CompositeAlarms[0].StateValue": "OK"})],
        source=API.format("PutCompositeAlarm"),
    ),
    cloudwatch.refuses("PutCompositeAlarm", {"AlarmName": "page", "AlarmRule": "ALARM(ghost)"}, "ValidationError",
                       "a rule about an alarm that is not there", source=API.format("PutCompositeAlarm")),
    cloudwatch.refuses("PutCompositeAlarm", {"AlarmName": "page", "AlarmRule": "busy is ringing"}, "ValidationError",
                       "a rule that cannot be read", given=[PUT], source=API.format("PutCompositeAlarm")),
    cloudwatch.refuses(
        "DeleteAlarms", {"AlarmNames": ["busy"]}, "ValidationError", "an alarm that a composite one asks for",
        given=[PUT, cloudwatch.step("PutCompositeAlarm", {"AlarmName": "page", "AlarmRule": "ALARM(busy)"})],
        source=API.format("DeleteAlarms"),
    ),
    cloudwatch.accepts("DeleteAlarms", {"AlarmNames": ["ghost"]}, "an alarm that is not there",
                       source="observed: https://github.com/aws-cloudformation/cloudformation-cli/issues/456"),
    _data("InvalidParameterValue", {}, "data in a namespace of AWS's", namespace="AWS/ECS"),
    _data("MissingParameter", {"Value": None}, "a datum without a value"),
    _data("InvalidParameterCombination", {"Values": [1.0]}, "a datum with a value and values"),
    _data("InvalidParameterValue", {"Timestamp": 1_600_000_000}, "data of years ago"),
    cloudwatch.accepts(
        "ListMetrics", {"Namespace": "Shop"}, "a metric that was put", given=[datum(4)],
        shows={"Metrics[0].MetricName": "Busy"}, source=API.format("ListMetrics"),
    ),
]  # fmt: skip
