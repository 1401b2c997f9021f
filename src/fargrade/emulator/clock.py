"""The world's clock: real time plus what the grader has moved it by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fargrade.emulator.extensions import control_op, on_reset

_moved = timedelta()


def now() -> datetime:
    """The time in this world."""
    return datetime.now(UTC) + _moved


@control_op("advance")
def advance(seconds: float) -> str:
    """Move the clock on by `seconds`; returns the new time, ISO 8601."""
    global _moved
    _moved += timedelta(seconds=seconds)
    return now().isoformat()


@on_reset
def _back() -> None:
    global _moved
    _moved = timedelta()
