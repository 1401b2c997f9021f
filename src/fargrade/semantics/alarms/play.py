"""An alarm played on a series: which state it is in after each minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fargrade.semantics.alarms.evaluation import State, evaluate_alarm
from fargrade.semantics.alarms.metrics import Metric, Metrics, value


def play_alarm(
    alarm: Mapping[str, Any], series: Mapping[Metric, Sequence[float | None]], start: float = 0.0
) -> list[State]:
    """The alarm's state after each minute, given a value a minute for each metric (None: nothing was measured).

    It starts INSUFFICIENT_DATA, as a new alarm does. Raises NotUnderstood.
    """
    metrics = Metrics()
    state: State = "INSUFFICIENT_DATA"
    states: list[State] = []
    for minute in range(max((len(line) for line in series.values()), default=0)):
        at = start + minute * 60
        for metric, line in series.items():
            if minute < len(line) and (number := line[minute]) is not None:
                metrics.put(metric, value(at, number))
        state = evaluate_alarm({**alarm, "StateValue": state}, metrics, at + 60).state
        states.append(state)
    return states
