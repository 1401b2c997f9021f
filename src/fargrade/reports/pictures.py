"""Pictures of a check's data: inline SVG for a page, a few lines of characters for a terminal.

Only data come in (verdict.Picture, also as grade.json has it), and every text of it is escaped: what a learner's code
said can draw nothing but letters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fargrade.course.language import translate as t
from fargrade.verdict import Picture

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 48, 34, 34
# Told apart by colour-blind eyes and, dashed, without colour: Okabe and Ito's palette (jfly.uni-koeln.de/color).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DASHES = ("", "6 3", "2 2", "8 3 2 3", "1 3", "10 4")
HOP = {"passed": ("#2e7d32", "✓"), "failed": ("#c62828", "✗"), "not_judged": ("#9e9e9e", "–")}
BARS = " ▁▂▃▄▅▆▇█"
PLAIN_BARS = " .:-=+*#%@"
SPARK = 48
HOP_WIDTH, HOP_HEIGHT, HOP_GAP, HOPS_A_ROW = 132, 54, 32, 4
HOPS_LEFT = 30  # room for the arrow that comes from the row above
WHOLE_STEPS = (1, 2, 3, 4, 5)
MOST_TICKS = 5


def svg(picture: Picture) -> str:
    """The picture as an <svg> element to stand in a page; "" where there is nothing to draw."""
    return _series(picture) if picture.kind == "series" else _path(picture)


def lines(picture: Picture, *, plain: bool = False) -> list[str]:
    """The picture in lines of characters; `plain` keeps to ASCII."""
    if picture.kind == "path":
        signs = {"passed": "+", "failed": "x", "not_judged": "-"} if plain else {k: v[1] for k, v in HOP.items()}
        hops = [f"{signs.get(one['status'], '-')} {one['name']}" for one in picture.data["hops"]]
        return [picture.title, (" -> " if plain else " → ").join(hops)] if hops else []
    drawn = picture.data["lines"]
    width = max((len(one["name"]) for one in drawn), default=0)
    return [picture.title, *(f"{one['name']:<{width}}  {_spark(one['values'], plain=plain)}" for one in drawn)]


def _spark(values: Sequence[float | None], *, plain: bool) -> str:
    """One line of bars, its least and greatest value after it; a dot where nothing was measured."""
    there = [one for one in values if one is not None]
    if not there:
        return t("no data")
    bars = PLAIN_BARS if plain else BARS
    low, high = min(there), max(there)
    span = (high - low) or 1.0
    step = max(1, math.ceil(len(values) / SPARK))
    drawn = ""
    for start in range(0, len(values), step):
        part = [one for one in values[start : start + step] if one is not None]
        place = 1 + round((max(part) - low) / span * (len(bars) - 2)) if part else 0
        drawn += bars[place] if part else ("_" if plain else "·")
    return f"{drawn}  {_short(low)}–{_short(high)}" if not plain else f"{drawn}  {_short(low)}..{_short(high)}"


def _short(number: float) -> str:
    return f"{number:.3g}"


class _Scale:
    """Where a number stands on an axis. What is counted in whole numbers, such as tasks, has no halves on it."""

    def __init__(self, numbers: Sequence[float]) -> None:
        top = max([*numbers, 1e-9])
        self.low = min([*numbers, 0.0])
        self._step = 0
        if all(isinstance(one, int) for one in numbers):
            self._step = _whole_step(math.ceil(top - self.low))
            self.high = self.low + self._step * math.ceil((top - self.low) / self._step)
        else:
            self.high = self.low + _round_up(top - self.low)

    def y(self, number: float) -> float:
        return float(HEIGHT - BOTTOM - (number - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM))

    def ticks(self) -> list[float]:
        if self._step:
            return [self.low + self._step * part for part in range(round((self.high - self.low) / self._step) + 1)]
        return [self.low + (self.high - self.low) * part / 4 for part in range(5)]


def _whole_step(top: int) -> int:
    """The smallest step of round whole numbers that gets to the top in five."""
    size = 1
    while True:
        for step in WHOLE_STEPS:
            if top <= step * size * MOST_TICKS:
                return step * size
        size *= 10


def _round_up(number: float) -> float:
    """The next number that four parts of look round: 4, 8, 10, 12, 20, 40 …"""
    size = 10.0 ** math.floor(math.log10(number)) if number > 0 else 1.0
    parts = (1.0, 1.2, 2.0, 4.0, 6.0, 8.0, 10.0)
    return next((part * size for part in parts if part * size >= number * 0.999), 10.0 * size)


def _series(picture: Picture) -> str:
    data = picture.data
    drawn = [one for one in data["lines"] if any(value is not None for value in one["values"])]
    if not drawn or not data["x"]:
        return ""
    scales = {axis: _Scale(_numbers(data, axis)) for axis in ("left", "right") if _numbers(data, axis)}
    first, last = data["x"][0], data["x"][-1]

    def x(at: float) -> float:
        return float(LEFT + (at - first) / ((last - first) or 1) * (WIDTH - LEFT - RIGHT))

    parts = [*_axes(scales, data, x)]
    for number, one in enumerate(drawn):
        points = [
            None if value is None else (x(at), scales[one["axis"]].y(value))
            for at, value in zip(data["x"], one["values"], strict=False)
        ]
        style = f'stroke="{COLOURS[number % 6]}" stroke-dasharray="{DASHES[number % 6]}"'
        parts.append(f'<path d="{_way(points, steps=bool(one["steps"]))}" fill="none" stroke-width="2" {style}/>')
        parts.append(_legend(number, str(one["name"]), style))
    return _element(picture.title, HEIGHT, parts)


def _numbers(data: Mapping[str, Any], axis: str) -> list[float]:
    values = [value for one in data["lines"] if one["axis"] == axis for value in one["values"] if value is not None]
    return [*values, *(one["at"] for one in data["levels"] if one["axis"] == axis and values)]


def _axes(scales: Mapping[str, _Scale], data: Mapping[str, Any], x: Any) -> list[str]:
    parts = []
    for axis, scale in scales.items():
        for tick in scale.ticks():
            y = scale.y(tick)
            at, anchor = (LEFT - 6, "end") if axis == "left" else (WIDTH - RIGHT + 6, "start")
            if axis == "left" or "left" not in scales:
                parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ccc"/>')
            parts.append(f'<text x="{at}" y="{y + 4:.1f}" text-anchor="{anchor}">{_short(tick)}</text>')
    for one in data["levels"]:
        if one["axis"] in scales:
            y = scales[one["axis"]].y(one["at"])
            parts.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#555" '
                f'stroke-dasharray="3 3"/>'
                f'<text x="{WIDTH - RIGHT - 4}" y="{y - 4:.1f}" text-anchor="end">{escape(str(one["name"]))}</text>'
            )
    xs = data["x"]
    for at in sorted({xs[0], xs[len(xs) // 4], xs[len(xs) // 2], xs[3 * len(xs) // 4], xs[-1]}):
        parts.append(f'<text x="{x(at):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_short(at)}</text>')
    label = escape(str(data["x_label"]))
    return [*parts, f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" text-anchor="middle">{label}</text>']


def _way(points: Sequence[tuple[float, float] | None], *, steps: bool) -> str:
    """An SVG path through the points, broken where one is missing."""
    way, before = "", None
    for point in points:
        if point is not None:
            move = "M" if before is None else "L"
            corner = f"L{point[0]:.1f} {before[1]:.1f}" if steps and before else ""
            way += f"{corner}{move}{point[0]:.1f} {point[1]:.1f}"
        before = point
    return way


def _legend(number: int, name: str, style: str) -> str:
    at = LEFT + number * 200
    return (
        f'<line x1="{at}" x2="{at + 24}" y1="24" y2="24" stroke-width="2" {style}/>'
        f'<text x="{at + 30}" y="28">{escape(name)}</text>'
    )


def _path(picture: Picture) -> str:
    hops = picture.data["hops"]
    if not hops:
        return ""
    rows = math.ceil(len(hops) / HOPS_A_ROW)
    parts = []
    for number, one in enumerate(hops):
        row, column = divmod(number, HOPS_A_ROW)
        x, y = HOPS_LEFT + column * (HOP_WIDTH + HOP_GAP), TOP + row * (HOP_HEIGHT + 28)
        colour, sign = HOP.get(one["status"], HOP["not_judged"])
        if column or row:
            parts.append(f'<text x="{x - HOP_GAP / 2}" y="{y + HOP_HEIGHT / 2 + 5}" text-anchor="middle">→</text>')
        name, detail = escape(str(one["name"])[:22]), escape(str(one.get("detail") or ""))
        parts.append(
            f'<g><title>{detail or name}</title><rect x="{x}" y="{y}" width="{HOP_WIDTH}" height="{HOP_HEIGHT}" rx="6" '
            f'fill="none" stroke="{colour}" stroke-width="2"/><text x="{x + HOP_WIDTH / 2}" y="{y + 22}" '
            f'text-anchor="middle">{name}</text><text x="{x + HOP_WIDTH / 2}" y="{y + 42}" text-anchor="middle" '
            f'fill="{colour}">{sign}</text></g>'
        )
    return _element(picture.title, TOP + rows * (HOP_HEIGHT + 28), parts)


def _element(title: str, height: int, parts: Sequence[str]) -> str:
    said = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{said}" '
        f'font-family="sans-serif" font-size="11" fill="currentColor"><title>{said}</title>'
        f'<text x="{LEFT}" y="14" font-size="13">{said}</text>{"".join(parts)}</svg>'
    )
