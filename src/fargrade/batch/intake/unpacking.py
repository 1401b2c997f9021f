"""Writes what an archive holds into a folder of ours: regular files under safe names, within limits."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

from fargrade.batch.intake.limits import ENTRIES, FILE_BYTES, NAME_BYTES, WANTED, WANTED_BYTES, Notes, Refused
from fargrade.course.language import translate as t

Read = Callable[[int], bytes]
CRUFT = ("__MACOSX", ".DS_Store")


class Unpacking:
    """One archive's unpacking into `target`, which is empty and ours."""

    def __init__(self, target: Path, notes: Notes) -> None:
        self.target = target
        self.notes = notes
        self.written: dict[str, str] = {}  # casefolded name → name
        self._entries = 0
        self._bytes = 0

    def count(self) -> None:
        """Another entry came by. Raises Refused beyond the limit."""
        self._entries += 1
        if self._entries > ENTRIES:
            raise Refused(t("It holds more than {count} files.", count=ENTRIES))

    def wanted(self, name: str) -> str:
        """The safe form of an entry's name; "" where it is no part of an answer, which may be noted."""
        if len(name) > NAME_BYTES:
            return ""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        if any(part in CRUFT or part.startswith("._") for part in parts):
            return ""
        if ".." in parts or name[:1] in ("/", "\\") or (parts and parts[0].endswith(":")):
            self.notes.add(t("{file} leads out of the archive and was left out.", file=shown(name)))
            return ""
        safe = unicodedata.normalize("NFC", "/".join(parts))
        if not WANTED.fullmatch(safe):
            return ""
        if not _is_text(safe) or any(len(part.encode()) > 255 for part in parts):
            self.notes.add(t("{file} has a name that is no text and was left out.", file=shown(name)))
            return ""
        return safe

    def leave_out(self, name: str, why: str) -> None:
        """Note that the wanted file `name` was left out: `why` is the rest of the sentence."""
        self.notes.add(f"{shown(name)}: {why}.")

    def take(self, name: str, read: Read) -> None:
        """Write the wanted file `name`, whose content `read(most)` returns. Raises Refused; what `read` raises."""
        content = read(FILE_BYTES + 1)
        if len(content) > FILE_BYTES:
            self.leave_out(name, t("larger than {size} KiB, left out", size=FILE_BYTES >> 10))
            return
        self._bytes += len(content)
        if self._bytes > WANTED_BYTES:
            raise Refused(t("Its answers are larger than {size} MiB.", size=WANTED_BYTES >> 20))
        self._note_clash(name)
        try:
            _write(self.target / name, content)
        except OSError as error:  # a file where another entry needs a folder, or the other way round
            self.leave_out(name, t("it cannot be unpacked ({why}), left out", why=error.strerror))

    def _note_clash(self, name: str) -> None:
        """Two names that are one on a system that does not tell case apart, or in the archive itself."""
        before = self.written.get(name.casefold())
        if before == name:
            self.leave_out(name, t("it is in the archive twice, the last one counts"))
        elif before is not None:
            self.notes.add(
                t("{file} and {other} differ in case only: rename one.", file=shown(before), other=shown(name))
            )
        self.written[name.casefold()] = name


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return all(unicodedata.category(char)[0] != "C" for char in name)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags, 0o644), "wb") as file:  # noqa: PTH123 - opened by descriptor, on purpose
        file.write(content)


def shown(name: str) -> str:
    """A name as it may be printed: no control characters, no half surrogates, not endless."""
    clean = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(char)[0] == "C" else char for char in name)
    return clean if len(clean) <= 120 else f"{clean[:59]}…{clean[-60:]}"
