"""The learner's time: each of their calls takes a moment of the world's, and their sleeping moves the world's clock.

So a waiter of theirs goes through ten minutes of a deployment in milliseconds, and one that looks again and again
without sleeping gets there, too. A learner can move no more of the world's time than a day.
"""

from __future__ import annotations

import json
from datetime import timedelta

from fargrade.emulator import clock
from fargrade.emulator.extensions import learner_route, on_reset

ROUTE = "/_fargrade/time"
CALL_SECONDS = 0.2  # what a call to AWS takes, there and back
LONGEST_SLEEP = 3600.0
LONGEST_OF_A_WORLD = timedelta(days=1)

_slept = timedelta()


@on_reset
def _awake() -> None:
    global _slept
    _slept = timedelta()


def call_passes() -> None:
    """A learner's call is on its way: the world's clock moves as long as it takes."""
    clock.advance(CALL_SECONDS)


@learner_route(ROUTE)
def slept(body: bytes) -> tuple[int, bytes]:
    """The learner sleeps: {"seconds": n} in; {"now": the world's time, "moved": by how much it was moved} out."""
    global _slept
    try:
        asked = float(json.loads(body or b"{}").get("seconds", 0))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return 400, b'{"message": "seconds must be a number"}'
    left = (LONGEST_OF_A_WORLD - _slept).total_seconds()
    seconds = min(asked, LONGEST_SLEEP, left) if asked > 0 else 0.0  # NaN is not above 0
    if seconds > 0:
        _slept += timedelta(seconds=seconds)
        clock.advance(seconds)
    return 200, json.dumps({"now": clock.now().timestamp(), "moved": max(0.0, seconds)}).encode()
