"""One scalable target's decisions: which alarm leads to what capacity, and when it has to wait.

Source: docs.aws.amazon.com/autoscaling/application/userguide/: target-tracking-scaling-policy-overview.html ("Define
cooldown periods", "Multiple scaling policies": out if any, in only if all) and step-scaling-policy-overview.html
("Cooldown period": what was added during it is part of the next, larger scale-out).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fargrade.semantics.scaling.steps import adjusted, step_for
from fargrade.semantics.scaling.tracking import DEFAULT_COOLDOWN, tracked

NEVER = float("-inf")


@dataclass(frozen=True)
class Ring:
    """An alarm in ALARM that has the policy among its actions; `value` is the newest that it saw."""

    policy: Mapping[str, Any]
    alarm: Mapping[str, Any]
    value: float

    @property
    def tracks(self) -> bool:
        return bool(self.policy["PolicyType"] == "TargetTrackingScaling")

    @property
    def configuration(self) -> Mapping[str, Any]:
        kind = "TargetTracking" if self.tracks else "Step"
        found: Mapping[str, Any] = self.policy[f"{kind}ScalingPolicyConfiguration"]
        return found

    def wanted(self, current: int) -> int | None:
        """The capacity that the policy asks for now, whatever the limits; None where no step covers the metric."""
        if not self.tracks:
            step = step_for(self.configuration["StepAdjustments"], self.value - float(self.alarm["Threshold"]))
            return adjusted(self.configuration, current, step) if step else None
        capacity = tracked(current, self.value, float(self.configuration["TargetValue"]))
        rises = str(self.alarm["ComparisonOperator"]).startswith("Greater")
        return max(capacity, current) if rises else min(capacity, current)

    def cooldown(self, way: str) -> float:
        """Seconds to wait after going "Out" or "In"."""
        given = self.configuration.get(f"Scale{way}Cooldown" if self.tracks else "Cooldown")
        return DEFAULT_COOLDOWN if given is None else float(given)


@dataclass(frozen=True)
class Decision:
    """Go to `capacity`, because `ring` said so."""

    capacity: int
    ring: Ring

    @property
    def cause(self) -> str:
        """As an activity's Cause has it."""
        alarm, policy = self.ring.alarm["AlarmName"], self.ring.policy["PolicyName"]
        return f"monitor alarm {alarm} in state ALARM triggered policy {policy}"


@dataclass
class Scaler:
    """What a scalable target remembers between decisions: until when it waits, and the capacity before it went out."""

    out_until: float = NEVER
    in_until: float = NEVER
    before: int = 0

    def decide(
        self,
        target: Mapping[str, Any],
        policies: Sequence[Mapping[str, Any]],
        rings: Sequence[Ring],
        current: int,
        now: float,
        *,
        running: int | None = None,
        deploying: bool = False,
    ) -> Decision | None:
        """What the ringing alarms lead to; None if nothing is to be done now.

        `target` is one of DescribeScalableTargets, `policies` all of its DescribeScalingPolicies. `current` is the
        desired count; where fewer are `running`, these are what a scale-out starts from, so that what cannot be placed
        is not asked for again and again (developerguide/service-auto-scaling.html). While the service is `deploying`
        nothing is scaled in (developerguide/troubleshoot-service-auto-scaling.html).
        """
        suspended = target.get("SuspendedState") or {}
        wanted = [(capacity, ring) for ring in rings if (capacity := ring.wanted(current)) is not None]
        outs = [one for one in wanted if one[0] > current]
        if outs:
            # "the capacity added by the initiating scale-out activity is calculated as part of the desired capacity
            # for the next": until the cooldown ends, only what goes beyond it counts.
            base = self.before if now < self.out_until else current if running is None else min(running, current)
            capacity, ring = max(((ring.wanted(base) or current, ring) for _, ring in outs), key=_capacity)
            capacity = min(capacity, int(target["MaxCapacity"]))
            if suspended.get("DynamicScalingOutSuspended") or capacity <= current:
                return None
            return self._out(capacity, ring, current, now)
        # Of several target-tracking policies that all are ready to go in, the one that keeps most decides.
        keeps = max((one[0] for one in wanted if one[1].tracks), default=current)
        stays = keeps >= current or _held(policies, rings)
        ins = [one for one in wanted if one[0] < current and not (one[1].tracks and stays)]
        if not ins or deploying or suspended.get("DynamicScalingInSuspended") or now < self.in_until:
            return None
        capacity, ring = max(ins, key=_capacity)
        capacity = max(capacity, int(target["MinCapacity"]))
        if capacity >= current:
            return None
        self.in_until = now + ring.cooldown("In")
        return Decision(capacity, ring)

    def _out(self, capacity: int, ring: Ring, current: int, now: float) -> Decision:
        if now >= self.out_until:
            self.before = current
        self.out_until = now + ring.cooldown("Out")
        self.in_until = NEVER  # "the cooldown period for the scale-in activity stops and doesn't complete"
        return Decision(capacity, ring)


def _capacity(wanted: tuple[int, Ring]) -> int:
    return wanted[0]


def _held(policies: Sequence[Mapping[str, Any]], rings: Sequence[Ring]) -> bool:
    """Whether a target-tracking policy that may go in is not ready to: then none of them goes in."""
    ready = {ring.policy["PolicyName"] for ring in rings if str(ring.alarm["ComparisonOperator"]).startswith("Less")}
    return any(
        policy["PolicyName"] not in ready
        for policy in policies
        if policy["PolicyType"] == "TargetTrackingScaling"
        and not policy["TargetTrackingScalingPolicyConfiguration"].get("DisableScaleIn")
    )
