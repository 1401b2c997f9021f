"""What the tests in containers share: the engine, the images made for it, and a claim on what they make there."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from fargrade.containers import Engine, Ownership, find_engine

HERE = Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("fargrade_test_images", HERE / "images.py")
assert spec
assert spec.loader
images = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(images)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of these tests, which pulls nothing."""
    return find_engine()


@pytest.fixture(scope="session")
def image() -> Callable[[str], str]:
    """Makes an image of tests/containers/images.py, once; gives its name."""
    return lru_cache(images.make)


@pytest.fixture
def owner(engine: Engine) -> Iterator[Ownership]:
    """A claim on what one test makes, which is gone after it."""
    claim = Ownership(engine)
    yield claim
    claim.close()
