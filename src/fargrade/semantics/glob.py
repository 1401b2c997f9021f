"""Wildcards without regular expressions: whatever the pattern, a match costs at most length times length.

A learner's pattern is not trusted: as a regular expression `*?*?*?…` would keep the grader busy for hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache


class Wild(Enum):
    """What is no character of a pattern: any one character, or any number of them."""

    ONE = "?"
    MANY = "*"


Token = str | Wild
TOKENS: dict[str, Token] = {wild.value: wild for wild in Wild}


@lru_cache(maxsize=4096)
def tokens(pattern: str, *, question_mark: bool = True) -> tuple[Token, ...]:
    """`pattern` with its `*` (and `?`, unless that is a plain character) as wildcards."""
    return tuple(
        character if character == "?" and not question_mark else TOKENS.get(character, character)
        for character in pattern
    )


def matches(pattern: Sequence[Token], text: str) -> bool:
    """Whether the whole of `text` matches `pattern`, case-sensitively."""
    at = position = 0
    star, resume = -1, 0  # the last MANY met, and where in the text its share ends for now
    while position < len(text):
        token = pattern[at] if at < len(pattern) else None
        if token is Wild.MANY:
            star, resume = at, position
            at += 1
        elif token is Wild.ONE or token == text[position]:
            at += 1
            position += 1
        elif star >= 0:
            resume += 1
            at, position = star + 1, resume
        else:
            return False
    return all(token is Wild.MANY for token in pattern[at:])
