"""A service played over a load curve: its tasks, and what they were busy with, minute by minute.

The load is work in "task-CPUs": three means that three tasks would be busy to 100 %. More tasks make each less busy,
so that a policy's decisions come back to it as data, as on AWS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fargrade.semantics.alarms import Metric, Metrics, evaluate_alarm, value
from fargrade.semantics.scaling.scaler import Decision, Ring, Scaler
from fargrade.semantics.scaling.tracking import service_of, tracking_alarms

FULL = 100.0


@dataclass
class Run:
    """What happened: for each minute the tasks at its end, their utilisation in it, and what was decided after it."""

    tasks: list[int] = field(default_factory=list)
    utilisation: list[float | None] = field(default_factory=list)
    decisions: list[tuple[int, Decision]] = field(default_factory=list)

    def first_change(self) -> int | None:
        """The minute (from 1) after which the number of tasks first changed; None if it never did."""
        return self.decisions[0][0] if self.decisions else None


def utilisation(work: float, tasks: int) -> float:
    """How busy each task is, in per cent: never more than it has (a Fargate task cannot borrow)."""
    return min(FULL, FULL * work / tasks) if tasks else 0.0


def play(
    work: Sequence[float | None],
    target: Mapping[str, Any],
    policies: Sequence[Mapping[str, Any]],
    alarms: Sequence[Mapping[str, Any]] = (),
    tasks: int = 1,
    starting: int = 1,
) -> Run:
    """Play the service of `target` over `work` (a value a minute, None: no data arrive).

    `policies` as DescribeScalingPolicies shows them; `alarms` those of step policies (DescribeAlarms), wired by their
    AlarmActions. New tasks run `starting` minutes after they are asked for. Raises NotUnderstood.
    """
    cluster, service = service_of(str(target["ResourceId"]))
    own = frozenset({("ClusterName", cluster), ("ServiceName", service)})
    metrics, scaler, run = Metrics(), Scaler(), Run()
    watching = _wired(policies, alarms)
    states = ["INSUFFICIENT_DATA"] * len(watching)
    desired = max(tasks, int(target["MinCapacity"]))
    asked = [desired] * (starting + 1)
    for minute, load in enumerate(work):
        running = min(asked[-starting - 1], desired)
        busy = None if load is None else utilisation(load, running)
        if busy is not None:
            for name in ("CPUUtilization", "MemoryUtilization"):
                metrics.put(Metric("AWS/ECS", name, own), value(minute * 60, busy))
        rings = []
        for place, (policy, alarm) in enumerate(watching):
            found = evaluate_alarm({**alarm, "StateValue": states[place]}, metrics, (minute + 1) * 60)
            states[place] = found.state
            if found.state == "ALARM" and found.recent is not None:
                rings.append(Ring(policy, alarm, found.recent))
        decision = scaler.decide(target, policies, rings, desired, minute * 60)
        if decision:
            desired = decision.capacity
            run.decisions.append((minute + 1, decision))
        asked.append(desired)
        run.tasks.append(desired)
        run.utilisation.append(busy)
    return run


def _wired(
    policies: Sequence[Mapping[str, Any]], alarms: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each policy with each alarm that sets it off."""
    pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    for policy in policies:
        if policy["PolicyType"] == "TargetTrackingScaling":
            pairs += [(policy, alarm) for alarm in tracking_alarms(policy, ("high", "low"))]
        else:
            pairs += [(policy, alarm) for alarm in alarms if policy["PolicyARN"] in (alarm.get("AlarmActions") or [])]
    return pairs
