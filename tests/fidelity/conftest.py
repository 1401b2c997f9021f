"""The world that rows are asked of: all services, over HTTP, as for anybody's boto3."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.emulator.services import BY_MODEL

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)  # the table is a package: its rows are imported by others


class Served:
    """A world on a port, and boto3 clients that check nothing themselves and try once."""

    def __init__(self) -> None:
        self.world = EmbeddedWorld.start(sorted(BY_MODEL))
        self.world.reset(1)
        self.url = f"http://127.0.0.1:{self.world.listen()}"
        session = boto3.Session(botocore_session=self._session(), region_name="us-east-1")
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})

        @lru_cache(maxsize=32)
        def client(service: str) -> Any:
            return session.client(service, endpoint_url=self.url, config=config)

        self.client = client

    def _session(self) -> Any:
        """A session whose keys are the world's learner's: other ones after each reset."""
        session = botocore.session.Session()
        session._credentials = _Learner(self.world)
        return session


class _Learner(Credentials):
    """The keys that the world's learner has now."""

    def __init__(self, world: EmbeddedWorld) -> None:
        super().__init__("", "probe")
        self._world = world

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return ReadOnlyCredentials(self._world.environment["AWS_ACCESS_KEY_ID"], "probe", None)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    started = Served()
    yield started
    started.world.close()
