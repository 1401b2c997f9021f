"""The plain way, to compare with: the same graders under one pytest with mock_aws, in one process.

A pytest plugin (`-p benchmarks.plain`) that gives graders the fixtures they know, with nothing between: no sandbox, no
gateway, no recording, no constraints. What moto does not have, such checks fail on, at the same price.
"""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from fargrade.course import Course, Submission

ACCOUNT = "123456789012"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_course: list[Course] = []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "check(points, evidence, docs): a check")
    _course.append(Course.find(config.rootpath))


def pytest_unconfigure() -> None:
    _course.clear()


class PlainWorld:
    """moto in this process, by boto3."""

    account = ACCOUNT
    region = "us-east-1"
    registry = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"

    def client(self, service: str, region: str | None = None) -> Any:
        return boto3.client(
            service, region_name=region or self.region, aws_access_key_id="a", aws_secret_access_key="b"
        )

    real = False

    def named(self, name: str) -> str:
        return name

    def push_image(self, repository: str, tags: Sequence[str] = (), **_: Any) -> str:
        """The manifest alone, which is all that moto asks for."""
        layer = {"digest": f"sha256:{len(tags):064d}", "size": 1, "mediaType": "application/octet-stream"}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer], "config": layer})
        made = self.client("ecr").put_image(
            repositoryName=repository, imageManifest=manifest, **({"imageTag": tags[0]} if tags else {})
        )
        return str(made["image"]["imageId"]["imageDigest"])

    def calls(self, *_: Any) -> list[Any]:
        return []

    def reset(self, seed: int = 0) -> None:
        from moto.core.base_backend import BackendDict

        del seed
        BackendDict.reset()


class PlainLearner:
    """The learner's functions, called here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def call(self, file: str, function: str, *args: Any, **kwargs: Any) -> Any:
        spec = importlib.util.spec_from_file_location("answer", self._folder / file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, function)(*args, **kwargs)


@pytest.fixture(scope="module")
def item(request: pytest.FixtureRequest) -> Any:
    return next(one for one in _course[0].items if one.grader == request.path)


@pytest.fixture(scope="module")
def answer(item: Any) -> Any:
    return Submission(item.root / "solutions").answer(item)


@pytest.fixture(scope="module")
def world() -> Iterator[PlainWorld]:
    with mock_aws():
        yield PlainWorld()


@pytest.fixture(scope="module")
def learner(item: Any) -> PlainLearner:
    return PlainLearner(item.root / "solutions" / item.folder)


@pytest.fixture(scope="module")
def rng(item: Any) -> random.Random:
    return random.Random(f"11:{item.id}")
