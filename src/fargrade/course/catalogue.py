"""What there is to translate: the texts in Python sources, held against a `.po` file.

Texts are the literal first argument of `t("…")` or `translate("…")`, and, in a grader, each check's title.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from fargrade.course.checks import read_checks

TRANSLATORS = {"t", "translate"}
PLACEHOLDER = re.compile(r"\{([^}!:]*)[^}]*\}")


def texts_in(source: Path) -> list[str]:
    """The texts a Python file asks to be translated, in order, each once."""
    found: dict[str, None] = {}
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATORS):
            continue
        text = node.args[0] if node.args else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            found[text.value] = None
    return list(found)


def grader_texts(grader: Path) -> list[str]:
    """Everything of a grader that a learner may read: its messages and its checks' titles."""
    return [*texts_in(grader), *(spec.title_text for spec in read_checks(grader))]


def missing(texts: Iterable[str], catalogues: Iterable[Path]) -> list[str]:
    """What is wrong with the translation of `texts` by `catalogues`, a sentence each."""
    import polib

    known: dict[str, str] = {}
    for path in catalogues:
        if path.is_file():
            known |= {entry.msgid: entry.msgstr for entry in polib.pofile(str(path)) if entry.translated()}
    wrong = []
    for text in texts:
        if text not in known:
            wrong.append(f"not translated: {text!r}")
        elif sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(known[text])):
            wrong.append(f"the translation has other placeholders: {text!r}")
    return wrong


def unused(texts: Iterable[str], catalogue: Path) -> list[str]:
    """Entries of `catalogue` that translate nothing in `texts`, a sentence each."""
    import polib

    if not catalogue.is_file():
        return []
    wanted = set(texts)
    return [
        f"translates nothing: {entry.msgid!r}" for entry in polib.pofile(str(catalogue)) if entry.msgid not in wanted
    ]
