"""The answers that prove a grader: the stub, the solution, other right answers and wrong ones.

An answer is a folder laid over the solution, so that it holds only what differs, and an `answer.toml`.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from fargrade.course import Item
from fargrade.course.language import current_language, languages
from fargrade.course.tree import relative_files

META = "answer.toml"
ALL = "*"
Kind = Literal["stub", "solution", "right", "wrong", "malformed"]


@dataclass(frozen=True)
class KnownAnswer:
    """An answer whose verdict is known: `fails` are the ids of the checks that must fail, and no others."""

    item: Item
    kind: Kind
    name: str
    folder: Path
    why: str = ""
    fails: tuple[str, ...] = ()
    source: str = ""
    without: tuple[str, ...] = ()
    translated: Mapping[str, str] = field(default_factory=dict)  # language → `why` in it, as `why_ru` says it

    @property
    def misconception(self) -> str:
        """`why` in the language in use; in English where nobody has translated it."""
        return self.translated.get(current_language(), self.why)

    @property
    def label(self) -> str:
        return self.kind if self.kind in ("stub", "solution") else f"{self.kind}/{self.name}"

    @contextmanager
    def submission(self) -> Iterator[Path]:
        """A temporary folder shaped like exercises/ that holds this answer."""
        with TemporaryDirectory(prefix="fargrade-answer-") as root:
            where = Path(root) / self.item.folder
            where.mkdir(parents=True)
            if self.kind != "stub":
                _lay(self.item.solution, where)
            _lay(self.folder, where)
            for name in self.without:
                (where / name).unlink()
            yield Path(root)


def _lay(source: Path, target: Path) -> None:
    for name in relative_files(source):
        if name != META:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)


def known_answers(item: Item) -> list[KnownAnswer]:
    """Every known answer of `item`. Raises ValueError, a line for each answer.toml that is wrong, naming it."""
    answers = [
        KnownAnswer(item, "stub", "", item.answers / "stub"),
        KnownAnswer(item, "solution", "", item.solution),
    ]
    wrong = []
    for kind in ("right", "wrong"):
        folder = item.answers / kind
        for one in sorted(folder.iterdir()) if folder.is_dir() else []:
            if one.is_dir():
                try:
                    answers.append(_read(item, kind, one))
                except ValueError as error:
                    wrong.append(str(error))
    if wrong:
        raise ValueError("\n".join(wrong))
    return answers


def _read(item: Item, kind: Literal["right", "wrong"], folder: Path) -> KnownAnswer:
    path = folder / META
    where = path.relative_to(item.root)
    try:
        meta: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{where} cannot be read ({error.strerror}): it says what this answer shows") from None
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    translations = {f"why_{language}": language for language in languages()[1:]}
    unknown = set(meta) - {"why", "fails", "source", "without"} - set(translations)
    if unknown:
        raise ValueError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    fails = meta.get("fails", [])
    fails = [fails] if isinstance(fails, str) else fails
    if not meta.get("why"):
        raise ValueError(f"{where}: say in `why` what this answer shows")
    if bool(fails) != (kind == "wrong"):
        raise ValueError(f"{where}: a wrong answer names in `fails` the checks that must fail; a right one has none")
    for name in without if isinstance(without := meta.get("without", []), list) else ():
        if not (item.solution / name).is_file():
            raise ValueError(f"{where}: `without` leaves out {name}, which is no file of the solution")
    return KnownAnswer(
        item,
        kind,
        folder.name,
        folder,
        meta["why"],
        tuple(fails),
        meta.get("source", ""),
        tuple(meta.get("without", [])),
        {language: meta[key] for key, language in translations.items() if meta.get(key)},
    )
