"""Metric math, as far as alarms on services need it: arithmetic, comparison and logic on series, and a few functions.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html. What is not understood is said
(NotUnderstood), never guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fargrade.semantics.alarms.metrics import Malformed, NotUnderstood

# A series holds a value for each time of one common grid; None where there is none. A scalar is a plain number.
Series = tuple[float | None, ...]
Value = Series | float

TOKEN = re.compile(
    r"\s*(?:(\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)|([A-Za-z_][A-Za-z0-9_]*)|(<=|>=|==|!=|&&|\|\||[-+*/^()<>,\[\]])|(\"[^\"]*\"|'[^']*'))"
)
KNOWN_TO_AWS = {
    "ANOMALY_DETECTION_BAND", "DATAPOINT_COUNT", "DB_PERF_INSIGHTS", "DIFF_TIME", "INSIGHT_RULE_METRIC", "LAMBDA",
    "LOG", "LOG10", "METRIC_COUNT", "RUNNING_SUM", "SEARCH", "SERVICE_QUOTA", "SLICE", "SORT", "STDDEV",
    "DAY", "DATE", "MONTH", "YEAR", "EPOCH", "HOUR", "MINUTE", "METRICS", "FIRST", "LAST",
    "REMOVE_EMPTY",
}  # fmt: skip
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
LOWEST_FIRST = (("OR", "||"), ("AND", "&&"), tuple(COMPARISONS), ("+", "-"), ("*", "/"))


@dataclass(frozen=True)
class Node:
    """A part of an expression: a number, an id, an operator or function with its arguments."""

    kind: str
    name: str = ""
    number: float = 0.0
    arguments: tuple[Node, ...] = ()


def parse(text: str) -> Node:
    """The expression's tree. Raises Malformed, or NotUnderstood for a function that only AWS knows."""
    tokens, place = [], 0
    stripped = text.rstrip()
    while place < len(stripped):
        found = TOKEN.match(stripped, place)
        if not found:
            raise Malformed(f"Error in expression '{text}': unexpected character at {place + 1}")
        tokens.append(found[0].strip())
        place = found.end()
    parser = _Parser(tokens, text)
    tree = parser.level(0)
    parser.end()
    return tree


def ids_of(node: Node) -> set[str]:
    """The ids that the expression refers to."""
    own = {node.name} if node.kind == "id" else set()
    return own.union(*(ids_of(one) for one in node.arguments))


class _Parser:
    def __init__(self, tokens: list[str], text: str) -> None:
        self._tokens, self._text, self._at = tokens, text, 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _wrong(self) -> Malformed:
        shown = self._peek() or "the end"
        return Malformed(f"Error in expression '{self._text}': unexpected {shown}")

    def end(self) -> None:
        if self._peek():
            raise self._wrong()

    def level(self, depth: int) -> Node:
        if depth == len(LOWEST_FIRST):
            return self._power()
        left = self.level(depth + 1)
        while self._peek() in LOWEST_FIRST[depth]:
            operator = self._take()
            left = Node("operator", {"||": "OR", "&&": "AND"}.get(operator, operator), 0, (left, self.level(depth + 1)))
        return left

    def _power(self) -> Node:
        base = self._unary()
        if self._peek() == "^":
            self._take()
            return Node("operator", "^", 0, (base, self._power()))
        return base

    def _unary(self) -> Node:
        if self._peek() == "-":
            self._take()
            return Node("operator", "negative", 0, (self._unary(),))
        return self._atom()

    def _atom(self) -> Node:
        token = self._peek()
        if token == "(":
            self._take()
            inner = self.level(0)
            self._close(")")
            return inner
        if token == "[":
            return Node("list", arguments=self._several("]"))
        if re.fullmatch(r"[\d.].*", token):
            return Node("number", number=float(self._take()))
        if not re.fullmatch(r"[A-Za-z_]\w*", token):
            raise self._wrong()
        name = self._take()
        if self._peek() == "(":
            if name.upper() not in FUNCTIONS:
                if name.upper() in KNOWN_TO_AWS:
                    raise NotUnderstood(f"the metric math function {name}")
                raise Malformed(f"Error in expression '{self._text}': there is no function {name}")
            return Node("function", name.upper(), 0, self._several(")"))
        if name in ("REPEAT", "LINEAR"):
            return Node("word", name)
        if not name[0].islower():
            raise self._wrong()  # an id begins with a lower-case letter: API_MetricDataQuery.html
        return Node("id", name)

    def _several(self, closing: str) -> tuple[Node, ...]:
        self._take()
        found: list[Node] = []
        while self._peek() != closing:
            found.append(self.level(0))
            if self._peek() != ",":
                break
            self._take()
        self._close(closing)
        return tuple(found)

    def _close(self, closing: str) -> None:
        if self._peek() != closing:
            raise self._wrong()
        self._take()


def evaluate(node: Node, series: Mapping[str, Value], period: int = 60) -> Value:
    """The expression's value: a series on the grid of `series`, or a number. Raises Malformed, NotUnderstood."""
    if node.kind == "number":
        return node.number
    if node.kind == "id":
        if node.name not in series:
            raise Malformed(f"The expression refers to {node.name}, which is not the id of any metric.")
        return series[node.name]
    if node.kind == "operator":
        values = [evaluate(one, series, period) for one in node.arguments]
        return _mapped(lambda *numbers: _operate(node.name, numbers), *values)
    if node.kind == "function":
        return FUNCTIONS[node.name](node, series, period)
    raise Malformed(f"{node.name or 'A list'} cannot stand here.")


def _operate(operator: str, numbers: tuple[float, ...]) -> float | None:
    if operator == "negative":
        return -numbers[0]
    left, right = numbers
    if operator in COMPARISONS:
        return float(COMPARISONS[operator](left, right))
    if operator == "AND":
        return float(bool(left) and bool(right))
    if operator == "OR":
        return float(bool(left) or bool(right))
    if operator == "/":
        return left / right if right else None  # no value where a division by zero would be
    if operator == "^":
        try:
            power = left**right
        except (OverflowError, ZeroDivisionError):
            return None
        return None if isinstance(power, complex) else float(power)
    return {"+": left + right, "-": left - right, "*": left * right}[operator]


def _mapped(function: Callable[..., float | None], *values: Value) -> Value:
    """`function` at each time; a time at which one of the series has no value has none."""
    long = [one for one in values if isinstance(one, tuple)]
    if not long:
        number = function(*values)
        return float("nan") if number is None else number
    rows = zip(*(one if isinstance(one, tuple) else (one,) * len(long[0]) for one in values), strict=True)
    return tuple(None if any(cell is None for cell in row) else function(*row) for row in rows)


def _several_series(node: Node, series: Mapping[str, Value], period: int) -> list[Value]:
    """The arguments, a list in them spread out: SUM([m1, m2])."""
    spread = [inner for one in node.arguments for inner in (one.arguments if one.kind == "list" else (one,))]
    return [evaluate(one, series, period) for one in spread]


def _reduce(over: Callable[[list[float]], float]) -> Callable[[Node, Mapping[str, Value], int], Value]:
    """An aggregate: of one series a number, of a list of series a series (using-metric-math.html, "AVG")."""

    def function(node: Node, series: Mapping[str, Value], period: int) -> Value:
        listed = any(one.kind == "list" for one in node.arguments)
        values = _several_series(node, series, period)
        if not values:
            raise Malformed(f"{node.name} takes a metric, or a list of them.")
        if not listed and len(values) == 1:
            only = values[0]
            numbers = [one for one in only if one is not None] if isinstance(only, tuple) else [only]
            return over(numbers) if numbers else float("nan")
        long = [one for one in values if isinstance(one, tuple)]
        length = len(long[0]) if long else 1
        rows = zip(*(one if isinstance(one, tuple) else (one,) * length for one in values), strict=True)
        reduced = tuple(over(there) if (there := [c for c in row if c is not None]) else None for row in rows)
        return reduced if long else float(reduced[0] or 0)

    return function


def _each(over: Callable[[float], float]) -> Callable[[Node, Mapping[str, Value], int], Value]:
    def function(node: Node, series: Mapping[str, Value], period: int) -> Value:
        _takes(node, 1)
        return _mapped(over, evaluate(node.arguments[0], series, period))

    return function


def _if(node: Node, series: Mapping[str, Value], period: int) -> Value:
    """IF(condition, then, else): without an else there is no value where the condition is 0."""
    _takes(node, 2, 3)
    parts = [evaluate(one, series, period) for one in node.arguments]
    long = [one for one in parts if isinstance(one, tuple)]
    length = len(long[0]) if long else 1
    rows = zip(*(one if isinstance(one, tuple) else (one,) * length for one in parts), strict=True)
    chosen = tuple(None if row[0] is None else row[1] if row[0] else row[2] if len(row) > 2 else None for row in rows)
    return chosen if long else float("nan") if chosen[0] is None else chosen[0]


def _fill(node: Node, series: Mapping[str, Value], period: int) -> Value:
    """FILL(metric, value | REPEAT): LINEAR needs what comes later, which an alarm does not have."""
    _takes(node, 2)
    values, filler = evaluate(node.arguments[0], series, period), node.arguments[1]
    if not isinstance(values, tuple):
        return values
    if filler.kind == "word":
        if filler.name == "LINEAR":
            raise NotUnderstood("FILL with LINEAR")
        filled: list[float | None] = []
        for one in values:
            filled.append(one if one is not None else filled[-1] if filled else None)
        return tuple(filled)
    other = evaluate(filler, series, period)
    others = other if isinstance(other, tuple) else (other,) * len(values)
    return tuple(given if one is None else one for one, given in zip(values, others, strict=True))


def _difference(rate: bool) -> Callable[[Node, Mapping[str, Value], int], Value]:
    def function(node: Node, series: Mapping[str, Value], period: int) -> Value:
        _takes(node, 1)
        values = evaluate(node.arguments[0], series, period)
        if not isinstance(values, tuple):
            raise Malformed(f"{node.name} takes a metric.")
        made: list[float | None] = []
        last: tuple[int, float] | None = None
        for place, one in enumerate(values):
            gap = (place - last[0]) * period if rate and last else 1
            made.append(None if one is None or last is None else (one - last[1]) / gap)
            last = (place, one) if one is not None else last
        return tuple(made)

    return function


def _period(node: Node, series: Mapping[str, Value], period: int) -> Value:
    _takes(node, 1)
    evaluate(node.arguments[0], series, period)
    return float(period)


def _time_series(node: Node, series: Mapping[str, Value], period: int) -> Value:
    """TIME_SERIES(number): a series with this value throughout, as alarms and graphs need one."""
    _takes(node, 1)
    value = evaluate(node.arguments[0], series, period)
    if isinstance(value, tuple):
        raise Malformed("TIME_SERIES takes a number.")
    length = max((len(one) for one in series.values() if isinstance(one, tuple)), default=1)
    return (None if math.isnan(value) else value,) * length


def _takes(node: Node, *counts: int) -> None:
    if len(node.arguments) not in counts:
        raise Malformed(f"{node.name} takes {' or '.join(map(str, counts))} arguments, not {len(node.arguments)}.")


FUNCTIONS: dict[str, Callable[[Node, Mapping[str, Value], int], Value]] = {
    "ABS": _each(abs),
    "AVG": _reduce(lambda numbers: math.fsum(numbers) / len(numbers)),
    "CEIL": _each(lambda number: float(math.ceil(number))),
    "DIFF": _difference(rate=False),
    "FILL": _fill,
    "FLOOR": _each(lambda number: float(math.floor(number))),
    "IF": _if,
    "MAX": _reduce(max),
    "MIN": _reduce(min),
    "PERIOD": _period,
    "RATE": _difference(rate=True),
    "SUM": _reduce(math.fsum),
    "TIME_SERIES": _time_series,
}
