"""Metrics as CloudWatch keeps them: data with a time, values and counts, told apart by name and exact dimensions.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html: each combination of
dimensions is a metric of its own, statistics are aggregations over a period, percentiles need the single values.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLAIN = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
EXTENDED = re.compile(r"(p|tm|tc|ts|wm)(\d{1,2}(?:\.\d{1,10})?|100)")


class NotUnderstood(ValueError):
    """Something right on AWS that this evaluator does not know: never a verdict, always said."""


class Malformed(ValueError):
    """Something that CloudWatch would refuse; the message says what is wrong with it."""


@dataclass(frozen=True, order=True)
class Datum:
    """What was measured at a time: values and how often each came, or a set of statistics of them (then no values)."""

    at: float
    values: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()
    unit: str = "None"
    summary: tuple[float, float, float, float] | None = None  # sample count, sum, minimum, maximum

    @property
    def sample_count(self) -> float:
        return self.summary[0] if self.summary else sum(self.counts)

    @property
    def sum(self) -> float:
        return (
            self.summary[1] if self.summary else math.fsum(v * n for v, n in zip(self.values, self.counts, strict=True))
        )

    @property
    def minimum(self) -> float:
        return self.summary[2] if self.summary else min(self.values)

    @property
    def maximum(self) -> float:
        return self.summary[3] if self.summary else max(self.values)


def value(at: float, number: float, unit: str = "None") -> Datum:
    """One measured number."""
    return Datum(at, (float(number),), (1.0,), unit)


@dataclass(frozen=True)
class Metric:
    """A metric's identity: namespace, name, and its dimensions exactly."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Metric:
        """The metric that an alarm, a MetricStat's Metric or a PutMetricData entry names."""
        pairs = described.get("Dimensions") or []
        return cls(
            str(described.get("Namespace", "")),
            str(described.get("MetricName", "")),
            frozenset((str(one["Name"]), str(one["Value"])) for one in pairs),
        )

    def described(self) -> dict[str, Any]:
        """The form of ListMetrics."""
        return {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": [{"Name": name, "Value": text} for name, text in sorted(self.dimensions)],
        }


@dataclass
class Metrics:
    """All data that were put, by metric."""

    held: dict[Metric, list[Datum]] = field(default_factory=dict)

    def put(self, metric: Metric, *data: Datum) -> None:
        """Add data, at any time and in any order."""
        line = self.held.setdefault(metric, [])
        for one in data:
            insort(line, one, key=lambda held: held.at)

    def between(self, metric: Metric, start: float, end: float, unit: str = "") -> list[Datum]:
        """The data with start <= time < end, oldest first; of one unit, if one is named."""
        line = self.held.get(metric, [])
        first = bisect_left(line, start, key=lambda held: held.at)
        last = bisect_left(line, end, key=lambda held: held.at)
        return [one for one in line[first:last] if not unit or one.unit == unit]

    def statistic(self, metric: Metric, name: str, start: float, end: float, unit: str = "") -> float | None:
        """One statistic of the data in [start, end); None where there are none."""
        return statistic(name, self.between(metric, start, end, unit))

    def forget_before(self, when: float) -> None:
        """Drop what is older than `when`."""
        for metric, line in self.held.items():
            self.held[metric] = line[bisect_left(line, when, key=lambda held: held.at) :]


def statistic(name: str, data: Sequence[Datum]) -> float | None:
    """Average, Sum, Minimum, Maximum, SampleCount, pNN and tmNN of the data; None where there are none.

    Raises NotUnderstood for a statistic that CloudWatch has and this does not, Malformed for one that it lacks.
    """
    if name in PLAIN:
        return _plain(name, data) if data else None
    found = EXTENDED.fullmatch(name)
    if not found:
        if re.fullmatch(r"IQM|(TM|TC|TS|WM|PR)\(.*\)", name):
            raise NotUnderstood(f"the statistic {name}")
        raise Malformed(f"The value {name} for parameter Statistic is not supported.")
    if found[1] not in ("p", "tm"):
        raise NotUnderstood(f"the statistic {name}")
    if any(one.summary and one.minimum != one.maximum for one in data):
        return None  # percentiles of statistic sets: cloudwatch_concepts.html, "Percentiles"
    weighed = _weighed(data)
    if not weighed:
        return None
    share = float(found[2])
    return _percentile(weighed, share) if found[1] == "p" else _trimmed(weighed, share)


def _plain(name: str, data: Sequence[Datum]) -> float:
    if name == "Minimum":
        return min(one.minimum for one in data)
    if name == "Maximum":
        return max(one.maximum for one in data)
    total, count = math.fsum(one.sum for one in data), math.fsum(one.sample_count for one in data)
    return {"Sum": total, "SampleCount": count}.get(name, total / count if count else 0.0)


def _weighed(data: Iterable[Datum]) -> list[tuple[float, float]]:
    pairs: list[tuple[float, float]] = []
    for one in data:
        pairs += [(one.minimum, one.sample_count)] if one.summary else zip(one.values, one.counts, strict=True)
    return sorted(pairs)


def _percentile(weighed: list[tuple[float, float]], share: float) -> float:
    """The smallest value that `share` per cent of all samples do not exceed."""
    wanted = share / 100 * math.fsum(count for _, count in weighed)
    passed = 0.0
    for number, count in weighed:
        passed += count
        if passed >= wanted - 1e-9:
            return number
    return weighed[-1][0]


def _trimmed(weighed: list[tuple[float, float]], share: float) -> float:
    """The mean of the values up to the percentile: tm99 leaves out the highest hundredth."""
    kept, left, total = 0.0, share / 100 * math.fsum(count for _, count in weighed), 0.0
    for number, count in weighed:
        taken = min(count, left - kept)
        if taken <= 0:
            break
        kept, total = kept + taken, total + number * taken
    return total / kept if kept else weighed[0][0]
