"""Repository creation templates: what a repository is made like that ECR makes by itself. moto has none of it.

ECR makes one when an image is pushed to a name that no repository has, if a template of its prefix is applied for
CREATE_ON_PUSH; and it makes the one that a pull through cache rule needs like the template for PULL_THROUGH_CACHE.
Sources: docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html,
API_CreateRepositoryCreationTemplate.html, github.com/aws/containers-roadmap/issues/853.
Upstream: yes, as it stands here (the templates are plain state).
"""

from __future__ import annotations

from typing import Any

from moto.ecr.models import Repository

from fargrade.emulator import clock, inner
from fargrade.emulator.ecr.pull_through import ROOT
from fargrade.emulator.ecr.store import backend, invalid, page, repository
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, answer, refusal

ON_PUSH, THROUGH_CACHE = "CREATE_ON_PUSH", "PULL_THROUGH_CACHE"
USUAL = {"imageTagMutability": "MUTABLE", "encryptionConfiguration": {"encryptionType": "AES256"}}
SETTINGS = (
    "description", "encryptionConfiguration", "resourceTags", "imageTagMutability",
    "imageTagMutabilityExclusionFilters", "repositoryPolicy", "lifecyclePolicy", "appliedFor", "customRoleArn",
)  # fmt: skip

_templates: dict[tuple[str, str], dict[str, Any]] = {}


@on_reset
def _forget() -> None:
    _templates.clear()


@answer("ecr", "CreateRepositoryCreationTemplate")
def create(call: Call) -> dict[str, Any]:
    """A template: API_CreateRepositoryCreationTemplate.html."""
    given = call.parameters
    prefix = given["prefix"].rstrip("/")
    if (call.region, prefix) in _templates:
        raise Refused(
            "TemplateAlreadyExistsException",
            f"A Template with prefix: '{prefix}' already exists in the registry with id '{call.account}'.",
        )
    made = {"prefix": prefix, **USUAL, **_settings(given), "createdAt": clock.now(), "updatedAt": clock.now()}
    _refuse_without_role(made)
    _templates[call.region, prefix] = made
    return {"registryId": call.account, "repositoryCreationTemplate": made}


@answer("ecr", "UpdateRepositoryCreationTemplate")
def update(call: Call) -> dict[str, Any]:
    """What is given is changed, the rest stays: API_UpdateRepositoryCreationTemplate.html."""
    held = _template(call)
    changed = {**held, **_settings(call.parameters), "updatedAt": clock.now()}
    _refuse_without_role(changed)
    held.update(changed)
    return {"registryId": call.account, "repositoryCreationTemplate": held}


@answer("ecr", "DeleteRepositoryCreationTemplate")
def delete(call: Call) -> dict[str, Any]:
    """API_DeleteRepositoryCreationTemplate.html."""
    held = _template(call)
    del _templates[call.region, held["prefix"]]
    return {"registryId": call.account, "repositoryCreationTemplate": held}


@answer("ecr", "DescribeRepositoryCreationTemplates")
def describe(call: Call) -> dict[str, Any]:
    """All templates, or those of the prefixes that there are: API_DescribeRepositoryCreationTemplates.html."""
    prefixes = {one.rstrip("/") for one in call.parameters.get("prefixes") or ()}
    found = [
        one
        for (region, prefix), one in sorted(_templates.items())
        if region == call.region and (not prefixes or prefix in prefixes)
    ]
    shown, token = page(found, call.parameters)
    return {"registryId": call.account, "repositoryCreationTemplates": shown, "nextToken": token}


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in SETTINGS if given.get(name) is not None}


def _refuse_without_role(template: dict[str, Any]) -> None:
    """Tags and keys of one's own are set in a role's name: repository-creation-templates-create-iam.html."""
    kms = template["encryptionConfiguration"].get("encryptionType", "AES256") != "AES256"
    if (kms or template.get("resourceTags")) and not template.get("customRoleArn"):
        raise invalid("customRoleArn", "a role is needed for KMS encryption and for resource tags")


def _template(call: Call) -> dict[str, Any]:
    prefix = call.parameters["prefix"].rstrip("/")
    held = _templates.get((call.region, prefix))
    if held is None:
        raise Refused(
            "TemplateNotFoundException",
            f"The Template with prefix '{prefix}' does not exist in the registry with id '{call.account}'",
        )
    return held


def template_for(region: str, name: str, purpose: str) -> dict[str, Any] | None:
    """The template that a repository of this name is made by: of the longest prefix, else ROOT's; None without one."""
    mine = {
        prefix: one for (where, prefix), one in _templates.items() if where == region and purpose in one["appliedFor"]
    }
    prefix = next((one for one in sorted(mine, key=len, reverse=True) if name.startswith(f"{one}/")), ROOT)
    return mine.get(prefix)


def make(region: str, name: str, template: dict[str, Any] | None) -> None:
    """Make the repository as the template says, or with the usual settings."""
    client, given = inner.client("ecr", region), template or {}
    kept = ("encryptionConfiguration", "imageTagMutability", "imageTagMutabilityExclusionFilters")
    asked = {key: given[key] for key in kept if given.get(key)}
    client.create_repository(repositoryName=name, tags=given.get("resourceTags") or [], **asked)
    if given.get("repositoryPolicy"):
        client.set_repository_policy(repositoryName=name, policyText=given["repositoryPolicy"])
    if given.get("lifecyclePolicy"):
        client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=given["lifecyclePolicy"])


def comes_on_push(region: str, name: str) -> bool:
    """Whether a push to the name finds a repository: one that is there, or that a template has ECR make."""
    return name in backend(region).repositories or template_for(region, name, ON_PUSH) is not None


def pushed_to(region: str, name: str) -> Repository:
    """The repository that somebody pushes to, made if a template says so. Raises Refused where there is none."""
    if name not in backend(region).repositories and (template := template_for(region, name, ON_PUSH)):
        make(region, name, template)
    return repository(region, name)


@refusal("ecr", "BatchCheckLayerAvailability", "InitiateLayerUpload")
def _made_on_push(call: Call) -> None:
    """Not a refusal: a push begins with these, and it finds the repository there."""
    if call.parameters.get("registryId") in (None, call.account):
        name = call.parameters["repositoryName"]
        if comes_on_push(call.region, name):
            pushed_to(call.region, name)
