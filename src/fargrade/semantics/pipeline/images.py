"""The files by which a build tells a deploy which image to run, and the task definition that becomes of it.

Sources: https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What describe-task-definition tells and register-task-definition does not take.
ONLY_DESCRIBED = frozenset(
    (
        *("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt"),
        *("registeredBy", "deregisteredAt", "deleteRequestedAt"),
    )
)


class ImageFileError(Exception):
    """The deploy action fails with this message."""


@dataclass(frozen=True)
class ImageName:
    """Which image a container is to run."""

    container: str
    image: str


def image_definitions(content: bytes, file: str = "imagedefinitions.json") -> list[ImageName]:
    """What an image definitions file says. Raises ImageFileError, in the deploy action's words."""
    try:
        given = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise ImageFileError(
            f"Invalid action configuration: The image definition file {file} contains invalid JSON format."
        ) from None
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise ImageFileError(
            f"Invalid action configuration: The image definition file {file} must be a JSON array of objects with "
            "name and imageUri."
        )
    return [_image_name(one, file) for one in given]


def _image_name(one: Mapping[str, Any], file: str) -> ImageName:
    for key in ("name", "imageUri"):
        if not isinstance(one.get(key), str) or not one[key]:
            raise ImageFileError(
                f"Invalid action configuration: The image definition file {file} has an entry without {key}."
            )
    return ImageName(one["name"], one["imageUri"])


def image_detail(content: bytes) -> str:
    """The image URI of an imageDetail.json. Raises ImageFileError."""
    try:
        given = json.loads(content.decode("utf-8-sig"))
        uri = given["ImageURI"]
    except (UnicodeDecodeError, ValueError, RecursionError, KeyError, TypeError):
        raise ImageFileError("The imageDetail.json file does not contain a JSON object with ImageURI.") from None
    if not isinstance(uri, str) or not uri:
        raise ImageFileError("The imageDetail.json file does not contain a JSON object with ImageURI.")
    return uri


def container_images(task_definition: Mapping[str, Any]) -> dict[str, str]:
    """Which image each container of a task definition runs."""
    return {str(one.get("name")): str(one.get("image")) for one in task_definition.get("containerDefinitions", [])}


def registration(task_definition: Mapping[str, Any], images: Sequence[ImageName] = ()) -> dict[str, Any]:
    """The register-task-definition call for the next revision, with `images` in place. Raises ImageFileError."""
    known = container_images(task_definition)
    for one in images:
        if one.container not in known:
            raise ImageFileError(f"Invalid action configuration: The AWS ECS container {one.container} does not exist")
    wanted = {one.container: one.image for one in images}
    made = {key: value for key, value in task_definition.items() if key not in ONLY_DESCRIBED and value is not None}
    made["containerDefinitions"] = [
        {**one, "image": wanted.get(one["name"], one["image"])} for one in task_definition["containerDefinitions"]
    ]
    return made
