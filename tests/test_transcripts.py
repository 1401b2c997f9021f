"""What a wrong answer is told is what it was told when somebody last read it."""

from __future__ import annotations

import pytest

from tests.transcripts.telling import ITEMS, ONE_EACH, TOGETHER, file_of, told

NAMES = (*ITEMS, TOGETHER)


@pytest.mark.bubblewrap
@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_are_told_the_same(name: str) -> None:
    kept = file_of(name).read_text(encoding="utf-8")
    assert told(name) == kept, f"read the difference, then: python -m tests.transcripts.telling {name}"


@pytest.mark.parametrize("name", NAMES)
def test_every_wrong_answer_is_told_something(name: str) -> None:
    parts = file_of(name).read_text(encoding="utf-8").split("## ")[1:]
    assert name != TOGETHER or [part.split()[0] for part in parts] == list(ONE_EACH)
    for part in parts:
        assert "✗ " in part
        assert "reason: " in part or "found: " in part, part
        assert "fault of the grader" not in part
