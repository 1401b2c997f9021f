"""Application Auto Scaling: targets, policies, schedules."""

from __future__ import annotations

from typing import Any

from tests.fidelity.rows.ecs import DEFINITION, GIVEN
from tests.fidelity.rows.ecs import SERVICE as ON_FARGATE
from tests.fidelity.table import Row, Service

scaling = Service("application-autoscaling")
cloudwatch = Service("cloudwatch")
ecs = Service("ecs")
world = Service("world")
API = "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_{}.html"
GUIDE = "https://docs.aws.amazon.com/autoscaling/application/userguide/{}.html"

WHAT: dict[str, Any] = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
LIMITS = {**WHAT, "MinCapacity": 1, "MaxCapacity": 5}
CONTAINER = {"name": "web", "image": "nginx", "memory": 128}
SERVICE = [
    ecs.step("CreateCluster", {"clusterName": "shop"}),
    ecs.step("RegisterTaskDefinition", {"family": "web", "containerDefinitions": [CONTAINER]}),
    ecs.step("CreateService", {"cluster": "shop", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1}),
]
TARGET = [*SERVICE, scaling.step("RegisterScalableTarget", LIMITS)]


def tracking(metric: str, target: float = 70, **more: Any) -> dict[str, Any]:
    predefined = {"PredefinedMetricType": metric, **more}
    configuration = {"TargetValue": target, "PredefinedMetricSpecification": predefined}
    return {
        **WHAT,
        "PolicyName": "cpu",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


def stepping(*steps: tuple[float | None, float | None, int], kind: str = "ChangeInCapacity") -> dict[str, Any]:
    given = [
        {
            name: one
            for name, one in (
                ("MetricIntervalLowerBound", low), ("MetricIntervalUpperBound", high), ("ScalingAdjustment", amount),
            )
            if one is not None
        }
        for low, high, amount in steps
    ]  # fmt: skip
    configuration = {"AdjustmentType": kind, "StepAdjustments": given}
    return {**WHAT, "PolicyName": "out", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": configuration}


SHOWN = {"cluster": "shop", "services": ["web"]}
CPU = tracking("ECSServiceAverageCPUUtilization")


def _target(change: dict[str, Any], why: str, **more: Any) -> Row:
    given = {name: one for name, one in {**LIMITS, **change}.items() if one is not None}
    return scaling.refuses("RegisterScalableTarget", given, "ValidationException", why, given=SERVICE,
                           source=API.format("RegisterScalableTarget"), **more)  # fmt: skip


def _policy(policy: dict[str, Any], why: str, **more: Any) -> Row:
    source = more.pop("source", API.format("PutScalingPolicy"))
    return scaling.refuses("PutScalingPolicy", policy, "ValidationException", why, given=TARGET, source=source, **more)


def _schedule(schedule: str, why: str) -> Row:
    given = {**WHAT, "ScheduledActionName": "x", "Schedule": schedule, "ScalableTargetAction": {"MinCapacity": 2}}
    source = API.format("PutScheduledAction")
    return scaling.refuses("PutScheduledAction", given, "ValidationException", why, given=TARGET, source=source)


ROWS: list[Row] = [
    scaling.accepts(
        "RegisterScalableTarget", LIMITS, "a service within limits", given=SERVICE,
        then=[scaling.step("DescribeScalableTargets", {"ServiceNamespace": "ecs"},
                           shows={"ScalableTargets[0].[MinCapacity, MaxCapacity]": [1, 5]})],
        source=API.format("RegisterScalableTarget"),
    ),
    _target({"MinCapacity": 5, "MaxCapacity": 2}, "a minimum above the maximum"),
    _target({"MinCapacity": -1}, "a minimum below nothing"),
    _target({"MaxCapacity": None}, "a new target without a maximum"),
    _target({"ResourceId": "service/web"}, "a resource id without the cluster", says="Unsupported service namespace"),
    _target({"ResourceId": "shop/web"}, "a resource id without service/", says="Unsupported service namespace"),
    _target({"ResourceId": "arn:aws:ecs:us-east-1:<account>:service/shop/web"}, "the service's ARN as resource id"),
    _target({"ResourceId": "service/shop/ghost"}, "a service that is not there"),
    _target({"ScalableDimension": "ec2:spot-fleet-request:TargetCapacity"}, "another service's dimension",
            says="Unsupported service namespace"),
    scaling.accepts(
        "PutScalingPolicy", CPU, "target tracking on CPU", given=TARGET,
        then=[
            cloudwatch.step("DescribeAlarms", {"AlarmNamePrefix": "TargetTracking-service/shop/web-AlarmHigh-"},
                            shows={"MetricAlarms[0].[Threshold, EvaluationPeriods, ComparisonOperator]":
                                   [70, 3, "GreaterThanThreshold"]}),
            cloudwatch.step("DescribeAlarms", {"AlarmNamePrefix": "TargetTracking-service/shop/web-AlarmLow-"},
                            shows={"MetricAlarms[0].[Threshold, EvaluationPeriods, ComparisonOperator]":
                                   [63, 15, "LessThanThreshold"]}),
        ],
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html",
    ),
    scaling.refuses("PutScalingPolicy", CPU, "ObjectNotFoundException", "a policy before its target", given=SERVICE,
                    says="No scalable target registered for service namespace: ecs, resource ID: service/shop/web, "
                         "scalable dimension: ecs:service:DesiredCount",
                    source="observed: PutScalingPolicy in public logs of Terraform"),
    _policy(tracking("ASGAverageCPUUtilization"), "a metric of EC2 Auto Scaling"),
    _policy(tracking("RDSReaderAverageCPUUtilization"), "a metric of another service"),
    _policy(tracking("ALBRequestCountPerTarget"), "requests per target without a label"),
    _policy(tracking("ALBRequestCountPerTarget", ResourceLabel="my-alb"), "requests per target with a name as label"),
    _policy({**WHAT, "PolicyName": "x", "PolicyType": "TargetTrackingScaling"}, "no configuration of tracking"),
    _policy({**CPU, "PolicyType": "StepScaling"}, "a configuration of the other type"),
    _policy(stepping(), "no step at all"),
    _policy(stepping((0, 10, 1), (5, None, 2)), "steps that overlap"),
    _policy(stepping((0, 10, 1), (20, None, 2)), "steps with a gap"),
    _policy(
        stepping((0, 10, 1)), "steps that end above the threshold", says="unspecified upper bound",
        source="observed: hashicorp/terraform-provider-aws issue 9077",
    ),
    _policy(stepping((0, None, 1), kind="Percent"), "an unknown adjustment type"),
    _policy(
        stepping((None, None, 1)), "a step without an end on either side",
        says="Both lower and upper bounds of a step adjustment cannot be left unspecified",
        source="https://github.com/hashicorp/terraform-provider-aws/issues/4812",
    ),
    _policy(
        stepping(*[(one, one + 1, 1) for one in range(20)], (20, None, 1)), "21 steps",
        says="There can be at most 20 step adjustments per scaling policy",
        source="https://github.com/aws/aws-cdk/issues/27020",
    ),
    scaling.refuses(
        "PutScalingPolicy", {**CPU, "PolicyName": "other"}, "ValidationException", "a second policy on one metric",
        given=[*TARGET, scaling.step("PutScalingPolicy", CPU)],
        says="Only one TargetTrackingScaling policy for a given metric specification is allowed",
        source="https://github.com/hashicorp/terraform-provider-aws/issues/41179",
    ),
    scaling.accepts(
        "PutScalingPolicy", {**tracking("ECSServiceAverageMemoryUtilization"), "PolicyName": "memory"},
        "a second policy on another metric", given=[*TARGET, scaling.step("PutScalingPolicy", CPU)],
        then=[scaling.step("PutScalingPolicy", CPU),
              scaling.step("DescribeScalingPolicies", {"ServiceNamespace": "ecs"},
                           shows={"length(ScalingPolicies)": 2})],
        source=GUIDE.format("application-auto-scaling-target-tracking"),
    ),
    scaling.accepts("PutScalingPolicy", stepping((0, 10, 1), (10, None, 2)), "steps one after another", given=TARGET,
                    source=GUIDE.format("step-scaling-policy-overview")),
    scaling.refuses("DeleteScalingPolicy", {**WHAT, "PolicyName": "ghost"}, "ObjectNotFoundException",
                    "a policy that is not there", given=TARGET, source=API.format("DeleteScalingPolicy")),
    scaling.refuses("DeregisterScalableTarget", WHAT, "ObjectNotFoundException", "a target that is not there",
                    given=SERVICE, source=API.format("DeregisterScalableTarget")),
    scaling.accepts(
        "DeregisterScalableTarget", WHAT, "a target with a policy",
        given=[*TARGET, scaling.step("PutScalingPolicy", CPU)],
        then=[scaling.step("DescribeScalingPolicies", {"ServiceNamespace": "ecs"}, shows={"ScalingPolicies": []}),
              cloudwatch.step("DescribeAlarms", {}, shows={"MetricAlarms": []})],
        source=API.format("DeregisterScalableTarget"),
    ),
    scaling.accepts(
        "RegisterScalableTarget", {**WHAT, "MinCapacity": 3, "MaxCapacity": 5}, "a minimum above what runs",
        given=SERVICE,
        then=[scaling.step("DescribeScalingActivities", {"ServiceNamespace": "ecs"},
                           shows={"ScalingActivities[0].[StatusCode, Cause]":
                                  ["Successful", "minimum capacity was set to 3"]}),
              ecs.step("DescribeServices", {"cluster": "shop", "services": ["web"]},
                       shows={"services[0].desiredCount": 3})],
        source=GUIDE.format("application-auto-scaling-scaling-activities"),
    ),
    scaling.accepts(
        "PutScalingPolicy", CPU, "a service at work grows, and not beyond its maximum",
        given=[*GIVEN, ecs.step("CreateService", ON_FARGATE), scaling.step("RegisterScalableTarget", LIMITS),
               world.step("advance", {"seconds": 120})],
        then=[
            world.step("load", {"region": "<region>", "cluster": "shop", "service": "web", "cpu": [9.0], "memory": []}),
            world.step("advance", {"seconds": 150}),
            ecs.step("DescribeServices", SHOWN, shows={"services[0].desiredCount": 1}),
            world.step("advance", {"seconds": 900}),
            ecs.step("DescribeServices", SHOWN, shows={"services[0].desiredCount": 5}),
            scaling.step("DescribeScalingActivities", {"ServiceNamespace": "ecs", "ResourceId": "service/shop/web"},
                         shows={"ScalingActivities[-1].StatusCode": "Successful"}),
        ],
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html",
    ),
    scaling.accepts(
        "PutScalingPolicy", CPU, "an idle service is not scaled in while a version of it comes out",
        given=[
            *GIVEN, ecs.step("CreateService", {**ON_FARGATE, "desiredCount": 3}),
            world.step("advance", {"seconds": 120}), scaling.step("RegisterScalableTarget", LIMITS),
            world.step("load", {"region": "<region>", "cluster": "shop", "service": "web", "cpu": [0.01],
                                "memory": []}),
            ecs.step("RegisterTaskDefinition", {**DEFINITION, "containerDefinitions": [
                {"name": "web", "image": "example.com/nowhere:1"}]}),
            ecs.step("UpdateService", {"cluster": "shop", "service": "web", "taskDefinition": "web"}),
        ],
        then=[
            world.step("advance", {"seconds": 1800}),
            ecs.step("DescribeServices", SHOWN, shows={"services[0].desiredCount": 3}),
            ecs.step("UpdateService", {"cluster": "shop", "service": "web", "taskDefinition": "web:1"}),
            world.step("advance", {"seconds": 3600}),
            ecs.step("DescribeServices", SHOWN, shows={"services[0].desiredCount": 1}),
        ],
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshoot-service-auto-scaling.html",
    ),
    _schedule("0 9 * * *", "a schedule as crontab has it"),
    _schedule("rate(1 minutes)", "a rate in the wrong number"),
    _schedule("at(2020-01-01T00:00:00)", "a time that is past"),
    _schedule("cron(0 9 * * * *)", "a cron without a question mark"),
    scaling.refuses("PutScheduledAction", {**WHAT, "ScheduledActionName": "x", "Schedule": "rate(5 minutes)",
                                           "ScalableTargetAction": {"MinCapacity": -1}},
                    "ValidationException", "a scheduled minimum below nothing", given=TARGET, says="non-negative",
                    source=API.format("RegisterScalableTarget")),
    scaling.refuses("PutScheduledAction", {**WHAT, "ScheduledActionName": "x", "Schedule": "rate(5 minutes)"},
                    "ValidationException", "a scheduled action that sets nothing", given=TARGET,
                    says="At least one of minimum capacity and maximum capacity",
                    source="observed: aws-cloudformation/community-registry-extensions issue 255"),
]  # fmt: skip
