"""Takes submissions in, in a process of its own: what unpacks strangers' archives may die of one, and only of one."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from typing import Any

from fargrade.batch.helper import Died, Helper
from fargrade.batch.intake import Entry, Refused, TakenIn
from fargrade.course import Course
from fargrade.course.language import current_language
from fargrade.course.language import translate as t

SECONDS = 180.0
TRIES = 2


class Porter:
    """Use it from one thread at a time."""

    def __init__(self, course: Course) -> None:
        self._helper = Helper(course.root, "--intake")

    def take_in(self, entry: Entry) -> TakenIn:
        """The submission's files. Raises Refused, also where unpacking it takes the porter down each time."""
        message = {"path": base64.b64encode(os.fsencode(entry.path)).decode(), "language": current_language()}
        why = ""
        for _ in range(TRIES):
            try:
                told = _last(self._helper.ask(message, lambda: SECONDS))
            except Died as died:
                why = str(died)
                continue
            if "refused" in told:
                raise Refused(told["refused"])
            files = {name: base64.b64decode(content) for name, content in told["files"].items()}
            return TakenIn(told["kind"], files, tuple(told["notes"]))
        raise Refused(t("Unpacking it takes more than it may: {why}.", why=why))

    def close(self) -> None:
        """End its process."""
        self._helper.close()


def _last(frames: Iterator[dict[str, Any]]) -> dict[str, Any]:
    *_, told = frames
    return told
