"""Every text of the harness that somebody may read is translated, and no translation has lost its text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

from fargrade.course.catalogue import missing, texts_in, unused
from fargrade.course.checks import read_checks
from fargrade.course.language import current_language, load_catalogue_beside, translate, use_language

SOURCE = Path(__file__).resolve().parent.parent / "src" / "fargrade"
CATALOGUES = sorted((SOURCE / "locale").glob("*.po"))
GRADERS = sorted((SOURCE.parent.parent / "graders").glob("*/*.ru.po"))


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


def said_by(catalogue: Path) -> dict[str, str]:
    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(catalogue))}


@pytest.fixture
def russian() -> Iterator[None]:
    before = current_language()
    use_language("ru")
    yield
    use_language(before)


@pytest.mark.usefixtures("russian")
def test_each_grader_speaks_in_its_own_words() -> None:
    """The same English of different things: what was loaded last must not speak for all."""
    for catalogue in GRADERS:
        load_catalogue_beside(catalogue.parent / f"{catalogue.name.removesuffix('.ru.po')}.py")
    for catalogue in GRADERS:
        load_catalogue_beside(catalogue.parent / f"{catalogue.name.removesuffix('.ru.po')}.py")
        for text, translated in said_by(catalogue).items():
            assert translate(text) == translated


def test_what_is_said_out_of_a_graders_turn_is_said_alike() -> None:
    """Titles and the harness's own texts are also shown when another grader has the word, or none."""
    harness = said_by(SOURCE / "locale" / "ru.po")
    titles: dict[str, str] = {}
    for catalogue in GRADERS:
        said = said_by(catalogue)
        assert {text for text in said if said[text] != harness.get(text, said[text])} == set(), catalogue.name
        grader = catalogue.parent / f"{catalogue.name.removesuffix('.ru.po')}.py"
        for title in (spec.title_text for spec in read_checks(grader)):
            assert titles.setdefault(title, said[title]) == said[title], catalogue.name
