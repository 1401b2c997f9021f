"""What a learner is told of a wait that came to nothing: ECS's own words, not the waiter's."""

from __future__ import annotations

from typing import Any

import pytest

from fargrade.plugin.in_vain import why_in_vain
from fargrade.plugin.learner import waited_in_vain
from fargrade.sandbox import Outcome
from fargrade.sandbox.job import Raised

PULL = "CannotPullContainerError: dial tcp: i/o timeout"


class Ecs:
    """A describe-shaped answer to what is asked of ECS."""

    def __init__(self, tasks: list[dict[str, Any]], event: str = "") -> None:
        self.tasks, self.event = tasks, event

    def list_clusters(self) -> dict[str, Any]:
        return {"clusterArns": ["shop"]}

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        return {"taskArns": [str(number) for number in range(len(self.tasks))]}

    def describe_tasks(self, **_: Any) -> dict[str, Any]:
        return {"tasks": self.tasks}

    def list_services(self, **_: Any) -> dict[str, Any]:
        return {"serviceArns": ["web"]}

    def describe_services(self, **_: Any) -> dict[str, Any]:
        return {"services": [{"events": [{"message": self.event}] if self.event else []}]}


class World:
    def __init__(self, ecs: Any) -> None:
        self.ecs = ecs

    def client(self, _: str) -> Any:
        if isinstance(self.ecs, Exception):
            raise self.ecs
        return self.ecs


FAILED = {"stopCode": "TaskFailedToStart", "stoppedReason": "Task failed to start", "containers": [{"reason": PULL}]}
EXITED = {
    "stopCode": "EssentialContainerExited",
    "stoppedReason": "Essential container in task exited",
    "containers": [],
}
REPLACED = {"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Scaling activity initiated by (deployment 1)"}
ILL = {"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed ELB health checks in (target-group web)"}
FULL = "(service web) was unable to place a task because no container instance met all of its requirements."


@pytest.mark.parametrize(
    ("ecs", "told"),
    [
        (Ecs([FAILED, FAILED, EXITED]), f"ECS says: “{PULL}” (2×); “Essential container in task exited”"),
        (Ecs([REPLACED]), ""),
        (Ecs([REPLACED, ILL]), "ECS says: “Task failed ELB health checks in (target-group web)”"),
        (Ecs([], FULL), f"ECS says: “{FULL}”"),
        (Ecs([REPLACED], FULL), f"ECS says: “{FULL}”"),
        (Ecs([], "(service web) has reached a steady state."), ""),
        (Ecs([]), ""),
        (RuntimeError("no world"), ""),
    ],
)
def test_ecs_says_why(ecs: Any, told: str) -> None:
    assert why_in_vain(World(ecs)) == told  # type: ignore[arg-type]


def test_only_what_waited_waited_in_vain() -> None:
    assert waited_in_vain(Outcome("raised", error=Raised("WaiterError", "Max attempts exceeded")))
    assert waited_in_vain(Outcome("raised", error=Raised("TimeoutError", "")))
    assert not waited_in_vain(Outcome("raised", error=Raised("ClientError", "")))
    assert not waited_in_vain(Outcome("returned"))
