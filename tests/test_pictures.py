"""Pictures: drawn from data alone, escaped, whole in the report and readable in a terminal."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade import grading
from fargrade.plugin.evidence import from_wire, to_wire
from fargrade.reports.pictures import lines, svg
from fargrade.verdict import CheckResult, Picture


def shown() -> Picture:
    (picture,) = grading.take_pictures()
    return picture


def curves(title: str = "Load and tasks") -> Picture:
    grading.show_series(
        title,
        [grading.line("CPU, %", [50, 90, None, 70]), grading.line("tasks", [2, 2, 3, 3], axis="right", steps=True)],
        x_label="minutes",
        levels=[grading.level("target", 70)],
    )
    return shown()


def test_a_series_is_drawn_whole() -> None:
    drawn = ElementTree.fromstring(svg(curves()))
    paths = [one for one in drawn.iter() if one.tag.endswith("path")]
    assert len(paths) == 2
    assert paths[0].get("d", "").count("M") == 2, "the line is broken where nothing was measured"
    words = "".join(drawn.itertext())
    assert all(word in words for word in ("Load and tasks", "CPU, %", "tasks", "target", "minutes"))


@pytest.mark.parametrize(
    ("most", "ticks"), [(1, "0 1"), (3, "0 1 2 3"), (6, "0 2 4 6"), (10, "0 2 4 6 8 10"), (56, "0 20 40 60")]
)
def test_there_are_no_half_tasks(most: int, ticks: str) -> None:
    tasks = grading.line("tasks", [0, most], axis="right", steps=True)
    grading.show_series("Tasks", [grading.line("CPU, %", [50.5, 90]), tasks], x_label="minutes")
    drawn = ElementTree.fromstring(svg(shown()))
    assert [one.text for one in drawn.iter() if one.get("text-anchor") == "start"] == ticks.split()


def test_a_way_is_drawn_hop_by_hop() -> None:
    hops = [grading.hop("Dev", "passed"), grading.hop("ECR", "failed", "no image"), grading.hop("Users", "not_judged")]
    grading.show_path("The whole way", hops)
    picture = shown()
    drawn = ElementTree.fromstring(svg(picture))
    words = "".join(drawn.itertext())
    assert [sign for sign in words if sign in "✓✗–"] == ["✓", "✗", "–"]
    assert lines(picture) == ["The whole way", "✓ Dev → ✗ ECR → – Users"]
    assert lines(picture, plain=True)[1].isascii()


def test_what_a_learner_named_draws_nothing() -> None:
    evil = '</svg><script>alert(1)</script>"'
    for picture in (curves(evil), Picture("path", evil, {"hops": [grading.hop(evil, "passed", evil)]})):
        drawn = svg(picture)
        assert "<script" not in drawn
        ElementTree.fromstring(drawn)


def test_a_terminal_shows_bars() -> None:
    title, cpu, tasks = lines(curves())
    assert title == "Load and tasks"
    assert "·" in cpu
    assert cpu.endswith("50–90")
    assert tasks.endswith("2–3")
    assert all(line.isascii() for line in lines(curves(), plain=True))


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=80))
def test_any_data_can_be_drawn(values: list[float | None]) -> None:
    grading.show_series("any", [grading.line("a", values)])
    picture = shown()
    drawn = svg(picture)
    assert drawn == "" or ElementTree.fromstring(drawn) is not None
    assert "nan" not in drawn
    assert len(lines(picture)[1]) < 100


def test_pictures_travel_with_the_verdict() -> None:
    result = CheckResult("a", "A", "passed", 1, "behaviour", pictures=(curves(),))
    assert from_wire(to_wire(result)) == result
    assert result.as_json()["pictures"][0]["kind"] == "series"
