"""Log events: written, read by pattern, asked by Logs Insights; retention and filters as AWS takes them.

moto's filter knows terms only, its Insights a handful of words, and its times are the machine's. Patterns and queries
would suit moto upstream; the world's time would not.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.logs.store import RETENTIONS, group_of, invalid, milliseconds, write
from fargrade.emulator.rules import Call, answer, refusal
from fargrade.semantics.insights import (
    Answer,
    BadPattern,
    Event,
    Malformed,
    NotUnderstood,
    Pattern,
    parse_pattern,
    parse_query,
    run_query,
)

DAY = 86_400_000
SCANNED_A_PAGE = 1000  # AWS: up to 1 MB; a page may be empty and still have a next one
QUERY_SECONDS = 2.0
MOST_GROUPS = 50
DESTINATIONS = re.compile(r"arn:aws[a-z-]*:(lambda|kinesis|firehose|logs):[a-z0-9-]+:\d{12}:.+")


@refusal("logs", "PutRetentionPolicy")
def the_days_are_possible(call: Call) -> None:
    """API_PutRetentionPolicy.html, "Possible values"."""
    group_of(call.region, call.parameters["logGroupName"])
    days = call.parameters["retentionInDays"]
    if days not in RETENTIONS:
        raise invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(map(str, RETENTIONS))}]"
        )


@refusal("logs", "PutSubscriptionFilter", "PutMetricFilter")
def the_filter_can_be_read(call: Call) -> None:
    """A pattern that can be read; a destination that takes log events, and a role for the streams of Kinesis."""
    given = call.parameters
    group_of(call.region, given["logGroupName"])
    _pattern(given.get("filterPattern") or "")
    arn = given.get("destinationArn")
    if arn:
        found = DESTINATIONS.fullmatch(arn)
        if not found:
            raise invalid("Invalid destination ARN: Lambda, Kinesis, Firehose and CloudWatch Logs take log events.")
        if found[1] in ("kinesis", "firehose") and not given.get("roleArn"):
            raise invalid("destinationArn for vendor " + found[1] + " requires a roleArn.")


def _pattern(text: str) -> Pattern:
    try:
        return parse_pattern(text)
    except BadPattern as wrong:
        raise invalid(str(wrong)) from None


@refusal("logs", "GetLogEvents", "DescribeLogStreams")
def what_is_too_old_is_gone(call: Call) -> None:
    """Retention works on reading. The group, by name or by ARN, must be there."""
    given = call.parameters
    name = given.get("logGroupName") or given.get("logGroupIdentifier")
    if not name:
        raise invalid("Either logGroupName or logGroupIdentifier must be specified.")
    group_of(call.region, name)


@answer("logs", "PutLogEvents")
def put_log_events(call: Call) -> dict[str, Any]:
    """PutLogEvents: in order, within a day of each other, neither too old nor too new for the world's time."""
    given = call.parameters
    group = group_of(call.region, given["logGroupName"])
    if given["logStreamName"] not in group.streams:
        raise Refused("ResourceNotFoundException", "The specified log stream does not exist.")
    events = given["logEvents"]
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times and times[-1] - times[0] > DAY:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    now = milliseconds()
    days = min(14, group.retention_in_days or 14)
    oldest, newest = now - timedelta(days=int(days)).total_seconds() * 1000, now + 7_200_000
    rejected: dict[str, int] = {}
    if any(time < oldest for time in times):
        rejected["tooOldLogEventEndIndex"] = sum(time < oldest for time in times)
    if any(time > newest for time in times):
        rejected["tooNewLogEventStartIndex"] = sum(time <= newest for time in times)
    taken = [event for event in events if oldest <= event["timestamp"] <= newest]
    token = write(call.region, group.name, given["logStreamName"], taken)
    return {"nextSequenceToken": token, "rejectedLogEventsInfo": rejected or None}


@answer("logs", "FilterLogEvents")
def filter_log_events(call: Call) -> dict[str, Any]:
    """FilterLogEvents: a page ends after so much was looked at, with or without anything found (nextToken goes on)."""
    given = call.parameters
    names, prefix = given.get("logStreamNames"), given.get("logStreamNamePrefix")
    if names and prefix:
        raise invalid("logStreamNamePrefix and logStreamNames cannot be specified together.")
    group = group_of(call.region, given.get("logGroupName") or given.get("logGroupIdentifier") or "")
    pattern = _pattern(given.get("filterPattern") or "")
    if unknown := [name for name in names or [] if name not in group.streams]:
        raise Refused("ResourceNotFoundException", f"The specified log stream does not exist: {unknown[0]}")
    every = [
        (stream, event)
        for name, stream in group.streams.items()
        if (not names or name in names) and name.startswith(prefix or "")
        for event in stream.events
        if (given.get("startTime") or 0) <= event.timestamp <= (given.get("endTime") or 1 << 62)
    ]
    every.sort(key=lambda one: (one[1].timestamp, one[1].event_id))
    start = _position(given.get("nextToken"))
    found: list[dict[str, Any]] = []
    most, place = given.get("limit") or 10_000, start
    while place < len(every) and place < start + SCANNED_A_PAGE and len(found) < most:
        stream, event = every[place]
        if pattern.matches(event.message):
            found.append({**event.to_filter_dict(), "logStreamName": stream.log_stream_name})
        place += 1
    return {
        "events": found,
        "searchedLogStreams": [],
        "nextToken": f"Bxkq6kVGFtq2y_{place}" if place < len(every) else None,
    }


def _position(token: str | None) -> int:
    if not token:
        return 0
    found = re.fullmatch(r"Bxkq6kVGFtq2y_(\d{1,9})", token)
    if not found:
        raise invalid("The specified nextToken is invalid.")
    return int(found[1])


@answer("logs", "TestMetricFilter")
def test_metric_filter(call: Call) -> dict[str, Any]:
    """TestMetricFilter (not in moto): which of the messages the pattern finds, and what it takes out of them."""
    pattern = _pattern(call.parameters["filterPattern"])
    return {
        "matches": [
            {"eventNumber": number, "eventMessage": message, "extractedValues": pattern.fields(message)}
            for number, message in enumerate(call.parameters["logEventMessages"], 1)
            if pattern.matches(message)
        ]
    }


# -- Logs Insights ------------------------------------------------------------------------------------------


@dataclass
class Query:
    """A query that was started: its answer is there a moment later."""

    id: str
    text: str
    groups: list[str]
    began: datetime
    answer: Answer
    language: str = "CWLI"
    stopped: bool = False
    bytes: int = field(default=0)

    @property
    def status(self) -> str:
        if self.stopped:
            return "Cancelled"
        return "Complete" if clock.now() >= self.began + timedelta(seconds=QUERY_SECONDS) else "Running"


_queries: dict[str, Query] = {}


@on_reset
def _forget() -> None:
    _queries.clear()


@answer("logs", "StartQuery")
def start_query(call: Call) -> dict[str, Any]:
    """StartQuery: over one group or several, times in seconds since 1970, both ends included."""
    given = call.parameters
    if given.get("queryLanguage") not in (None, "CWLI"):
        raise NotImplementedError(f"queries in {given['queryLanguage']}")
    start, end = given["startTime"], given["endTime"]
    if start > end:
        raise invalid("Query's start time must be before its end time")
    ways = [
        given.get("logGroupName") and [given["logGroupName"]],
        given.get("logGroupNames"),
        given.get("logGroupIdentifiers"),
    ]
    chosen = [way for way in ways if way]
    if len(chosen) != 1:
        raise invalid("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.")
    if len(chosen[0]) > MOST_GROUPS:
        raise invalid(f"A query may look at {MOST_GROUPS} log groups at the most.")
    groups = [group_of(call.region, name) for name in chosen[0]]
    events = [
        Event(event.timestamp, event.message, stream.log_stream_name, f"{call.account}:{group.name}",
              event.ingestion_time, f"{group.name}/{stream.log_stream_name}/{event.event_id}")
        for group in groups
        for stream in group.streams.values()
        for event in stream.events
        if _milliseconds(start) <= event.timestamp < _milliseconds(end) + 1000
    ]  # fmt: skip
    query = Query(
        str(uuid.uuid4()), given["queryString"], [group.name for group in groups], clock.now(),
        _answer(given["queryString"], events, given.get("limit")),
    )  # fmt: skip
    query.bytes = sum(len(event.message) for event in events)
    _queries[query.id] = query
    return {"queryId": query.id}


def _milliseconds(when: int) -> int:
    """A query's time in milliseconds: AWS takes seconds since 1970, and milliseconds, too."""
    return when if when > 10**11 else when * 1000


def _answer(text: str, events: list[Event], limit: int | None) -> Answer:
    try:
        parse_query(text)
        return run_query(text, events, limit)
    except Malformed as wrong:
        raise Refused("MalformedQueryException", str(wrong)) from None
    except NotUnderstood as unknown:
        raise NotImplementedError(str(unknown)) from None


@answer("logs", "GetQueryResults")
def get_query_results(call: Call) -> dict[str, Any]:
    """GetQueryResults: nothing while it still runs, which takes a moment."""
    query = _query(call)
    done = query.status == "Complete"
    rows = query.answer.rows if done else []
    return {
        "results": [[{"field": name, "value": text} for name, text in row] for row in rows],
        "status": query.status,
        "statistics": {
            "recordsMatched": float(query.answer.matched if done else 0),
            "recordsScanned": float(query.answer.scanned if done else 0),
            "bytesScanned": float(query.bytes if done else 0),
        },
        "queryLanguage": query.language,
    }


def _query(call: Call) -> Query:
    found = _queries.get(call.parameters["queryId"])
    if found is None:
        raise Refused("ResourceNotFoundException", "The specified query does not exist.")
    return found


@answer("logs", "StopQuery")
def stop_query(call: Call) -> dict[str, Any]:
    """StopQuery: one that still runs."""
    query = _query(call)
    if query.status != "Running":
        raise invalid("The specified query is not running.")
    query.stopped = True
    return {"success": True}


@answer("logs", "DescribeQueries")
def describe_queries(call: Call) -> dict[str, Any]:
    """DescribeQueries, newest first."""
    given = call.parameters
    found = [
        {
            "queryId": query.id,
            "queryString": query.text,
            "status": query.status,
            "createTime": int(query.began.timestamp() * 1000),
            "logGroupName": query.groups[0],
            "queryLanguage": query.language,
        }
        for query in reversed(_queries.values())
        if given.get("logGroupName") in (None, *query.groups) and given.get("status") in (None, query.status)
    ]
    return {"queries": found[: given.get("maxResults") or 1000]}
