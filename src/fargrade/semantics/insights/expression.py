"""Expressions of Logs Insights: comparisons, like and =~, in, and/or/not, arithmetic, a few functions.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html and
CWL_QuerySyntax-Filter.html (like with a text is a substring, with /…/ a regular expression; `in` takes a list).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from fargrade.semantics.alarms.metrics import Malformed, NotUnderstood

__all__ = ["Malformed", "NotUnderstood", "Row", "Words", "evaluate", "expression_of", "split_words", "text_of"]

Row = dict[str, Any]
Tree = tuple[Any, ...]
WORD = re.compile(
    r"\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]+`|\d+(?:\.\d+)?[smhd]?(?![\w.])|\d+(?:\.\d+)?(?:ms|s|m|h|d|w|mo|q|y)\b"
    r"|@?[A-Za-z_][\w.@]*|=~|!=|<=|>=|[=<>()\[\],+\-*/%^])"
)
REGEX = re.compile(r"\s*/((?:[^/\\]|\\.)*)/(i?)")
SPANS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


ARITHMETIC: dict[str, Callable[[float, float], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
    "^": lambda a, b: a**b,
}


class Words:
    """The words of an expression, taken one after another."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words, self._at = list(words), 0

    def peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def take(self, wanted: str = "") -> str:
        found = self.peek()
        if not found or (wanted and found.lower() != wanted):
            raise Malformed(f"expected {wanted or 'more'}, found {found or 'the end'}")
        self._at += 1
        return found

    def end(self) -> None:
        if self.peek():
            raise Malformed(f"unexpected {self.peek()}")


def split_words(text: str) -> list[str]:
    """The words of the text; a /regular expression/ is one word. Raises Malformed."""
    words: list[str] = []
    place, stripped = 0, text.rstrip()
    while place < len(stripped):
        operand = not words or words[-1].lower() in ("like", "=~", "not", "(", ",")
        found = REGEX.match(stripped, place) if operand else None
        if found:
            words.append(f"/{'(?i)' if found[2] else ''}{found[1]}/")
        else:
            found = WORD.match(stripped, place)
            if not found:
                raise Malformed(f"unexpected symbol found {stripped[place:].strip()[:20]}")
            words.append(found[1])
        place = found.end()
    return words


def expression_of(words: Words) -> Tree:
    """The tree of the expression that comes next. Raises Malformed."""
    return _either(words)


def _either(words: Words) -> Tree:
    tree = _both(words)
    while words.peek().lower() == "or":
        words.take()
        tree = ("or", tree, _both(words))
    return tree


def _both(words: Words) -> Tree:
    tree = _not(words)
    while words.peek().lower() == "and":
        words.take()
        tree = ("and", tree, _not(words))
    return tree


def _not(words: Words) -> Tree:
    if words.peek().lower() == "not":
        words.take()
        return ("not", _not(words))
    return _comparison(words)


def _comparison(words: Words) -> Tree:
    left = _sum(words)
    operator = words.peek().lower()
    negated = operator == "not"
    if negated:
        words.take()
        operator = words.peek().lower()
    if operator in ("like", "=~"):
        words.take()
        tree: Tree = ("like", left, _matcher(words))
    elif operator == "in":
        words.take()
        tree = ("in", left, _list(words))
    elif operator in ("=", "!=", *COMPARE) and not negated:
        words.take()
        tree = ("compare", operator, left, _sum(words))
    elif negated:
        raise Malformed(f"unexpected {words.peek() or 'end'}")
    else:
        return left
    return ("not", tree) if negated else tree


def _matcher(words: Words) -> re.Pattern[str]:
    word = words.take()
    if word.startswith("/") and len(word) > 1:
        try:
            return re.compile(re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", word[1:-1]))
        except re.error as wrong:
            raise Malformed(f"the regular expression cannot be read: {wrong}") from None
    if word[0] not in "\"'":
        raise Malformed(f"like takes a text in quotation marks or a regular expression, not {word}")
    return re.compile(re.escape(_unquoted(word)))


def _list(words: Words) -> list[Tree]:
    words.take("[")
    found = [_sum(words)]
    while words.peek() == ",":
        words.take()
        found.append(_sum(words))
    words.take("]")
    return found


def _sum(words: Words) -> Tree:
    tree = _product(words)
    while words.peek() in ("+", "-"):
        tree = ("number", words.take(), tree, _product(words))
    return tree


def _product(words: Words) -> Tree:
    tree = _atom(words)
    while words.peek() in ("*", "/", "%", "^"):
        tree = ("number", words.take(), tree, _atom(words))
    return tree


def _atom(words: Words) -> Tree:
    word = words.take()
    if word == "(":
        tree = _either(words)
        words.take(")")
        return tree
    if word == "-":
        return ("number", "-", ("value", 0), _atom(words))
    if word[0] in "\"'":
        return ("value", _unquoted(word))
    if word[0] == "`":
        return ("field", word[1:-1])
    if word[0].isdigit():
        return _quantity(word)
    if not re.fullmatch(r"@?[A-Za-z_][\w.@]*", word):
        raise Malformed(f"unexpected symbol found {word}")
    if words.peek() != "(":
        return ("field", word)
    words.take("(")
    arguments = []
    while words.peek() != ")":
        arguments.append(("value", "*") if words.peek() == "*" and words.take() else _either(words))
        if words.peek() == ",":
            words.take()
    words.take(")")
    if word.lower() not in FUNCTIONS:
        raise NotUnderstood(f"the Logs Insights function {word}")
    return ("call", word.lower(), arguments)


def _quantity(word: str) -> Tree:
    span = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?", word)
    if not span:
        raise Malformed(f"unexpected symbol found {word}")
    if span[2]:
        return ("value", float(span[1]) * SPANS[span[2]])
    return ("value", float(span[1]) if "." in word else int(span[1]))


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1])


def evaluate(tree: Tree, row: Row) -> Any:
    """The expression's value for the row; None where a field is missing."""
    kind = tree[0]
    if kind == "value":
        return tree[1]
    if kind == "field":
        return row.get(tree[1])
    if kind == "or":
        return holds(tree[1], row) or holds(tree[2], row)
    if kind == "and":
        return holds(tree[1], row) and holds(tree[2], row)
    if kind == "not":
        return not holds(tree[1], row)
    if kind == "like":
        value = evaluate(tree[1], row)
        return value is not None and tree[2].search(str(value)) is not None
    if kind == "in":
        value = evaluate(tree[1], row)
        return any(_equal(value, evaluate(one, row)) for one in tree[2])
    if kind == "compare":
        return _compared(tree[1], evaluate(tree[2], row), evaluate(tree[3], row))
    if kind == "number":
        return _reckoned(tree[1], evaluate(tree[2], row), evaluate(tree[3], row))
    return FUNCTIONS[tree[1]]([evaluate(one, row) for one in tree[2]], row)


def holds(tree: Tree, row: Row) -> bool:
    """Whether the row passes the condition. A function that says 1 says yes: `filter strcontains(@message, "x")`."""
    value = evaluate(tree, row)
    return value is True or (isinstance(value, int | float) and value != 0)


def _equal(left: Any, right: Any) -> bool:
    numbers = _both_numbers(left, right)
    return numbers[0] == numbers[1] if numbers else left is not None and str(left) == str(right)


def _compared(operator: str, left: Any, right: Any) -> bool:
    if operator in ("=", "!="):
        return _equal(left, right) == (operator == "=")
    numbers = _both_numbers(left, right)
    if numbers:
        return COMPARE[operator](*numbers)
    return left is not None and right is not None and COMPARE[operator](str(left), str(right))


def _both_numbers(left: Any, right: Any) -> tuple[float, float] | None:
    try:
        return float(left), float(right)
    except (TypeError, ValueError):
        return None


def _reckoned(operator: str, left: Any, right: Any) -> float | None:
    numbers = _both_numbers(left, right)
    if numbers is None:
        return None
    one, other = numbers
    if operator in "/%" and other == 0:
        return None
    try:
        found = ARITHMETIC[operator](one, other)
    except (OverflowError, ZeroDivisionError):
        return None
    return found if isinstance(found, float) and math.isfinite(found) else None


def _bin(arguments: list[Any], row: Row) -> int:
    span = int(arguments[0]) if arguments else 60_000
    return int(row["@timestamp"]) // span * span


def _of_text(function: Callable[[str], Any]) -> Callable[[list[Any], Row], Any]:
    return lambda arguments, _: None if arguments[0] is None else function(str(arguments[0]))


FUNCTIONS: dict[str, Callable[[list[Any], Row], Any]] = {
    "bin": _bin,
    "datefloor": lambda arguments, _: int(arguments[0]) // int(arguments[1]) * int(arguments[1]),
    "strlen": _of_text(len),
    "toupper": _of_text(str.upper),
    "tolower": _of_text(str.lower),
    "upper": _of_text(str.upper),
    "lower": _of_text(str.lower),
    "trim": _of_text(str.strip),
    "ltrim": _of_text(str.lstrip),
    "rtrim": _of_text(str.rstrip),
    "ispresent": lambda arguments, _: arguments[0] is not None,
    "isempty": lambda arguments, _: arguments[0] in (None, ""),
    "isblank": lambda arguments, _: arguments[0] is None or not str(arguments[0]).strip(),
    "strcontains": lambda arguments, _: int(str(arguments[1]) in str(arguments[0])),
    "concat": lambda arguments, _: "".join(str(one) for one in arguments if one is not None),
    "coalesce": lambda arguments, _: next((one for one in arguments if one is not None), None),
    "replace": lambda arguments, _: str(arguments[0]).replace(str(arguments[1]), str(arguments[2])),
    "substr": lambda a, _: str(a[0])[int(a[1]) : int(a[1]) + int(a[2]) if len(a) > 2 else None],
    "abs": lambda arguments, _: abs(float(arguments[0])),
    "ceil": lambda arguments, _: math.ceil(float(arguments[0])),
    "floor": lambda arguments, _: math.floor(float(arguments[0])),
    "tomillis": lambda arguments, _: arguments[0],
    "frommillis": lambda arguments, _: arguments[0],
}


def text_of(value: Any, name: str) -> str:
    """A value as a result shows it: times as 2026-03-01 12:00:00.000, whole numbers without a point."""
    if (name in ("@timestamp", "@ingestionTime") or name.startswith("bin(")) and isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{int(value) % 1000:03}"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.4f}".rstrip("0")
    return str(value)
