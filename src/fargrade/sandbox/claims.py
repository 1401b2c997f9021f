"""Reads a runner's report. It and the learner's result in it may be anything: what does not fit is "lost"."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from fargrade.course.language import translate as t
from fargrade.sandbox.job import Command, Job, Kind, Outcome, Raised

MOST_TEXT = 4000
MOST_NAMES = 20
# What would move a terminal's cursor or change its colours: a printed report must not be painted over.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SURROGATES = re.compile("[\ud800-\udfff]")
CLAIMED: Mapping[str, Kind] = {
    "returned": "returned",
    "raised": "raised",
    "exited": "exited",
    "too_large": "too_large",
    "not_json": "not_json",
    "no_file": "no_file",
    "no_function": "no_function",
    "wrong_arguments": "wrong_arguments",
    "no_import": "no_import",
}


class Nonsense(Exception):
    """What came is not what a runner, or its child, says."""


def outcome_of(report: Any, job: Job, *, out_of_memory: bool = False) -> Outcome:
    """The outcome in a runner's report on `job`. Never raises."""
    try:
        return _outcome(report, job, out_of_memory)
    except Nonsense:
        return lost(t("what came back from it makes no sense"))


def lost(why: str, seconds: float = 0.0) -> Outcome:
    """The outcome of a job whose runner is gone or cannot be believed."""
    return Outcome("lost", detail=why, seconds=seconds)


def _outcome(report: Any, job: Job, out_of_memory: bool) -> Outcome:
    told = _dict(report)
    stopped = told.get("stopped")
    if stopped == "no_start":
        return Outcome("no_start", detail=_line(told.get("result")))
    common: dict[str, Any] = {
        "stdout": _output(told.get("stdout"), job),
        "stderr": _output(told.get("stderr"), job),
        "truncated": told.get("truncated") is True,
        "exit_code": _number(told.get("exit_code"), 255),
        "signal": _number(told.get("signal"), 128),
        "seconds": _seconds(told.get("seconds")),
        "files": _files(told.get("files"), job),
        "command": isinstance(job.entry, Command),
        "out_of_memory": out_of_memory,
    }
    if stopped == "timed_out":
        return Outcome("timed_out", **common)
    if stopped == "flooded":
        return Outcome("flooded", **common)
    if stopped != "":
        raise Nonsense
    if common["signal"] is not None:
        return Outcome("killed", **common)
    result = told.get("result")
    if common["command"] or common["exit_code"] != 0 or result == "":
        return Outcome("exited", **common)
    try:
        return Outcome(**{**common, **_claim(result, job)})
    except Nonsense:
        return Outcome("lost", **{**common, "detail": t("what it wrote in place of its result makes no sense")})


def _claim(result: Any, job: Job) -> dict[str, Any]:
    """What the learner's process says its call came to."""
    if not isinstance(result, str):
        raise Nonsense
    try:
        claim = _dict(json.loads(result, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        raise Nonsense from None
    kind = CLAIMED.get(_line(claim.get("kind")))
    if kind == "returned":
        if len(result) > 2 * job.limits.result_bytes:
            return {"kind": "too_large"}
        return {"kind": kind, "value": _clean(claim.get("value"))}
    if kind == "raised":
        return {"kind": kind, "error": _error(claim.get("error"))}
    if kind == "exited":
        return {"kind": kind, "exit_code": _number(claim.get("exit_code"), 255)}
    if kind is None:
        raise Nonsense
    return {"kind": kind, "detail": _line(claim.get("detail", ""))}


def _error(value: Any) -> Raised:
    told = _dict(value)
    return Raised(
        type=_line(told.get("type")),
        message=_text(told.get("message")),
        file=_line(told.get("file")),
        line=_number(told.get("line"), 1 << 31) or 0,
        bases=_names(told.get("bases")),
        frames=_names(told.get("frames")),
    )


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Nonsense
    return tuple(_line(one) for one in value[:MOST_NAMES])


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Nonsense
    return value


def _printable(text: str) -> str:
    return CONTROLS.sub("", SURROGATES.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n"))


def _text(value: Any, most: int = MOST_TEXT) -> str:
    if not isinstance(value, str):
        raise Nonsense
    return _printable(value[:most])


def _line(value: Any) -> str:
    return " ".join(_text(value).split())


def _output(value: Any, job: Job) -> str:
    return _text(value, job.limits.output_bytes + 100)


def _number(value: Any, most: int) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise Nonsense
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e6:
        raise Nonsense
    return float(value)


def _files(value: Any, job: Job) -> dict[str, bytes]:
    """The files that were asked for, and no other."""
    files = {}
    for name, content in _dict(value).items():
        if name not in job.keep or not isinstance(content, str):
            raise Nonsense
        try:
            files[name] = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise Nonsense from None
    return files


def _clean(value: Any) -> Any:
    """The value without what no report could be written with: half a surrogate pair."""
    if isinstance(value, str):
        return SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(name): _clean(one) for name, one in value.items()}
    return value


def _no_constant(name: str) -> Any:
    raise Nonsense(name)
