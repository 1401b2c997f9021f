"""CloudWatch Logs filter patterns: terms, optional and excluded ones, phrases, regular expressions, JSON, columns.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. Terms are case-sensitive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fargrade.semantics.glob import matches as glob_matches
from fargrade.semantics.glob import tokens as glob_tokens

MOST_TERMS = 60
TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%])+)%|([^\s"%]+))')
WORD = re.compile(r"[\w./@#$-]+")


class BadPattern(ValueError):
    """What CloudWatch Logs refuses as InvalidParameterException: Invalid filter pattern."""


@dataclass(frozen=True)
class Pattern:
    """A filter pattern: `matches(message)`, and what it takes out of it (`fields`), for metrics."""

    text: str
    matches: Callable[[str], bool]
    fields: Callable[[str], dict[str, str]]


def parse_pattern(text: str) -> Pattern:
    """The pattern. Raises BadPattern."""
    bare = text.strip()
    if bare.startswith("{"):
        condition = _Json(bare).tree
        return Pattern(text, lambda message: _json_holds(condition, message), _json_fields)
    if bare.startswith("["):
        columns = _columns(bare)
        return Pattern(text, lambda message: _columns_hold(columns, message), lambda m: _column_fields(columns, m))
    terms = _terms(bare)
    return Pattern(text, lambda message: _terms_hold(terms, message), lambda _: {})


# -- terms ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Term:
    sign: str  # "", "?" (any of these), "-" (none of these)
    holds: Callable[[str], bool]


def _terms(text: str) -> list[_Term]:
    found, place = [], 0
    while place < len(text):
        term = TERM.match(text, place)
        if term is None:
            raise BadPattern("Invalid filter pattern")
        sign, phrase, expression, word = term.groups()
        found.append(_Term(sign, _term(phrase, expression, word)))
        place = term.end()
        if text[place:].strip() == "":
            break
    if len(found) > MOST_TERMS:
        raise BadPattern("Invalid filter pattern: too many terms")
    return found


def _term(phrase: str | None, expression: str | None, word: str | None) -> Callable[[str], bool]:
    if expression is not None:
        return _regex(expression)
    if phrase is not None:
        wanted = re.sub(r"\\(.)", r"\1", phrase)
        return lambda message: wanted in message
    if not WORD.fullmatch(word or ""):
        raise BadPattern("Invalid filter pattern: put terms with other characters in double quotation marks")
    return lambda message: (word or "") in message


def _regex(text: str) -> Callable[[str], bool]:
    try:
        compiled = re.compile(text)
    except re.error as wrong:
        raise BadPattern(f"Invalid filter pattern: {wrong}") from None
    return lambda message: compiled.search(message) is not None


def _terms_hold(terms: list[_Term], message: str) -> bool:
    any_of = [term for term in terms if term.sign == "?"]
    all_of = [term for term in terms if term.sign == ""]
    if any(term.holds(message) for term in terms if term.sign == "-"):
        return False
    if all_of:  # "If you combine ? with other terms, ? is ignored"
        return all(term.holds(message) for term in all_of)
    return any(term.holds(message) for term in any_of) if any_of else True


# -- JSON: { $.level = "ERROR" && $.ms > 100 } ---------------------------------------------------------------

Tree = tuple[Any, ...]
JSON_TOKEN = re.compile(
    r'\s*(\$(?:\.[\w-]+|\[(?:\d+|\*)\]|\["[^"]+"\])*|&&|\|\||!=|<=|>=|[=<>(){}]|"(?:[^"\\]|\\.)*"|%[^%]+%|[^\s=<>!&|(){}"%]+)'
)


class _Json:
    def __init__(self, text: str) -> None:
        self._tokens, place = [], 0
        stripped = text.rstrip()
        while place < len(stripped):
            found = JSON_TOKEN.match(stripped, place)
            if not found:
                raise BadPattern("Invalid filter pattern")
            self._tokens.append(found[1])
            place = found.end()
        self._at = 0
        self._take("{")
        self.tree = self._either()
        self._take("}")
        if self._at < len(self._tokens):
            raise BadPattern("Invalid filter pattern")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        found = self._peek()
        if not found or (wanted and found != wanted):
            raise BadPattern("Invalid filter pattern")
        self._at += 1
        return found

    def _either(self) -> Tree:
        tree = self._both()
        while self._peek() == "||":
            self._take()
            tree = ("or", tree, self._both())
        return tree

    def _both(self) -> Tree:
        tree = self._one()
        while self._peek() == "&&":
            self._take()
            tree = ("and", tree, self._one())
        return tree

    def _one(self) -> Tree:
        if self._peek() == "(":
            self._take()
            tree = self._either()
            self._take(")")
            return tree
        selector = self._take()
        if not selector.startswith("$"):
            raise BadPattern("Invalid filter pattern: a property selector begins with $.")
        operator = self._take()
        if operator in ("IS", "NOT"):
            word = self._take()
            if (operator, word) not in (("IS", "NULL"), ("IS", "TRUE"), ("IS", "FALSE"), ("NOT", "EXISTS")):
                raise BadPattern("Invalid filter pattern")
            return ("is", selector, word)
        if operator not in ("=", "!=", "<", ">", "<=", ">="):
            raise BadPattern("Invalid filter pattern")
        return ("compare", selector, operator, self._take())


def _json_holds(tree: Tree, message: str) -> bool:
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and _holds(tree, value)


def _holds(tree: Tree, value: Any) -> bool:
    if tree[0] == "or":
        return _holds(tree[1], value) or _holds(tree[2], value)
    if tree[0] == "and":
        return _holds(tree[1], value) and _holds(tree[2], value)
    found = _selected(value, tree[1])
    if tree[0] == "is":
        if tree[2] == "EXISTS":
            return not found
        return any(one is {"NULL": None, "TRUE": True, "FALSE": False}[tree[2]] for one in found)
    return any(_compares(one, tree[2], tree[3]) for one in found)


def _selected(value: Any, selector: str) -> list[Any]:
    found = [value]
    for part in re.findall(r'\.([\w-]+)|\[(\d+|\*)\]|\["([^"]+)"\]', selector):
        name, index = part[0] or part[2], part[1]
        reached = []
        for one in found:
            if name and isinstance(one, dict) and name in one:
                reached.append(one[name])
            elif index and isinstance(one, list):
                reached += one if index == "*" else one[int(index) : int(index) + 1]
        found = reached
    return found


def _compares(value: Any, operator: str, wanted: str) -> bool:
    if isinstance(value, dict | list) or value is None:
        return False
    if wanted.startswith("%"):
        return _regex(wanted[1:-1])(str(value)) == (operator == "=")
    if wanted.startswith('"') or not re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", wanted):
        text = re.sub(r"\\(.)", r"\1", wanted[1:-1]) if wanted.startswith('"') else wanted
        equal = isinstance(value, str) and glob_matches(glob_tokens(text, question_mark=False), value)
        return equal if operator == "=" else not equal if operator == "!=" else False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return operator == "!=" and isinstance(value, str)
    number = float(wanted)
    return {
        "=": value == number,
        "!=": value != number,
        "<": value < number,
        ">": value > number,
        "<=": value <= number,
        ">=": value >= number,
    }[operator]


def _json_fields(message: str) -> dict[str, str]:
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return {f"$.{name}": str(one) for name, one in value.items()} if isinstance(value, dict) else {}


# -- columns: [ip, user, ..., status = 5*, bytes > 1000] ----------------------------------------------------------


def _columns(text: str) -> list[tuple[str, str, str]]:
    if not text.endswith("]"):
        raise BadPattern("Invalid filter pattern")
    found = []
    for part in text[1:-1].split(","):
        column = re.fullmatch(r"\s*(?:(\.\.\.)|([\w.]+)\s*(?:(=|!=|<=|>=|<|>)\s*(\"[^\"]*\"|%[^%]+%|\S+))?)\s*", part)
        if not column:
            raise BadPattern("Invalid filter pattern")
        found.append((column[1] or column[2], column[3] or "", column[4] or ""))
    return found


def _split(message: str) -> list[str]:
    parts = re.findall(r'"([^"]*)"|\[([^\]]*)\]|(\S+)', message)
    return [next(one for one in part if one) if any(part) else "" for part in parts]


def _placed(columns: list[tuple[str, str, str]], message: str) -> list[tuple[tuple[str, str, str], str]] | None:
    values = _split(message)
    names = [name for name, _, _ in columns]
    if "..." in names:
        at = names.index("...")
        after = len(columns) - at - 1
        if len(values) < len(columns) - 1:
            return None
        tail = list(zip(columns[at + 1 :], values[len(values) - after :], strict=True)) if after else []
        return [*zip(columns[:at], values[:at], strict=True), *tail]
    return list(zip(columns, values, strict=True)) if len(values) == len(columns) else None


def _columns_hold(columns: list[tuple[str, str, str]], message: str) -> bool:
    placed = _placed(columns, message)
    return placed is not None and all(
        not operator or _compares(_number(value, wanted), operator, wanted) for (_, operator, wanted), value in placed
    )


def _number(value: str, wanted: str) -> Any:
    numeric = re.fullmatch(r"-?\d+(\.\d+)?", value) and re.fullmatch(r"-?\d+(\.\d+)?", wanted)
    return float(value) if numeric else value


def _column_fields(columns: list[tuple[str, str, str]], message: str) -> dict[str, str]:
    return {f"${name}": value for (name, _, _), value in _placed(columns, message) or []}
