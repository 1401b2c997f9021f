"""What plain moto does with alarms, scaling, logs and traces: if one of these fails, ask whether ours can go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

ALARM = {
    "AlarmName": "busy", "Namespace": "Shop", "MetricName": "Busy", "Statistic": "Average", "Period": 60,
    "EvaluationPeriods": 1, "Threshold": 80.0, "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
WHAT = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
CPU = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}


@pytest.fixture(scope="module")
def plain() -> Iterator[Callable[[str], Any]]:
    """Clients of moto alone."""
    with mock_aws():
        yield lambda service: botocore.session.Session().create_client(
            service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )


def new_alarms_are_ok(plain: Callable[[str], Any]) -> bool:
    cloudwatch = plain("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM)
    return bool(cloudwatch.describe_alarms(AlarmNames=["busy"])["MetricAlarms"][0]["StateValue"] == "OK")


def odd_periods_are_taken(plain: Callable[[str], Any]) -> bool:
    plain("cloudwatch").put_metric_alarm(**{**ALARM, "AlarmName": "odd", "Period": 45})
    return True


def data_of_aws_can_be_put(plain: Callable[[str], Any]) -> bool:
    plain("cloudwatch").put_metric_data(Namespace="AWS/ECS", MetricData=[{"MetricName": "x", "Value": 1}])
    return True


def _service(plain: Callable[[str], Any]) -> Any:
    ecs, scaling = plain("ecs"), plain("application-autoscaling")
    ecs.create_cluster(clusterName="shop")
    container = {"name": "web", "image": "nginx", "memory": 128}
    ecs.register_task_definition(family="web", containerDefinitions=[container])
    ecs.create_service(cluster="shop", serviceName="web", taskDefinition="web", desiredCount=1)
    return scaling


def a_minimum_may_be_above_the_maximum(plain: Callable[[str], Any]) -> bool:
    _service(plain).register_scalable_target(**WHAT, MinCapacity=5, MaxCapacity=2)
    return True


def tracking_has_other_thresholds(plain: Callable[[str], Any]) -> bool:
    scaling = _service(plain)
    scaling.register_scalable_target(**WHAT, MinCapacity=1, MaxCapacity=5)
    scaling.put_scaling_policy(
        **WHAT, PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=CPU
    )
    alarms = plain("cloudwatch").describe_alarms(AlarmNamePrefix="TargetTracking")["MetricAlarms"]
    return sorted(one["Threshold"] for one in alarms) != [63.0, 70.0]


def _lacks(call: Callable[[], Any]) -> bool:
    try:
        call()
    except (NotImplementedError, ClientError):
        return True
    return False


def activities_are_not_there(plain: Callable[[str], Any]) -> bool:
    return _lacks(lambda: plain("application-autoscaling").describe_scaling_activities(ServiceNamespace="ecs"))


def metric_filters_cannot_be_tried(plain: Callable[[str], Any]) -> bool:
    return _lacks(lambda: plain("logs").test_metric_filter(filterPattern="x", logEventMessages=["x"]))


def any_retention_is_taken(plain: Callable[[str], Any]) -> bool:
    logs = plain("logs")
    logs.create_log_group(logGroupName="retention")
    logs.put_retention_policy(logGroupName="retention", retentionInDays=10)
    return True


def patterns_with_json_find_everything(plain: Callable[[str], Any]) -> bool:
    logs = plain("logs")
    logs.create_log_group(logGroupName="json")
    logs.create_log_stream(logGroupName="json", logStreamName="s")
    line = {"timestamp": int(time.time() * 1000), "message": json.dumps({"level": "INFO"})}
    logs.put_log_events(logGroupName="json", logStreamName="s", logEvents=[line])
    return bool(logs.filter_log_events(logGroupName="json", filterPattern='{ $.level = "ERROR" }')["events"])


def groups_of_xray_are_not_there(plain: Callable[[str], Any]) -> bool:
    return _lacks(lambda: plain("xray").create_group(GroupName="x"))


def patterns_of_events_cannot_be_tried(plain: Callable[[str], Any]) -> bool:
    return not plain("events").test_event_pattern(EventPattern='{"source": ["a"]}', Event="{}").get("Result", False)


FAULTS = [
    new_alarms_are_ok, odd_periods_are_taken, data_of_aws_can_be_put, a_minimum_may_be_above_the_maximum,
    tracking_has_other_thresholds, activities_are_not_there, metric_filters_cannot_be_tried, any_retention_is_taken,
    patterns_with_json_find_everything, groups_of_xray_are_not_there, patterns_of_events_cannot_be_tried,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_moto_still_needs_it(plain: Callable[[str], Any], fault: Callable[[Callable[[str], Any]], bool]) -> None:
    assert fault(plain), "moto does this by now: look whether our part can go"
