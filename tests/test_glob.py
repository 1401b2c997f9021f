"""Wildcards: the same as a regular expression where that is harmless, and quick where it is not."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from fargrade.semantics.glob import matches, tokens

letters = st.text("ab*?", max_size=7)


@given(letters, st.text("ab", max_size=8))
def test_a_pattern_matches_what_its_regular_expression_matches(pattern: str, text: str) -> None:
    regex = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
    assert matches(tokens(pattern), text) == bool(re.fullmatch(regex, text, re.DOTALL))


def test_a_question_mark_can_be_a_plain_character() -> None:
    assert not matches(tokens("a?", question_mark=False), "ab")
    assert matches(tokens("a?", question_mark=False), "a?")


def test_a_pattern_made_to_be_slow_is_not() -> None:
    """As a regular expression this would not come back."""
    assert not matches(tokens("*?" * 200 + "x"), "a" * 5_000)
    assert not matches(tokens("*a" * 2_000 + "x"), "a" * 2_000)
