"""The command line speaks the language asked for, also where it only says what is wrong or what there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fargrade import cli
from fargrade.course.language import use_language


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    use_language("en")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit):
        cli.main(arguments)
    shown = capsys.readouterr()
    return shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "english", "russian"),
    [
        (["hint"], "something is missing: make hint item=…", "чего-то не хватает: make hint item=…"),
        (["grade", "--wek", "3"], "unrecognized arguments: --wek", "неизвестные аргументы: --wek"),
        (["grade", "--confine", "x"], "argument --confine: 'x' is no choice", "аргумент --confine: 'x' выбрать нельзя"),
        (["--help"], "print the next hint for an item", "показать следующую подсказку к заданию"),
        (["grade", "--help"], "usage: fargrade grade", "вызов: fargrade grade"),
    ],
)
def test_it_speaks_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], arguments: list[str], english: str, russian: str
) -> None:
    assert english in said(capsys, *arguments)
    assert russian in said(capsys, "--lang", "ru", *arguments)
    assert russian in said(capsys, *arguments, "--lang", "ru")


def test_the_language_may_stand_in_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARGRADE_LANG", "ru")
    assert "чего-то не хватает" in said(capsys, "hint")
    assert "something is missing" in said(capsys, "hint", "--lang", "en")


def test_where_the_language_stands_makes_no_difference_to_what_runs() -> None:
    parse = cli._parser().parse_args
    assert parse(["--lang", "ru", "hint", "--item", "1.1"]).lang == "ru"
    assert parse(["hint", "--item", "1.1", "--lang", "ru"]).lang == "ru"
    assert parse(["hint", "--item", "1.1"]).lang == ""
