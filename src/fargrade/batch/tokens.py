"""An answer as tokens, to compare answers by: what is written, not how it is laid out."""

from __future__ import annotations

import io
import json
import keyword
import re
import tokenize
from zlib import crc32

WORD = re.compile(r"[A-Za-z_][\w.-]*|\d+(?:\.\d+)?|[^\s\w]")
COMMENT = re.compile(r"^\s*(#|//|%%).*$", re.M)
MOST = 20_000
SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


def tokens(name: str, content: bytes, *, renamed: bool = False) -> list[str]:
    """The tokens of the file `name`. `renamed`: names of the writer.s choosing are one, and so are texts."""
    text = content[: 1 << 18].decode("utf-8", "replace")
    if name.endswith(".py"):
        found = _python(text, renamed=renamed)
    elif name.endswith(".json"):
        found = _json(text)
    else:
        found = WORD.findall(COMMENT.sub("", text))
    return found[:MOST]


def _python(text: str, *, renamed: bool) -> list[str]:
    found = []
    before = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in SKIPPED:
                continue
            word = token.string
            if renamed and token.type == tokenize.NAME and not keyword.iskeyword(word) and before != ".":
                word = "n"  # an attribute's name is AWS's or Python's, not the writer's
            elif renamed and token.type == tokenize.STRING:
                word = "s"
            found.append(word)
            before = word
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return WORD.findall(COMMENT.sub("", text))
    return found


def _json(text: str) -> list[str]:
    try:
        return WORD.findall(json.dumps(json.loads(text), sort_keys=True))
    except (ValueError, RecursionError):
        return WORD.findall(text)


def grams(words: list[str], size: int) -> set[int]:
    """The runs of `size` tokens, each as a number; one of all where there are fewer."""
    if not words:
        return set()
    return {crc32("\0".join(words[at : at + size]).encode()) for at in range(max(1, len(words) - size + 1))}


def likeness(one: set[int], other: set[int]) -> float:
    """How much of both is in both, from 0 to 1 (Jaccard)."""
    return len(one & other) / len(one | other) if one or other else 0.0
