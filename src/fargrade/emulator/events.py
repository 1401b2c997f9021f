"""EventBridge: what it refuses beyond moto, and patterns tried out. moto keeps rules, targets and buses well.

Sources: API_PutRule.html, API_PutTargets.html, API_PutEvents.html, API_TestEventPattern.html, eb-quota.html.
The refusals and TestEventPattern would suit moto upstream.
"""

from __future__ import annotations

import json
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, account, answer, refusal
from fargrade.semantics.event_pattern import BadPattern, fits, parse_pattern
from fargrade.semantics.scaling import BadSchedule, next_time

MOST_TARGETS = 5
IN_AN_EVENT = ("id", "account", "source", "time", "region", "resources", "detail-type")


def _invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


@refusal("events", "PutRule")
def the_rule_can_be_read(call: Call) -> None:
    """A schedule is rate(…) or cron(…), on the default bus; a pattern has the operators that there are."""
    schedule, pattern = call.parameters.get("ScheduleExpression"), call.parameters.get("EventPattern")
    if schedule:
        if schedule.startswith("at("):
            raise _invalid("Parameter ScheduleExpression is not valid.")
        try:
            next_time(schedule, clock.now())
        except BadSchedule:
            raise _invalid("Parameter ScheduleExpression is not valid.") from None
    if pattern:
        _pattern(pattern)


def _pattern(text: str) -> dict[str, Any]:
    try:
        return parse_pattern(text)
    except BadPattern as wrong:
        raise Refused("InvalidEventPatternException", f"Event pattern is not valid. Reason: {wrong}") from None


@refusal("events", "PutTargets")
def the_targets_can_be_used(call: Call) -> None:
    """Five targets a rule; input is JSON; a task is run with a role, by a task definition."""
    given = call.parameters
    from moto.events.models import events_backends

    bus = events_backends[account()][call.region].event_buses.get(given.get("EventBusName") or "default")
    rule = bus.rules.get(given["Rule"]) if bus else None
    held = {one["Id"] for one in rule.targets} if rule else set()
    if rule and len(held | {one["Id"] for one in given["Targets"]}) > MOST_TARGETS:
        raise Refused("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    for target in given["Targets"]:
        if target.get("Input") is not None:
            try:
                json.loads(target["Input"])
            except ValueError:
                raise _invalid(f"JSON syntax error in input for target {target['Id']}") from None
        if target["Arn"].startswith("arn:aws:ecs:") and ":cluster/" in target["Arn"]:
            if not target.get("EcsParameters"):
                raise _invalid(f"Parameter EcsParameters must be specified for target {target['Id']}.")
            if not target.get("RoleArn"):
                raise _invalid(f"RoleArn is required for target {target['Id']}.")


@answer("events", "TestEventPattern")
def test_event_pattern(call: Call) -> dict[str, Any]:
    """TestEventPattern (not in moto): whether the event, which must be a whole one, matches."""
    pattern = _pattern(call.parameters["EventPattern"])
    try:
        event = json.loads(call.parameters["Event"])
    except ValueError:
        raise _invalid("Parameter Event is not valid. Reason: Invalid JSON") from None
    missing = [name for name in IN_AN_EVENT if not isinstance(event, dict) or name not in event]
    if missing:
        raise _invalid(f"Parameter Event is not valid. Reason: {missing[0]} is missing")
    return {"Result": fits(pattern, event)}
