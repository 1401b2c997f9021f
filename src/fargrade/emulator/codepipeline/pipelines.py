"""CodePipeline's pipelines: what AWS keeps of them, and what it refuses.

All of it is ours: moto's executions succeed at once and do nothing, and it checks next to nothing.
Source: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fargrade.emulator import clock, inner, roles, rules
from fargrade.emulator.codeconnections import find as find_connection
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.semantics.pipeline import StructureError, refuse_bad_structure

SERVICE = "codepipeline.amazonaws.com"
NAME = re.compile(r"[A-Za-z0-9.@_-]{1,100}")


@dataclass
class Held:
    """A pipeline in this world. `closed` are the stages whose inbound transition is disabled, and why."""

    declared: dict[str, Any]
    region: str
    created: datetime = field(default_factory=clock.now)
    updated: datetime = field(default_factory=clock.now)
    tags: dict[str, str] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.declared["name"])

    @property
    def arn(self) -> str:
        return f"arn:aws:codepipeline:{self.region}:{rules.account()}:{self.name}"

    @property
    def metadata(self) -> dict[str, Any]:
        return {"pipelineArn": self.arn, "created": self.created, "updated": self.updated}


_pipelines: dict[tuple[str, str], Held] = {}


@on_reset
def _new() -> None:
    _pipelines.clear()


def find(region: str, name: str) -> Held | None:
    """The pipeline of that name."""
    return _pipelines.get((region, name))


def wanted(region: str, name: str) -> Held:
    """The pipeline of that name. Raises Refused."""
    found = find(region, name)
    if found is None:
        raise Refused(
            "PipelineNotFoundException", f"Account '{rules.account()}' does not have a pipeline with name '{name}'"
        )
    return found


def by_arn(region: str, arn: str) -> Held:
    """The pipeline with this ARN. Raises Refused."""
    return _included(region, arn.rpartition(":")[2])


def _included(region: str, name: str) -> Held:
    found = find(region, name)
    if found is None:
        raise Refused(
            "ResourceNotFoundException",
            f"The account with id '{rules.account()}' does not include a pipeline with the name '{name}'",
        )
    return found


def all_pipelines(region: str | None = None) -> list[Held]:
    """Every pipeline, by name."""
    found = [one for (place, _), one in _pipelines.items() if region in (None, place)]
    return sorted(found, key=lambda one: one.name)


def create(region: str, declared: dict[str, Any], tags: dict[str, str]) -> Held:
    """Keep a new pipeline. Raises Refused."""
    name = declared["name"]
    if not NAME.fullmatch(name):
        raise Refused("ValidationException", f"Value '{name}' at 'pipeline.name' failed to satisfy constraint")
    if find(region, name):
        raise Refused(
            "PipelineNameInUseException",
            f"A pipeline with the name '{name}' already exists in account '{rules.account()}'",
        )
    made = Held(_completed(declared, 1), region, tags=tags)
    _refuse(made)
    _pipelines[(region, name)] = made
    return made


def update(region: str, declared: dict[str, Any]) -> Held:
    """Replace a pipeline's declaration. Raises Refused."""
    held = _included(region, declared["name"])
    made = Held(_completed(declared, held.declared["version"] + 1), region)
    _refuse(made)
    held.declared, held.updated = made.declared, clock.now()
    return held


def delete(region: str, name: str) -> None:
    """Forget a pipeline; AWS says nothing where there is none."""
    _pipelines.pop((region, name), None)


def _completed(declared: dict[str, Any], version: int) -> dict[str, Any]:
    """With what AWS fills in."""
    made = copy.deepcopy(declared)
    made["version"] = version
    made.setdefault("pipelineType", "V1")
    made.setdefault("executionMode", "SUPERSEDED")
    for stage in made.get("stages", ()):
        for action in stage.get("actions", ()):
            action.setdefault("runOrder", 1)
            for key, empty in (("configuration", {}), ("outputArtifacts", []), ("inputArtifacts", [])):
                if action.get(key) is None:
                    action[key] = type(empty)()
    return made


def _refuse(held: Held) -> None:
    """Raises Refused for what CreatePipeline and UpdatePipeline refuse."""
    try:
        refuse_bad_structure(held.declared, held.region)
    except StructureError as error:
        raise Refused(error.code, error.message) from None
    role = held.declared["roleArn"]
    if not assumable(held):
        raise Refused(
            "InvalidStructureException", f"CodePipeline is not authorized to perform AssumeRole on role {role}"
        )
    stores = held.declared.get("artifactStores") or {held.region: held.declared.get("artifactStore")}
    for store in stores.values():
        if not bucket_exists(held.region, store["location"]):
            raise Refused(
                "InvalidStructureException", f"The artifact bucket {store['location']} does not exist in this account"
            )
    for stage in held.declared["stages"]:
        for action in stage["actions"]:
            arn = action["configuration"].get("ConnectionArn")
            if arn and find_connection(arn) is None:
                raise Refused(
                    "InvalidActionDeclarationException",
                    f"Connection {arn} in the configuration of action '{action['name']}' could not be found",
                )


def assumable(held: Held) -> bool:
    """Whether CodePipeline may act in the pipeline's role."""
    context = {"aws:SourceArn": held.arn, "aws:SourceAccount": rules.account()}
    return roles.assumable(held.declared["roleArn"], SERVICE, context, region=held.region).allowed


def bucket_exists(region: str, name: str) -> bool:
    """Whether the world has a bucket of that name."""
    from botocore.exceptions import ClientError

    try:
        inner.client("s3", region).head_bucket(Bucket=name)
    except ClientError:
        return False
    return True
