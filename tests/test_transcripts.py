"""What a wrong answer is told is what it was told when somebody last read it."""

from __future__ import annotations

import pytest

from tests.transcripts.telling import ITEMS, file_of, items, told


@pytest.mark.bubblewrap
@pytest.mark.parametrize("item", items(list(ITEMS)), ids=lambda item: item.id)
def test_wrong_answers_are_told_the_same(item) -> None:  # type: ignore[no-untyped-def]
    kept = file_of(item.id).read_text(encoding="utf-8")
    assert told(item) == kept, f"read the difference, then: python -m tests.transcripts.telling {item.id}"


@pytest.mark.parametrize("item", items(list(ITEMS)), ids=lambda item: item.id)
def test_every_wrong_answer_is_told_something(item) -> None:  # type: ignore[no-untyped-def]
    for part in file_of(item.id).read_text(encoding="utf-8").split("## ")[1:]:
        assert "✗ " in part
        assert "reason: " in part or "found: " in part, part
        assert "fault of the grader" not in part
