"""Image references, as a task definition writes them: which registry, repository, tag or digest."""

from __future__ import annotations

import re
from dataclasses import dataclass

PRIVATE = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com|on\.aws)")
PATH = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"\w[\w.-]{0,127}", re.A)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
HUB = "docker.io"
PUBLIC = "public.ecr.aws"


@dataclass(frozen=True)
class ImageReference:
    """A reference taken apart. `account` and `region` are those of a private ECR registry, else empty."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""
    account: str = ""
    region: str = ""

    @property
    def private_ecr(self) -> bool:
        return bool(self.account)

    @property
    def name(self) -> str:
        """Registry and repository, as the catalogue of public images knows them."""
        return f"{self.registry}/{self.repository}"


def parse_image(text: str) -> ImageReference | None:
    """`text` as a reference; None where the docker engine would say "invalid reference format".

    Source: github.com/distribution/reference, the grammar of references; docker.io and library/ are the defaults.
    """
    rest, _, digest = text.partition("@")
    if (digest and not DIGEST.fullmatch(digest)) or ("@" in text and not digest):
        return None
    first, slash, path = rest.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, path) if is_host else (HUB, rest)
    repository, colon, tag = path.rpartition(":") if ":" in path else (path, "", "")
    if not PATH.fullmatch(repository) or (colon and not TAG.fullmatch(tag)):
        return None
    if registry == HUB and "/" not in repository:
        repository = f"library/{repository}"
    ecr = PRIVATE.fullmatch(registry)
    return ImageReference(
        registry,
        repository,
        tag or ("" if digest else "latest"),
        digest,
        ecr["account"] if ecr else "",
        ecr["region"] if ecr else "",
    )


def same_image(one: str, other: str) -> bool:
    """Whether two references name the same image by the same tag or digest, however they are written."""
    first, second = parse_image(one), parse_image(other)
    return first is not None and first == second
