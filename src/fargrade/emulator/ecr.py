"""ECR as AWS keeps it, where moto does not: pushes, tags, scans, lifecycle policies, login tokens.

The state stays moto's (repositories, layers, images), so that everything moto answers well still does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from moto.ecr.models import ECRBackend, Image, Repository

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, account, answer, refusal
from fargrade.semantics.lifecycle import Image as LifecycleImage
from fargrade.semantics.lifecycle import LifecycleRefused, evaluate, parse_policy

TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TOKEN_LIFE = timedelta(hours=12)
PAGE = 100
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")

_tokens: dict[str, tuple[str, datetime]] = {}


class StoredImage(Image):
    """moto's image with what moto leaves out: true size, push time to the second, scan and pull."""

    def __init__(self, account: str, tag: str | None, manifest: str, repository: str, media: str, digest: str) -> None:
        super().__init__(account, tag or "", manifest, repository, media, digest)
        self.image_tags = [tag] if tag else []
        self.size = 0
        self.pushed: datetime = clock.now()
        self.pulled: datetime | None = None
        self.findings: list[dict[str, Any]] | None = None
        self.scan_status = ""
        self.scanned: datetime | None = None

    def get_image_size_in_bytes(self) -> int | None:
        return self.size


def backend(region: str) -> ECRBackend:
    """moto's ECR of the region."""
    from moto.ecr.models import ecr_backends

    return ecr_backends[account()][region]


def repository(region: str, name: str) -> Repository:
    """The repository. Raises Refused, RepositoryNotFoundException."""
    found = backend(region).repositories.get(name)
    if found is None:
        raise Refused(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{account()}'",
        )
    return found


def _of(call: Call) -> Repository:
    registry = call.parameters.get("registryId") or call.account
    if registry != call.account:
        raise Refused(
            "RepositoryNotFoundException",
            f"The repository with name '{call.parameters['repositoryName']}' does not exist "
            f"in the registry with id '{registry}'",
        )
    return repository(call.region, call.parameters["repositoryName"])


def invalid(parameter: str, why: str) -> Refused:
    """ECR's InvalidParameterException."""
    return Refused(
        "InvalidParameterException",
        f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{why}'",
    )


# --- pushing -----------------------------------------------------------------------------------------


@refusal("ecr", "PutImage")
def _tag_is_well_formed(call: Call) -> None:
    """docs.docker.com/reference/cli/docker/image/tag: letters, digits, _ . -, up to 128, not starting with . or -."""
    tag = call.parameters.get("imageTag")
    if tag is not None and not TAG.fullmatch(tag):
        raise invalid("imageTag", f"must satisfy regular expression '{TAG.pattern}'")


@answer("ecr", "PutImage")
def put_image(call: Call) -> dict[str, Any]:
    """PutImage: AmazonECR/latest/APIReference/API_PutImage.html, its errors included."""
    given = call.parameters
    held = _of(call)
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
            "imageId": _image_id(image, given.get("imageTag")),
            "imageManifest": image.image_manifest,
            "imageManifestMediaType": image.image_manifest_media_type,
        }
    }


def store_image(
    held: Repository, manifest: str, tag: str | None, media: str | None = None, digest: str | None = None
) -> StoredImage:
    """Put the manifest into the repository under `tag`. Raises Refused as PutImage does."""
    parsed = _parsed_manifest(manifest)
    media = media or parsed.get("mediaType")
    if not media:
        raise invalid("imageManifestMediaType", "image manifest mediatype not provided in manifest or parameter")
    true_digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    if digest and digest != true_digest:
        raise Refused("ImageDigestDoesNotMatchException", f"Provided digest {digest} does not match {true_digest}")
    size = _size_of_parts(held, parsed)
    image = _by_digest(held, true_digest)
    holder = _by_tag(held, tag) if tag else None
    if image is not None and (tag is None or tag in image.image_tags):
        raise Refused(
            "ImageAlreadyExistsException",
            f"Image with digest '{true_digest}' and tag '{tag}' already exists in the repository with name "
            f"'{held.name}' in registry with id '{held.registry_id}'",
        )
    if holder is not None and tag and is_immutable(held, tag):
        raise Refused(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{held.name}' repository and cannot be overwritten "
            "because the tag is immutable.",
        )
    if holder is not None and tag:
        take_tag(holder, tag)
    if image is None:
        image = StoredImage(held.account_id, tag, manifest, held.name, media, true_digest)
        image.size = size
        held.images.append(image)
    elif tag:
        image.update_tag(tag)
    return image


def _parsed_manifest(manifest: str) -> dict[str, Any]:
    try:
        parsed = json.loads(manifest)
    except (ValueError, RecursionError):
        raise invalid("ImageManifest", "Invalid JSON syntax") from None
    if not isinstance(parsed, dict) or not (
        isinstance(parsed.get("layers"), list) or isinstance(parsed.get("manifests"), list)
    ):
        raise invalid("ImageManifest", "Manifest is neither an image nor an image index")
    return parsed


def _size_of_parts(held: Repository, parsed: dict[str, Any]) -> int:
    """The bytes of all layers. Raises Refused where a layer or a referenced image was never pushed."""
    try:
        if "manifests" in parsed:
            wanted = [str(one["digest"]) for one in parsed["manifests"]]
            absent = [one for one in wanted if _by_digest(held, one) is None]
            if absent:
                raise Refused("ReferencedImagesNotFoundException", f"Images with digests '{absent}' were not found")
            return 0
        layers = [
            str(one["digest"]) for one in [*parsed["layers"], *([parsed["config"]] if "config" in parsed else [])]
        ]
    except (KeyError, TypeError):
        raise invalid("ImageManifest", "Manifest misses a digest") from None
    absent = [one for one in layers if one not in held.layers]
    if absent:
        raise Refused(
            "LayersNotFoundException",
            f"Layers with digests '{absent}' not found in the repository '{held.name}'",
        )
    return sum(held.layers[one] for one in layers)


def _by_digest(held: Repository, digest: str) -> StoredImage | None:
    images: list[Any] = held.images
    return next((image for image in images if image.get_image_digest() == digest), None)


def _by_tag(held: Repository, tag: str) -> StoredImage | None:
    images: list[Any] = held.images
    return next((image for image in images if tag in image.image_tags), None)


def take_tag(image: Image, tag: str) -> None:
    """Take the tag off the image, which stays, untagged if that was its last."""
    image.image_tags = [one for one in image.image_tags if one != tag]
    image.image_tag = image.image_tags[-1] if image.image_tags else None  # type: ignore[assignment]


def is_immutable(held: Repository, tag: str) -> bool:
    """Whether the tag may not be moved: the setting, turned round where an exclusion filter matches."""
    setting = str(getattr(held.image_tag_mutability, "value", held.image_tag_mutability))
    base = setting.startswith("IMMUTABLE")
    filters = held.image_tag_mutability_exclusion_filters or [] if setting.endswith("EXCLUSION") else []
    return base != any(wildcard(one["filter"], tag) for one in filters)


def wildcard(pattern: str, text: str) -> bool:
    """Whether `text` matches `pattern`, in which `*` stands for any characters."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text, re.S) is not None


# --- reading images ----------------------------------------------------------------------------------


def find_image(held: Repository, image_id: dict[str, str]) -> StoredImage:
    """The image by tag and/or digest. Raises Refused, ImageNotFoundException."""
    tag, digest = image_id.get("imageTag"), image_id.get("imageDigest")
    image = _by_digest(held, digest) if digest else _by_tag(held, tag or "")
    if image is None or (tag and tag not in image.image_tags):
        raise Refused(
            "ImageNotFoundException",
            f"The image with imageId {{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}} does not exist "
            f"within the repository with name '{held.name}' in the registry with id '{held.registry_id}'",
        )
    return image


def _image_id(image: Image, tag: str | None = None) -> dict[str, str]:
    found = {"imageDigest": image.get_image_digest()}
    return {**found, "imageTag": tag} if tag else found


@answer("ecr", "DescribeImages")
def describe_images(call: Call) -> dict[str, Any]:
    """DescribeImages, with filter and paging: API_DescribeImages.html."""
    held, given = _of(call), call.parameters
    wanted = given.get("imageIds")
    images = [find_image(held, one) for one in wanted] if wanted else list(held.images)
    status = (given.get("filter") or {}).get("tagStatus", "ANY")
    images = [one for one in images if status == "ANY" or bool(one.image_tags) == (status == "TAGGED")]
    page, token = _page(images, given)
    return {"imageDetails": [_detail(held, one) for one in page], "nextToken": token}


def _page(everything: list[Any], given: dict[str, Any]) -> tuple[list[Any], str | None]:
    try:
        start = int(base64.b64decode(given.get("nextToken") or b"MA==", validate=True))
    except ValueError:
        raise invalid("nextToken", "the token is not one that this operation gave") from None
    size = given.get("maxResults") or PAGE
    more = start + size < len(everything)
    return everything[start : start + size], base64.b64encode(str(start + size).encode()).decode() if more else None


def _detail(held: Repository, image: StoredImage) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "imageDigest": image.get_image_digest(),
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed,
        "imageManifestMediaType": image.image_manifest_media_type,
    }
    if image.image_tags:
        detail["imageTags"] = list(image.image_tags)
    if image.pulled:
        detail["lastRecordedPullTime"] = image.pulled
    if image.scan_status:
        detail["imageScanStatus"] = _status(image)
    if image.findings is not None and image.scan_status in ("COMPLETE", "ACTIVE"):
        detail["imageScanFindingsSummary"] = {
            "imageScanCompletedAt": image.scanned,
            "findingSeverityCounts": _counts(image.findings),
        }
    return detail


# --- scanning ----------------------------------------------------------------------------------------


def scans_on_push(region: str, held: Repository) -> bool:
    """Whether a push is scanned: by the repository's setting, or by a registry rule whose filter matches it."""
    setting: Any = held.image_scanning_configuration or {}
    if setting.get("scanOnPush"):
        return True
    configuration = backend(region).registry_scanning_configuration or {}
    return any(
        rule.get("scanFrequency") in ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")
        and any(
            wildcard(one["filter"] if "*" in one["filter"] else f"*{one['filter']}*", held.name)
            for one in rule["repositoryFilters"]
        )
        for rule in configuration.get("rules", [])
    )


def scan_on_push(region: str, held: Repository, image: StoredImage) -> None:
    """Scan the image if the repository is scanned on push."""
    if scans_on_push(region, held) and not image.scan_status:
        scan(image)


def scan(image: StoredImage) -> None:
    """Scan: what is found in an image of the emulator's is nothing, unless the grader planted findings."""
    image.scan_status = "COMPLETE"
    image.scanned = clock.now()
    image.findings = image.findings or []


@answer("ecr", "StartImageScan")
def start_image_scan(call: Call) -> dict[str, Any]:
    """StartImageScan: an image may be scanned once in 24 hours (image-scanning-basic.html)."""
    held = _of(call)
    image = find_image(held, call.parameters["imageId"])
    if image.scanned and clock.now() - image.scanned < timedelta(hours=24):
        raise Refused("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.")
    scan(image)
    return {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "imageId": _image_id(image, call.parameters["imageId"].get("imageTag")),
        "imageScanStatus": {"status": "IN_PROGRESS"},
    }


@answer("ecr", "DescribeImageScanFindings")
def describe_findings(call: Call) -> dict[str, Any]:
    """DescribeImageScanFindings, paged: 100 findings a page unless maxResults says otherwise (1 to 1000)."""
    held, given = _of(call), call.parameters
    image = find_image(held, given["imageId"])
    if not image.scan_status:
        raise Refused(
            "ScanNotFoundException",
            f"Image scan does not exist for the image with '{given['imageId']}' in the repository with name "
            f"'{held.name}' in the registry with id '{held.registry_id}'",
        )
    result: dict[str, Any] = {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "imageId": _image_id(image, given["imageId"].get("imageTag")),
        "imageScanStatus": _status(image),
    }
    if image.scan_status in ("COMPLETE", "ACTIVE"):
        page, result["nextToken"] = _page(image.findings or [], given)
        result["imageScanFindings"] = {
            "imageScanCompletedAt": image.scanned,
            "vulnerabilitySourceUpdatedAt": image.scanned,
            "findings": page,
            "findingSeverityCounts": _counts(image.findings or []),
        }
    return result


def _status(image: StoredImage) -> dict[str, str]:
    words = {
        "COMPLETE": "The scan was completed successfully.",
        "ACTIVE": "Continuous scan is selected for image.",
        "FAILED": "UnsupportedImageError: The operating system of the image is not supported.",
    }
    return {"status": image.scan_status, "description": words.get(image.scan_status, "")}


def _counts(findings: list[dict[str, Any]]) -> dict[str, int]:
    return {
        severity: amount
        for severity in SEVERITIES
        if (amount := sum(1 for one in findings if one.get("severity") == severity))
    }


# --- lifecycle, policies, login ----------------------------------------------------------------------


@answer("ecr", "PutLifecyclePolicy")
def put_lifecycle_policy(call: Call) -> dict[str, Any]:
    """PutLifecyclePolicy: refused by the same rules that graders reason with (semantics.lifecycle)."""
    held, text = _of(call), call.parameters["lifecyclePolicyText"]
    _policy(text)
    held.lifecycle_policy = text
    return {"registryId": held.registry_id, "repositoryName": held.name, "lifecyclePolicyText": text}


def _policy(text: str) -> Any:
    try:
        return parse_policy(text)
    except LifecycleRefused as refused:
        raise Refused("InvalidParameterException", str(refused)) from None


_previews: dict[str, str] = {}


@answer("ecr", "StartLifecyclePolicyPreview")
def start_preview(call: Call) -> dict[str, Any]:
    """StartLifecyclePolicyPreview: of the given policy, else of the repository's own."""
    held = _of(call)
    text = call.parameters.get("lifecyclePolicyText") or held.lifecycle_policy
    if not text:
        raise Refused(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository '{held.name}'",
        )
    _policy(text)
    _previews[held.arn] = text
    return {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "lifecyclePolicyText": text,
        "status": "IN_PROGRESS",
    }


@answer("ecr", "GetLifecyclePolicyPreview")
def get_preview(call: Call) -> dict[str, Any]:
    """GetLifecyclePolicyPreview: what would expire now."""
    held = _of(call)
    text = _previews.get(held.arn)
    if text is None:
        raise Refused(
            "LifecyclePolicyPreviewNotFoundException", f"There is no preview for the repository '{held.name}'"
        )
    by_digest = {image.get_image_digest(): image for image in held.images}
    went = evaluate(_policy(text), lifecycle_images(held), clock.now()).expired
    results = [
        {
            "imageTags": list(by_digest[digest].image_tags),
            "imageDigest": digest,
            "imagePushedAt": by_digest[digest].pushed,  # type: ignore[attr-defined]
            "action": {"type": "EXPIRE"},
        }
        for digest in sorted(went)
    ]
    return {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "lifecyclePolicyText": text,
        "status": "COMPLETE",
        "previewResults": results,
        "summary": {"expiringImageTotalCount": len(results)},
    }


def lifecycle_images(held: Repository) -> list[LifecycleImage]:
    """The repository's images as the lifecycle rules see them."""
    images: list[Any] = held.images
    return [
        LifecycleImage(
            digest=image.get_image_digest(),
            tags=frozenset(image.image_tags),
            pushed_at=image.pushed,
            last_pulled_at=image.pulled,
            references=tuple(str(one.get("digest")) for one in json.loads(image.image_manifest).get("manifests", [])),
        )
        for image in images
    ]


@refusal("ecr", "SetRepositoryPolicy")
def _policy_has_principals(call: Call) -> None:
    """A resource policy's statement names a principal: reference_policies_elements_principal.html."""
    try:
        document = json.loads(call.parameters["policyText"])
        statements = document["Statement"]
        statements = statements if isinstance(statements, list) else [statements]
        complete = all(("Principal" in one) != ("NotPrincipal" in one) for one in statements)
    except (ValueError, KeyError, TypeError, RecursionError):
        complete = False
    if not complete:
        raise Refused(
            "InvalidParameterException",
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
        )


@answer("ecr", "GetAuthorizationToken")
def get_authorization_token(call: Call) -> dict[str, Any]:
    """GetAuthorizationToken: base64 of AWS:password, valid 12 hours, good for every private registry in reach."""
    registries = call.parameters.get("registryIds") or [call.account]
    host = f"{{}}.dkr.ecr.{call.region}.amazonaws.com"
    return {"authorizationData": [issue_token(host.format(one)) for one in registries]}


def issue_token(registry: str) -> dict[str, Any]:
    """A login for the registry: token, end of validity, address. The password is never the same."""
    password = secrets.token_urlsafe(48)
    expires = clock.now() + TOKEN_LIFE
    _tokens[password] = (registry, expires)
    return {
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "expiresAt": expires,
        "proxyEndpoint": f"https://{registry}",
    }


def token_registry(password: str) -> str | None:
    """The registry that the password logs in to; None if it was never issued or is out of date."""
    registry, expires = _tokens.get(password, ("", clock.now()))
    return registry if expires > clock.now() else None


@on_reset
def _forget() -> None:
    _tokens.clear()
    _previews.clear()
