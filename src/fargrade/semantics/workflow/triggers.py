"""Whether an event starts a workflow: branches, tags and paths, with GitHub's patterns.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fargrade.semantics.workflow.document import Workflow

MOST_PATTERN = 500


@dataclass(frozen=True)
class Event:
    """Something that happened in the repository. `ref` is refs/heads/… or refs/tags/…; a pull request's, its base."""

    name: str
    ref: str
    paths: tuple[str, ...] = ()

    @property
    def branch(self) -> str:
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else ""

    @property
    def tag(self) -> str:
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else ""


def triggered(workflow: Workflow, event: Event) -> bool:
    """Whether `event` starts the workflow."""
    if event.name not in workflow.events:
        return False
    filters = workflow.events[event.name]
    if event.name not in ("push", "pull_request", "pull_request_target"):
        return True
    return _ref_taken(filters, event) and (bool(event.tag) or _paths_taken(filters, event.paths))


def _ref_taken(filters: Mapping[str, Any], event: Event) -> bool:
    """Filters of one kind only leave the other kind out: branches without tags is never started by a tag."""
    of_branches = "branches" in filters or "branches-ignore" in filters
    of_tags = "tags" in filters or "tags-ignore" in filters
    if event.tag:
        return _name_taken(filters, "tags", event.tag) if of_tags else not of_branches
    return _name_taken(filters, "branches", event.branch) if of_branches else not of_tags


def _name_taken(filters: Mapping[str, Any], kind: str, name: str) -> bool:
    if kind in filters:
        return chosen(_patterns(filters[kind]), name)
    return not chosen(_patterns(filters[f"{kind}-ignore"]), name)


def _paths_taken(filters: Mapping[str, Any], paths: Sequence[str]) -> bool:
    if "paths" in filters:
        return any(chosen(_patterns(filters["paths"]), path) for path in paths)
    if "paths-ignore" in filters:
        return any(not chosen(_patterns(filters["paths-ignore"]), path) for path in paths)
    return True


def _patterns(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def chosen(patterns: Sequence[str], name: str) -> bool:
    """Whether the patterns choose the name: in order, `!` takes back what a pattern before it chose."""
    found = False
    for pattern in patterns:
        if matches(pattern.removeprefix("!"), name):
            found = not pattern.startswith("!")
    return found


def matches(pattern: str, name: str) -> bool:
    """`*` is any run without a slash, `**` any run, `?` and `+` repeat what stands before, `[…]` is a set.

    All states at once, so that a pattern costs at most its length times the name's.
    """
    tokens = _tokens(pattern[:MOST_PATTERN])
    states = _closed(tokens, {0})
    for character in name:
        following = set()
        for state in states:
            if state < len(tokens):
                accepts, repeats, _ = tokens[state]
                if _accepts(accepts, character):
                    following |= {state, state + 1} if repeats else {state + 1}
        states = _closed(tokens, following)
        if not states:
            return False
    return len(tokens) in states


@dataclass(frozen=True)
class _Not:
    """Any character but these."""

    out: str


# (what it accepts: None is anything; whether it may repeat; whether it may be left out)
_Token = tuple[str | _Not | None, bool, bool]


def _accepts(wanted: str | _Not | None, character: str) -> bool:
    if isinstance(wanted, _Not):
        return character not in wanted.out
    return wanted is None or character in wanted


def _tokens(pattern: str) -> list[_Token]:
    made: list[_Token] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if pattern.startswith("**", at):
            made.append((None, True, True))
            at += 2
            continue
        at += 1
        if character == "*":
            made.append((_Not("/"), True, True))
        elif character == "?" and made:
            made[-1] = (made[-1][0], made[-1][1], True)
        elif character == "+" and made:
            made[-1] = (made[-1][0], True, made[-1][2])
        elif character == "[" and "]" in pattern[at:]:
            end = pattern.index("]", at)
            made.append((_set(pattern[at:end]), False, False))
            at = end + 1
        else:
            if character == "\\" and at < len(pattern):
                character, at = pattern[at], at + 1
            made.append((character, False, False))
    return made


def _set(inside: str) -> str:
    """The characters of `[a-z0-9]`."""
    found, at = "", 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            found += "".join(map(chr, range(ord(inside[at]), min(ord(inside[at + 2]), ord(inside[at]) + 200) + 1)))
            at += 3
        else:
            found += inside[at]
            at += 1
    return found


def _closed(tokens: Sequence[_Token], states: set[int]) -> set[int]:
    """With the states that are reached by leaving out what may be left out."""
    found = set(states)
    for state in sorted(states):
        while state < len(tokens) and tokens[state][2]:
            state += 1
            found.add(state)
    return found
