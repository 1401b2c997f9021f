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
time.sleep = lambda _: None  # nobody should wait for a world that stands still


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
            with contextlib.suppress(BaseException):
                if call["file"] not in loaded:
                    path = submission / call["item"] / call["file"]
                    spec = importlib.util.spec_from_file_location("answer", path)
                    loaded[call["file"]] = importlib.util.module_from_spec(spec)
                    spec.loader.exec_module(loaded[call["file"]])
                getattr(loaded[call["file"]], call["function"])(*call["args"], **call["kwargs"])
