"""What ECR holds: moto's repositories, with images of ours in them, and how both are found."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import Any

from moto.ecr.models import ECRBackend, Image, Repository

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, account
from fargrade.semantics.glob import matches, tokens

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PAGE = 100


class StoredImage(Image):
    """moto's image with what moto leaves out: true size, push time to the second, scan and pull."""

    def __init__(self, account: str, tag: str | None, manifest: str, repository: str, media: str, digest: str) -> None:
        super().__init__(account, tag or "", manifest, repository, media, digest)
        self.image_tags = [tag] if tag else []
        self.size = 0
        self.children: tuple[str, ...] = ()
        self.pushed: datetime = clock.now()
        self.pulled: datetime | None = None
        self.findings: list[dict[str, Any]] | None = None
        self.enhanced = False
        self.scan_status = ""
        self.scanned: datetime | None = None

    def get_image_size_in_bytes(self) -> int | None:
        return self.size


def backend(region: str) -> ECRBackend:
    """moto's ECR of the region, in the world's account."""
    from moto.ecr.models import ecr_backends

    return ecr_backends[account()][region]


def no_repository(name: str, registry: str) -> Refused:
    """ECR's RepositoryNotFoundException."""
    return Refused(
        "RepositoryNotFoundException",
        f"The repository with name '{name}' does not exist in the registry with id '{registry}'",
    )


def repository(region: str, name: str) -> Repository:
    """The repository. Raises Refused, RepositoryNotFoundException."""
    found = backend(region).repositories.get(name)
    if found is None:
        raise no_repository(name, account())
    return found


def of(call: Call) -> Repository:
    """The repository that the call names. Raises Refused, also for another account's registry."""
    registry, name = call.parameters.get("registryId") or call.account, call.parameters["repositoryName"]
    if registry != call.account:
        raise no_repository(name, registry)
    return repository(call.region, name)


def invalid(parameter: str, why: str) -> Refused:
    """ECR's InvalidParameterException."""
    return Refused(
        "InvalidParameterException",
        f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{why}'",
    )


def images_of(held: Repository) -> list[StoredImage]:
    """The repository's images, oldest first: all of them are ours, since PutImage is."""
    images: list[Any] = held.images
    return images


def by_digest(held: Repository, digest: str) -> StoredImage | None:
    return next((image for image in images_of(held) if image.get_image_digest() == digest), None)


def by_tag(held: Repository, tag: str) -> StoredImage | None:
    return next((image for image in images_of(held) if tag in image.image_tags), None)


def find_image(held: Repository, image_id: dict[str, str]) -> StoredImage:
    """The image by tag and/or digest. Raises Refused, ImageNotFoundException."""
    tag, digest = image_id.get("imageTag"), image_id.get("imageDigest")
    if not tag and not digest:
        raise invalid("imageId", "either imageDigest or imageTag must be given")
    image = by_digest(held, digest) if digest else by_tag(held, tag or "")
    if image is None or (tag and tag not in image.image_tags):
        raise Refused("ImageNotFoundException", f"The image with imageId {shown(image_id)} does not exist {_in(held)}")
    return image


def _in(held: Repository) -> str:
    return f"within the repository with name '{held.name}' in the registry with id '{held.registry_id}'"


def shown(image_id: dict[str, str]) -> str:
    """An image identifier as ECR's messages write it."""
    tag, digest = image_id.get("imageTag") or "null", image_id.get("imageDigest") or "null"
    return f"{{imageDigest:'{digest}', imageTag:'{tag}'}}"


def image_id(image: Image, tag: str | None = None) -> dict[str, str]:
    """The image's identifier: its digest, and the tag it was asked for by."""
    found = {"imageDigest": image.get_image_digest()}
    return {**found, "imageTag": tag} if tag else found


def take_tag(image: Image, tag: str) -> None:
    """Take the tag off the image, which stays, untagged if that was its last."""
    image.image_tags = [one for one in image.image_tags if one != tag]
    image.image_tag = image.image_tags[-1] if image.image_tags else None  # type: ignore[assignment]


def wildcard(pattern: str, text: str) -> bool:
    """Whether `text` matches `pattern`, in which `*` stands for any characters and nothing else is special."""
    return matches(tokens(pattern, question_mark=False), text)


def page(everything: list[Any], given: dict[str, Any], size: int = PAGE) -> tuple[list[Any], str | None]:
    """(the page that `given` asks for by maxResults and nextToken, the next page's token). Raises Refused."""
    token = given.get("nextToken")
    try:
        start = int(base64.b64decode(token, validate=True).decode("ascii")) if token else 0
    except ValueError:
        start = -1
    if not 0 <= start <= len(everything):
        raise invalid("nextToken", "the token is not one that this operation gave")
    end = start + (given.get("maxResults") or size)
    more = end < len(everything)
    return everything[start:end], base64.b64encode(str(end).encode()).decode() if more else None
