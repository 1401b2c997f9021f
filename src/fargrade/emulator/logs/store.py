"""What CloudWatch Logs holds: moto's groups and streams, in the world's time, with retention and metric filters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.cloudwatch.store import of as cloudwatch_of
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import account
from fargrade.semantics.alarms import Metric, value
from fargrade.semantics.insights import parse_pattern

# API_PutRetentionPolicy.html.
RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def backend(region: str) -> Any:
    """moto's CloudWatch Logs of the region, in the world's account."""
    from moto.logs.models import logs_backends

    return logs_backends[account()][region]


def invalid(message: str) -> Refused:
    """InvalidParameterException."""
    return Refused("InvalidParameterException", message)


def group_of(region: str, name_or_arn: str) -> Any:
    """The log group by its name or ARN, with what is too old gone. Raises Refused."""
    name = name_or_arn.partition(":log-group:")[2].removesuffix(":*") if name_or_arn.startswith("arn:") else name_or_arn
    found = backend(region).groups.get(name)
    if found is None:
        raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
    expire(found)
    return found


def expire(group: Any) -> None:
    """Events older than the group's retention are deleted (within 72 hours on AWS, here at once)."""
    if not group.retention_in_days:
        return
    oldest = milliseconds() - timedelta(days=int(group.retention_in_days)).total_seconds() * 1000
    for stream in group.streams.values():
        stream.events = [event for event in stream.events if event.timestamp >= oldest]


def milliseconds() -> int:
    """The world's time as CloudWatch Logs counts it."""
    return int(clock.now().timestamp() * 1000)


def write(region: str, group: str, stream: str, events: Sequence[dict[str, Any]]) -> str:
    """Add events to a stream that is there, and count them for the group's metric filters; the next sequence token."""
    held = backend(region)
    token: str = held.groups[group].streams[stream].put_log_events(list(events))
    now = clock.now()
    held.groups[group].streams[stream].last_ingestion_time = now.replace(tzinfo=None)
    for event in held.groups[group].streams[stream].events[-len(events) :] if events else ():
        event.ingestion_time = int(now.timestamp() * 1000)
    count_for_filters(region, group, events)
    return token


def count_for_filters(region: str, group: str, events: Iterable[dict[str, Any]]) -> None:
    """Publish what the group's metric filters find in the events: MonitoringLogData.html."""
    for one in backend(region).filters.metric_filters:
        if one["logGroupName"] != group:
            continue
        pattern = parse_pattern(one.get("filterPattern") or "")
        for event in events:
            hit = pattern.matches(event["message"])
            for change in one["metricTransformations"]:
                number = _number(change, pattern.fields(event["message"])) if hit else change.get("defaultValue")
                if number is not None:
                    metric = Metric(change["metricNamespace"], change["metricName"])
                    datum = value(event["timestamp"] / 1000, number, change.get("unit") or "None")
                    cloudwatch_of(region).metrics.put(metric, datum)


def _number(change: dict[str, Any], fields: dict[str, str]) -> float | None:
    wanted = str(change["metricValue"])
    try:
        return float(fields.get(wanted, "") if wanted.startswith("$") else wanted)
    except ValueError:
        return None
