"""From a pytest node to the check of the course that it is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fargrade.course import Item
from fargrade.course.checks import TEST_PREFIX, CheckSpec, read_checks
from fargrade.plugin.session import GradingSession


@dataclass(frozen=True)
class Graded:
    """A pytest node that is a check."""

    item: Item
    spec: CheckSpec


def graded(node: pytest.Item) -> Graded | None:
    """The check that `node` is; None for a test that is no grader's."""
    item = GradingSession.of(node.config).item_at(node.path)
    if item is None:
        return None
    wanted = node.name.removeprefix(TEST_PREFIX)
    spec = next((spec for spec in read_checks(item.grader) if spec.id == wanted), None)
    return Graded(item, spec) if spec else None
