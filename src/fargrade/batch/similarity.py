"""Which submissions are nearly the same: for an instructor to look at, never a verdict.

As MOSS does (Schleimer, Wilkerson, Aiken: Winnowing, 2003): runs of normalised tokens are compared, and those that
many share (the stub, the usual way to write it) say nothing. Names and texts of the writer's choosing are alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fargrade.batch.tokens import grams, tokens
from fargrade.course import Item
from fargrade.course.tree import relative_files

GRAM = 6
LIKE = 0.85
LEAST = 30  # unusual runs that both have: fewer is chance
USUAL_SHARE, USUAL_LEAST = 0.2, 3


@dataclass(frozen=True)
class Pair:
    """Two submissions and how alike they are, from 0 to 1; `items` are those in which it shows."""

    one: str
    other: str
    share: float
    items: tuple[str, ...]


class Comparison:
    """Takes in one submission after another (small: the runs only), then says which are alike."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = list(items)
        self._known = {item.id: _grams_of(_texts(item)) for item in self._items}
        self._runs: dict[str, dict[str, set[int]]] = {}
        self._whole: dict[str, frozenset[tuple[str, int]]] = {}

    def add(self, place: str, files: Mapping[str, bytes]) -> None:
        """`files` by name below exercises/."""
        self._runs[place] = {}
        whole: list[tuple[str, int]] = []
        for item in self._items:
            start = f"{item.folder}/"
            own = {name[len(start) :]: content for name, content in files.items() if name.startswith(start)}
            every = _grams_of(own)
            self._runs[place][item.id] = every - self._known[item.id]
            if self._runs[place][item.id]:  # neither the stub nor the solution
                whole.append((item.id, hash(frozenset(every))))
        self._whole[place] = frozenset(whole)

    def pairs(self) -> list[Pair]:
        """The pairs that are alike, the nearest first."""
        usual = max(USUAL_LEAST, USUAL_SHARE * len(self._runs))
        common: Counter[tuple[str, str]] = Counter()
        by_item: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        sizes: Counter[str] = Counter()
        for item in self._items:
            having: dict[int, list[str]] = defaultdict(list)
            for place, runs in self._runs.items():
                for run in runs[item.id]:
                    having[run].append(place)
            for places in having.values():
                if len(places) > usual:
                    continue
                sizes.update(places)
                for at, one in enumerate(places):
                    for other in places[at + 1 :]:
                        common[one, other] += 1
                        by_item[one, other][item.id] += 1
        found = []
        for (one, other), both in common.items():
            share = both / min(sizes[one], sizes[other])
            if both >= LEAST and share >= LIKE:
                shown = tuple(sorted(item for item, count in by_item[one, other].items() if count >= GRAM))
                found.append(Pair(one, other, round(share, 2), shown))
        found += self._the_same({(pair.one, pair.other) for pair in found}, usual)
        return sorted(found, key=lambda pair: (-pair.share, pair.one, pair.other))

    def _the_same(self, seen: set[tuple[str, str]], usual: float) -> list[Pair]:
        """The pairs whose every answer is the same, however short, unless many have just these."""
        having: dict[frozenset[tuple[str, int]], list[str]] = defaultdict(list)
        for place, whole in self._whole.items():
            if whole:
                having[whole].append(place)
        return [
            Pair(one, other, 1.0, tuple(sorted(item for item, _ in whole)))
            for whole, places in having.items()
            if len(places) <= max(usual, USUAL_LEAST)
            for at, one in enumerate(places)
            for other in places[at + 1 :]
            if (one, other) not in seen
        ]


def groups(pairs: Iterable[Pair]) -> list[tuple[str, ...]]:
    """The pairs as groups: whoever is like somebody in it is in it."""
    group: dict[str, set[str]] = {}
    for pair in pairs:
        merged = group.get(pair.one, {pair.one}) | group.get(pair.other, {pair.other})
        for place in merged:
            group[place] = merged
    return sorted({tuple(sorted(one)) for one in group.values()})


def _grams_of(files: Mapping[str, bytes]) -> set[int]:
    found: set[int] = set()
    for name, content in files.items():
        found |= grams(tokens(name, content, renamed=True), GRAM)
    return found


def _texts(item: Item) -> dict[str, bytes]:
    """The stub and the solution: what anybody may have."""
    return {
        f"{folder.name}/{name}": (folder / name).read_bytes()
        for folder in (item.answers / "stub", item.solution)
        for name in relative_files(folder)
    }
