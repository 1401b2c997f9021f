"""Step scaling: which step an alarm's breach falls into, and what capacity it leads to.

Source: docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html and
docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html (bounds, rounding, minimum adjustment).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

MOST_STEPS = 20


def step_for(steps: Sequence[Mapping[str, Any]], difference: float) -> Mapping[str, Any] | None:
    """The step for a metric that is `difference` above (below: negative) the alarm's threshold; None if none covers it.

    Above the threshold the lower bound belongs to the step and the upper does not; below it is the other way round.
    """
    for step in steps:
        lower, upper = bounds(step)
        if (lower <= difference < upper) if difference >= 0 and upper > 0 else (lower < difference <= upper):
            return step
    return None


def bounds(step: Mapping[str, Any]) -> tuple[float, float]:
    """(lower, upper); a bound that is left out is infinite."""
    lower, upper = step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound")
    return (-math.inf if lower is None else float(lower), math.inf if upper is None else float(upper))


def adjusted(configuration: Mapping[str, Any], current: int, step: Mapping[str, Any]) -> int:
    """The capacity that the step leads to, before minimum and maximum are looked at."""
    amount = int(step["ScalingAdjustment"])
    kind = configuration.get("AdjustmentType")
    if kind == "ExactCapacity":
        return amount
    if kind == "PercentChangeInCapacity":
        change = _rounded(current * amount / 100)
        least = int(configuration.get("MinAdjustmentMagnitude") or 0)
        if change and abs(change) < least:
            change = int(math.copysign(least, change))
        return current + change
    return current + amount


def _rounded(change: float) -> int:
    """AWS: above 1 down, between 0 and 1 to 1, between -1 and 0 to -1, below -1 up (12.7 is 12, -6.67 is -6)."""
    if 0 < change < 1:
        return 1
    if -1 < change < 0:
        return -1
    return math.trunc(change + math.copysign(1e-9, change))


def steps_problem(steps: Sequence[Mapping[str, Any]]) -> str:
    """Why PutScalingPolicy refuses these steps, in AWS's words where they are known; "" if it takes them."""
    if not steps:
        return "At least one StepAdjustment must be specified"
    if len(steps) > MOST_STEPS:
        return f"There can be at most {MOST_STEPS} step adjustments per scaling policy"
    intervals = sorted(map(bounds, steps))
    for lower, upper in intervals:
        if lower >= upper:
            return "MetricIntervalLowerBound must be less than the MetricIntervalUpperBound"
        if math.isinf(lower) and math.isinf(upper):  # observed: hashicorp/terraform-provider-aws/issues/4812
            return "Both lower and upper bounds of a step adjustment cannot be left unspecified"
    for (_, before), (after, _) in pairwise(intervals):
        if after < before:
            return "StepAdjustment intervals can't overlap"
        if after > before:
            return "There can't be a gap between StepAdjustment intervals"
    if intervals[-1][1] > 0 and not math.isinf(intervals[-1][1]):
        return (
            "There must be a StepAdjustment with an unspecified upper bound (i.e., upper bound is null) when one "
            "StepAdjustment has a positive upper bound"
        )
    if intervals[0][0] < 0 and not math.isinf(intervals[0][0]):
        return (
            "There must be a StepAdjustment with an unspecified lower bound (i.e., lower bound is null) when one "
            "StepAdjustment has a negative lower bound"
        )
    return ""
