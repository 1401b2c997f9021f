"""Composite alarms: a rule over other alarms' states.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html: ALARM, OK and
INSUFFICIENT_DATA of a name or ARN, AND, OR, NOT, TRUE, FALSE, parentheses; AT_LEAST(M, STATE, (a, b, …)).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fargrade.semantics.alarms.metrics import Malformed

TOKEN = re.compile(r"\s*(\(|\)|,|\"(?:[^\"\\]|\\.)*\"|[^\s(),\"]+)")
STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")


@dataclass(frozen=True)
class Rule:
    """A part of a rule: a state asked of an alarm, or an operator over other parts."""

    kind: str  # ALARM, OK, INSUFFICIENT_DATA, AND, OR, NOT, TRUE, FALSE, AT_LEAST
    alarm: str = ""
    parts: tuple[Rule, ...] = ()
    count: int = 0


def parse_rule(text: str) -> Rule:
    """The rule's tree. Raises Malformed."""
    tokens = [found[1] for found in TOKEN.finditer(text)]
    reader = _Reader(tokens)
    tree = reader.either()
    if reader.peek():
        raise Malformed(f"Invalid alarm rule: unexpected {reader.peek()}")
    return tree


def alarms_of(rule: Rule) -> set[str]:
    """The names (or ARNs) of the alarms that the rule asks for."""
    own = {rule.alarm} if rule.alarm else set()
    return own.union(*(alarms_of(one) for one in rule.parts))


def holds(rule: Rule, state_of: Callable[[str], str]) -> bool:
    """Whether the rule is true, given each alarm's state: the composite alarm is then in ALARM, else OK."""
    if rule.kind in STATES:
        return state_of(rule.alarm) == rule.kind
    if rule.kind == "NOT":
        return not holds(rule.parts[0], state_of)
    if rule.kind == "AND":
        return all(holds(one, state_of) for one in rule.parts)
    if rule.kind == "OR":
        return any(holds(one, state_of) for one in rule.parts)
    if rule.kind == "AT_LEAST":
        return sum(holds(one, state_of) for one in rule.parts) >= rule.count
    return rule.kind == "TRUE"


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        found = self.peek()
        if not found or (wanted and found != wanted):
            raise Malformed(f"Invalid alarm rule: expected {wanted or 'more'}, found {found or 'its end'}")
        self._at += 1
        return found

    def either(self) -> Rule:
        parts = [self._both()]
        while self.peek() == "OR":
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Rule("OR", parts=tuple(parts))

    def _both(self) -> Rule:
        parts = [self._one()]
        while self.peek() == "AND":
            self._take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Rule("AND", parts=tuple(parts))

    def _one(self) -> Rule:
        token = self._take()
        if token == "NOT":
            return Rule("NOT", parts=(self._one(),))
        if token == "(":
            inner = self.either()
            self._take(")")
            return inner
        if token in ("TRUE", "FALSE"):
            return Rule(token)
        if token in STATES:
            self._take("(")
            name = self._name()
            self._take(")")
            return Rule(token, name)
        if token == "AT_LEAST":
            return self._at_least()
        raise Malformed(f"Invalid alarm rule: unexpected {token}")

    def _at_least(self) -> Rule:
        self._take("(")
        count = self._take()
        self._take(",")
        state = self._take()
        negated = state == "NOT"
        state = self._take() if negated else state
        self._take(",")
        self._take("(")
        names = [self._name()]
        while self.peek() == ",":
            self._take()
            names.append(self._name())
        self._take(")")
        self._take(")")
        if not count.isdigit() or state not in STATES:
            raise Malformed("Invalid alarm rule: AT_LEAST takes a number, a state and a list of alarms")
        asked = [Rule(state, name) for name in names]
        return Rule("AT_LEAST", parts=tuple(Rule("NOT", parts=(r,)) if negated else r for r in asked), count=int(count))

    def _name(self) -> str:
        name = self._take()
        return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name
