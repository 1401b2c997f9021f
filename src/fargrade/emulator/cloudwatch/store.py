"""What CloudWatch holds in a region: metrics, alarms, and what happened to them.

moto keeps alarms that never look at a metric and start as OK; here they are kept by us, so moto's are not used at all
(of moto's CloudWatch only dashboards are). Not for upstream: evaluating on a clock that is moved is this emulator's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import account
from fargrade.semantics.alarms import Metrics

KEPT_HISTORY = 2000


@dataclass
class CloudWatch:
    """One region's."""

    metrics: Metrics = field(default_factory=Metrics)
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)  # metric alarms, as DescribeAlarms shows them
    composites: dict[str, dict[str, Any]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def alarm(self, name: str) -> dict[str, Any] | None:
        """The alarm of either kind with this name or ARN."""
        bare = name.rsplit(":alarm:", 1)[-1]
        return self.alarms.get(bare) or self.composites.get(bare)

    def remember(self, alarm: dict[str, Any], kind: str, summary: str, data: str = "{}") -> None:
        """Add an item to the alarm's history."""
        self.history.append(
            {
                "AlarmName": alarm["AlarmName"],
                "AlarmType": "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm",
                "Timestamp": clock.now(),
                "HistoryItemType": kind,
                "HistorySummary": summary[:255],
                "HistoryData": data[:4095],
            }
        )
        del self.history[:-KEPT_HISTORY]


_regions: defaultdict[str, CloudWatch] = defaultdict(CloudWatch)


def of(region: str) -> CloudWatch:
    """The region's CloudWatch."""
    return _regions[region]


def regions() -> list[tuple[str, CloudWatch]]:
    """Those that hold anything."""
    return list(_regions.items())


@on_reset
def _forget() -> None:
    _regions.clear()


def alarm_arn(region: str, name: str) -> str:
    return f"arn:aws:cloudwatch:{region}:{account()}:alarm:{name}"


def seconds(when: datetime) -> float:
    return when.timestamp()


def invalid(message: str) -> Refused:
    """CloudWatch's ValidationError, which is what alarms are refused with."""
    return Refused("ValidationError", message)


def wrong_value(message: str) -> Refused:
    """InvalidParameterValue, which is what data and questions are refused with."""
    return Refused("InvalidParameterValue", message)


def missing(name: str) -> Refused:
    """ResourceNotFound."""
    return Refused("ResourceNotFound", f"Unknown alarm(s): {name}", 404)


def page(
    everything: list[Any], given: dict[str, Any], most: int, limit: str = "MaxRecords"
) -> tuple[list[Any], str | None]:
    """(the page that NextToken and the limit ask for, the next page's token). Raises Refused."""
    token = given.get("NextToken") or "0"
    if not token.isdigit() or int(token) > len(everything):
        raise Refused("InvalidNextToken", "The next token specified is invalid.")
    end = int(token) + int(given.get(limit) or most)
    return everything[int(token) : end], str(end) if end < len(everything) else None
