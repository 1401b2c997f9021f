"""Task definitions that a learner wrote as a file, registered as they are: by the grader, in the world of the item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fargrade.backends.world import World

# The account that a brief writes, where the world's own is another in each run.
BRIEF_ACCOUNT = "111122223333"


def localized(world: World, document: Any) -> Any:
    """The document with the account of the briefs replaced by the world's."""
    if isinstance(document, str):
        return document.replace(BRIEF_ACCOUNT, world.account)
    if isinstance(document, list):
        return [localized(world, one) for one in document]
    if isinstance(document, Mapping):
        return {key: localized(world, value) for key, value in document.items()}
    return document


def of_the_run(world: World, document: dict[str, Any]) -> dict[str, Any]:
    """The definition with the names that the run's family and roles have on a real account; as it is elsewhere."""
    if not world.real:
        return document
    made = dict(document)
    if isinstance(made.get("family"), str):
        made["family"] = world.named(made["family"])
    for key in ("executionRoleArn", "taskRoleArn"):
        if isinstance(made.get(key), str):
            before, slash, name = made[key].rpartition("/")
            made[key] = before + slash + world.named(name) if slash else made[key]
    return made


def register(world: World, document: Any) -> tuple[dict[str, Any], str]:
    """(the task definition as AWS describes it, ""), or ({}, why it was refused: `Code: message`)."""
    from botocore.exceptions import ClientError, ParamValidationError

    if not isinstance(document, Mapping):
        return {}, "ParamValidation: a task definition is a JSON object"
    try:
        made = world.client("ecs").register_task_definition(**of_the_run(world, localized(world, document)))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise
        return {}, f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    except (ParamValidationError, TypeError) as error:
        return {}, " ".join(str(error).split())
    definition: dict[str, Any] = made["taskDefinition"]
    return definition, ""
