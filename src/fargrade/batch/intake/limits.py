"""How much a submission may be, and what is said where it is more."""

from __future__ import annotations

import re

MIB = 1 << 20
ARCHIVE_BYTES = 256 * MIB  # the archive as it lies there
UNPACKED_BYTES = 512 * MIB  # all that comes out of a compressed stream, wanted or not
WANTED_BYTES = 48 * MIB  # what is written: answers are texts of a few kilobytes
FILE_BYTES = 2 * MIB  # one file; the course itself takes half of it, and says so by its own words
ENTRIES = 20_000
NAME_BYTES = 1024
NESTED = 2  # an archive in an archive, as learning platforms make them
GIT_BYTES = 256 * MIB
GIT_SECONDS = 60.0
NOTES = 40

# A file of an item, in a folder shaped like exercises/ or at most three folders above one.
WANTED = re.compile(r"(?P<above>(?:[^/]+/){0,3})week\d+/\d\d_[a-z0-9_]+/[^/].*", re.S)


class Refused(Exception):
    """The submission cannot be taken in; the message is one sentence that says why."""


class Notes:
    """What was left out, a sentence each, no more of them than a person reads."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.more = 0

    def add(self, sentence: str) -> None:
        """Say `sentence`, once."""
        if sentence in self.said:
            return
        if len(self.said) < NOTES:
            self.said.append(sentence)
        else:
            self.more += 1
