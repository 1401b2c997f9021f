"""Reading images back, pulling them, and deleting them."""

from __future__ import annotations

from typing import Any

from moto.ecr.models import Repository

from fargrade.emulator import clock
from fargrade.emulator.ecr import scanning
from fargrade.emulator.ecr.store import (
    DIGEST,
    StoredImage,
    by_digest,
    by_tag,
    find_image,
    image_id,
    images_of,
    invalid,
    of,
    page,
    take_tag,
)
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer


@answer("ecr", "DescribeImages")
def describe_images(call: Call) -> dict[str, Any]:
    """DescribeImages, with filter and paging: API_DescribeImages.html. moto has neither (upstream)."""
    held, given = of(call), call.parameters
    wanted = given.get("imageIds")
    if wanted:
        _not_with_ids(given)
        found = [find_image(held, one) for one in wanted]
        return {"imageDetails": [_detail(held, image) for image in dict.fromkeys(found)]}
    shown, token = page(_with_status(images_of(held), given), given)
    return {"imageDetails": [_detail(held, one) for one in shown], "nextToken": token}


@answer("ecr", "ListImages")
def list_images(call: Call) -> dict[str, Any]:
    """ListImages: one entry a tag, with filter and paging: API_ListImages.html. moto does not page (upstream)."""
    held, given = of(call), call.parameters
    ids = [
        image_id(image, tag)
        for image in _with_status(images_of(held), given)
        for tag in (image.image_tags or [None])  # type: ignore[list-item]
    ]
    shown, token = page(ids, given)
    return {"imageIds": shown, "nextToken": token}


def _with_status(images: list[StoredImage], given: dict[str, Any]) -> list[StoredImage]:
    status = (given.get("filter") or {}).get("tagStatus", "ANY")
    return [one for one in images if status == "ANY" or bool(one.image_tags) == (status == "TAGGED")]


def _not_with_ids(given: dict[str, Any]) -> None:
    """API_DescribeImages.html: maxResults and nextToken "cannot be used when you specify images with imageIds"."""
    for name in ("maxResults", "nextToken"):
        if given.get(name):
            raise invalid(name, f"{name} cannot be used together with imageIds")


def _detail(held: Repository, image: StoredImage) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "imageDigest": image.get_image_digest(),
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed,
        "imageManifestMediaType": image.image_manifest_media_type,
        "imageStatus": "ACTIVE",
    }
    if image.image_tags:
        detail["imageTags"] = list(image.image_tags)
    if image.pulled:
        detail["lastRecordedPullTime"] = image.pulled
    return detail | scanning.summary(image)


# --- pulling -----------------------------------------------------------------------------------------


@answer("ecr", "BatchGetImage")
def batch_get_image(call: Call) -> dict[str, Any]:
    """BatchGetImage: API_BatchGetImage.html. moto names an image by its last tag, not the one asked for."""
    held = of(call)
    images, failures = [], []
    for wanted in call.parameters["imageIds"]:
        image, failure = _asked_for(held, wanted)
        if image is None:
            failures.append(failure)
            continue
        image.pulled = clock.now()
        images.append(
            {
                "registryId": held.registry_id,
                "repositoryName": held.name,
                "imageId": image_id(image, wanted.get("imageTag")),
                "imageManifest": image.image_manifest,
                "imageManifestMediaType": image.image_manifest_media_type,
            }
        )
    return {"images": images, "failures": failures}


@answer("ecr", "GetDownloadUrlForLayer")
def get_download_url(call: Call) -> dict[str, Any]:
    """GetDownloadUrlForLayer: where the layer would be; the course's worlds hold no bytes. moto lacks it."""
    held, digest = of(call), call.parameters["layerDigest"]
    if digest not in held.layers:
        raise Refused("LayersNotFoundException", f"Layer with digest '{digest}' was not found in '{held.name}'")
    host = f"prod-{call.region}-starport-layer-bucket.s3.{call.region}.amazonaws.com"
    return {"downloadUrl": f"https://{host}/{call.account}/{digest}", "layerDigest": digest}


def _asked_for(held: Repository, wanted: dict[str, str]) -> tuple[StoredImage | None, dict[str, Any]]:
    """(the image, or None with the failure that ECR reports): ImageFailure in the API reference."""
    tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
    if not tag and not digest:
        return None, _failure(
            wanted, "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"
        )
    if digest and not DIGEST.fullmatch(digest):
        why = "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
        return None, _failure(wanted, "InvalidImageDigest", why)
    image = by_digest(held, digest) if digest else by_tag(held, tag or "")
    if image is None:
        return None, _failure(wanted, "ImageNotFound", "Requested image not found")
    if tag and tag not in image.image_tags:
        return None, _failure(wanted, "ImageTagDoesNotMatchDigest", "The tag does not belong to the image's digest")
    return image, {}


def _failure(wanted: dict[str, str], code: str, why: str) -> dict[str, Any]:
    return {"imageId": wanted, "failureCode": code, "failureReason": why}


# --- deleting ----------------------------------------------------------------------------------------


@answer("ecr", "BatchDeleteImage")
def batch_delete_image(call: Call) -> dict[str, Any]:
    """BatchDeleteImage: API_BatchDeleteImage.html.

    A tag alone is taken off the image, which goes with its last tag; a digest takes the image and all its tags.
    An image that an index refers to stays (ImageReferencedByManifestList). moto leaves an untagged image out of
    the answer, and skips images while deleting (upstream).
    """
    held = of(call)
    deleted: list[dict[str, str]] = []
    failures = []
    for wanted in call.parameters["imageIds"]:
        image, failure = _asked_for(held, wanted)
        if image is None:
            # The same image may be named once for each of its tags, as ListImages does.
            if not any(wanted.get("imageDigest") == one["imageDigest"] for one in deleted):
                failures.append(failure)
            continue
        tag = wanted.get("imageTag")
        if tag and not wanted.get("imageDigest") and len(image.image_tags) > 1:
            take_tag(image, tag)
            deleted.append(image_id(image, tag))
        elif _parent(held, image):
            why = "Requested image referenced by manifest list"
            failures.append(_failure(wanted, "ImageReferencedByManifestList", why))
        else:
            images_of(held).remove(image)
            deleted += [image_id(image, one) for one in image.image_tags] or [image_id(image)]
    return {"imageIds": deleted, "failures": failures}


def _parent(held: Repository, image: StoredImage) -> bool:
    digest = image.get_image_digest()
    return any(digest in other.children for other in images_of(held))
