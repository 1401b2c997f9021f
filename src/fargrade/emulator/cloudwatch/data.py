"""Putting and reading metric data: PutMetricData, GetMetricData, GetMetricStatistics, ListMetrics."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.cloudwatch.store import of, page, seconds, wrong_value
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op
from fargrade.emulator.rules import Call, answer, refusal
from fargrade.semantics.alarms import Datum, Malformed, Metric, NotUnderstood, query_values, statistic

OLDEST, NEWEST = timedelta(weeks=2), timedelta(hours=2)
MOST_POINTS, MOST_DATA, MOST_METRICS = 1440, 1000, 500
LIVE = timedelta(hours=3)


@refusal("cloudwatch", "PutMetricData")
def data_are_well_formed(call: Call) -> None:
    """API_PutMetricData.html and API_MetricDatum.html: which of Value, Values and StatisticValues, and which times."""
    given = call.parameters
    if given["Namespace"].startswith("AWS/"):
        raise wrong_value("The value AWS/ for parameter Namespace is invalid.")
    data = given.get("MetricData") or []
    if not data and not given.get("EntityMetricData"):
        raise Refused("MissingParameter", "The parameter MetricData is required.")
    if len(data) > MOST_DATA:
        raise Refused(
            "InvalidParameterCombination", f"The collection MetricData must not have a size greater than {MOST_DATA}."
        )
    for number, datum in enumerate(data, 1):
        _check_datum(datum, f"MetricData.member.{number}")


def _check_datum(datum: dict[str, Any], where: str) -> None:
    ways = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if not ways:
        raise Refused(
            "MissingParameter", f"At least one of the parameters {where}.Value, {where}.Values must be specified."
        )
    if len(ways) > 1:
        raise Refused(
            "InvalidParameterCombination",
            f"The parameters {where}.{ways[0]} and {where}.{ways[1]} are mutually exclusive "
            "and you have specified both.",
        )
    counts = datum.get("Counts")
    if counts is not None and len(counts) != len(datum.get("Values") or []):
        raise wrong_value(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
    numbers = [datum["Value"]] if ways == ["Value"] else datum.get("Values") or []
    if any(math.isnan(one) or math.isinf(one) for one in numbers):
        raise wrong_value(f"The value for parameter {where}.Value is invalid: NaN and infinity are not supported.")
    if datum.get("StorageResolution") not in (None, 1, 60):
        raise wrong_value(
            f"The value {datum['StorageResolution']} for parameter {where}.StorageResolution is invalid: 1 or 60."
        )
    when, now = datum.get("Timestamp"), clock.now()
    if when and not now - OLDEST <= _aware(when) <= now + NEWEST:
        raise wrong_value(
            f"The parameter {where}.Timestamp must specify a time within the past two weeks and no more than two hours "
            "in the future."
        )


@answer("cloudwatch", "PutMetricData")
def put_metric_data(call: Call) -> dict[str, Any]:
    """PutMetricData: data count from the moment they arrive, whatever time they are of."""
    for datum in call.parameters.get("MetricData") or []:
        named = {**datum, "Namespace": call.parameters["Namespace"]}
        of(call.region).metrics.put(Metric.of(named), as_datum(datum))
    return {}


def as_datum(datum: dict[str, Any]) -> Datum:
    """A MetricDatum as the evaluation takes it."""
    at = seconds(_aware(datum["Timestamp"])) if datum.get("Timestamp") else seconds(clock.now())
    unit = datum.get("Unit") or "None"
    if datum.get("StatisticValues"):
        held = datum["StatisticValues"]
        return Datum(at, unit=unit, summary=(held["SampleCount"], held["Sum"], held["Minimum"], held["Maximum"]))
    values = datum["Values"] if datum.get("Values") is not None else [datum["Value"]]
    counts = datum.get("Counts") or [1.0] * len(values)
    return Datum(at, tuple(map(float, values)), tuple(map(float, counts)), unit)


@control_op("measure")
def measure(
    region: str, namespace: str, name: str, dimensions: dict[str, str], at: float, value: float, unit: str
) -> None:
    """A service's own measurement arrives: in AWS/ namespaces nobody else may put any."""
    of(region).metrics.put(Metric(namespace, name, frozenset(dimensions.items())), Datum(at, (value,), (1.0,), unit))


@refusal("cloudwatch", "GetMetricStatistics")
def statistics_can_be_had(call: Call) -> None:
    """API_GetMetricStatistics.html."""
    given = call.parameters
    start, end, period = _aware(given["StartTime"]), _aware(given["EndTime"]), given["Period"]
    if start.replace(microsecond=0) >= end.replace(microsecond=0):
        raise wrong_value("The parameter StartTime must be less than the parameter EndTime.")
    if period not in (1, 5, 10, 20, 30) and period % 60:
        raise wrong_value("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
    if not given.get("Statistics") and not given.get("ExtendedStatistics"):
        raise Refused(
            "InvalidParameterCombination",
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        )
    points = math.ceil((end - start).total_seconds() / period)
    if points > MOST_POINTS:
        raise Refused(
            "InvalidParameterCombination",
            f"You have requested up to {points} datapoints, which exceeds the limit of {MOST_POINTS}. You may reduce "
            "the datapoints requested by increasing Period, or decreasing the time range.",
        )


@answer("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(call: Call) -> dict[str, Any]:
    """GetMetricStatistics: a datapoint for each period with data, in no order that may be relied on."""
    given = call.parameters
    metric, metrics, period = Metric.of(given), of(call.region).metrics, int(given["Period"])
    start, end = _rounded(_aware(given["StartTime"]), period), seconds(_aware(given["EndTime"]))
    wanted = [*(given.get("Statistics") or []), *(given.get("ExtendedStatistics") or [])]
    points = []
    while start < end:
        data = metrics.between(metric, start, min(start + period, end), given.get("Unit") or "")
        if data:
            points.append(_datapoint(start, data, wanted, given))
        start += period
    return {"Label": given["MetricName"], "Datapoints": points}


def _datapoint(start: float, data: list[Datum], wanted: list[str], given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(start, UTC), "Unit": data[0].unit}
    for name in wanted:
        number = _statistic(name, data)
        if name in (given.get("Statistics") or []):
            found[name] = number
        elif number is not None:
            found.setdefault("ExtendedStatistics", {})[name] = number
    return found


def _statistic(name: str, data: list[Datum]) -> float | None:
    try:
        return statistic(name, data)
    except Malformed as wrong:
        raise wrong_value(str(wrong)) from None
    except NotUnderstood as unknown:
        raise NotImplementedError(str(unknown)) from None


@answer("cloudwatch", "GetMetricData")
def get_metric_data(call: Call) -> dict[str, Any]:
    """GetMetricData: metrics and metric math over a time; newest first unless ScanBy says otherwise."""
    given = call.parameters
    start, end = _aware(given["StartTime"]), _aware(given["EndTime"])
    if start > end:
        raise Refused("ValidationError", "The parameter EndTime must be greater than StartTime.")
    if start.replace(microsecond=0) == end.replace(microsecond=0):
        raise Refused("ValidationError", "The parameter StartTime must not equal parameter EndTime.")
    queries = given["MetricDataQueries"]
    for query in queries:
        if bool(query.get("MetricStat")) == bool(query.get("Expression")):
            raise Refused("ValidationError", f"The query {query['Id']} must have either a MetricStat or an Expression.")
    results = []
    for period in sorted({_period(query, queries) for query in queries}):
        first = math.floor(seconds(start) / period) * period
        starts = [float(at) for at in range(int(first), math.ceil(seconds(end)), period)]
        series = _values(queries, call, starts, period)
        results += [
            _result(query, starts, series[query["Id"]], given.get("ScanBy") == "TimestampAscending")
            for query in queries
            if _period(query, queries) == period and query.get("ReturnData", True)
        ]
    order = [query["Id"] for query in queries]
    return {"MetricDataResults": sorted(results, key=lambda one: order.index(one["Id"])), "Messages": []}


def _values(queries: list[dict[str, Any]], call: Call, starts: list[float], period: int) -> Any:
    try:
        return query_values(queries, of(call.region).metrics, starts, period)
    except Malformed as wrong:
        raise Refused("ValidationError", str(wrong)) from None
    except NotUnderstood as unknown:
        raise NotImplementedError(str(unknown)) from None


def _period(query: dict[str, Any], queries: list[dict[str, Any]]) -> int:
    """The query's period; an expression has the longest of the metrics' (API_MetricDataQuery.html)."""
    if query.get("MetricStat"):
        return int(query["MetricStat"]["Period"])
    return int(
        query.get("Period") or max((q["MetricStat"]["Period"] for q in queries if q.get("MetricStat")), default=60)
    )


def _result(query: dict[str, Any], starts: list[float], series: Any, ascending: bool) -> dict[str, Any]:
    pairs = [(at, one) for at, one in zip(starts, series, strict=True) if one is not None]
    pairs = pairs if ascending else pairs[::-1]
    named = query.get("MetricStat", {}).get("Metric", {}).get("MetricName")
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or named or query["Id"],
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in pairs],
        "Values": [one for _, one in pairs],
        "StatusCode": "Complete",
    }


@answer("cloudwatch", "ListMetrics")
def list_metrics(call: Call) -> dict[str, Any]:
    """ListMetrics: those with the name, the namespace and (at least) the dimensions; 500 a page."""
    given = call.parameters
    asked = given.get("Dimensions") or []
    recent = seconds(clock.now() - LIVE) if given.get("RecentlyActive") else None
    found = [
        metric.described()
        for metric, data in of(call.region).metrics.held.items()
        if given.get("Namespace") in (None, metric.namespace)
        and given.get("MetricName") in (None, metric.name)
        and all(_has(metric, one) for one in asked)
        and (recent is None or (data and data[-1].at >= recent))
    ]
    shown, token = page(found, given, MOST_METRICS, "none")
    return {"Metrics": shown, "NextToken": token}


def _has(metric: Metric, dimension: dict[str, Any]) -> bool:
    return any(
        name == dimension["Name"] and dimension.get("Value") in (None, value) for name, value in metric.dimensions
    )


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _rounded(when: datetime, period: int) -> float:
    """A start time as CloudWatch rounds it: down to the whole minute, or to the period below a minute."""
    return math.floor(seconds(when) / min(period, 60)) * float(min(period, 60))
