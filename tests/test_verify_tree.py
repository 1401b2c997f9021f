"""An author who leaves out a piece of an item, or gets it wrong, is told so in a sentence that names the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fargrade.course import Course, Item
from fargrade.course.checks import read_checks
from fargrade.verify import Proof, _together
from fargrade.verify.answers import known_answers
from fargrade.verify.tree import holes_in_item
from tests.commands import ROOT

FOLDER = "week1/06_lifecycle"
GRADER = "graders/week1/test_06_lifecycle.py"
ANSWERS = "graders/week1/answers/06_lifecycle"


@pytest.fixture
def item(tmp_path: Path) -> Item:
    """1.6 in a course of its own."""
    for folder in (f"exercises/{FOLDER}", f"solutions/{FOLDER}", ANSWERS):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for name in (GRADER, GRADER.replace(".py", ".ru.po")):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return Course(tmp_path.resolve()).select(item="1.6")[0]


def holes(item: Item) -> list[str]:
    return holes_in_item(item, known_answers(item))


def changed(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / name).read_text(encoding="utf-8")
        assert old in text
        (root / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def without_title(root: Path) -> None:
    (root / f"exercises/{FOLDER}/README.md").write_text("Write a policy.\n", encoding="utf-8")


def without_stub(root: Path) -> None:
    shutil.rmtree(root / ANSWERS / "stub")


def without_docstring(root: Path) -> None:
    check = read_checks(root / GRADER)[0]
    changed(GRADER, f'"""{check.title_text}', 'f"""')(root)


def test_nothing_is_wrong_with_what_is_whole(item: Item) -> None:
    assert holes(item) == []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without_title, f"exercises/{FOLDER}/README.md does not begin with the item's title"),
        (without_stub, f"{ANSWERS}/stub/ holds nothing; what learners are given to edit is lifecycle-policy.json"),
        (without_docstring, "has no docstring: its first line is what learners read"),
        (changed(GRADER, "import pytest", "import pytest\nfrom fargrade.emulator import clock"), "fargrade.emulator"),
        (changed(GRADER, "import pytest", "import pytest\nimport fargrade.sandbox.running"), "fargrade.sandbox"),
    ],
    ids=["title", "stub", "docstring", "emulator", "sandbox"],
)
def test_a_piece_that_is_wrong_is_named(item: Item, spoil: Callable[[Path], None], told: str) -> None:
    spoil(item.root)
    assert [hole for hole in holes(item) if told in hole]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (changed(GRADER, "import pytest", "import pytest ="), r"test_06_lifecycle\.py, line \d+: invalid syntax"),
        (changed(GRADER, 'evidence="', 'evidence="magic-'), r"test_06_lifecycle\.py: .*evidence is one of"),
    ],
    ids=["syntax", "evidence"],
)
def test_a_grader_that_cannot_be_read_is_named(item: Item, spoil: Callable[[Path], None], told: str) -> None:
    spoil(item.root)
    with pytest.raises(ValueError, match=told):
        holes(item)


def test_all_wrong_answer_tomls_are_named_at_once(item: Item) -> None:
    (first, second, third, *_) = sorted(path for path in (item.answers / "wrong").iterdir() if path.is_dir())
    (first / "answer.toml").unlink()
    (second / "answer.toml").write_text('why = "x\n', encoding="utf-8")
    (third / "answer.toml").write_text('why = "x"\nfails = ["*"]\nwithout = ["nothing.py"]\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"answer\.toml") as raised:
        known_answers(item)
    told = str(raised.value).splitlines()
    assert [one.name in line for one, line in zip((first, second, third), told, strict=True)] == [True] * 3
    assert "nothing.py, which is no file of the solution" in told[2]


def test_what_is_wrong_with_many_answers_alike_is_said_once() -> None:
    proofs = [Proof("1.6", "wrong", f"wrong/{number}", "not judged") for number in range(5)]
    proofs += [Proof("1.6", "right", "right/x", "fails y"), Proof("1.6", "solution", "solution", "")]
    assert list(_together(proofs)) == [
        "1.6 wrong/0, wrong/1, wrong/2 and 2 more: not judged",
        "1.6 right/x: fails y",
    ]
