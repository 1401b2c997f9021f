"""`make watch` sees a save however an editor makes it, and grades only what it touched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fargrade import watch as watching
from fargrade.course import Course, Item
from fargrade.run import Request
from fargrade.watch import saves, touched_items
from tests.commands import ROOT, submission

ITEMS = Course.find(ROOT).select(week="1")


def _in_place(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


def _renamed_over(file: Path) -> None:  # vim with backupcopy=no, JetBrains' safe write
    new = file.with_name(f".{file.name}.swp~")
    new.write_bytes(file.read_bytes() + b"\n")
    new.replace(file)


def _backed_up(file: Path) -> None:  # the old file becomes a backup, a new one is written
    content = file.read_bytes()
    file.replace(file.with_name(f"{file.name}~"))
    file.write_bytes(content + b"\n")


def _deleted_and_made(file: Path) -> None:
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content + b"\n")


@pytest.mark.parametrize("save", [_in_place, _renamed_over, _backed_up, _deleted_and_made])
def test_every_way_of_saving_is_seen(tmp_path: Path, save: Callable[[Path], None]) -> None:
    given = submission(tmp_path, lifecycle="exercises", repository="exercises")
    seen: list[list[Item]] = []
    watched = iter(saves(given, ITEMS))
    waiting = threading.Thread(target=lambda: seen.append(next(watched)), daemon=True)
    waiting.start()
    file = given / "week1" / "06_lifecycle" / "lifecycle-policy.json"
    for _ in range(40):  # the watcher needs a moment to begin
        waiting.join(0.5)
        if not waiting.is_alive():
            break
        save(file)
    assert [[item.id for item in touched] for touched in seen] == [["1.6"]]


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("week1/02_repository/repository.py", ["1.2"]),
        ("week1/02_repository", ["1.2"]),
        ("week1/03_image/app/server.py", ["1.3"]),
        ("week1/02_repository/README.md", []),
        ("week1/02_repository/hints.ru.md", []),
        ("week1/02_repository/4913", []),
        ("week1/02_repository/.#repository.py", []),
        ("week1/02_repository/#repository.py#", []),
        ("week1/03_image/.dockerignore", ["1.3"]),
        ("week9/01_nothing/x.py", []),
        ("../elsewhere/week1/02_repository/repository.py", []),
    ],
)
def test_only_what_was_touched(tmp_path: Path, path: str, ids: list[str]) -> None:
    assert [item.id for item in touched_items(tmp_path, ITEMS, [str(tmp_path / path)])] == ids


def test_one_item_is_replayed_by_its_own_command() -> None:
    asked = Request(replay="make grade week=1 submission='/my dir/x' lang=ru")
    assert asked.only(ITEMS[5]).replay == "make grade item=1.6 submission='/my dir/x' lang=ru"
    assert Request().only(ITEMS[5]).replay == ""


def test_it_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """After a save of one item it still waits for all that were asked for."""
    graded: list[tuple[list[str], str]] = []

    def grade(_: Course, items: list[Item], request: Request) -> int:
        graded.append(([item.id for item in items], request.replay))
        return 0

    monkeypatch.setattr(watching, "grade", grade)
    monkeypatch.setattr(watching, "saves", lambda *_: iter([[ITEMS[5]], ITEMS[1:3]]))
    monkeypatch.setattr(watching, "settle", lambda: None)
    request = Request(submission=str(ROOT / "solutions"), replay="make grade week=1")
    assert watching.watch(Course.find(ROOT), ITEMS, request) == 0
    every = [item.id for item in ITEMS]
    assert graded == [
        (every, "make grade week=1"),
        (["1.6"], "make grade item=1.6"),
        (["1.2", "1.3"], "make grade week=1"),
    ]
    assert capsys.readouterr().out.count("Waiting for a save in 8 items") == 3
