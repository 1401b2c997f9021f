"""Pushing to ECR: layers first, then the manifest that names them, under a tag that may or may not move."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from moto.ecr.models import Repository

from fargrade.emulator.ecr.scanning import scan_on_push
from fargrade.emulator.ecr.store import (
    DIGEST,
    StoredImage,
    by_digest,
    by_tag,
    image_id,
    images_of,
    invalid,
    of,
    take_tag,
    wildcard,
)
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer, refusal

TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
# What one repository may hold of unfinished uploads: they live in memory, and the learner is not trusted.
MAX_UNFINISHED = 256 << 20


@refusal("ecr", "PutImage")
def _tag_is_well_formed(call: Call) -> None:
    """docs.docker.com/reference/cli/docker/image/tag: letters, digits, _ . -, up to 128, not starting with . or -."""
    tag = call.parameters.get("imageTag")
    if tag is not None and not TAG.fullmatch(tag):
        raise invalid("imageTag", f"must satisfy regular expression '{TAG.pattern}'")


@answer("ecr", "PutImage")
def put_image(call: Call) -> dict[str, Any]:
    """PutImage: AmazonECR/latest/APIReference/API_PutImage.html, its errors included.

    moto stores images whose layers were never pushed, believes any digest, answers ImageAlreadyExists where
    AWS says ImageTagAlreadyExists, and drops the image that a moved tag leaves. Upstream: all but the layers,
    which moto leaves out knowingly.
    """
    given = call.parameters
    held = of(call)
    image = store_image(
        held,
        given["imageManifest"],
        given.get("imageTag"),
        given.get("imageManifestMediaType"),
        given.get("imageDigest"),
    )
    scan_on_push(call.region, held, image)
    return {
        "image": {
            "registryId": call.account,
            "repositoryName": held.name,
            "imageId": image_id(image, given.get("imageTag")),
            "imageManifest": image.image_manifest,
            "imageManifestMediaType": image.image_manifest_media_type,
        }
    }


def store_image(
    held: Repository,
    manifest: str,
    tag: str | None,
    media: str | None = None,
    digest: str | None = None,
    *,
    whatever_the_tags: bool = False,
) -> StoredImage:
    """Put the manifest into the repository under `tag`. Raises Refused as PutImage does.

    `whatever_the_tags`: move an immutable tag too, for graders who make a past that the setting came after.
    """
    parsed = _parsed_manifest(manifest)
    media = media or parsed.get("mediaType")
    if not isinstance(media, str) or not media:
        raise invalid("imageManifestMediaType", "image manifest mediatype not provided in manifest or parameter")
    true_digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    if digest and digest != true_digest:
        raise Refused("ImageDigestDoesNotMatchException", f"Provided digest {digest} does not match {true_digest}")
    children, size = _parts(held, parsed)
    image = by_digest(held, true_digest)
    holder = by_tag(held, tag) if tag else None
    if image is not None and (tag is None or tag in image.image_tags):
        raise Refused(
            "ImageAlreadyExistsException",
            f"Image with digest '{true_digest}' and tag '{tag}' already exists in the repository with name "
            f"'{held.name}' in registry with id '{held.registry_id}'",
        )
    if holder is not None and tag:
        if is_immutable(held, tag) and not whatever_the_tags:
            raise Refused(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{held.name}' repository and cannot be overwritten "
                "because the tag is immutable.",
            )
        take_tag(holder, tag)
    if image is None:
        image = StoredImage(held.account_id, tag, manifest, held.name, media, true_digest)
        image.size, image.children = size, children
        images_of(held).append(image)
    elif tag:
        image.update_tag(tag)
    return image


def is_immutable(held: Repository, tag: str) -> bool:
    """Whether the tag may not be moved: the setting, turned round where an exclusion filter matches.

    moto reads the filters as regular expressions, so that `*-dev` is an error (upstream).
    """
    setting = str(getattr(held.image_tag_mutability, "value", held.image_tag_mutability))
    base = setting.startswith("IMMUTABLE")
    filters = held.image_tag_mutability_exclusion_filters or [] if setting.endswith("EXCLUSION") else []
    return base != any(wildcard(one["filter"], tag) for one in filters)


def _parsed_manifest(manifest: str) -> dict[str, Any]:
    try:
        parsed = json.loads(manifest)
    except (ValueError, RecursionError):
        raise invalid("ImageManifest", "Invalid JSON syntax") from None
    if not isinstance(parsed, dict) or not any(isinstance(parsed.get(one), list) for one in ("layers", "manifests")):
        raise invalid("ImageManifest", "Manifest is neither an image nor an image index")
    return parsed


def _parts(held: Repository, parsed: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    """(digests of an index's images, bytes). Raises Refused where a layer or an image was never pushed.

    An index has the size of its biggest image (API_ImageDetail.html, imageSizeInBytes).
    """
    try:
        if isinstance(parsed.get("manifests"), list):
            children = tuple(_digest(one) for one in parsed["manifests"])
            return children, max((_pushed(held, children)), default=0)
        parts = [_digest(one) for one in [*parsed["layers"], *([parsed["config"]] if "config" in parsed else [])]]
    except (KeyError, TypeError):
        raise invalid("ImageManifest", "Manifest misses a digest, or has one that is none") from None
    if not parsed["layers"]:  # observed: github.com/werf/werf/issues/2544
        raise invalid("ImageManifest", "Image has to have at least 1 layer")
    absent = [one for one in parts if one not in held.layers]
    if absent:
        raise Refused(
            "LayersNotFoundException",
            f"Layers with digests '{absent}' required for pushing the image into the repository with name "
            f"'{held.name}' in the registry with id '{held.registry_id}' do not exist",
        )
    return (), sum(held.layers[one] for one in parts)


def _digest(part: dict[str, Any]) -> str:
    digest = part["digest"]
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise TypeError
    return digest


def _pushed(held: Repository, children: tuple[str, ...]) -> list[int]:
    found = {one: by_digest(held, one) for one in children}
    absent = [digest for digest, image in found.items() if image is None]
    if absent:
        raise Refused("ReferencedImagesNotFoundException", f"Images with digests '{absent}' were not found")
    return [image.size for image in found.values() if image is not None]


@refusal("ecr", "UploadLayerPart")
def _part_is_what_it_says(call: Call) -> None:
    """API_UploadLayerPart.html: partFirstByte to partLastByte is the part's place; moto looks at the first only."""
    given = call.parameters
    if given["partLastByte"] - given["partFirstByte"] + 1 != len(given["layerPartBlob"]):
        raise invalid("partLastByte", "the part has another length than its first and last byte say")
    uploads = of(call).uploads.values()
    if sum(len(one.layer_parts) for one in uploads) + len(given["layerPartBlob"]) > MAX_UNFINISHED:
        raise Refused("LimitExceededException", "Too much is being uploaded at a time: complete a layer first.")


@refusal("ecr", "CompleteLayerUpload")
def _layer_is_what_it_says(call: Call) -> None:
    """API_CompleteLayerUpload.html: the digests must be the layer's. moto checks nothing of it (upstream)."""
    held, given = of(call), call.parameters
    upload = held.uploads.get(given["uploadId"])
    if upload is None:
        return  # moto says it: UploadNotFoundException
    if not upload.layer_parts:
        raise Refused(  # AWS's words: github.com/devcontainers/cli/issues/814
            "EmptyUploadException",
            f"The upload with id '{given['uploadId']}' in the repository with name '{held.name}' in registry with id "
            f"'{held.registry_id}' cannot be completed because it does not have any parts",
        )
    digest = "sha256:" + hashlib.sha256(upload.layer_parts).hexdigest()
    if any(one != digest for one in given["layerDigests"]):
        raise Refused(
            "InvalidLayerException", f"The layer's digest is {digest}, not '{', '.join(given['layerDigests'])}'"
        )
    if digest in held.layers:
        del held.uploads[given["uploadId"]]
        raise Refused("LayerAlreadyExistsException", f"Layer with digest {digest} already exists in the repository")
