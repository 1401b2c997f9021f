"""EventBridge event patterns: whether one can be read, and whether it matches an event.

Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from typing import Any

from fargrade.semantics.glob import matches as glob_matches
from fargrade.semantics.glob import tokens as glob_tokens

FILTERS = {"prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case", "wildcard", "cidr"}
COMPARISONS = ("=", "<", "<=", ">", ">=")


class BadPattern(ValueError):
    """What EventBridge refuses as InvalidEventPatternException; the message is the reason."""


def parse_pattern(text: str) -> dict[str, Any]:
    """The pattern. Raises BadPattern."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError):
        raise BadPattern("Invalid JSON") from None
    if not isinstance(pattern, dict) or not pattern:
        raise BadPattern("Filter is not an object" if not isinstance(pattern, dict) else "Empty pattern")
    _check(pattern)
    return pattern


def _check(pattern: Mapping[str, Any]) -> None:
    for name, wanted in pattern.items():
        if name == "$or":
            if not isinstance(wanted, list) or len(wanted) < 2 or not all(isinstance(one, dict) for one in wanted):
                raise BadPattern("$or must be an array of two objects or more")
            for one in wanted:
                _check(one)
        elif isinstance(wanted, dict):
            if not wanted:
                raise BadPattern(f"Empty objects are not allowed: '{name}'")
            _check(wanted)
        elif not isinstance(wanted, list):
            raise BadPattern(f"'{name}' must be an object or an array")
        elif not wanted:
            raise BadPattern(f"Empty arrays are not allowed: '{name}'")
        else:
            for one in wanted:
                _check_value(name, one)


def _check_value(name: str, wanted: Any) -> None:
    if isinstance(wanted, list):
        raise BadPattern(f"Match value must be String, number, true, false, or null: '{name}'")
    if not isinstance(wanted, dict):
        return
    if len(wanted) != 1 or next(iter(wanted)) not in FILTERS:
        raise BadPattern(f"Unrecognized match type {next(iter(wanted), '')}")
    kind, value = next(iter(wanted.items()))
    if kind == "exists" and not isinstance(value, bool):
        raise BadPattern("exists match pattern must be either true or false.")
    if kind == "numeric":
        pairs = isinstance(value, list) and len(value) in (2, 4)
        if not pairs or any(sign not in COMPARISONS for sign in value[::2]):
            raise BadPattern("Value of numeric must be an array of comparisons and numbers.")


def fits(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether the event matches every field of the pattern."""
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(fits(one, event) for one in wanted):
                return False
            continue
        there = isinstance(event, Mapping) and name in event
        value = event[name] if there else None
        if isinstance(wanted, Mapping):
            if not fits(wanted, value if there else {}):
                return False
        elif not _any(wanted, value, there):
            return False
    return True


def _any(wanted: list[Any], value: Any, there: bool) -> bool:
    values = value if isinstance(value, list) else [value]
    for one in wanted:
        if isinstance(one, Mapping) and "exists" in one:
            if one["exists"] == there:
                return True
        elif there and any(_one(one, each) for each in values):
            return True
    return False


def _one(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return (type(wanted) is type(value) and bool(wanted == value)) or _numbers(wanted, value)
    kind, against = next(iter(wanted.items()))
    if kind == "anything-but":
        if isinstance(against, Mapping):
            return not _one(against, value)
        return not any(_one(one, value) for one in (against if isinstance(against, list) else [against]))
    if kind == "numeric":
        return _number(value) and all(_compares(value, *against[at : at + 2]) for at in range(0, len(against), 2))
    if not isinstance(value, str):
        return False
    text: str = value
    if isinstance(against, Mapping):  # {"prefix": {"equals-ignore-case": …}}
        against, text = str(against.get("equals-ignore-case", "")).lower(), text.lower()
    if kind == "cidr":
        return _within(text, str(against))
    if kind == "prefix":
        return text.startswith(str(against))
    if kind == "suffix":
        return text.endswith(str(against))
    if kind == "equals-ignore-case":
        return text.lower() == str(against).lower()
    return glob_matches(glob_tokens(str(against), question_mark=False), text)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(one: Any, other: Any) -> bool:
    return _number(one) and _number(other) and bool(one == other)


def _compares(value: float, sign: str, against: float) -> bool:
    return {
        "=": value == against,
        "<": value < against,
        "<=": value <= against,
        ">": value > against,
        ">=": value >= against,
    }[sign]


def _within(address: str, block: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False
