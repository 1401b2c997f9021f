"""Every text of the harness that somebody may read is translated, and no translation has lost its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

from fargrade.course.catalogue import missing, texts_in, unused
from fargrade.course.checks import read_checks
from fargrade.course.language import current_language, load_catalogue_beside, translate, use_language
from fargrade.reports.github import PLACE

SOURCE = Path(__file__).resolve().parent.parent / "src" / "fargrade"
CATALOGUES = sorted((SOURCE / "locale").glob("*.po"))
GRADERS = sorted((SOURCE.parent.parent / "graders").glob("*/*.ru.po"))
BRIEFS = sorted((SOURCE.parent.parent / "exercises").glob("*/*/*.ru.md"))
NAME = re.compile(r"`([\w./@:*-]+)`")
PLACEHOLDERS = {"service:Operation", "arn:aws:SERVICE:REGION:ACCOUNT:NAME", "PREFIX/CONTAINER/TASK-ID"}


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


def parts_of(text: str) -> list[str]:
    """The text's parts in order: headings, paragraphs, items of lists, rows of tables, blocks of code."""
    found, fenced = [""], False
    for line in text.splitlines():
        start = line.lstrip()
        if start.startswith("```"):
            fenced = not fenced
            found += ["code"] if fenced else [""]
        elif not fenced:
            kinds = [("#", "heading"), ("|", "row"), ("- ", "item"), ("", "paragraph")]
            kind = next(kind for mark, kind in kinds if start.startswith(mark)) if start else ""
            kind = "item" if re.match(r"\d+\. ", start) else kind
            if kind != "paragraph" or found[-1] in ("", "heading", "code", "row"):
                found.append(kind)
    return [one for one in found if one]


@pytest.mark.parametrize("brief", BRIEFS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_a_brief_has_the_same_parts_in_both_languages(brief: Path) -> None:
    """A paragraph, a demand or a row that one of them lacks is a sentence half of the learners never read."""
    english = brief.with_name(brief.name.replace(".ru.md", ".md"))
    assert parts_of(brief.read_text(encoding="utf-8")) == parts_of(english.read_text(encoding="utf-8"))


@pytest.mark.parametrize("brief", BRIEFS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_a_brief_names_the_same_things_in_both_languages(brief: Path) -> None:
    """Names of files, functions, calls and values are the same in every language."""
    english = brief.with_name(brief.name.replace(".ru.md", ".md")).read_text(encoding="utf-8")
    names = set(NAME.findall(english)) - PLACEHOLDERS
    translated = brief.read_text(encoding="utf-8")
    assert {one for one in names if one not in translated} == set()


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda file: file.stem)
def test_a_place_in_a_file_is_found_in_every_language(catalogue: Path) -> None:
    """GitHub's annotations point at the line, whatever language the result is in."""
    text = "{file}, line {line}, raised {what}"
    for said in (text, said_by(catalogue)[text]):
        found = PLACE.search(said.format(file="repository.py", line=3, what="X"))
        assert found, said
        assert found.groups() == ("repository.py", "3")
