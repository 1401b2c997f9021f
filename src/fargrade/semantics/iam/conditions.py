"""Condition operators. Source: IAM User Guide, "IAM JSON policy elements: Condition operators"."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from fargrade.semantics.iam.errors import MalformedPolicy, UnknownCondition
from fargrade.semantics.iam.patterns import Context, Unresolved, arn_like, filled, like
from fargrade.semantics.texts import t

OPERATOR = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?")

# Compares one value of the policy with one of the request.
Test = Callable[[str, str, Context | None], bool]


@dataclass(frozen=True)
class Condition:
    """One line of a Condition block: `set_operator:operator IfExists`, the key (in lower case), the values."""

    operator: str
    key: str
    values: tuple[str, ...]
    set_operator: str = ""
    if_exists: bool = False

    @property
    def negated(self) -> bool:
        return "Not" in self.operator

    def holds(self, context: Context, *, variables: bool) -> bool:
        """Whether the line is met by a request's `context`; `variables` says if `${…}` are filled in."""
        found = context.get(self.key, ())
        if self.operator == "Null":
            return (self.values[-1].lower() == "true") == (not found)
        if not found:
            if self.if_exists or self.set_operator == "ForAllValues":
                return True
            return self.negated and not self.set_operator
        given = context if variables else None
        each = [any(self._matches(wanted, value, given) for wanted in self.values) for value in found]
        if self.negated:
            each = [not one for one in each]
            return any(each) if self.set_operator == "ForAnyValue" else all(each)
        return all(each) if self.set_operator == "ForAllValues" else any(each)

    def _matches(self, wanted: str, value: str, context: Context | None) -> bool:
        try:
            return TESTS[self.operator.replace("Not", "")](wanted, value, context)
        except Unresolved:
            return False


def read_condition(name: str, key: str, values: tuple[str, ...]) -> Condition:
    """The line `name: {key: values}`. Raises UnknownCondition, or MalformedPolicy for a value it cannot read."""
    found = OPERATOR.fullmatch(name)
    operator = found[2] if found else ""
    if found is None or operator not in OPERATORS or (operator == "Null" and found[3]):
        raise UnknownCondition(name)
    check = VALUES.get(re.sub(r"Not|Equals|LessThan|GreaterThan", "", operator))
    for value in values:
        try:
            if check:
                check(value)
        except (ValueError, InvalidOperation, binascii.Error):
            raise MalformedPolicy(
                "The policy failed legacy parsing",
                t("{operator} cannot read the value {value}"),
                operator=name,
                value=value,
            ) from None
    return Condition(operator, key.lower(), values, found[1] or "", bool(found[3]))


def _string_equals(wanted: str, value: str, context: Context | None, *, fold: bool = False) -> bool:
    wanted = filled(wanted, context)
    return wanted.casefold() == value.casefold() if fold else wanted == value


def _string_like(wanted: str, value: str, context: Context | None) -> bool:
    return like(wanted, value, context)


def _arn(wanted: str, value: str, context: Context | None) -> bool:
    return arn_like(wanted, value, context)


def _bool(wanted: str, value: str, context: Context | None) -> bool:
    return _string_equals(wanted, value, context, fold=True)


def _binary(wanted: str, value: str, _context: Context | None) -> bool:
    return base64.b64decode(wanted) == base64.b64decode(value)


def _ordered(
    read: Callable[[str], Any], compare: Callable[[Any, Any], bool], wanted: str, value: str, _: Context | None
) -> bool:
    try:
        return compare(read(value), read(wanted))
    except (ValueError, InvalidOperation):
        return False  # the request's value is not of this kind


def read_number(text: str) -> Decimal:
    """A number of a condition. Raises InvalidOperation or ValueError."""
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def read_date(text: str) -> datetime:
    """A date of a condition: ISO 8601 (UTC unless it says otherwise) or epoch seconds. Raises ValueError."""
    if re.fullmatch(r"\d{5,}", text):
        try:
            return datetime.fromtimestamp(int(text), UTC)
        except (OverflowError, OSError) as error:
            raise ValueError(text) from error
    if re.fullmatch(r"\d{4}(-\d\d)?", text):  # a year or a month, as W3C's profile of ISO 8601 allows
        text += "-01" * (2 - text.count("-"))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ip(wanted: str, value: str, _context: Context | None) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _check_ip(value: str) -> None:
    ipaddress.ip_network(value, strict=False)


def _check_bool(value: str) -> None:
    if value.lower() not in ("true", "false") and "${" not in value:
        raise ValueError(value)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda one, two: bool(one == two),
    "LessThan": lambda one, two: bool(one < two),
    "LessThanEquals": lambda one, two: bool(one <= two),
    "GreaterThan": lambda one, two: bool(one > two),
    "GreaterThanEquals": lambda one, two: bool(one >= two),
}

# By the operator without its "Not".
TESTS: dict[str, Test] = {
    "StringEquals": _string_equals,
    "StringEqualsIgnoreCase": partial(_string_equals, fold=True),
    "StringLike": _string_like,
    "ArnEquals": _arn,  # ArnEquals and ArnLike behave identically
    "ArnLike": _arn,
    "Bool": _bool,
    "BinaryEquals": _binary,
    "IpAddress": _ip,
    **{f"Numeric{name}": partial(_ordered, read_number, test) for name, test in COMPARISONS.items()},
    **{f"Date{name}": partial(_ordered, read_date, test) for name, test in COMPARISONS.items()},
}

OPERATORS = frozenset(TESTS) | {
    "Null",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
    "ArnNotEquals",
    "ArnNotLike",
    "NotIpAddress",
    "NumericNotEquals",
    "DateNotEquals",
}

# By the operator's family: what a value written in the policy must be.
VALUES: dict[str, Callable[[str], object]] = {
    "Numeric": read_number,
    "Date": read_date,
    "IpAddress": _check_ip,
    "Bool": _check_bool,
    "Null": _check_bool,
    "Binary": partial(base64.b64decode, validate=True),
}


def all_hold(conditions: Sequence[Condition], context: Context, *, variables: bool) -> bool:
    """A Condition block is met when every line of it is."""
    return all(condition.holds(context, variables=variables) for condition in conditions)
