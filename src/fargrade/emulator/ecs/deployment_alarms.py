"""Alarms that a service's deployments look at: one that rings fails the deployment, and may roll it back.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html.
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator import clock, inner
from fargrade.emulator.ecs import scheduling
from fargrade.emulator.ecs.model import Deployment, Service

LOOKS = 10.0


def watch(service: Service, deployment: Deployment) -> None:
    """Look at the alarms as long as the deployment is under way."""
    given: dict[str, Any] = service.settings.get("alarms") or {}
    if not given.get("enable") or not given.get("alarmNames") or not deployment.sources:
        return

    def look() -> None:
        if deployment.state != "IN_PROGRESS" or deployment.status != "PRIMARY" or deployment.stage == "CLEAN_UP":
            return  # it is over, or the way back is gone: the bake time has passed
        found = inner.client("cloudwatch", service.region).describe_alarms(
            AlarmNames=given["alarmNames"], AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
        )
        ringing = [one["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for one in found.get(kind, ())]
        if ringing:
            why = f"alarm detected: {', '.join(ringing)}."
            scheduling.fail(
                service, deployment, why, roll_back=bool(given.get("rollback")), by="ECS deployment alarms",
                because=f"of an alarm in state ALARM: {', '.join(ringing)}.",
            )  # fmt: skip
            scheduling.touch(service)
        else:
            clock.after(LOOKS, look)

    clock.after(LOOKS, look)
