"""The learner's recorded calls, made in this process against mock_aws: no isolation, no given state, no verdict."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import time
from pathlib import Path
from typing import Any

CALLS = json.loads(Path(os.environ["CALLS"]).read_text())
MOST_SLEEPS = 40


class TooLong(BaseException):
    """The code waits for a world that stands still: a rival would have waited in earnest, and given up."""


class Sleeping:
    """Takes the place of time.sleep: returns at once, and ends a wait without end."""

    count = 0

    def __call__(self, _: float) -> None:
        self.count += 1
        if self.count > MOST_SLEEPS:
            raise TooLong


sleeping = time.sleep = Sleeping()


def by_item() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for call in CALLS:
        found.setdefault(call["item"], []).append(call)
    return found


def make(submission: Path, calls: list[dict[str, Any]]) -> None:
    """Make the calls of one item; what the code raises is no matter."""
    from moto import mock_aws

    with mock_aws(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        loaded: dict[str, Any] = {}
        for call in calls:
            os.environ.update({**call["env"], "AWS_MAX_ATTEMPTS": "1"})
            sleeping.count = 0
            with contextlib.suppress(BaseException):
                if call["file"] not in loaded:
                    path = submission / call["item"] / call["file"]
                    spec = importlib.util.spec_from_file_location("answer", path)
                    loaded[call["file"]] = importlib.util.module_from_spec(spec)
                    spec.loader.exec_module(loaded[call["file"]])
                getattr(loaded[call["file"]], call["function"])(*call["args"], **call["kwargs"])
