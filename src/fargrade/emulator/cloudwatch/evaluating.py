"""Alarms on the clock: evaluated at each whole minute (or ten seconds) of the world, acting when their state changes.

What happens in a minute, in this order: services publish their metrics, alarms are evaluated, scaling policies of
alarms in ALARM act (every minute anew, as documented in alarm-actions.html for Auto Scaling actions only).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.cloudwatch.store import CloudWatch, of, regions, seconds
from fargrade.emulator.extensions import on_reset
from fargrade.semantics.alarms import NotUnderstood, Verdict, evaluate_alarm, holds, parse_rule, step_of

FINE, MINUTE = 10, 60
SCALING_ACTION = ":autoscaling:"
KINDS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}

# Called with the time before alarms are evaluated: what publishes metrics of its own.
publishers: list[Callable[[float], None]] = []
# Called with (region, alarm, newest value) for each alarm in ALARM that has a scaling policy among its actions.
Ringing = list[tuple[dict[str, Any], float]]
scalers: list[Callable[[str, Ringing, float], None]] = []
_ticking = False


def start() -> None:
    """Let time pass for alarms from now on: there is something that needs it. Idempotent."""
    global _ticking
    if not _ticking:
        _ticking = True
        _next()


@on_reset
def _stop() -> None:
    global _ticking
    _ticking = False


def _next() -> None:
    fine = any(step_of(alarm) == FINE for _, held in regions() for alarm in held.alarms.values())
    step = FINE if fine else MINUTE
    due = (math.floor(seconds(clock.now()) / step) + 1) * step
    clock.at(datetime.fromtimestamp(due, UTC), lambda: _tick(float(due)))


def _tick(now: float) -> None:
    _next()
    for publish in publishers:
        publish(now)
    for region, held in regions():
        ringing = [found for alarm in list(held.alarms.values()) if (found := _evaluate(region, alarm, now))]
        follow_rules(region)
        for scale in scalers:
            scale(region, ringing, now)


def _evaluate(region: str, alarm: dict[str, Any], now: float) -> tuple[dict[str, Any], float] | None:
    """Evaluate the alarm if it is its time; returns it if its scaling policies have to act."""
    if now % step_of(alarm):
        return None
    verdict = _verdict(of(region), alarm, now)
    enter(region, alarm, verdict.state, verdict.reason, _data(alarm, verdict, now))
    acts = alarm["StateValue"] == "ALARM" and alarm["ActionsEnabled"] and verdict.recent is not None
    if acts and any(SCALING_ACTION in action for action in alarm["AlarmActions"]):
        return alarm, float(verdict.recent or 0)
    return None


def _verdict(held: CloudWatch, alarm: dict[str, Any], now: float) -> Verdict:
    try:
        return evaluate_alarm(alarm, held.metrics, now)
    except NotUnderstood:
        return Verdict("INSUFFICIENT_DATA", "The course's CloudWatch cannot evaluate this alarm.")


def _data(alarm: dict[str, Any], verdict: Verdict, now: float) -> str:
    """StateReasonData, version 1.0, as far as it says what was seen."""
    recent = [one for one in verdict.points if one is not None][-int(alarm["EvaluationPeriods"]) :]
    said = {
        "version": "1.0",
        "queryDate": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "period": alarm.get("Period"),
        "statistic": alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
        "recentDatapoints": recent,
        "threshold": alarm.get("Threshold"),
    }
    return json.dumps({name: one for name, one in said.items() if one is not None})


def enter(region: str, alarm: dict[str, Any], state: str, reason: str, data: str = "") -> None:
    """The alarm is in this state from now on; if it was in another before, that is an event and its actions run."""
    before = alarm["StateValue"]
    if before == state:
        return
    now = clock.now()
    alarm |= {
        "StateValue": state,
        "StateReason": reason[:1023],
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }
    if data:
        alarm["StateReasonData"] = data
    held = of(region)
    change = {"oldState": {"stateValue": before}, "newState": {"stateValue": state, "stateReason": reason}}
    held.remember(
        alarm, "StateUpdate", f"Alarm updated from {before} to {state}", json.dumps({"version": "1.0", **change})
    )
    if alarm["ActionsEnabled"] and not _suppressed(held, alarm):
        for action in alarm[KINDS[state]]:
            done = json.dumps(
                {"actionState": "Succeeded", "notificationResource": action, "stateUpdateTimestamp": seconds(now)}
            )
            held.remember(alarm, "Action", f"Successfully executed action {action}", done)


def _suppressed(held: CloudWatch, alarm: dict[str, Any]) -> bool:
    """A composite alarm's actions wait while its suppressor is in ALARM."""
    suppressor = held.alarm(alarm.get("ActionsSuppressor") or "")
    return suppressor is not None and suppressor["StateValue"] == "ALARM"


def follow_rules(region: str) -> None:
    """Composite alarms take the state of their rules; as often as one depends on another."""
    held = of(region)
    for _ in range(len(held.composites)):
        for alarm in list(held.composites.values()):
            rule = parse_rule(alarm["AlarmRule"])
            state = "ALARM" if holds(rule, lambda name: _state(held, name)) else "OK"
            enter(region, alarm, state, f"{alarm['AlarmArn']} is {'true' if state == 'ALARM' else 'false'} by its rule")


def _state(held: CloudWatch, name: str) -> str:
    found = held.alarm(name)
    return str(found["StateValue"]) if found else "INSUFFICIENT_DATA"
