"""What a build sends to the engine: `.dockerignore` as Docker reads it.

docs.docker.com/build/concepts/context/#dockerignore-files: Go's filepath.Match with `**`, the last line that matches
decides, `!` lets in again, a folder that matches takes all that is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def sent(files: Iterable[str], dockerignore: str) -> set[str]:
    """Those of `files` (posix paths below the context) that the build may see."""
    rules = [(pattern.startswith("!"), _clean(pattern.removeprefix("!"))) for pattern in _lines(dockerignore)]
    return {file for file in files if not _ignored(file, rules)}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _clean(pattern: str) -> str:
    return re.sub(r"/+", "/", pattern.strip()).removeprefix("./").strip("/")


def _ignored(file: str, rules: list[tuple[bool, str]]) -> bool:
    ignored = False
    for lets_in, pattern in rules:
        if pattern and _matches(pattern, file):
            ignored = not lets_in
    return ignored


def _matches(pattern: str, file: str) -> bool:
    """Whether the pattern matches the file or a folder above it."""
    parts = file.split("/")
    return any(_compiled(pattern).fullmatch("/".join(parts[:depth])) for depth in range(1, len(parts) + 1))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression; one that cannot be read matches nothing."""
    out, at = "", 0
    while at < len(pattern):
        character = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
                out += "(?:.*/)?"
            else:
                out += ".*"
            continue
        if character == "[" and "]" in pattern[at + 1 :]:
            end = pattern.index("]", at + 1)
            inside = pattern[at + 1 : end]
            out += "[" + ("^" + inside[1:] if inside.startswith("^") else inside).replace("\\", "\\\\") + "]"
            at = end + 1
            continue
        out += {"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character))
        at += 1
    try:
        return re.compile(out)
    except re.error:
        return re.compile(r"(?!)")
