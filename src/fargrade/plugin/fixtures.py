"""The fixtures a grader is written with. One module is one item: each gets a fresh world."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from fargrade.backends.world import World
from fargrade.course.submission import Answer
from fargrade.course.tree import Item
from fargrade.plugin.containers import Containers
from fargrade.plugin.in_vain import why_in_vain
from fargrade.plugin.learner import Learner
from fargrade.plugin.pipelines import Pipelines
from fargrade.plugin.session import GradingSession
from fargrade.plugin.supervision import wall_seconds
from fargrade.plugin.workflows import Workflows


def _session(request: pytest.FixtureRequest) -> GradingSession:
    return GradingSession.of(request.config)


@pytest.fixture(scope="module")
def item(request: pytest.FixtureRequest) -> Item:
    """The item this grader grades."""
    found = _session(request).item_at(request.path)
    assert found is not None, f"{request.path} grades no item of the course"
    return found


@pytest.fixture(scope="module")
def answer(request: pytest.FixtureRequest, item: Item) -> Answer:
    """The learner's files of this item, already read."""
    return _session(request).answer(item)


@pytest.fixture(scope="module")
def rng(request: pytest.FixtureRequest, item: Item) -> random.Random:
    """Random inputs, the same for the same seed and item."""
    return random.Random(f"{_session(request).options.seed}:{item.id}")


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, item: Item) -> Iterator[World]:
    """A fresh world, the grader's own view of it."""
    session = _session(request)
    fresh = session.fresh_world(item)
    yield fresh
    session.leave_world(item)


@pytest.fixture(scope="module")
def learner(request: pytest.FixtureRequest, item: Item, answer: Answer, world: World) -> Learner:
    """Runs the learner's code against the world."""
    session = _session(request)
    return Learner(
        session.sandbox,
        answer,
        world.environment,
        wall_seconds=wall_seconds(world),
        in_vain=lambda: why_in_vain(world),
        heard=lambda text: session.heard(item, text),
    )


@pytest.fixture(scope="module")
def containers(request: pytest.FixtureRequest) -> Containers:
    """Real containers, where there is an engine; where there is none, the check is not judged."""
    return _session(request).engine.containers()


@pytest.fixture(scope="module")
def pipelines(request: pytest.FixtureRequest, world: World) -> Pipelines:
    """Pushes commits and lets the learner's pipelines run, builds in the sandbox."""
    return Pipelines(_session(request).sandbox, world)


@pytest.fixture(scope="module")
def workflows(request: pytest.FixtureRequest, world: World) -> Workflows:
    """Pushes to the learner's repository on GitHub, whose workflow is run by act in the sandbox."""
    return Workflows(_session(request).sandbox, world)


__all__: list[Any] = ["answer", "containers", "item", "learner", "pipelines", "rng", "workflows", "world"]
