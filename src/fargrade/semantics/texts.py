"""Texts that a learner may read (marked, so that translators find them) and texts that a learner wrote."""

from __future__ import annotations

import json
from typing import TypeVar

T = TypeVar("T")


def t(text: str) -> str:
    """`text` itself: semantics knows no language. Placeholders are filled in after the translation."""
    return text


def whole_text(document: T) -> T:
    """`document`, read from JSON, itself. Raises ValueError where it holds half a character.

    JSON can spell one half of a surrogate pair alone (`"\\ud800"`): no text, for AWS or for a terminal.
    """
    json.dumps(document, ensure_ascii=False).encode("utf-8")
    return document
