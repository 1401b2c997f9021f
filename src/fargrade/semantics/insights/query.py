"""Logs Insights queries as far as learners write them: fields, display, filter, parse, stats, sort, limit, dedup.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html and its pages per command. What is right
on AWS and not known here raises NotUnderstood; what AWS would refuse raises Malformed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fargrade.semantics.insights.expression import (
    Malformed,
    NotUnderstood,
    Row,
    Words,
    evaluate,
    expression_of,
    holds,
    split_words,
    text_of,
)

DEFAULT_LIMIT = MOST_ROWS = 10_000
UNKNOWN = {"pattern", "diff", "unmask", "unnest", "anomaly", "filterindex", "lookup", "source", "join", "subqueries"}
AGGREGATES = {
    "count", "count_distinct", "sum", "avg", "min", "max", "pct", "median", "stddev", "earliest", "latest",
    "sortsfirst", "sortslast",
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """A log event as Insights sees it; times in milliseconds."""

    timestamp: int
    message: str
    stream: str
    group: str
    ingested: int
    pointer: str = ""


@dataclass(frozen=True)
class Answer:
    """The rows of a query, in order, each a list of (field, value); and what was looked at."""

    rows: list[list[tuple[str, str]]]
    matched: int
    scanned: int


Stage = Callable[[list[Row]], list[Row]]


def run_query(text: str, events: Sequence[Event], limit: int | None = None) -> Answer:
    """Run the query over the events. Raises Malformed, NotUnderstood."""
    query = parse_query(text)
    rows = [_row(event) for event in events]
    rows.sort(key=lambda row: row["@timestamp"], reverse=True)  # newest first unless it is sorted
    matched = rows
    for kind, stage in query.stages:
        rows = stage(rows)
        if kind == "filter":
            matched = rows
    most = min(query.limit or limit or DEFAULT_LIMIT, MOST_ROWS)
    shown = [_shown(row, query.fields) for row in rows[:most]]
    return Answer(shown, len(matched), len(events))


@dataclass
class Query:
    """A parsed query: its stages in order, the fields it shows (None: what stats left), and its limit."""

    stages: list[tuple[str, Stage]]
    fields: list[str] | None
    limit: int | None


def parse_query(text: str) -> Query:
    """Read the query. Raises Malformed, NotUnderstood."""
    stages: list[tuple[str, Stage]] = []
    fields: list[str] = []
    limit: int | None = None
    aggregated = False
    without_comments = "\n".join(line for line in text.splitlines() if not line.strip().startswith("#"))
    for part in _pipes(without_comments):
        command, _, rest = part.strip().partition(" ")
        command, rest = command.strip().lower(), rest.strip()
        if command in UNKNOWN:
            raise NotUnderstood(f"the Logs Insights command {command}")
        if command not in COMMANDS and command not in ("limit", "head"):
            raise Malformed(f"unexpected symbol found {command}")
        if command in ("limit", "head"):
            if not rest.isdigit() or int(rest) < 1:
                raise Malformed(f"limit takes a number, not {rest or 'nothing'}")
            limit = int(rest)
            count = limit
            stages.append(("limit", lambda rows, count=count: rows[:count]))  # type: ignore[misc]
            continue
        stage, named = COMMANDS[command](rest)
        stages.append((command, stage))
        if command == "stats":
            aggregated, fields = True, named
        elif command == "display":
            fields = named
        elif command == "fields" or (command == "parse" and fields):
            fields += [name for name in named if name not in fields]
    if aggregated:
        return Query(stages, fields, limit)
    return Query(stages, fields or ["@timestamp", "@message"], limit)


def _pipes(text: str) -> list[str]:
    """The commands between the pipes that stand outside quotes and regular expressions."""
    parts, start, quote = [], 0, ""
    for place, sign in enumerate(text):
        if quote:
            if sign == quote and text[place - 1] != "\\":
                quote = ""
        elif sign in "\"'`" or (
            sign == "/" and re.search(r"(like|=~|parse|,)\s*(\S+\s+)?$", text[start:place].lower())
        ):
            quote = sign
        elif sign == "|":
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    found = [part for part in parts if part.strip()]
    if not found:
        raise Malformed("the query is empty")
    return found


def _row(event: Event) -> Row:
    row: Row = {
        "@timestamp": event.timestamp,
        "@message": event.message,
        "@logStream": event.stream,
        "@log": event.group,
        "@ingestionTime": event.ingested,
        "@ptr": event.pointer,
    }
    if event.message.lstrip().startswith("{"):
        try:
            found = json.loads(event.message)
        except (ValueError, RecursionError):
            return row
        row.update(_flat(found))
    return row


def _flat(value: Mapping[str, Any], before: str = "", depth: int = 0) -> Row:
    """JSON fields under dotted names, as Insights discovers them."""
    row: Row = {}
    for name, one in value.items():
        if isinstance(one, dict) and depth < 8:
            row.update(_flat(one, f"{before}{name}.", depth + 1))
        elif isinstance(one, list):
            row.update(_flat({str(number): inner for number, inner in enumerate(one)}, f"{before}{name}.", depth + 1))
        else:
            row[f"{before}{name}"] = one
    return row


def _shown(row: Row, fields: list[str] | None) -> list[tuple[str, str]]:
    names = fields if fields is not None else list(row)
    shown = [(name, text_of(row[name], name)) for name in names if row.get(name) is not None]
    pointer = row.get("@ptr")
    return [*shown, ("@ptr", str(pointer))] if pointer else shown


# -- commands ---------------------------------------------------------------------------------------------


def _fields(rest: str) -> tuple[Stage, list[str]]:
    made = []
    for part in _commas(rest):
        words = Words(split_words(part))
        tree = expression_of(words)
        name = part.strip().strip("`")
        if words.peek().lower() == "as":
            words.take()
            name = words.take().strip("`")
        words.end()
        made.append((name, tree))
    if not made:
        raise Malformed("fields takes at least one field")

    def stage(rows: list[Row]) -> list[Row]:
        return [{**row, **{name: evaluate(tree, row) for name, tree in made}} for row in rows]

    return stage, [name for name, _ in made]


def _filter(rest: str) -> tuple[Stage, list[str]]:
    words = Words(split_words(rest))
    tree = expression_of(words)
    words.end()
    return lambda rows: [row for row in rows if holds(tree, row)], []


def _sort(rest: str) -> tuple[Stage, list[str]]:
    keys = []
    if not rest:
        raise Malformed("sort takes a field")
    for part in _commas(rest):
        direction = re.search(r"\s+(asc|desc)\s*$", part, re.IGNORECASE)
        bare = part[: direction.start()] if direction else part
        words = Words(split_words(bare))
        tree = expression_of(words)
        words.end()
        keys.append(
            (
                bare.strip().strip("`"),
                tree,
                bool(direction) and direction is not None and direction[1].lower() == "desc",
            )
        )

    def stage(rows: list[Row]) -> list[Row]:
        for name, tree, down in reversed(keys):
            rows = sorted(rows, key=lambda row: _order(row[name] if name in row else evaluate(tree, row)), reverse=down)
        return rows

    return stage, []


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers before texts, nothing first."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, bool | int | float):
        return (1, float(value), "")
    try:
        return (1, float(str(value)), "")
    except ValueError:
        return (2, 0.0, str(value))


def _parse(rest: str) -> tuple[Stage, list[str]]:
    """parse FIELD "text * with *" as a, b; or parse FIELD /regular (?<expression>.)/."""
    found = re.fullmatch(
        r"(?:(@?[\w.]+|`[^`]+`)\s+)?(?:(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')\s+as\s+(.+)|/((?:[^/\\]|\\.)*)/)",
        rest,
        re.IGNORECASE | re.DOTALL,
    )
    if not found:
        raise Malformed("parse takes a field, and a pattern in quotation marks with as, or a regular expression")
    field = (found[1] or "@message").strip("`")
    if found[2]:
        names = [name.strip() for name in found[3].split(",")]
        pattern = re.sub(r"\\(.)", r"\1", found[2][1:-1])
        if pattern.count("*") != len(names):
            raise Malformed(f"parse has {pattern.count('*')} wildcards and {len(names)} names")
        expression = "(.*?)".join(re.escape(part) for part in pattern.split("*"))
        compiled = re.compile(expression + ("$" if pattern.endswith("*") else ""), re.DOTALL)
    else:
        try:
            compiled = re.compile(re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", found[4]))
        except re.error as wrong:
            raise Malformed(f"the regular expression cannot be read: {wrong}") from None
        names = list(compiled.groupindex)

    def stage(rows: list[Row]) -> list[Row]:
        return [{**row, **_taken(compiled, names, row.get(field))} for row in rows]

    return stage, names


def _taken(compiled: re.Pattern[str], names: list[str], value: Any) -> Row:
    match = compiled.search(str(value)) if value is not None else None
    if match is None:
        return {}
    groups = match.groupdict() or dict(zip(names, match.groups(), strict=False))
    return {name: text for name, text in groups.items() if text is not None}


def _dedup(rest: str) -> tuple[Stage, list[str]]:
    names = [part.strip().strip("`") for part in _commas(rest)]

    def stage(rows: list[Row]) -> list[Row]:
        seen: set[tuple[Any, ...]] = set()
        kept = []
        for row in rows:
            key = tuple(row.get(name) for name in names)
            if None in key or key not in seen:
                kept.append(row)
            seen.add(key)
        return kept

    return stage, []


def _stats(rest: str) -> tuple[Stage, list[str]]:
    """stats f(x) as name, … by field, bin(5m)."""
    halves = re.split(r"\s+by\s+", rest, maxsplit=1, flags=re.IGNORECASE)
    columns = [_column(part) for part in _commas(halves[0])]
    groups = []
    for part in _commas(halves[1]) if len(halves) > 1 else []:
        named = re.fullmatch(r"(.+?)\s+as\s+(\S+)", part.strip(), re.IGNORECASE | re.DOTALL)
        words = Words(split_words(named[1] if named else part))
        groups.append(((named[2] if named else part.strip()).strip("`"), expression_of(words)))
        words.end()

    def stage(rows: list[Row]) -> list[Row]:
        grouped: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            grouped.setdefault(tuple(evaluate(tree, row) for _, tree in groups), []).append(row)
        if not groups and not grouped:
            grouped[()] = []
        return [
            {
                **dict(zip([name for name, _ in groups], key, strict=True)),
                **{name: aggregate(members) for name, aggregate in columns},
            }
            for key, members in grouped.items()
        ]

    return stage, [*(name for name, _ in groups), *(name for name, _ in columns)]


def _column(part: str) -> tuple[str, Callable[[list[Row]], Any]]:
    named = re.fullmatch(r"(.+?)\s+as\s+(\S+)", part.strip(), re.IGNORECASE | re.DOTALL)
    called = (named[1] if named else part).strip()
    name = (named[2] if named else part.strip()).strip("`")
    found = re.fullmatch(r"(\w+)\s*\((.*)\)", called, re.DOTALL)
    if not found:
        raise Malformed(f"stats takes functions such as count(*), not {called}")
    function = found[1].lower()
    if function not in AGGREGATES:
        raise NotUnderstood(f"the Logs Insights function {found[1]}") if function.isalpha() else Malformed(called)
    arguments = _commas(found[2]) if found[2].strip() not in ("", "*") else []
    trees = []
    for argument in arguments:
        words = Words(split_words(argument))
        trees.append(expression_of(words))
        words.end()
    return name, lambda rows: _aggregate(function, trees, rows)


def _aggregate(function: str, trees: list[Any], rows: list[Row]) -> Any:
    if function == "count" and not trees:
        return len(rows)
    if not trees:
        raise Malformed(f"{function} takes a field")
    values = [value for row in rows if (value := evaluate(trees[0], row)) is not None]
    if function == "count":
        return len(values)
    if function == "count_distinct":
        return len(set(map(str, values)))
    if function in ("earliest", "latest"):
        timed = [row for row in rows if evaluate(trees[0], row) is not None]
        chosen = (min if function == "earliest" else max)(timed, key=lambda row: row["@timestamp"], default=None)
        return None if chosen is None else evaluate(trees[0], chosen)
    if function in ("sortsfirst", "sortslast"):
        return (min if function == "sortsfirst" else max)(values, key=_order, default=None)
    numbers = [number for value in values if (number := _numeric(value)) is not None]
    if not numbers:
        return None
    if function in ("min", "max"):
        return min(numbers) if function == "min" else max(numbers)
    if function == "sum":
        return math.fsum(numbers)
    if function == "avg":
        return math.fsum(numbers) / len(numbers)
    if function == "stddev":
        mean = math.fsum(numbers) / len(numbers)
        return math.sqrt(math.fsum((one - mean) ** 2 for one in numbers) / len(numbers))
    share = 50.0 if function == "median" else float(evaluate(trees[1], {}) if len(trees) > 1 else 50)
    return sorted(numbers)[max(0, math.ceil(share / 100 * len(numbers)) - 1)]


def _numeric(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _commas(text: str) -> list[str]:
    """The parts between the commas that stand outside brackets and quotation marks."""
    parts, depth, start, quote = [], 0, 0, ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'`":
            quote = sign
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


COMMANDS: dict[str, Callable[[str], tuple[Stage, list[str]]]] = {
    "fields": _fields,
    "display": _fields,
    "filter": _filter,
    "sort": _sort,
    "parse": _parse,
    "stats": _stats,
    "dedup": _dedup,
}
