"""Which known wrong answer a failed item is nearest to: by the checks it fails, then by what is written.

Every item's known wrong answers (graders/weekN/answers/NN_slug/wrong) name the checks that fail and, in `why`, the
misconception behind it (`why_ru`: in Russian). A match is a guess, said as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fargrade.batch.tokens import grams, likeness, tokens
from fargrade.course import Item
from fargrade.course.checks import read_checks
from fargrade.course.tree import relative_files
from fargrade.verify.answers import ALL, META, KnownAnswer, known_answers

GRAM = 3
# How alike the files must be, by how well the failed checks fit: all failing says little, a set of its own much.
LIKE_EXACT, LIKE_ALL, LIKE_NEAR = 0.2, 0.6, 0.75
NEAR_CHECKS = 0.5


@dataclass(frozen=True)
class Match:
    """A failed item's nearest known wrong answer; `why` is the misconception, in the language in use."""

    item: str
    name: str
    why: str


@dataclass(frozen=True)
class _Known:
    name: str
    answer: KnownAnswer
    fails: frozenset[str]
    everything: bool
    files: Mapping[str, set[int]]


def nearest(item: Item, failed: Iterable[str], files: Mapping[str, bytes]) -> Match | None:
    """The match for `item`, whose checks `failed`; `files` are the learner's, by name below the item's folder."""
    wrong = frozenset(failed)
    best: tuple[float, _Known] | None = None
    written = {name: grams(tokens(name, content), GRAM) for name, content in files.items()}
    for known in _known(item.root, item):
        checks = len(wrong & known.fails) / len(wrong | known.fails)
        like = _likeness(known, written)
        needed = LIKE_NEAR if checks < 1 else LIKE_ALL if known.everything else LIKE_EXACT
        if checks < NEAR_CHECKS or like < needed:
            continue
        score = checks + like
        if best is None or score > best[0]:
            best = (score, known)
    return Match(item.id, best[1].name, best[1].answer.misconception) if best else None


def _likeness(known: _Known, written: Mapping[str, set[int]]) -> float:
    shares = [likeness(theirs, written.get(name, set())) for name, theirs in known.files.items()]
    return sum(shares) / len(shares) if shares else 0.0


@lru_cache(maxsize=128)
def _known(_root: Path, item: Item) -> tuple[_Known, ...]:
    every = frozenset(spec.id for spec in read_checks(item.grader))
    try:
        answers = known_answers(item)
    except ValueError:
        return ()  # `make verify` says what is wrong with it
    return tuple(_read(answer, every) for answer in answers if answer.kind == "wrong")


def _read(answer: KnownAnswer, every: frozenset[str]) -> _Known:
    """The answer's own files, or, where it differs by leaving one out, the solution's others."""
    folder = answer.folder
    names = [name for name in relative_files(folder) if name != META]
    if not names:
        folder = answer.item.solution
        names = [name for name in relative_files(folder) if name not in answer.without]
    everything = ALL in answer.fails or frozenset(answer.fails) == every
    return _Known(
        answer.name,
        answer,
        every if everything else frozenset(answer.fails),
        everything,
        {name: grams(tokens(name, (folder / name).read_bytes()), GRAM) for name in names},
    )
