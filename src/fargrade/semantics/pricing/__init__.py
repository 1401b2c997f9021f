"""What containers cost: Fargate by what a task is given, EC2 by the machines that are there.

Source: https://aws.amazon.com/fargate/pricing/ and https://aws.amazon.com/ec2/pricing/on-demand/, for us-east-1, Linux
on x86, on demand, in US dollars; a month has 730 hours, as in AWS's own calculator. Prices change: the course reckons
with this table, which its briefs show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fargrade.semantics.ecs import Size

VCPU_HOUR = Decimal("0.04048")
GB_HOUR = Decimal("0.004445")
HOURS = 730


@dataclass(frozen=True)
class Instance:
    """An EC2 instance type: what tasks can have of it (the system and the ECS agent keep the rest), and its price."""

    name: str
    vcpu: float
    memory: float
    hour: Decimal
    kept: float = 0.5

    def holds(self, vcpu: float, gigabytes: float) -> int:
        """How many tasks that need this much fit on one instance."""
        return min(math.floor(self.vcpu / vcpu), math.floor((self.memory - self.kept) / gigabytes))


INSTANCES = {
    one.name: one
    for one in (
        Instance("m5.large", 2, 8, Decimal("0.096")),
        Instance("m5.xlarge", 4, 16, Decimal("0.192")),
    )
}


def fargate_hour(size: Size) -> Decimal:
    """What a task of this size costs in an hour."""
    return Decimal(size.cpu) / 1024 * VCPU_HOUR + Decimal(size.memory) / 1024 * GB_HOUR


def fargate_month(size: Size, day: Sequence[int]) -> Decimal:
    """What a month costs in which, in each hour of a day, so many tasks run: task by task and hour by hour."""
    return fargate_hour(size) * sum(day) * HOURS / len(day)


def instances_for(instance: Instance, vcpu: float, gigabytes: float, peak: int, *, least: int = 2) -> int | None:
    """How many instances hold `peak` tasks, at least one in each of two zones; None where a task fits on none."""
    each = instance.holds(vcpu, gigabytes)
    return max(least, math.ceil(peak / each)) if each else None


def ec2_month(instance: Instance, count: int) -> Decimal:
    """What so many instances cost in a month, whether they are used or not."""
    return instance.hour * count * HOURS
