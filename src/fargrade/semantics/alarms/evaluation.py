"""An alarm's state from the data: periods, M of N, and what missing data mean.

Sources, docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/: alarm-evaluation.html (Period, Evaluation Periods,
Datapoints to Alarm), alarms-and-missing-data.html (the two tables, "Avoiding premature transitions to alarm state").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from fargrade.semantics.alarms.expression import Series, Value, evaluate, ids_of, parse
from fargrade.semantics.alarms.metrics import Malformed, Metric, Metrics, NotUnderstood

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
# CloudWatch looks back further than the alarm asks, so that late data count; how far is not published. Its own
# examples show five data points for three evaluation periods.
LOOKS_BACK_FURTHER = 2
OPERATORS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@dataclass(frozen=True)
class Verdict:
    """An evaluation's outcome: the state, and why in CloudWatch's words; the points it looked at, oldest first."""

    state: State
    reason: str
    points: tuple[float | None, ...] = ()

    @property
    def recent(self) -> float | None:
        """The newest value there is."""
        return next((one for one in reversed(self.points) if one is not None), None)


def breaches(operator: str, value: float, threshold: float) -> bool:
    """Whether the value breaks the threshold. Raises NotUnderstood for the operators of anomaly detection."""
    if operator == "GreaterThanThreshold":
        return value > threshold
    if operator == "GreaterThanOrEqualToThreshold":
        return value >= threshold
    if operator == "LessThanThreshold":
        return value < threshold
    if operator == "LessThanOrEqualToThreshold":
        return value <= threshold
    raise NotUnderstood(f"the comparison {operator}")


def state_of(breaching: Sequence[bool | None], needed: int, of: int, treat: str, current: State) -> State:
    """The state from the evaluation range's points, oldest first: breaching or not, None where data are missing.

    `needed` is Datapoints to Alarm (M), `of` Evaluation Periods (N).
    """
    real = [one for one in breaching if one is not None]
    if not real:
        return _without_data(treat, current)
    if len(real) >= of:
        return "ALARM" if sum(real[-of:]) >= needed else "OK"
    bad, missing = sum(real), of - len(real)
    if treat == "breaching":
        return "ALARM" if bad + missing >= needed else "OK"
    if bad >= needed:
        return "ALARM"
    if treat == "notBreaching" or not all(real):
        return "OK"
    if treat == "ignore":
        return current
    oldest = next(age for age, one in zip(range(len(breaching), 0, -1), breaching, strict=True) if one is not None)
    # "… always go into ALARM state when the oldest available breaching datapoint … is at least as old as the value
    # of Datapoints to Alarm, and all other more recent data points are breaching or missing"
    return "ALARM" if oldest >= needed else current


def _without_data(treat: str, current: State) -> State:
    found: dict[str, State] = {"breaching": "ALARM", "notBreaching": "OK", "ignore": current}
    return found.get(treat, "INSUFFICIENT_DATA")


def step_of(alarm: Mapping[str, Any]) -> int:
    """How often the alarm is evaluated, in seconds: every minute, or every ten seconds below that period."""
    return 10 if period_of(alarm) < 60 else 60


def period_of(alarm: Mapping[str, Any]) -> int:
    """The alarm's period: its own, or that of its metrics."""
    if alarm.get("Period"):
        return int(alarm["Period"])
    periods = [
        int(query.get("Period") or query["MetricStat"]["Period"])
        for query in alarm.get("Metrics") or []
        if query.get("MetricStat") or query.get("Period")
    ]
    return max(periods, default=60)


def evaluate_alarm(alarm: Mapping[str, Any], metrics: Metrics, now: float) -> Verdict:
    """The alarm (as DescribeAlarms shows it; `StateValue` is its state so far) at `now`, in seconds since 1970.

    Only whole periods count: the last ends with the last whole minute (or ten seconds). Raises NotUnderstood.
    """
    if alarm.get("ThresholdMetricId"):
        raise NotUnderstood("anomaly detection")
    of = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or of)
    step, period = step_of(alarm), period_of(alarm)
    end = math.floor(now / step) * step
    count = of + LOOKS_BACK_FURTHER
    starts = [end - period * back for back in range(count, 0, -1)]
    points = values_at(alarm, metrics, starts, period)
    operator, threshold = str(alarm["ComparisonOperator"]), float(alarm["Threshold"])
    judged = [None if one is None else breaches(operator, one, threshold) for one in points]
    current: State = alarm.get("StateValue") or "INSUFFICIENT_DATA"
    state = state_of(judged, needed, of, str(alarm.get("TreatMissingData") or "missing"), current)
    return Verdict(state, _reason(state, points, starts, of, needed, operator, threshold), points)


def values_at(alarm: Mapping[str, Any], metrics: Metrics, starts: Sequence[float], period: int) -> Series:
    """What the alarm watches, a value for each period that begins at one of `starts`."""
    queries = alarm.get("Metrics") or []
    if not queries:
        name = str(alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "")
        return _stat(metrics, Metric.of(alarm), name, starts, period, str(alarm.get("Unit") or ""))
    return returned(queries, metrics, starts, period)


def returned(queries: Sequence[Mapping[str, Any]], metrics: Metrics, starts: Sequence[float], period: int) -> Series:
    """The series of the query that returns data. Raises Malformed unless it is exactly one."""
    shown = [query for query in queries if query.get("ReturnData", True)]
    if len(shown) != 1:
        raise Malformed("The Metrics list must contain exactly one metric matching the ReturnData to be true.")
    return query_values(queries, metrics, starts, period)[str(shown[0]["Id"])]


def query_values(
    queries: Sequence[Mapping[str, Any]], metrics: Metrics, starts: Sequence[float], period: int
) -> dict[str, Series]:
    """Every query's series, by id; expressions in the order of what they need. Raises Malformed, NotUnderstood."""
    series: dict[str, Value] = {}
    waiting = {}
    for query in queries:
        if query.get("MetricStat"):
            stat = query["MetricStat"]
            series[str(query["Id"])] = _stat(
                metrics, Metric.of(stat["Metric"]), str(stat["Stat"]), starts, period, str(stat.get("Unit") or "")
            )
        else:
            waiting[str(query["Id"])] = parse(str(query.get("Expression", "")))
    while waiting:
        ready = [name for name, tree in waiting.items() if ids_of(tree) <= series.keys()]
        if not ready:
            missing = sorted(set().union(*map(ids_of, waiting.values())) - series.keys() - waiting.keys())
            raise Malformed(
                f"An expression refers to {', '.join(missing) or 'itself'}, which is not the id of a metric."
            )
        for name in ready:
            series[name] = _spread(evaluate(waiting.pop(name), series, period), len(starts))
    return {name: _spread(value, len(starts)) for name, value in series.items()}


def _spread(value: Value, length: int) -> Series:
    if isinstance(value, tuple):
        return tuple(None if one is None or math.isnan(one) else one for one in value)
    return (None if math.isnan(value) else value,) * length


def _stat(metrics: Metrics, metric: Metric, name: str, starts: Sequence[float], period: int, unit: str) -> Series:
    return tuple(metrics.statistic(metric, name, start, start + period, unit) for start in starts)


def _reason(
    state: State, points: Series, starts: Sequence[float], of: int, needed: int, operator: str, threshold: float
) -> str:
    """StateReason, in the form CloudWatch gives it."""
    recent = [(value, start) for value, start in zip(points, starts, strict=True) if value is not None][-of:]
    if not recent:
        return "Insufficient Data: no datapoints were received for the last evaluation periods."
    crossed = [(value, start) for value, start in recent if breaches(operator, value, threshold)]
    shown = (crossed if state == "ALARM" else [one for one in recent if one not in crossed] or recent)[-needed:]
    listed = ", ".join(f"{value} ({datetime.fromtimestamp(start, UTC):%d/%m/%y %H:%M:%S})" for value, start in shown)
    were = ("was" if len(shown) == 1 else "were") + ("" if shown[0] in crossed else " not")
    return (
        f"Threshold Crossed: {len(shown)} out of the last {of} {_datapoints(of)} [{listed}] {were} "
        f"{OPERATORS[operator]} the threshold ({threshold}) (minimum {needed} {_datapoints(needed)} for "
        f"{'OK -> ALARM' if state == 'ALARM' else 'ALARM -> OK'} transition)."
    )


def _datapoints(count: int) -> str:
    return "datapoint" if count == 1 else "datapoints"
