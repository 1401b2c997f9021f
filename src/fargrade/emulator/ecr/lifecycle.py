"""Lifecycle policies: refused and previewed by the same rules that graders reason with (semantics.lifecycle)."""

from __future__ import annotations

from typing import Any

from moto.ecr.models import Repository

from fargrade.emulator import clock
from fargrade.emulator.ecr.store import images_of, of, page
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, answer
from fargrade.semantics.lifecycle import Image as LifecycleImage
from fargrade.semantics.lifecycle import LifecycleRefused, evaluate, parse_policy

_previews: dict[str, str] = {}


@on_reset
def _forget() -> None:
    _previews.clear()


@answer("ecr", "PutLifecyclePolicy")
def put_lifecycle_policy(call: Call) -> dict[str, Any]:
    """PutLifecyclePolicy: refused by the same rules that graders reason with (semantics.lifecycle)."""
    held, text = of(call), call.parameters["lifecyclePolicyText"]
    _policy(text)
    held.lifecycle_policy = text
    return {"registryId": held.registry_id, "repositoryName": held.name, "lifecyclePolicyText": text}


def _policy(text: str) -> Any:
    try:
        return parse_policy(text)
    except LifecycleRefused as refused:
        raise Refused("InvalidParameterException", str(refused)) from None


@answer("ecr", "StartLifecyclePolicyPreview")
def start_preview(call: Call) -> dict[str, Any]:
    """StartLifecyclePolicyPreview: of the given policy, else of the repository's own."""
    held = of(call)
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
    held = of(call)
    text = _previews.get(held.arn)
    if text is None:
        raise Refused(
            "LifecyclePolicyPreviewNotFoundException", f"There is no preview for the repository '{held.name}'"
        )
    by_digest = {image.get_image_digest(): image for image in images_of(held)}
    went = evaluate(_policy(text), lifecycle_images(held), clock.now()).expired
    results = [
        {
            "imageTags": list(by_digest[digest].image_tags),
            "imageDigest": digest,
            "imagePushedAt": by_digest[digest].pushed,
            "action": {"type": "EXPIRE"},
        }
        for digest in sorted(went)
    ]
    shown, token = page(results, call.parameters)
    return {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "lifecyclePolicyText": text,
        "status": "COMPLETE",
        "nextToken": token,
        "previewResults": shown,
        "summary": {"expiringImageTotalCount": len(results)},
    }


def lifecycle_images(held: Repository) -> list[LifecycleImage]:
    """The repository's images as the lifecycle rules see them."""
    return [
        LifecycleImage(
            digest=image.get_image_digest(),
            tags=frozenset(image.image_tags),
            pushed_at=image.pushed,
            last_pulled_at=image.pulled,
            references=image.children,
        )
        for image in images_of(held)
    ]
