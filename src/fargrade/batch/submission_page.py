"""What is written for one submission beside its result: its page, and the forms that other tools read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fargrade.batch.records import Records, Result, Settings
from fargrade.course import Course


def write_submission(
    course: Course,
    records: Records,
    result: Result,
    grade: Mapping[str, Any] | None,
    settings: Settings,
    forms: Iterable[str] = (),
) -> None:
    """Write the submission's page and the `forms` asked for. Raises OSError."""
