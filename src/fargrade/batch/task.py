"""What is graded and how, as plain JSON: it travels to a process of ours, or to another machine. Never pickle."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Terms:
    """How every submission of a batch is graded: the same for all, and part of what makes a result this one's."""

    items: tuple[str, ...]
    seed: int
    language: str = "en"
    confine: str = "required"
    containers: str = "off"  # a stranger's Dockerfile is a stranger's program: `docker build` runs it on the engine
    job_seconds: float = 0.0  # how long one call of a learner's code may take; 0: as at home
    course: str = ""  # the version of the course, graders and harness: see fargrade.batch.version

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Terms:
        """The inverse of dataclasses.asdict, after JSON."""
        return cls(**{**told, "items": tuple(told["items"])})


@dataclass(frozen=True)
class Task:
    """One submission to grade."""

    place: str
    files: Mapping[str, bytes]
    terms: Terms

    def to_bytes(self) -> bytes:
        """As JSON."""
        files = {name: base64.b64encode(content).decode() for name, content in self.files.items()}
        return json.dumps({"place": self.place, "files": files, "terms": asdict(self.terms)}).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Task:
        """The inverse."""
        told = json.loads(body)
        files = {name: base64.b64decode(content) for name, content in told["files"].items()}
        return cls(told["place"], files, Terms.from_json(told["terms"]))


@dataclass(frozen=True)
class Report:
    """What grading came to: grade.json's content, and what went wrong of ours on the way, a sentence each.

    `lost` are the ids of items that a fault of ours left not judged.
    """

    place: str
    grade: dict[str, Any]
    faults: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    seconds: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Report:
        """The inverse."""
        told = json.loads(body)
        return cls(**{**told, "faults": tuple(told["faults"]), "lost": tuple(told["lost"])})


def stitched(grades: Sequence[dict[str, Any]], items: Mapping[str, dict[str, Any]], order: Sequence[str]) -> Any:
    """One grade.json of several attempts': the last one's frame, with `items` in `order` and the score anew."""
    frame = dict(grades[-1])
    frame["items"] = [items[one] for one in order if one in items]
    frame["score"] = sum(item["score"] for item in frame["items"])
    frame["max_score"] = sum(item["max_score"] for item in frame["items"])
    frame["complete"] = len(frame["items"]) == len(order)
    return frame
