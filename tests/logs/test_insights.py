"""Filter patterns and Insights queries: the examples of the documentation, and what people write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fargrade.semantics.insights import BadPattern, Event, Malformed, NotUnderstood, parse_pattern, run_query

LINES = [
    "INFO start request 1 took 12 ms",
    "ERROR order 17 failed: timeout after 900 ms",
    "WARN slow request 2 took 340 ms",
    json.dumps({"level": "ERROR", "ms": 120, "user": {"name": "ada"}, "tags": ["a", "b"]}),
    "ERROR order 18 failed: card refused",
]
EVENTS = [
    Event(60_000 * n, line, "web/app/1" if n % 2 else "web/app/2", "shop", 0, str(n)) for n, line in enumerate(LINES)
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("ERROR", [1, 3, 4]),
        ("ERROR failed", [1, 4]),
        ("ERROR -timeout", [3, 4]),
        ("?WARN ?INFO", [0, 2]),
        ('"order 17"', [1]),
        ("error", []),
        ("%took [0-9]{3} ms%", [2]),
        ('{ $.level = "ERROR" }', [3]),
        ('{ $.level = "ERR*" && $.ms > 100 }', [3]),
        ("{ $.ms > 120 }", []),
        ('{ $.user.name = "ada" }', [3]),
        ('{ $.tags[0] = "b" || $.tags[1] = "b" }', [3]),
        ("{ $.missing NOT EXISTS }", [3]),
        ("[level, word, kind, number, took, ms > 100, unit]", [2]),
        ("[level = ERROR, ...]", [1, 4]),
    ],
)
def test_patterns(pattern: str, expected: list[int]) -> None:
    found = parse_pattern(pattern)
    assert [number for number, line in enumerate(LINES) if found.matches(line)] == expected


@pytest.mark.parametrize("wrong", ["order: 17!", "{ level = 1 }", "{ $.a = }", "[a", '"open', "%[%", "{ $.a = 1"])
def test_patterns_that_are_refused(wrong: str) -> None:
    with pytest.raises(BadPattern):
        parse_pattern(wrong)


def rows(query: str, **more: Any) -> list[dict[str, str]]:
    return [{name: text for name, text in row if name != "@ptr"} for row in run_query(query, EVENTS, **more).rows]


def test_what_the_console_begins_with() -> None:
    found = rows("fields @timestamp, @message\n| sort @timestamp desc\n| limit 2")
    assert found == [
        {"@timestamp": "1970-01-01 00:04:00.000", "@message": LINES[4]},
        {"@timestamp": "1970-01-01 00:03:00.000", "@message": LINES[3]},
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fields @message | filter @message like /ERROR/ | sort @timestamp asc", [LINES[1], LINES[3], LINES[4]]),
        ('fields @message | filter @message like "failed" and @message not like "timeout"', [LINES[4]]),
        ("fields @message | filter @message =~ /(?i)warn|info/ | sort @timestamp", [LINES[0], LINES[2]]),
        ('fields @message | filter level = "ERROR" and ms >= 120', [LINES[3]]),
        ('fields @message | filter user.name in ["ada", "bob"]', [LINES[3]]),
        ("filter ispresent(ms) | display @message", [LINES[3]]),
        ("filter @logStream = 'web/app/1' | sort @timestamp | display @message", [LINES[1], LINES[3]]),
        ("# a comment\nfilter not (@message like /o/) | display @message", [LINES[3]]),
    ],
)  # fmt: skip
def test_filters(query: str, expected: list[str]) -> None:
    assert [row["@message"] for row in rows(query)] == expected


def test_stats() -> None:
    assert rows("stats count(*) as n by @logStream | sort n desc") == [
        {"@logStream": "web/app/2", "n": "3"},
        {"@logStream": "web/app/1", "n": "2"},
    ]
    parsed = 'parse @message "took * ms" as ms2 | filter ispresent(ms2) | stats avg(ms2), max(ms2) as most'
    assert rows(parsed) == [{"avg(ms2)": "176", "most": "340"}]
    assert rows("filter @message like /ERROR/ | stats count() by bin(2m) | sort bin(2m)")[0] == {
        "bin(2m)": "1970-01-01 00:00:00.000",
        "count()": "1",
    }
    assert rows("filter @message like /nothing/ | stats count(*) as n") == [{"n": "0"}]


def test_parse_with_a_regular_expression() -> None:
    query = "parse @message /order (?<number>\\d+) failed/ | filter ispresent(number)"
    query += " | stats count(*) as n by number | sort number"
    assert rows(query) == [{"number": "17", "n": "1"}, {"number": "18", "n": "1"}]


def test_pipes_and_slashes_inside_quotes_are_no_commands() -> None:
    assert rows("fields @message | filter @message like /timeout|refused/ | stats count(*) as n") == [{"n": "2"}]
    assert rows("fields strlen(@message) / 2 as half | sort half desc | limit 1 | display half")


def test_limits() -> None:
    assert len(rows("fields @message", limit=3)) == 3
    assert run_query("filter @message like /ERROR/ | limit 1", EVENTS).matched == 3


@pytest.mark.parametrize("wrong", ["select * from logs", "filter @message like ERROR", "fields @message | limit x", "",
                                   "filter (", "sort", 'parse @message "a * b" as x, y'])  # fmt: skip
def test_queries_that_are_refused(wrong: str) -> None:
    with pytest.raises(Malformed):
        rows(wrong)


@pytest.mark.parametrize("query", ["pattern @message", "fields jsonparse(@message)", "stats trimmed(ms)"])
def test_what_is_not_understood_is_said(query: str) -> None:
    with pytest.raises(NotUnderstood):
        rows(query)
