"""Alarms: made, shown, changed, deleted; their states, histories and tags."""

from __future__ import annotations

import json
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.cloudwatch import evaluating
from fargrade.emulator.cloudwatch.store import CloudWatch, alarm_arn, invalid, missing, of, page
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer
from fargrade.semantics.alarms import Metric, alarms_of, parse_rule

UNCHECKED = "Unchecked: Initial alarm creation"
SAVED = (
    "AlarmDescription", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName", "Namespace", "Statistic",
    "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold",
    "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId",
    "AlarmRule", "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod",
)  # fmt: skip
LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")


@answer("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(call: Call) -> dict[str, Any]:
    """PutMetricAlarm: a new alarm starts in INSUFFICIENT_DATA, one that is put again keeps its state."""
    save(call.region, call.parameters)
    return {}


def save(region: str, given: dict[str, Any]) -> dict[str, Any]:
    """Make or replace a metric alarm, or a composite one if there is a rule; returns it."""
    held, name = of(region), given["AlarmName"]
    kind = "composites" if given.get("AlarmRule") else "alarms"
    if held.alarm(name) and name not in getattr(held, kind):
        raise invalid(f"Alarm {name} already exists, of another kind.")
    before = getattr(held, kind).get(name)
    alarm = _alarm(region, given, before)
    getattr(held, kind)[name] = alarm
    if given.get("Tags") and before is None:
        held.tags[alarm["AlarmArn"]] = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
    held.remember(alarm, "ConfigurationUpdate", f'Alarm "{name}" {"updated" if before else "created"}')
    evaluating.start()
    return alarm


def _alarm(region: str, given: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    now = clock.now()
    alarm: dict[str, Any] = {name: given[name] for name in SAVED if given.get(name) is not None}
    for name in LISTS:
        alarm.setdefault(name, [])
    if not given.get("AlarmRule") and not given.get("Metrics"):
        alarm.setdefault("Dimensions", [])
    state = before or {
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": UNCHECKED,
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }
    kept = ("StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
    return {
        "AlarmName": given["AlarmName"],
        "AlarmArn": alarm_arn(region, given["AlarmName"]),
        "AlarmConfigurationUpdatedTimestamp": now,
        "ActionsEnabled": given.get("ActionsEnabled") is not False,
        **{name: state[name] for name in kept if name in state},
        **alarm,
    }


@answer("cloudwatch", "PutCompositeAlarm")
def put_composite_alarm(call: Call) -> dict[str, Any]:
    """PutCompositeAlarm (not in moto): its state follows its rule at once."""
    save(call.region, call.parameters)
    evaluating.follow_rules(call.region)
    return {}


@answer("cloudwatch", "DescribeAlarms")
def describe_alarms(call: Call) -> dict[str, Any]:
    """DescribeAlarms: only metric alarms, unless AlarmTypes asks for composite ones."""
    given, held = call.parameters, of(call.region)
    if given.get("AlarmNames") and given.get("AlarmNamePrefix"):
        raise invalid("AlarmNames and AlarmNamePrefix cannot be specified together.")
    kinds = given.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        alarm
        for kind, alarms in (("CompositeAlarm", held.composites), ("MetricAlarm", held.alarms))
        if kind in kinds or given.get("ChildrenOfAlarmName") or given.get("ParentsOfAlarmName")
        for alarm in sorted(alarms.values(), key=lambda one: str(one["AlarmName"]))
        if _asked_for(alarm, given, held)
    ]
    shown, token = page(found, given, 50)
    return {
        "MetricAlarms": [one for one in shown if "AlarmRule" not in one],
        "CompositeAlarms": [one for one in shown if "AlarmRule" in one],
        "NextToken": token,
    }


def _asked_for(alarm: dict[str, Any], given: dict[str, Any], held: CloudWatch) -> bool:
    name, prefix = alarm["AlarmName"], given.get("ActionPrefix")
    actions = [action for kind in LISTS for action in alarm[kind]]
    return (
        (not given.get("AlarmNames") or name in given["AlarmNames"])
        and name.startswith(given.get("AlarmNamePrefix") or "")
        and given.get("StateValue") in (None, alarm["StateValue"])
        and (not prefix or any(action.startswith(prefix) for action in actions))
        and (
            not given.get("ChildrenOfAlarmName") or name in _children(held.composites.get(given["ChildrenOfAlarmName"]))
        )
        and (not given.get("ParentsOfAlarmName") or given["ParentsOfAlarmName"] in _children(alarm))
    )


def _children(alarm: dict[str, Any] | None) -> set[str]:
    rule = (alarm or {}).get("AlarmRule")
    return {name.rsplit(":alarm:", 1)[-1] for name in alarms_of(parse_rule(rule))} if rule else set()


@answer("cloudwatch", "DescribeAlarmsForMetric")
def describe_for_metric(call: Call) -> dict[str, Any]:
    """DescribeAlarmsForMetric: those whose metric is exactly this one."""
    given = call.parameters
    return {
        "MetricAlarms": [
            alarm
            for alarm in of(call.region).alarms.values()
            if alarm.get("MetricName")
            and Metric.of(alarm) == Metric.of(given)
            and all(
                given.get(name) in (None, alarm.get(name))
                for name in ("Statistic", "ExtendedStatistic", "Period", "Unit")
            )
        ]
    }


@answer("cloudwatch", "DescribeAlarmHistory")
def describe_history(call: Call) -> dict[str, Any]:
    """DescribeAlarmHistory: newest first unless ScanBy says otherwise; metric alarms unless AlarmTypes does."""
    given = call.parameters
    kinds = given.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        item
        for item in of(call.region).history
        if given.get("AlarmName") in (None, item["AlarmName"])
        and (item["AlarmType"] in kinds or given.get("AlarmName"))
        and given.get("HistoryItemType") in (None, item["HistoryItemType"])
        and not (given.get("StartDate") and item["Timestamp"] < given["StartDate"])
        and not (given.get("EndDate") and item["Timestamp"] > given["EndDate"])
    ]
    shown, token = page(found if given.get("ScanBy") == "TimestampAscending" else found[::-1], given, 100)
    return {"AlarmHistoryItems": shown, "NextToken": token}


@answer("cloudwatch", "DeleteAlarms")
def delete_alarms(call: Call) -> dict[str, Any]:
    """DeleteAlarms: all of them, or (see refusing) none."""
    delete(call.region, call.parameters["AlarmNames"])
    return {}


def delete(region: str, names: list[str]) -> None:
    """Delete the alarms that are there."""
    held = of(region)
    for name in names:
        gone = held.alarms.pop(name, None) or held.composites.pop(name, None)
        if gone:
            held.tags.pop(gone["AlarmArn"], None)


@answer("cloudwatch", "SetAlarmState")
def set_alarm_state(call: Call) -> dict[str, Any]:
    """SetAlarmState: until the next evaluation; its actions run."""
    given, alarm = call.parameters, of(call.region).alarm(call.parameters["AlarmName"])
    if alarm is None:
        raise missing(given["AlarmName"])
    data = given.get("StateReasonData")
    if data:
        try:
            json.loads(data)
        except ValueError:
            raise Refused("InvalidFormat", "TextFormat: StateReasonData is not JSON") from None
    evaluating.enter(call.region, alarm, given["StateValue"], given["StateReason"], data or "")
    evaluating.follow_rules(call.region)
    return {}


@answer("cloudwatch", "EnableAlarmActions", "DisableAlarmActions")
def switch_actions(call: Call) -> dict[str, Any]:
    """Enable- and DisableAlarmActions: names that are not there are passed over."""
    for name in call.parameters["AlarmNames"]:
        alarm = of(call.region).alarm(name)
        if alarm:
            alarm["ActionsEnabled"] = call.operation == "EnableAlarmActions"
    return {}


@answer("cloudwatch", "ListTagsForResource", "TagResource", "UntagResource")
def tags(call: Call) -> dict[str, Any]:
    """An alarm's tags."""
    given, held = call.parameters, of(call.region)
    if held.alarm(given["ResourceARN"]) is None:
        raise Refused("ResourceNotFoundException", f"{given['ResourceARN']} does not exist", 404)
    own = held.tags.setdefault(given["ResourceARN"], {})
    if call.operation == "TagResource":
        own.update({tag["Key"]: tag["Value"] for tag in given["Tags"]})
    elif call.operation == "UntagResource":
        for key in given["TagKeys"]:
            own.pop(key, None)
    else:
        return {"Tags": [{"Key": key, "Value": value} for key, value in own.items()]}
    return {}
