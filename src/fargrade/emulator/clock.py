"""The world's clock, which the grader moves: thirty minutes of traffic pass in milliseconds, and nothing sleeps.

Whatever takes time on AWS (a task starting, an alarm's period, a target draining) is an event due at a time of this
clock. Moving the clock runs the events that come due, in order, each at its own time. Real time counts, too: it
moves on between calls, and a learner's `sleep` moves it by what was asked for without waiting.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fargrade.emulator.extensions import control_op, on_reset

MOST_EVENTS = 200_000  # of one move: beyond, something schedules itself without end


@dataclass(order=True)
class Event:
    """Something that happens at `when`. `cancel()` takes it back."""

    when: datetime
    number: int
    do: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """It will not happen. Idempotent."""
        self.cancelled = True


_moved = timedelta()
_events: list[Event] = []
_numbers = itertools.count()


def now() -> datetime:
    """The time in this world."""
    return datetime.now(UTC) + _moved


def at(when: datetime, do: Callable[[], None]) -> Event:
    """Have `do()` happen at `when`; events of one time happen in the order they were made."""
    event = Event(when, next(_numbers), do)
    heapq.heappush(_events, event)
    return event


def after(seconds: float, do: Callable[[], None]) -> Event:
    """Have `do()` happen `seconds` from now."""
    return at(now() + timedelta(seconds=seconds), do)


def every(seconds: float, do: Callable[[], None]) -> None:
    """Have `do()` happen every `seconds`, until the world is made anew."""

    due = now()

    def again() -> None:
        nonlocal due
        due += timedelta(seconds=seconds)
        at(due, step)

    def step() -> None:
        again()
        do()

    again()


def run_due() -> None:
    """Let happen what is due by now. The gateway calls this before it answers a call."""
    _run_until(now())


@control_op("advance")
def advance(seconds: float) -> str:
    """Move the clock on by `seconds`, through every event that comes due; returns the new time, ISO 8601."""
    target = now() + timedelta(seconds=seconds)
    _run_until(target)
    _jump_to(target)
    return now().isoformat()


@control_op("now")
def _now() -> str:
    return now().isoformat()


def _run_until(target: datetime) -> None:
    for _ in range(MOST_EVENTS):
        if not _events or _events[0].when > target:
            return
        event = heapq.heappop(_events)
        if not event.cancelled:
            _jump_to(event.when)
            event.do()
    raise RuntimeError(f"more than {MOST_EVENTS} events in one move of the clock")


def _jump_to(when: datetime) -> None:
    """The clock never goes back: an event that was due a moment ago happens now."""
    global _moved
    _moved += max(timedelta(), when - now())


@on_reset
def _back() -> None:
    global _moved
    _moved = timedelta()
    _events.clear()
