"""A world to ask things of: in a process of its own, and in this one (clients that speak to a gateway directly)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from fargrade.backends.embedded import EmbeddedWorld, _Raw
from fargrade.emulator.gateway import Gateway

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for what they share: test folders are no packages here

SESSION = botocore.session.Session()
# The world judges what is sent, not the client before it.
PLAIN = Config(parameter_validation=False, retries={"total_max_attempts": 1})


@pytest.fixture(scope="session")
def one_gateway() -> Gateway:
    return Gateway([], "us-east-1")


@pytest.fixture
def gateway(one_gateway: Gateway) -> Gateway:
    """The gateway of a new world."""
    one_gateway.reset(1)
    return one_gateway


@pytest.fixture
def client(gateway: Gateway) -> Callable[[str], Any]:
    """Makes clients of the world."""

    def send(request: Any, **_: Any) -> Any:
        headers = {k: v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        parts = urlsplit(request.url)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        said = gateway.from_grader(request.method, path, headers, body)
        return AWSResponse(request.url, said.status, HTTPHeaders.from_dict(said.headers), _Raw(said.body))

    def made(service: str) -> Any:
        found = SESSION.create_client(
            service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
            endpoint_url="http://world.invalid", config=PLAIN,
        )  # fmt: skip
        found.meta.events.register("before-send", send)
        return found

    return made


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


@pytest.fixture(scope="session")
def endpoint(started_world: EmbeddedWorld) -> str:
    """The world's address for learners."""
    return f"http://127.0.0.1:{started_world.listen()}"


@pytest.fixture
def learner_client(world: EmbeddedWorld, endpoint: str) -> Callable[..., Any]:
    """Makes a boto3 client as a learner's code does; `credentials` are STS's, else those of the environment."""

    def client(service: str, credentials: dict[str, Any] | None = None, **more: Any) -> Any:
        own = world.environment
        key, secret, token = own["AWS_ACCESS_KEY_ID"], own["AWS_SECRET_ACCESS_KEY"], None
        if credentials:
            key, secret = credentials["AccessKeyId"], credentials["SecretAccessKey"]
            token = credentials.get("SessionToken")
        return boto3.client(
            service,
            region_name=world.region,
            endpoint_url=endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            **more,
        )

    return client
