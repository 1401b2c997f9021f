"""What the tests need of the machine, said loudly where it is missing; in CI missing is failing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.containers import NoEngine, find_engine
from fargrade.sandbox import Sandbox, open_sandbox
from fargrade.sandbox.confinement import bubblewrap_problem

ROOT = Path(__file__).resolve().parent.parent
SLOW = "minutes of moto's own tests: make test args='-m moto', and in CI"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-everything", action="store_true", help="fail where a part of the machine is missing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lacking = {
        "bubblewrap": bubblewrap_problem(),
        "docker": engine_problem() if any(one.get_closest_marker("docker") for one in items) else "",
        "browser": "" if any(map(shutil.which, CHROMIUM)) else "there is no Chromium on this machine",
        "moto": "" if config.getoption("--require-everything") or "moto" in config.option.markexpr else SLOW,
    }
    for item in items:
        for mark, problem in lacking.items():
            if problem and item.get_closest_marker(mark):
                if config.getoption("--require-everything"):
                    raise pytest.UsageError(f"{item.nodeid} cannot run: {problem}")
                item.add_marker(pytest.mark.skip(reason=problem))
        if not item.get_closest_marker("moto"):  # each of those is long, and of a process of its own
            item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    """With `-n`: a file's tests share their fixtures in one worker; those that look for leftovers share one, too."""
    place = item.path.relative_to(ROOT)
    if item.get_closest_marker("docker"):
        return "engine"
    return "sandbox" if "sandbox" in place.parts else str(place)  # as an ordinary user, they are run again


@lru_cache(maxsize=1)
def engine_problem() -> str:
    """Why the tests have no Docker engine; "" where they have. Starts one where they may (.ci/engine)."""
    if not os.environ.get("DOCKER_HOST") and shutil.which("dockerd") and os.geteuid() == 0:
        started = subprocess.run([ROOT / ".ci" / "engine"], capture_output=True, text=True, check=False, timeout=120)
        if started.returncode:
            return started.stderr.strip()
        os.environ["DOCKER_HOST"] = started.stdout.strip()
    try:
        find_engine()
    except NoEngine as lacking:
        return str(lacking)
    return "" if shutil.which("dpkg") else "the images of these tests are made of Debian's packages, which takes dpkg"


@pytest.fixture(scope="session")
def root() -> Path:
    """The course's own folder."""
    return ROOT


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedWorld]:
    """An embedded world with week 1's services, shared by a module; each test resets what it needs."""
    world = EmbeddedWorld.start(["ecr", "sts"])
    yield world
    world.close()


@pytest.fixture(scope="module", params=[pytest.param("required", marks=pytest.mark.bubblewrap), "off"])
def sandbox(request: pytest.FixtureRequest, embedded: EmbeddedWorld) -> Iterator[Sandbox]:
    """A sandbox on that world: confined by bubblewrap, then unconfined."""
    opened = open_sandbox(embedded.listen, confine=request.param)
    yield opened
    opened.close()
