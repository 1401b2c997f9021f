"""A small course, shared by the tests of the batch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fargrade.course import Course

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for what they share: test folders are no packages here


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Items 1.2, 1.4 and 1.6."""
    from classroom import small_course

    return small_course(tmp_path_factory.mktemp("course"))
