"""X-Ray filter expressions, as far as a page of traces is filtered with them.

Source: docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fargrade.semantics.tracing.segments import Trace, walk

TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?|service\(\s*"(?:[^"\\]|\\.)*"\s*\)|annotation(?:\.[\w-]+|\[[^\]]+\])|[\w.]+'
    r"|!=|<=|>=|[=<>()!])"
)
Test = Callable[[Trace], bool]


class BadExpression(ValueError):
    """An expression that X-Ray refuses, or that is not known here; the message says which."""


def parse_expression(text: str) -> Test:
    """Whether a trace fits the expression; every trace fits an empty one. Raises BadExpression."""
    tokens, place = [], 0
    stripped = text.rstrip()
    while place < len(stripped):
        found = TOKEN.match(stripped, place)
        if not found:
            raise BadExpression(f"Invalid filter expression: {stripped[place:][:30]}")
        tokens.append(found[1])
        place = found.end()
    if not tokens:
        return lambda _: True
    reader = _Reader(tokens)
    test = reader.either()
    if reader.peek():
        raise BadExpression(f"Invalid filter expression: unexpected {reader.peek()}")
    return test


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        if not self.peek():
            raise BadExpression("Invalid filter expression: it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def either(self) -> Test:
        tests = [self._both()]
        while self.peek().upper() == "OR":
            self._take()
            tests.append(self._both())
        return lambda trace: any(test(trace) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self.peek().upper() == "AND":
            self._take()
            tests.append(self._one())
        return lambda trace: all(test(trace) for test in tests)

    def _one(self) -> Test:
        token = self._take()
        if token == "(":
            inner = self.either()
            if self._take() != ")":
                raise BadExpression("Invalid filter expression: ) is missing")
            return inner
        if token == "!":
            inner = self._one()
            return lambda trace: not inner(trace)
        if token.startswith("service("):
            name = re.sub(r"\\(.)", r"\1", token[token.index('"') + 1 : token.rindex('"')])
            return lambda trace: any(top["name"] == name for top in trace.segments())
        values = _values(token)
        operator = self.peek()
        if operator not in ("=", "!=", "<", ">", "<=", ">=", "BEGINSWITH", "ENDSWITH", "CONTAINS"):
            return lambda trace: any(bool(one) for one in values(trace))
        self._take()
        wanted = _literal(self._take())
        return lambda trace: any(_compare(one, operator, wanted) for one in values(trace))


def _values(name: str) -> Callable[[Trace], list[Any]]:
    if name.startswith("annotation"):
        key = name[11:] if name[10] == "." else name[11:-1].strip("\"'")
        return lambda trace: trace.annotations().get(key, [])
    if name in ("error", "fault", "throttle"):
        return lambda trace: [trace.has(name)]
    if name == "ok":
        return lambda trace: [not any(trace.has(state) for state in ("error", "fault", "throttle"))]
    if name == "partial":
        return lambda trace: [trace.partial]
    if name in ("duration", "responsetime"):
        return lambda trace: [trace.duration]
    if name == "user":
        return lambda trace: [top["user"] for top in trace.segments() if top.get("user")]
    if name in ("http.url", "http.method", "http.status"):
        place, key = ("response", "status") if name == "http.status" else ("request", name[5:])
        return lambda trace: [
            part["http"][place][key]
            for top in trace.segments()
            for part in walk(top)
            if key in ((part.get("http") or {}).get(place) or {})
        ]
    raise BadExpression(f"Invalid filter expression: {name} is not known")


def _literal(token: str) -> Any:
    if token.startswith('"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if token.lower() in ("true", "false"):
        return token.lower() == "true"
    try:
        return float(token)
    except ValueError:
        raise BadExpression(f"Invalid filter expression: {token} is no value") from None


def _compare(value: Any, operator: str, wanted: Any) -> bool:
    if isinstance(wanted, str):
        text = str(value)
        return {
            "=": text == wanted,
            "!=": text != wanted,
            "BEGINSWITH": text.startswith(wanted),
            "ENDSWITH": text.endswith(wanted),
            "CONTAINS": wanted in text,
        }.get(operator, False)
    if not isinstance(value, int | float):
        return False
    return bool(
        {
            "=": value == wanted,
            "!=": value != wanted,
            "<": value < wanted,
            ">": value > wanted,
            "<=": value <= wanted,
            ">=": value >= wanted,
        }.get(operator, False)
    )
