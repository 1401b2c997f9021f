"""A world to ask things of, and clients whose calls are a learner's: guarded, decided, recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fargrade.backends.embedded import EmbeddedWorld


@pytest.fixture(scope="session")
def started_world() -> Iterator[EmbeddedWorld]:
    started = EmbeddedWorld.start(["iam", "sts"])
    yield started
    started.close()


@pytest.fixture
def world(started_world: EmbeddedWorld) -> EmbeddedWorld:
    """A world with nothing in it."""
    started_world.reset(7)
    return started_world
