"""Every text of the harness that somebody may read is translated, and no translation has lost its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from fargrade.course.catalogue import missing, texts_in, unused

SOURCE = Path(__file__).resolve().parent.parent / "src" / "fargrade"
CATALOGUES = sorted((SOURCE / "locale").glob("*.po"))


def texts() -> list[str]:
    return list(dict.fromkeys(text for file in sorted(SOURCE.rglob("*.py")) for text in texts_in(file)))


def test_there_is_something_to_translate() -> None:
    assert "Score {score} of {most}" in texts()
    assert [file.stem for file in CATALOGUES] == ["ru"]


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda file: file.stem)
def test_every_text_is_translated(catalogue: Path) -> None:
    assert missing(texts(), [catalogue]) == []


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda file: file.stem)
def test_no_translation_is_left_over(catalogue: Path) -> None:
    assert unused(texts(), catalogue) == []
