"""What PutMetricAlarm and PutCompositeAlarm refuse beyond their models.

Sources: API_PutMetricAlarm.html, API_PutCompositeAlarm.html; words where people met them: hashicorp/terraform issue
24070 (DatapointsToAlarm), hashicorp/terraform-provider-aws issue 42389 (periods), aws-cdk issue 29331 (EC2 actions).
"""

from __future__ import annotations

import re
from typing import Any

from fargrade.emulator.cloudwatch.store import invalid, of
from fargrade.emulator.rules import Call, refusal
from fargrade.semantics.alarms import (
    TREATMENTS,
    Malformed,
    NotUnderstood,
    alarms_of,
    ids_of,
    parse,
    parse_rule,
    statistic,
)

ARN = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):([^:]*):(.+)")
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
POLICY = re.compile(r"scalingPolicy:[0-9a-f-]+:.+:policyName/.+")
# Which services an alarm can act on: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
ACTS_ON = {"sns", "autoscaling", "automate", "swf", "ssm", "ssm-incidents", "lambda", "aiops"}
DAY, WEEK = 86400, 604800
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


@refusal("cloudwatch", "PutMetricAlarm")
def one_thing_is_watched(call: Call) -> None:
    """An alarm watches a metric, or metric math, and never both."""
    given = call.parameters
    if given.get("EvaluationCriteria") or given.get("EvaluationWindow"):
        raise NotImplementedError("PromQL alarms and evaluation windows")
    if given.get("Metrics"):
        for name in ("MetricName", "Namespace", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit"):
            if given.get(name):
                raise invalid(f"{name} and Metrics cannot be specified together.")
        _math(given)
        return
    if not given.get("MetricName") or not given.get("Namespace"):
        raise invalid("MetricName and Namespace must be specified unless Metrics is.")
    if given.get("Period") is None:
        raise invalid("Period must not be null")
    _statistic(given)
    _period(given["Period"], "period")


def _statistic(given: dict[str, Any]) -> None:
    plain, extended = given.get("Statistic"), given.get("ExtendedStatistic")
    if bool(plain) == bool(extended):
        raise invalid("Exactly one of Statistic and ExtendedStatistic must be specified.")
    if extended:
        _known(extended, "ExtendedStatistic")


def _known(name: str, where: str) -> None:
    try:
        statistic(name, [])
    except Malformed:
        raise invalid(f"The value {name} for parameter {where} is not supported.") from None
    except NotUnderstood as other:
        raise NotImplementedError(str(other)) from None


def _period(period: int, where: str) -> None:
    if period not in (10, 20, 30) and (period % 60 or period < 60):
        raise invalid(
            f"Value '{period}' at '{where}' failed to satisfy constraint: must be 10, 20, 30 or a multiple of 60"
        )


def _math(given: dict[str, Any]) -> None:
    queries = given["Metrics"]
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        raise invalid("Invalid metrics list: the Id of each metric must be unique.")
    shown = [query for query in queries if query.get("ReturnData", True)]
    if given.get("ThresholdMetricId"):
        if given["ThresholdMetricId"] not in ids:
            raise invalid("ThresholdMetricId must be the Id of one of the Metrics.")
    elif len(shown) != 1:
        raise invalid("Exactly one element of the metrics list should return data.")
    for query in queries:
        if not re.fullmatch(r"[a-z]\w*", query["Id"]):
            raise invalid(f"Invalid Id {query['Id']}: it must begin with a lower-case letter.")
        stat = query.get("MetricStat")
        if bool(stat) == bool(query.get("Expression")):
            raise invalid(f"The metric {query['Id']} must have either a MetricStat or an Expression.")
        if stat:
            _known(stat["Stat"], "Stat")
            _period(stat["Period"], f"metrics.{query['Id']}.metricStat.period")
        else:
            _expression(query, set(ids))


def _expression(query: dict[str, Any], ids: set[str]) -> None:
    try:
        unknown = ids_of(parse(query["Expression"])) - ids
    except Malformed as wrong:
        raise invalid(f"{query['Id']}: {wrong}") from None
    except NotUnderstood as other:
        # Said at once, and in the recording: an alarm that is taken and never evaluated would be a silent one.
        raise NotImplementedError(str(other)) from None
    if unknown:
        raise invalid(f"Error in expression '{query['Id']}': {sorted(unknown)[0]} is not the Id of a metric.")


@refusal("cloudwatch", "PutMetricAlarm")
def numbers_fit(call: Call) -> None:
    """Threshold, M of N, how much time an alarm may look at, and what missing data can mean."""
    given = call.parameters
    periods: Any = given.get("EvaluationPeriods")
    needed = given.get("DatapointsToAlarm")
    for name, one in (("evaluationPeriods", periods), ("comparisonOperator", given.get("ComparisonOperator"))):
        if one is None:
            must = "failed to satisfy constraint: Member must not be null"
            raise invalid(f"1 validation error detected: Value null at '{name}' {must}")
    if needed and needed > periods:
        raise invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    if given.get("Threshold") is None and not given.get("ThresholdMetricId"):
        raise invalid("Exactly one of Threshold and ThresholdMetricId must be specified.")
    few = given.get("EvaluateLowSampleCountPercentile")
    if few is not None and few not in ("evaluate", "ignore"):
        raise invalid(
            f"Option {few} is not supported. "
            "Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore."
        )
    treat = given.get("TreatMissingData")
    if treat is not None and treat not in TREATMENTS:
        raise invalid(f"The value {treat} for parameter TreatMissingData is not supported: {', '.join(TREATMENTS)}.")
    period = given.get("Period") or max(
        (query["MetricStat"]["Period"] for query in given.get("Metrics") or [] if query.get("MetricStat")), default=60
    )
    if period * periods > (DAY if period < 3600 else WEEK):
        span = "a day (EvaluationPeriods * Period must be <= 86400)"
        longer = "a week (EvaluationPeriods * Period must be <= 604800)"
        raise invalid(f"Metrics cannot be checked across more than {span if period < 3600 else longer}.")


@refusal("cloudwatch", "PutMetricAlarm", "PutCompositeAlarm")
def actions_are_arns(call: Call) -> None:
    """alarm-actions.html: ARNs of what an alarm can act on, in the alarm's own region."""
    for kind in ACTIONS:
        for action in call.parameters.get(kind) or []:
            _check_action(action, call)


def _check_action(action: str, call: Call) -> None:
    found = ARN.fullmatch(action)
    if not found or found[1] not in ACTS_ON:
        raise invalid(f"Invalid arn syntax: {action}")
    service, region, owner, resource = found.groups()
    if region and region != call.region:
        raise invalid(f"Invalid region {region} specified. Only {call.region} is supported.")
    if service == "sns" and (not TOPIC.fullmatch(resource) or not re.fullmatch(r"\d{12}", owner)):
        raise invalid(f"Invalid arn syntax: {action}")
    if service == "autoscaling":
        if not POLICY.fullmatch(resource):
            raise invalid(f"Invalid arn syntax: {action}")
        if call.operation == "PutCompositeAlarm":
            raise invalid("Composite alarms cannot perform Auto Scaling actions.")
    if service == "automate" and not _of_an_instance(call.parameters):
        raise invalid("EC2 alarm actions require an EC2 Per-Instance Metric")


def _of_an_instance(given: dict[str, Any]) -> bool:
    return any(one["Name"] == "InstanceId" for one in given.get("Dimensions") or [])


@refusal("cloudwatch", "PutCompositeAlarm")
def the_rule_can_be_read(call: Call) -> None:
    """API_PutCompositeAlarm.html: the rule's grammar, its alarms are there, and it does not go round in a circle."""
    given = call.parameters
    try:
        asked = alarms_of(parse_rule(given["AlarmRule"]))
    except Malformed as wrong:
        raise invalid(f"Error in AlarmRule: {wrong}") from None
    held = of(call.region)
    for name in sorted(asked):
        if held.alarm(name) is None:
            raise invalid(f"Could not save the composite alarm as alarms [{name}] in the alarm rule do not exist")
    if _reaches(held, asked, given["AlarmName"], set()):
        raise invalid("Could not save the composite alarm as its rule refers to itself")
    suppressor = given.get("ActionsSuppressor")
    if suppressor and (
        given.get("ActionsSuppressorWaitPeriod") is None or given.get("ActionsSuppressorExtensionPeriod") is None
    ):
        raise invalid("ActionsSuppressor needs ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod")


def _reaches(held: Any, names: set[str], wanted: str, seen: set[str]) -> bool:
    for name in names:
        bare = name.rsplit(":alarm:", 1)[-1]
        if bare == wanted:
            return True
        inner = held.composites.get(bare)
        if (
            inner
            and bare not in seen
            and _reaches(held, alarms_of(parse_rule(inner["AlarmRule"])), wanted, {*seen, bare})
        ):
            return True
    return False


@refusal("cloudwatch", "DeleteAlarms")
def nothing_asks_for_them(call: Call) -> None:
    """API_DeleteAlarms.html: none is deleted if a composite alarm still asks for one; names of none are passed over.

    Observed, that unknown names are no error: https://github.com/aws-cloudformation/cloudformation-cli/issues/456.
    """
    held, names = of(call.region), set(call.parameters["AlarmNames"])
    for composite in held.composites.values():
        asked = {name.rsplit(":alarm:", 1)[-1] for name in alarms_of(parse_rule(composite["AlarmRule"]))}
        if composite["AlarmName"] not in names and asked & names:
            raise invalid(
                f"Cannot delete {sorted(asked & names)[0]} as there are composite alarm(s) depending on it: "
                f"{composite['AlarmName']}"
            )
