"""Why a wait came to nothing: what ECS says of the tasks that should run, as somebody would look it up."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fargrade.backends.world import World
from fargrade.course.language import translate as t

SHOWN = 2
BAD = ("unable", "failed", "unhealthy")


def why_in_vain(world: World) -> str:
    """ECS's own words for tasks that stopped and services that cannot go on; "" where it says nothing.

    A waiter's error says only that it waited long enough. Never raises: it explains a verdict, and is none.
    """
    try:
        ecs = world.client("ecs")
        said = Counter(line for cluster in ecs.list_clusters()["clusterArns"] for line in _said(ecs, cluster))
    except Exception:
        return ""
    lines = [f"“{line}”" + (f" ({count}×)" if count > 1 else "") for line, count in said.most_common(SHOWN)]
    return t("ECS says: {lines}", lines="; ".join(lines)) if lines else ""


def _said(ecs: Any, cluster: str) -> list[str]:
    stopped = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=stopped[:100])["tasks"] if stopped else []
    reasons = [_reason(task) for task in tasks]
    if any(reasons):
        return [one for one in reasons if one]
    services = ecs.list_services(cluster=cluster)["serviceArns"]
    described = ecs.describe_services(cluster=cluster, services=services[:10])["services"] if services else []
    events = [next((event["message"] for event in one["events"]), "") for one in described]
    return [event for event in events if _is_bad(event)]


def _reason(task: dict[str, Any]) -> str:
    """Why it stopped: where a container says so, that; "" where somebody or a deployment stopped it."""
    for container in task.get("containers", ()):
        if container.get("reason"):
            return str(container["reason"])
    said = str(task.get("stoppedReason") or "")
    meant = task.get("stopCode") in ("UserInitiated", "ServiceSchedulerInitiated") and not _is_bad(said)
    return "" if meant else said


def _is_bad(said: str) -> bool:
    return any(word in said for word in BAD)
