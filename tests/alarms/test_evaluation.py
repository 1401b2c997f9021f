"""Alarm evaluation against AWS's own tables (alarms-and-missing-data.html) and against what must hold for any data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.semantics.alarms import (
    TREATMENTS,
    Datum,
    Malformed,
    Metric,
    Metrics,
    NotUnderstood,
    evaluate_alarm,
    holds,
    parse_rule,
    play_alarm,
    state_of,
    statistic,
    value,
)

RETAIN = "retain"
# Data points | N, M | missing, ignore, breaching, notBreaching: 0 is not breaching, X breaching, - missing.
AWS_TABLES = [
    ("0-X-X", 3, 3, "OK", "OK", "OK", "OK"),
    ("----0", 3, 3, "OK", "OK", "OK", "OK"),
    ("-----", 3, 3, "INSUFFICIENT_DATA", RETAIN, "ALARM", "OK"),
    ("0XX-X", 3, 3, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("--X--", 3, 3, "ALARM", RETAIN, "ALARM", "OK"),
    ("0-X-X", 3, 2, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("00X0X", 3, 2, "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-X--", 3, 2, "OK", "OK", "ALARM", "OK"),
    ("----0", 3, 2, "OK", "OK", "ALARM", "OK"),
    ("---X-", 3, 2, "ALARM", RETAIN, "ALARM", "OK"),
]
CPU = Metric("AWS/ECS", "CPUUtilization", frozenset({("ClusterName", "shop"), ("ServiceName", "web")}))
ALARM: dict[str, Any] = {
    "Namespace": "AWS/ECS",
    "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "ServiceName", "Value": "web"}, {"Name": "ClusterName", "Value": "shop"}],
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 80.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def points(text: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[one] for one in text]


@pytest.mark.parametrize("row", AWS_TABLES, ids=lambda row: f"{row[0]} {row[2]} of {row[1]}")
@pytest.mark.parametrize("current", ["OK", "ALARM"])
def test_the_tables_of_the_documentation(row: Any, current: Any) -> None:
    text, of, needed, *expected = row
    for treat, wanted in zip(TREATMENTS, expected, strict=True):
        found = state_of(points(text), needed, of, treat, current)
        assert found == (current if wanted == RETAIN else wanted), treat


@pytest.mark.parametrize("text", ["----X", "---X-"])
def test_no_premature_alarm(text: str) -> None:
    """ "the alarm does not go immediately into ALARM state when the data is either - - - - X or - - - X -"."""
    assert state_of(points(text), 3, 3, "missing", "OK") == "OK"


@given(st.lists(st.sampled_from([True, False]), min_size=5, max_size=5), st.integers(1, 3), st.sampled_from(TREATMENTS))
def test_with_all_data_there_only_m_of_n_counts(data: list[bool], needed: int, treat: str) -> None:
    expected = "ALARM" if sum(data[-3:]) >= needed else "OK"
    assert state_of(data, needed, 3, treat, "INSUFFICIENT_DATA") == expected


@given(st.lists(st.sampled_from([True, False, None]), min_size=5, max_size=5), st.integers(1, 3))
def test_breaching_alarms_wherever_not_breaching_does(data: list[bool | None], needed: int) -> None:
    if state_of(data, needed, 3, "notBreaching", "OK") == "ALARM":
        assert state_of(data, needed, 3, "breaching", "OK") == "ALARM"


def test_it_starts_without_data_and_rings_with_the_third_point() -> None:
    line = [None, 50, 50, 90, 90, 90, 90, 50]
    assert play_alarm(ALARM, {CPU: line}) == [
        "INSUFFICIENT_DATA", "OK", "OK", "OK", "OK", "ALARM", "ALARM", "OK",
    ]  # fmt: skip


def test_dimensions_match_exactly() -> None:
    other = Metric("AWS/ECS", "CPUUtilization", frozenset({("ClusterName", "shop"), ("ServiceName", "jobs")}))
    wider = Metric("AWS/ECS", "CPUUtilization", frozenset({("ClusterName", "shop")}))
    assert set(play_alarm(ALARM, {other: [99] * 6, wider: [99] * 6})) == {"INSUFFICIENT_DATA"}


def test_flapping_rings_only_with_m_of_n() -> None:
    line = [90, 50] * 6
    assert "ALARM" not in play_alarm(ALARM, {CPU: line})
    assert "ALARM" in play_alarm({**ALARM, "DatapointsToAlarm": 2}, {CPU: line})


def test_a_period_of_five_minutes_slides_by_the_minute() -> None:
    alarm = {**ALARM, "Period": 300, "EvaluationPeriods": 1}
    states = play_alarm(alarm, {CPU: [50] * 5 + [100] * 5})
    assert states.index("ALARM") == 8  # four minutes of 100 and one of 50: 90 on average, in the ninth minute


def test_the_last_period_must_be_whole() -> None:
    metrics = Metrics()
    metrics.put(CPU, *(value(60 * minute, 90) for minute in range(3)))
    assert evaluate_alarm(ALARM, metrics, 179).state != "ALARM"
    assert evaluate_alarm(ALARM, metrics, 180).state == "ALARM"


def test_the_reason_names_what_crossed() -> None:
    metrics = Metrics()
    metrics.put(CPU, *(value(60 * minute, 90 + minute) for minute in range(3)))
    said = evaluate_alarm(ALARM, metrics, 180)
    assert said.reason.startswith("Threshold Crossed: 3 out of the last 3 datapoints [90.0 (01/01/70 00:00:00), 91.0 ")
    assert "were greater than the threshold (80.0) (minimum 3 datapoints for OK -> ALARM transition)" in said.reason
    assert said.recent == 92


def test_metric_math_of_container_insights() -> None:
    dimensions = [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}]

    def query(name: str, metric: str) -> dict[str, Any]:
        stat = {
            "Metric": {"Namespace": "ECS/ContainerInsights", "MetricName": metric, "Dimensions": dimensions},
            "Period": 60,
            "Stat": "Sum",
        }
        return {"Id": name, "MetricStat": stat, "ReturnData": False}

    alarm = {
        "EvaluationPeriods": 2,
        "Threshold": 80,
        "ComparisonOperator": "GreaterThanThreshold",
        "Metrics": [
            {"Id": "e1", "Expression": "m1 / m2 * 100"},
            query("m1", "CpuUtilized"),
            query("m2", "CpuReserved"),
        ],
    }
    own = frozenset((one["Name"], one["Value"]) for one in dimensions)
    used, reserved = (Metric("ECS/ContainerInsights", name, own) for name in ("CpuUtilized", "CpuReserved"))
    assert play_alarm(alarm, {used: [100, 220, 220], reserved: [256] * 3}) == ["OK", "OK", "ALARM"]


def test_statistics() -> None:
    data = [value(0, 1), value(1, 2), Datum(2, (10.0,), (2.0,))]
    assert statistic("Average", data) == 23 / 4
    assert statistic("SampleCount", data) == 4
    assert statistic("p50", data) == 2
    assert statistic("p99.9", data) == 10
    assert statistic("tm50", data) == 1.5
    assert statistic("Average", []) is None
    assert statistic("Maximum", [Datum(0, summary=(3, 6, 1, 4))]) == 4
    assert statistic("p90", [Datum(0, summary=(3, 6, 1, 4))]) is None
    with pytest.raises(Malformed):
        statistic("Median", data)
    with pytest.raises(NotUnderstood):
        statistic("IQM", data)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 100))
def test_a_percentile_is_one_of_the_values_and_grows(numbers: list[float], share: float) -> None:
    data = [value(at, number) for at, number in enumerate(numbers)]
    found = statistic(f"p{share:.4f}"[:9] if share < 100 else "p100", data)
    assert found in numbers
    assert min(numbers) <= found <= statistic("p100", data) == max(numbers)


def test_composite_rules() -> None:
    states = {"high cpu": "ALARM", "memory": "OK", "deploying": "INSUFFICIENT_DATA"}
    for text, expected in {
        'ALARM("high cpu") AND OK(memory)': True,
        'ALARM("high cpu") AND NOT ALARM(memory)': True,
        'ALARM(memory) OR (ALARM("high cpu") AND INSUFFICIENT_DATA(deploying))': True,
        "NOT (OK(memory) OR FALSE)": False,
        "TRUE AND ALARM(memory)": False,
        'AT_LEAST(2, OK, ("high cpu", memory, deploying))': False,
        'AT_LEAST(2, NOT ALARM, ("high cpu", memory, deploying))': True,
    }.items():
        assert holds(parse_rule(text), states.__getitem__) is expected, text
    for wrong in ("ALARM(a) ALARM(b)", "ALARM a", "AND ALARM(a)", "(ALARM(a)", "ALARM(a) XOR OK(b)", ""):
        with pytest.raises(Malformed):
            parse_rule(wrong)
