"""Prices by AWS's own examples of arithmetic."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fargrade.semantics.ecs import Size
from fargrade.semantics.pricing import INSTANCES, ec2_month, fargate_hour, fargate_month, instances_for


def test_a_task_pays_for_its_cpu_and_its_memory() -> None:
    # aws.amazon.com/fargate/pricing: 1 vCPU and 2 GB are 0.04048 + 2 × 0.004445 an hour.
    assert fargate_hour(Size(1024, 2048)) == Decimal("0.04937")
    assert fargate_hour(Size(256, 512)) == Decimal("0.0123425")


def test_a_month_is_paid_by_the_task_and_the_hour() -> None:
    steady = fargate_month(Size(1024, 2048), [3] * 24)
    assert steady == Decimal("0.04937") * 3 * 730
    assert fargate_month(Size(1024, 2048), [0] * 12 + [6] * 12) == steady


@pytest.mark.parametrize(
    ("vcpu", "gigabytes", "peak", "count"),
    [(0.5, 1.75, 9, 3), (0.25, 0.5, 1, 2), (1, 4, 5, 5), (2, 7.5, 3, 3), (2.5, 1, 1, None), (1, 7.75, 1, None)],
)
def test_machines_by_the_scarcer_resource(vcpu: float, gigabytes: float, peak: int, count: int | None) -> None:
    assert instances_for(INSTANCES["m5.large"], vcpu, gigabytes, peak) == count


def test_machines_are_paid_whether_used_or_not() -> None:
    assert ec2_month(INSTANCES["m5.large"], 2) == Decimal("140.160")
