"""Segment documents and the traces they make.

Source: docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html (required fields, formats, subsegments
that are sent on their own) and API_PutTraceSegments.html (trace ids: a version, eight digits of time, which are "not
required or validated", and 96 random bits).
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

TRACE_ID = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
SEGMENT_ID = re.compile(r"[0-9a-f]{16}")
NAME = re.compile(r"[\w\s.:/%&#=+\\\-@]{1,200}")
LARGEST = 64 * 1024
MOST_ANNOTATIONS = 50
STATES = ("error", "fault", "throttle")


class BadSegment(ValueError):
    """A document that X-Ray does not process: `code` and why; `id` of the segment, where it could be read."""

    def __init__(self, code: str, why: str, segment: str = "") -> None:
        super().__init__(why)
        self.code, self.id = code, segment


@dataclass(frozen=True)
class Segment:
    """A document that was taken: a segment, or a subsegment sent on its own (`parent`)."""

    trace: str
    id: str
    parent: str
    document: Mapping[str, Any]

    @property
    def on_its_own(self) -> bool:
        """Whether it is a subsegment that belongs into another document."""
        return self.document.get("type") == "subsegment"


def parse_segment(text: str) -> Segment:
    """The segment that the document describes. Raises BadSegment."""
    if len(text.encode()) > LARGEST:
        raise BadSegment("SegmentTooLarge", "Segment size exceeds 64 kB")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadSegment("ParseError", "Invalid segment. ErrorCode: ParseError") from None
    if not isinstance(document, dict):
        raise BadSegment("ParseError", "Invalid segment. ErrorCode: ParseError")
    own = str(document.get("id", ""))
    trace = TRACE_ID.fullmatch(str(document.get("trace_id", "")))
    if not SEGMENT_ID.fullmatch(own):
        raise BadSegment("MissingId", "Invalid segment. ErrorCode: MissingId", own)
    if trace is None:
        raise BadSegment("InvalidTraceId", "Invalid segment. ErrorCode: InvalidTraceId", own)
    _check_part(document, own, top=True)
    parent = str(document.get("parent_id") or "")
    if document.get("type") == "subsegment" and not SEGMENT_ID.fullmatch(parent):
        raise BadSegment("MissingParentId", "Invalid subsegment. ErrorCode: MissingParentId", own)
    return Segment(str(document["trace_id"]), own, parent, document)


def _check_part(part: Any, own: str, *, top: bool = False) -> None:
    """A segment or subsegment: its name, its times, and all of its own subsegments."""
    if not isinstance(part, dict) or (not top and not SEGMENT_ID.fullmatch(str(part.get("id", "")))):
        raise BadSegment("ParseError", "Invalid subsegment. ErrorCode: ParseError", own)
    if not isinstance(part.get("name"), str) or not NAME.fullmatch(part["name"]):
        raise BadSegment("MissingName", "Invalid segment. ErrorCode: MissingName", own)
    start: Any = part.get("start_time")
    end: Any = part.get("end_time")
    if not _number(start):
        raise BadSegment("MissingStartTime", "Invalid segment. ErrorCode: MissingStartTime", own)
    if not part.get("in_progress") and (not _number(end) or end < start):
        raise BadSegment("MissingEndTime", "Invalid segment. ErrorCode: MissingEndTime", own)
    annotations = part.get("annotations") or {}
    if not isinstance(annotations, dict) or len(annotations) > MOST_ANNOTATIONS:
        raise BadSegment("InvalidAnnotations", "Invalid segment. ErrorCode: InvalidAnnotations", own)
    for inner in part.get("subsegments") or []:
        if not isinstance(inner, str):  # ids of subsegments that are sent on their own
            _check_part(inner, own)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass
class Trace:
    """All that arrived of one request."""

    id: str
    parts: dict[str, Segment] = field(default_factory=dict)

    def add(self, segment: Segment) -> None:
        """Take a document in; one that is sent again, finished, takes the place of the one in progress."""
        self.parts[segment.id] = segment

    def segments(self) -> list[dict[str, Any]]:
        """The segment documents, oldest first, each with the subsegments that were sent on their own."""
        tops = [copy.deepcopy(dict(one.document)) for one in self.parts.values() if not one.on_its_own]
        waiting = [copy.deepcopy(dict(one.document)) for one in self.parts.values() if one.on_its_own]
        for _ in range(len(waiting) + 1):
            left = []
            for part in waiting:
                holder = next((one for top in tops for one in walk(top) if one.get("id") == part["parent_id"]), None)
                if holder is None:
                    left.append(part)
                else:
                    kept = [one for one in holder.get("subsegments") or [] if not isinstance(one, str)]
                    holder["subsegments"] = [*(one for one in kept if one.get("id") != part["id"]), part]
            waiting = left
        return sorted([*tops, *waiting], key=lambda one: float(one["start_time"]))

    @property
    def start(self) -> float:
        return min(float(one.document["start_time"]) for one in self.parts.values())

    @property
    def duration(self) -> float:
        """From the first start to the last end, in seconds."""
        ends = [float(one.document.get("end_time") or one.document["start_time"]) for one in self.parts.values()]
        return round(max(ends) - self.start, 3)

    @property
    def partial(self) -> bool:
        """Whether something of it is still in progress."""
        return any(part.get("in_progress") for top in self.segments() for part in walk(top))

    def has(self, state: str) -> bool:
        """Whether any segment is marked as error, fault or throttle."""
        return any(bool(top.get(state)) for top in self.segments())

    def annotations(self) -> dict[str, list[Any]]:
        """All annotations, of segments and subsegments, by key."""
        found: dict[str, list[Any]] = {}
        for top in self.segments():
            for part in walk(top):
                for key, value in (part.get("annotations") or {}).items():
                    found.setdefault(key, []).append(value)
        return found


def walk(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The segment and all subsegments below it."""
    yield part  # type: ignore[misc]
    for inner in part.get("subsegments") or []:
        if isinstance(inner, Mapping):
            yield from walk(inner)


def new_trace_id(now: float, random_bits: int) -> str:
    """A trace id for a request that begins at `now`."""
    return f"1-{int(now):08x}-{random_bits & ((1 << 96) - 1):024x}"
