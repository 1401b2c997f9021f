"""Hints in steps: each asking gives the next one."""

from __future__ import annotations

import json
from pathlib import Path

from fargrade.course import CourseProblem, Item
from fargrade.course.language import translate as t

MEMORY = "hints.json"


def next_hint(item: Item, memory: Path, *, everything: bool = False) -> str:
    """The next step of the item's hints, or all; the step reached is kept in the folder `memory`.

    A memory that cannot be read or written only means starting from the first step. After the last step it
    begins again. Raises CourseProblem where the item has no hints.
    """
    steps = item.hints()
    if not steps:
        raise CourseProblem(t("There are no hints for {item}.", item=item.id))
    if everything:
        return "\n\n".join(_step(item, steps, number) for number in range(len(steps)))
    given = _remembered(memory)
    number = given.get(item.id, 0) % len(steps)
    _remember(memory, {**given, item.id: number + 1})
    last = number == len(steps) - 1
    after = t("That was the last hint; the next one is the first again.") if last else t("Once more for the next.")
    return f"{_step(item, steps, number)}\n\n{after}"


def _step(item: Item, steps: list[str], number: int) -> str:
    return t(
        "{item}, hint {number} of {all}: {text}",
        item=item.id,
        number=number + 1,
        all=len(steps),
        text=steps[number],
    )


def _remembered(memory: Path) -> dict[str, int]:
    try:
        found = json.loads((memory / MEMORY).read_text(encoding="utf-8"))
        return {str(key): int(value) for key, value in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(memory: Path, given: dict[str, int]) -> None:
    try:
        memory.mkdir(parents=True, exist_ok=True)
        (memory / MEMORY).write_text(json.dumps(given) + "\n", encoding="utf-8")
    except OSError:
        return  # the hint is worth more than remembering it
