"""When a scheduled action comes due: at(…), rate(…) and cron(…).

Source: docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html and
docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html (six fields, ? in one of the days).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = (("minutes", 0, 59), ("hours", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 1, 7))
UNITS = {"minute": 60, "hour": 3600, "day": 86400}
FARTHEST = 366 * 5  # days that a cron is looked through for its next time


class BadSchedule(ValueError):
    """What AWS refuses: the message says why."""


def next_time(schedule: str, after: datetime, zone: str = "UTC", began: datetime | None = None) -> datetime | None:
    """The first time after `after` at which the schedule comes due; None if it never does again.

    `began` is when a rate starts to count (the action's StartTime, or when it was made). Raises BadSchedule.
    """
    place = _zone(zone)
    found = re.fullmatch(r"(at|rate|cron)\((.*)\)", schedule.strip())
    if not found:
        raise BadSchedule(f"Invalid schedule expression: {schedule}")
    kind, inside = found[1], found[2].strip()
    if kind == "at":
        when = _at(inside, place)
        return when if when > after else None
    if kind == "rate":
        return _next_of_rate(inside, after, began or after)
    return _Cron(inside).after(after.astimezone(place))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadSchedule(f"Invalid time zone: {name}") from None


def _at(text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        raise BadSchedule(f"at({text}): the time must be yyyy-mm-ddThh:mm:ss") from None


def _next_of_rate(text: str, after: datetime, began: datetime) -> datetime:
    found = re.fullmatch(r"([1-9]\d*) (minute|hour|day)(s?)", text)
    if not found or (found[1] == "1") == bool(found[3]):
        raise BadSchedule(f"rate({text}): a whole number and minute(s), hour(s) or day(s), in the right number")
    every = timedelta(seconds=int(found[1]) * UNITS[found[2]])
    past = max(after - began, timedelta())
    return began + (past // every + 1) * every


class _Cron:
    def __init__(self, text: str) -> None:
        parts = text.split()
        if len(parts) not in (5, 6):
            raise BadSchedule(f"cron({text}): six fields are needed, minutes to year")
        if (parts[2] == "?") == (parts[4] == "?"):
            raise BadSchedule(f"cron({text}): exactly one of day of month and day of week must be ?")
        self._minutes, self._hours, self._dates, self._months, self._weekdays = (
            _field(part, *bounds) for part, bounds in zip(parts, FIELDS, strict=False)
        )
        self._years = _field(parts[5], "year", 1970, 2199) if len(parts) == 6 else None

    def after(self, when: datetime) -> datetime | None:
        """The first time after `when`, in its time zone."""
        start = when.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for ahead in range(FARTHEST):
            day = start.date() + timedelta(days=ahead)
            if not self._on(day.year, day.month, day.day, day.isoweekday() % 7 + 1):
                continue
            for hour in sorted(self._hours):
                for minute in sorted(self._minutes):
                    time = datetime(day.year, day.month, day.day, hour, minute, tzinfo=when.tzinfo)
                    if time >= start:
                        return time.astimezone(UTC)
        return None

    def _on(self, year: int, month: int, date: int, weekday: int) -> bool:
        right_year = self._years is None or year in self._years
        return right_year and month in self._months and date in self._dates and weekday in self._weekdays


def _field(text: str, name: str, least: int, most: int) -> set[int]:
    if text in ("*", "?"):
        return set(range(least, most + 1))
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        first = least if low == "*" else _number(low, name)
        last = _number(high, name) if high else most if step or low == "*" else first
        if not (least <= first <= most and least <= last <= most) or (step and not step.isdigit()) or step == "0":
            raise BadSchedule(f"{part} is no {name}")
        found |= set(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str, name: str) -> int:
    upper = text.upper()
    if name == "month" and upper in MONTHS:
        return MONTHS.index(upper) + 1
    if name == "day of week" and upper in DAYS:
        return DAYS.index(upper) + 1
    if not text.isdigit():
        raise BadSchedule(f"{text} is no {name}")
    return int(text)
