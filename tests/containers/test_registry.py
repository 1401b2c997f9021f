"""ECR's front before a real registry: who may push there is ECR's to say, and what arrives is in the world."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.containers import Engine, Ownership, build
from fargrade.containers.registry import Registry, start_registry

pytestmark = pytest.mark.docker
REGION = "eu-central-1"


class Pushing:
    """An engine that pushes one small image to the world's registry, through the front."""

    def __init__(self, engine: Engine, world: EmbeddedWorld, front: int, image: str) -> None:
        self.client, self.world, self.front, self.image = engine.client, world, front, image

    def password(self, region: str = REGION) -> str:
        given = self.world.client("ecr", region).get_authorization_token()["authorizationData"][0]
        return base64.b64decode(given["authorizationToken"]).decode().partition(":")[2]

    def push(self, name: str, tag: str, password: str, user: str = "AWS") -> tuple[str, str]:
        """(digest, error) of a push of the image under this name."""
        repository = f"127.0.0.1:{self.front}/{self.world.account}/{REGION}/{name}"
        self.client.api.tag(self.image, repository, tag)
        digest, error = "", ""
        login = {"username": user, "password": password}
        for said in self.client.api.push(repository, tag=tag, stream=True, decode=True, auth_config=login):
            error = str(said.get("error", "")) or error
            digest = str((said.get("aux") or {}).get("Digest", "")) or digest
        return digest, error


@pytest.fixture(scope="module")
def claim(engine: Engine) -> Iterator[Ownership]:
    owner = Ownership(engine)
    yield owner
    owner.close()


@pytest.fixture(scope="module")
def registry(claim: Ownership, image: Callable[[str], str]) -> Registry:
    image("registry")
    return start_registry(claim)


@pytest.fixture
def pushing(engine: Engine, claim: Ownership, registry: Registry, embedded: EmbeddedWorld) -> Iterator[Pushing]:
    embedded.reset()
    said: dict[str, Any] = embedded.control(
        "use_real_engine", address=engine.address, registry=registry.address, labels=claim.labels
    )
    small = build(claim, {"Dockerfile": b"FROM scratch\nCOPY file /\n", "file": b"content"})
    yield Pushing(engine, embedded, said["front"], small)
    embedded.control("leave_real_engine")


def test_what_is_pushed_is_in_the_world_by_its_true_digest(pushing: Pushing, registry: Registry) -> None:
    ecr = pushing.world.client("ecr", REGION)
    ecr.create_repository(repositoryName="shop/api")
    digest, error = pushing.push("shop/api", "v1", pushing.password())
    assert (error, digest[:7]) == ("", "sha256:")
    (found,) = ecr.describe_images(repositoryName="shop/api")["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (digest, ["v1"])
    assert registry.digest(f"{pushing.world.account}/{REGION}/shop/api", "v1") == digest
    again, error = pushing.push("shop/api", "v1", pushing.password())
    assert (again, error) == (digest, "")


def test_who_is_not_logged_in_there_may_not_push(pushing: Pushing) -> None:
    pushing.world.client("ecr", REGION).create_repository(repositoryName="shop/api")
    for password, user in (("wrong", "AWS"), (pushing.password("us-east-1"), "AWS"), (pushing.password(), "root")):
        digest, error = pushing.push("shop/api", "v1", password, user)
        assert digest == ""
        assert "no basic auth credentials" in error or "unauthorized" in error.lower()
    assert pushing.world.client("ecr", REGION).describe_images(repositoryName="shop/api")["imageDetails"] == []


def test_a_repository_that_does_not_exist_is_refused_in_ecrs_words(pushing: Pushing) -> None:
    digest, error = pushing.push("nowhere", "v1", pushing.password())
    assert digest == ""
    assert "does not exist in the registry" in error


def test_an_immutable_tag_stays(pushing: Pushing, claim: Ownership) -> None:
    ecr = pushing.world.client("ecr", REGION)
    ecr.create_repository(repositoryName="fixed", imageTagMutability="IMMUTABLE")
    first, _ = pushing.push("fixed", "v1", pushing.password())
    pushing.image = build(claim, {"Dockerfile": b"FROM scratch\nCOPY file /\n", "file": b"other content"})
    second, error = pushing.push("fixed", "v1", pushing.password())
    assert second == ""
    assert "immutable" in error
    (found,) = ecr.describe_images(repositoryName="fixed")["imageDetails"]
    assert found["imageDigest"] == first
