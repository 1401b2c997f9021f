"""Alarms that a service's deployments look at: one that rings fails the deployment, and may roll it back.

Sources: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html;
API_ServiceDeploymentAlarms.html. An alarm that rings already when a deployment begins has it go unwatched, so that what
mends it can be brought out: aws.github.io/copilot-cli/docs/include/deployment (github.com/aws/copilot-cli/pull/4512).
How long a rolling deployment bakes AWS computes from its alarms and does not publish; it is "based on the evaluation
time of the alarm(s)", the longest of them (github.com/aws/copilot-cli/pull/4294).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from fargrade.emulator import clock, inner
from fargrade.emulator.ecs import scheduling
from fargrade.emulator.ecs.model import Deployment, Service
from fargrade.semantics.alarms.composite import alarms_of, parse_rule

LOOKS = 10.0
USUAL_BAKE = 240  # seconds, where the alarms do not say: the page says "less than 5 minutes"


def watch(service: Service, deployment: Deployment) -> None:
    """Look at the alarms as long as the deployment is under way, if none of them rings already."""
    given: dict[str, Any] = service.settings.get("alarms") or {}
    names = list(given.get("alarmNames") or ())
    if not given.get("enable") or not names or not deployment.sources:
        return  # of a first deployment nothing is watched, as there is nothing to go back to: copilot-cli/pull/4294
    ignored = bool(_ringing(service.region, names))
    deployment.alarms = {"alarmNames": names, "status": "DISABLED" if ignored else "MONITORING"}
    if ignored:
        return

    def look() -> None:
        if deployment.alarms.get("status") != "MONITORING":
            return  # it is over
        if deployment.state != "IN_PROGRESS" or deployment.status != "PRIMARY" or deployment.stage == "CLEAN_UP":
            deployment.alarms["status"] = "MONITORING_COMPLETE"
            return  # it is over, or the way back is gone: the bake time has passed
        # They are looked at from when a task of the new revision runs.
        running = any(task.running for task in service.tasks_of(deployment))
        if running and (ringing := _ringing(service.region, names)):
            deployment.alarms |= {"status": "TRIGGERED", "triggeredAlarmNames": ringing}
            why = f"alarm detected: {', '.join(ringing)}."
            scheduling.fail(
                service, deployment, why, roll_back=bool(given.get("rollback")), by="ECS deployment alarms",
                because=f"of an alarm in state ALARM: {', '.join(ringing)}.",
            )  # fmt: skip
            scheduling.touch(service)
        else:
            clock.after(LOOKS, look)

    clock.after(LOOKS, look)


def baked(service: Service, deployment: Deployment) -> bool:
    """Whether a rolling deployment that is through has been watched long enough. The clock starts at the first call."""
    if service.kind != "ROLLING" or deployment.alarms.get("status") != "MONITORING":
        return True
    if deployment.bakes_until is None:
        seconds = bake_seconds(service.region, deployment.alarms["alarmNames"])
        deployment.bakes_until = clock.now() + timedelta(seconds=seconds)
    if clock.now() < deployment.bakes_until:
        return False
    deployment.alarms["status"] = "MONITORING_COMPLETE"
    return True


def bake_seconds(region: str, names: list[str]) -> float:
    """The longest time over which one of the alarms is evaluated: its period times its evaluation periods."""
    return max(_spans(region, names, set()), default=USUAL_BAKE)


def _spans(region: str, names: list[str], seen: set[str]) -> Iterator[float]:
    """The evaluation times of the metric alarms, and of those that composite ones ask for."""
    seen.update(names)
    found = _described(region, names)
    for one in found.get("MetricAlarms", ()):
        parts = [one, *((part.get("MetricStat") or part) for part in one.get("Metrics") or ())]
        periods = [part.get("Period") for part in parts]
        yield float(max((int(each) for each in periods if each), default=60) * int(one.get("EvaluationPeriods") or 1))
    for one in found.get("CompositeAlarms", ()):
        children = {name.rsplit(":alarm:", 1)[-1] for name in alarms_of(parse_rule(one["AlarmRule"]))} - seen
        if children:
            yield from _spans(region, sorted(children), seen)


def _ringing(region: str, names: list[str]) -> list[str]:
    """Those of the alarms that are in ALARM."""
    found = _described(region, names, StateValue="ALARM")
    return [one["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for one in found.get(kind, ())]


def _described(region: str, names: list[str], **more: str) -> dict[str, Any]:
    found: dict[str, Any] = inner.client("cloudwatch", region).describe_alarms(
        AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], **more
    )
    return found
