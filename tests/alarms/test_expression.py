"""Metric math: the examples of using-metric-math.html, and that what is not understood is said."""

from __future__ import annotations

from typing import Any

import pytest

from fargrade.semantics.alarms import Malformed, NotUnderstood, evaluate, parse

SERIES: Any = {"m1": (10.0, None, 30.0), "m2": (2.0, 4.0, 0.0), "one": 1.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1 / m2 * 100", (500.0, None, None)),
        ("m1 + m2", (12.0, None, 30.0)),
        ("-m2 ^ 2", (4.0, 16.0, 0.0)),
        ("2 + 3 * 4", 14.0),
        ("(2 + 3) * 4", 20.0),
        ("10 - 4 - 3", 3.0),
        ("SUM([m1, m2])", (12.0, 4.0, 30.0)),
        ("AVG([m1, m2])", (6.0, 4.0, 15.0)),
        ("MAX(m2)", 4.0),
        ("AVG(m2)", 2.0),
        ("IF(m2 > 1, m2, 0)", (2.0, 4.0, 0.0)),
        ("IF(m2 > 1 AND m2 < 3, 1, 0)", (1.0, 0.0, 0.0)),
        ("IF(m2 > 3 || m2 == 2, 1)", (1.0, 1.0, None)),
        ("FILL(m1, 0)", (10.0, 0.0, 30.0)),
        ("FILL(m1, REPEAT)", (10.0, 10.0, 30.0)),
        ("FILL(m1, m2)", (10.0, 4.0, 30.0)),
        ("TIME_SERIES(AVG(m1))", (20.0, 20.0, 20.0)),
        ("CEIL(m2 / 3)", (1.0, 2.0, 0.0)),
        ("DIFF(m1)", (None, None, 20.0)),
        ("RATE(m1)", (None, None, 20.0 / 120)),
        ("m2 * PERIOD(m2) / 60", (2.0, 4.0, 0.0)),
    ],
)
def test_values(text: str, expected: Any) -> None:
    assert evaluate(parse(text), SERIES) == expected


@pytest.mark.parametrize(
    "text", ["m1 /", "m1 m2", "(m1", "M1 + 1", "MEDIAN(m1)", "m1 % 2", "m3 + 1", "", "FILL(m1)", "TIME_SERIES(m1)"]
)
def test_what_aws_refuses(text: str) -> None:
    with pytest.raises(Malformed):
        evaluate(parse(text), SERIES)


@pytest.mark.parametrize("text", ["ANOMALY_DETECTION_BAND(m1, 2)", "FILL(m1, LINEAR)", "SEARCH('x', 'Sum')"])
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(NotUnderstood):
        evaluate(parse(text), SERIES)
