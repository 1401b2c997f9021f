"""The world that rows are asked of: all services, over HTTP, as for anybody's boto3."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

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
        session = boto3.Session(aws_access_key_id="probe", aws_secret_access_key="probe", region_name="us-east-1")
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})

        @lru_cache(maxsize=32)
        def client(service: str) -> Any:
            return session.client(service, endpoint_url=self.url, config=config)

        self.client = client


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    started = Served()
    yield started
    started.world.close()
