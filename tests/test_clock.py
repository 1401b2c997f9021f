"""The world's clock: events happen in order, at their own time, and only when it comes to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from fargrade.emulator import clock


@pytest.fixture(autouse=True)
def new_world() -> Iterator[None]:
    clock._back()
    yield
    clock._back()


def test_events_happen_in_order_each_at_its_own_time() -> None:
    start, seen = clock.now(), []
    clock.after(60, lambda: seen.append(("second", clock.now() - start)))
    clock.after(10, lambda: seen.append(("first", clock.now() - start)))
    clock.advance(59)
    assert [name for name, _ in seen] == ["first"]
    clock.advance(10)
    assert [name for name, _ in seen] == ["first", "second"]
    assert [round(passed.total_seconds()) for _, passed in seen] == [10, 60]


def test_an_event_may_schedule_the_next_within_one_move() -> None:
    seen: list[int] = []
    clock.every(60, lambda: seen.append(1))
    clock.advance(1800)
    assert len(seen) == 30


def test_what_is_cancelled_does_not_happen() -> None:
    seen: list[int] = []
    clock.after(5, lambda: seen.append(1)).cancel()
    clock.advance(10)
    assert seen == []


def test_the_clock_never_goes_back() -> None:
    before = clock.now()
    clock.at(before - timedelta(hours=1), lambda: None)
    clock.run_due()
    assert clock.now() >= before


def test_a_new_world_has_no_events() -> None:
    seen: list[int] = []
    clock.after(5, lambda: seen.append(1))
    clock._back()
    clock.advance(10)
    assert seen == []


def test_what_schedules_itself_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "MOST_EVENTS", 100)

    def again() -> None:
        clock.after(0, again)

    again()
    with pytest.raises(RuntimeError, match="more than 100 events"):
        clock.advance(1)
