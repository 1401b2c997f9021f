"""Control operations by which a grader makes the world's images: pushed long ago, scanned, found vulnerable."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from fargrade.emulator import clock, ecr, image_behaviour
from fargrade.emulator.extensions import control_op

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@control_op("push_image")
def push_image(
    repository: str,
    tags: list[str],
    *,
    region: str,
    content: str,
    pushed_at: float | None = None,
    size: int = 50_000_000,
    architecture: str = "amd64",
    children: list[str] | None = None,
    behaviour: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Push an image (or, with `children`, an index of them) under every tag; returns its digest.

    The image follows from `content`: the same content is the same digest. `behaviour` is what it does when it runs
    (image_behaviour.Behaviour's fields). Refused as PutImage is.
    """
    held = ecr.repository(region, repository)
    manifest = index_manifest(children) if children else image_manifest(held, content, size, architecture)
    image: ecr.StoredImage | None = None
    for tag in tags or [None]:  # type: ignore[list-item]
        image = ecr.store_image(held, manifest, tag)
    assert image is not None
    if pushed_at is not None:
        image.pushed = datetime.fromtimestamp(pushed_at, UTC)
    if behaviour is not None:
        image_behaviour.of_pushed(image.get_image_digest(), image_behaviour.described(behaviour))
    ecr.scan_on_push(region, held, image)
    return {"digest": image.get_image_digest()}


def digest_of(content: bytes) -> str:
    """The content's address, as registries write it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def image_manifest(held: Any, content: str, size: int, architecture: str) -> str:
    """A manifest of one layer and a config, both of which are put into the repository."""
    config = json.dumps(
        {"architecture": architecture, "os": "linux", "rootfs": {"type": "layers"}, "id": content}
    ).encode()
    layer = digest_of(f"layer {content}".encode())
    held.layers[layer] = size
    held.layers[digest_of(config)] = len(config)
    image_behaviour.of_config(digest_of(config), architecture)
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": layer, "size": size}],
        }
    )


def index_manifest(children: list[str]) -> str:
    """An index (manifest list) of images that are in the repository."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [{"mediaType": MANIFEST, "digest": digest, "size": 500} for digest in children],
        }
    )


@control_op("seed_findings")
def seed_findings(
    repository: str, digest: str, findings: list[dict[str, Any]], *, region: str, status: str = "COMPLETE"
) -> dict[str, Any]:
    """Make the image's scan come to `findings` (name, severity, …) and `status`; "" takes the scan away."""
    image = ecr.find_image(ecr.repository(region, repository), {"imageDigest": digest})
    image.findings = [{"description": "", "uri": "", "attributes": [], **one} for one in findings]
    image.scan_status = status
    image.scanned = clock.now() if status else None
    return {"findings": len(findings)}


@control_op("issued_token")
def issued_token(password: str) -> str | None:
    """The registry that the password logs in to, None if it was never issued."""
    return ecr.token_registry(password)
