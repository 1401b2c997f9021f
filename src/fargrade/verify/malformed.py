"""Malformed answers: the solution with something in it that no learner would mean, as a fuzzer or a cheat hands in.

What they score is no matter; that they are judged is. A grader that breaks on a claim of the wrong shape reports a
fault of its own, and a check that is not judged leaves the mark: whoever knows that could pick the checks to lose.
"""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from fargrade.course import Item
from fargrade.course.tree import relative_files
from fargrade.verify.answers import KnownAnswer

ODD: tuple[Any, ...] = (
    None, 0, -1, 1e300, True, "", "x", "%s{0}\u202e", "9" * 5000, [], {}, [None], [[[]]], {"": None}, {"x": {"y": [1]}},
)  # fmt: skip
# Spoils what the learner's functions return, in the learner's own process. `__ODD__` and the rest are filled in.
SPOILER = """

def _spoil_claims():
    import functools, random
    rng, odd, whole = random.Random(__SEED__), __ODD__, __WHOLE__
    def spoilt(value):
        if not whole and isinstance(value, dict) and value and rng.random() < 0.9:
            key = rng.choice(sorted(value, key=str))
            if rng.random() < 0.2:
                return {k: v for k, v in value.items() if k != key}
            return {**value, key: spoilt(value[key])}
        if not whole and isinstance(value, (list, tuple)) and value and rng.random() < 0.9:
            place = rng.randrange(len(value))
            return [spoilt(one) if at == place else one for at, one in enumerate(value)]
        return rng.choice(odd)
    def spoiling(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            return spoilt(function(*args, **kwargs))
        return call
    for name in __NAMES__:
        globals()[name] = spoiling(globals()[name])

_spoil_claims()
"""


@contextmanager
def malformed_answers(item: Item, amount: int, seed: int) -> Iterator[list[KnownAnswer]]:
    """`amount` malformed answers of `item`, the same for the same seed, in a folder that is there inside the block."""
    names = [name for name in item.stub_names() if name in set(relative_files(item.answers / "stub"))]
    with TemporaryDirectory(prefix="fargrade-malformed-") as root:
        answers = []
        for number in range(amount if names else 0):
            name = names[number % len(names)]
            rng = random.Random(f"{item.id}:{seed}:{number}")
            folder = Path(root) / str(number)
            target = folder / name
            target.parent.mkdir(parents=True)
            target.write_text(_spoilt_file((item.solution / name), rng), encoding="utf-8")
            answers.append(KnownAnswer(item, "malformed", f"{number} of seed {seed}, {name}", folder))
        yield answers


def _spoilt_file(path: Path, rng: random.Random) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text + _spoiler(text, rng)
    if path.suffix == ".json":
        return json.dumps(spoilt(json.loads(text), rng), indent=1)
    if path.suffix in (".yml", ".yaml"):
        return yaml.safe_dump(spoilt(yaml.safe_load(text), rng), sort_keys=False)
    return _spoilt_text(text, rng)


def _spoiler(source: str, rng: random.Random) -> str:
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    filled = {"SEED": rng.getrandbits(32), "ODD": ODD, "WHOLE": rng.random() < 0.4, "NAMES": names}
    text = SPOILER
    for key, value in filled.items():
        text = text.replace(f"__{key}__", repr(value))
    return text


def spoilt(value: Any, rng: random.Random) -> Any:
    """A document with one odd value somewhere in it, or one member fewer."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value, key=str))
        if rng.random() < 0.2:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: spoilt(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        return [spoilt(one, rng) if at == place else one for at, one in enumerate(value)]
    return rng.choice(ODD)


def _spoilt_text(text: str, rng: random.Random) -> str:
    lines = text.splitlines()
    place = rng.randrange(len(lines))
    how = rng.randrange(4)
    if how == 0:
        del lines[place:]
    elif how == 1:
        lines[place] = lines[place][::-1]
    elif how == 2:
        lines[place] *= 50
    else:
        lines.insert(place, "\u0000\u202e{}[]()<>|&;$(:)\\")
    return "\n".join(lines) + "\n"
