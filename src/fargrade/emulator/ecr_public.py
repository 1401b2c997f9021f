"""ECR Public, as much as the course asks of it; moto has none of it.

A public registry has an alias, repositories with catalog data and images, and neither scanning nor lifecycle
policies (AmazonECR/latest/public/what-is-ecr.html). Its API is authenticated in us-east-1.

Upstream: yes, as it stands here: moto has no ECR Public.
"""

from __future__ import annotations

from datetime import datetime
from random import Random
from string import ascii_lowercase
from typing import Any

from fargrade.emulator import clock, ecr
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, account, answer

HOST = "public.ecr.aws"
CATALOG_KEYS = (
    "description",
    "architectures",
    "operatingSystems",
    "logoUrl",
    "aboutText",
    "usageText",
    "marketplaceCertified",
)

_repositories: dict[str, dict[str, Any]] = {}


def alias() -> str:
    """The registry's alias: AWS gives every account one, and nobody can guess it."""
    return Random(account()).choice(ascii_lowercase) + f"{Random(account()).getrandbits(28):07x}"


@on_reset
def _forget() -> None:
    _repositories.clear()


def _repository(call: Call, name: str) -> dict[str, Any]:
    if name not in _repositories:
        raise Refused(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{call.account}'",
        )
    return _repositories[name]


def _shown(held: dict[str, Any]) -> dict[str, Any]:
    return {key: held[key] for key in ("repositoryArn", "registryId", "repositoryName", "repositoryUri", "createdAt")}


def _catalog(given: dict[str, Any] | None) -> dict[str, Any]:
    data = {key: value for key, value in (given or {}).items() if key in CATALOG_KEYS}
    data.setdefault("marketplaceCertified", False)
    return data


@answer("ecr-public", "CreateRepository")
def create_repository(call: Call) -> dict[str, Any]:
    """API_CreateRepository.html of ECR Public."""
    name = call.parameters["repositoryName"]
    if name in _repositories:
        raise Refused(
            "RepositoryAlreadyExistsException",
            f"The repository with name '{name}' already exists in the registry with id '{call.account}'",
        )
    created: datetime = clock.now()
    held = _repositories[name] = {
        "repositoryArn": f"arn:aws:ecr-public::{call.account}:repository/{name}",
        "registryId": call.account,
        "repositoryName": name,
        "repositoryUri": f"{HOST}/{alias()}/{name}",
        "createdAt": created,
        "catalog": _catalog(call.parameters.get("catalogData")),
        "tags": {one["Key"]: one.get("Value", "") for one in call.parameters.get("tags") or []},
    }
    return {"repository": _shown(held), "catalogData": held["catalog"]}


@answer("ecr-public", "DescribeRepositories")
def describe_repositories(call: Call) -> dict[str, Any]:
    names = call.parameters.get("repositoryNames") or sorted(_repositories)
    return {"repositories": [_shown(_repository(call, name)) for name in names]}


@answer("ecr-public", "DeleteRepository")
def delete_repository(call: Call) -> dict[str, Any]:
    held = _repository(call, call.parameters["repositoryName"])
    del _repositories[held["repositoryName"]]
    return {"repository": _shown(held)}


@answer("ecr-public", "GetRepositoryCatalogData")
def get_catalog_data(call: Call) -> dict[str, Any]:
    return {"catalogData": _repository(call, call.parameters["repositoryName"])["catalog"]}


@answer("ecr-public", "PutRepositoryCatalogData")
def put_catalog_data(call: Call) -> dict[str, Any]:
    held = _repository(call, call.parameters["repositoryName"])
    held["catalog"] = _catalog(call.parameters["catalogData"])
    return {"catalogData": held["catalog"]}


@answer("ecr-public", "DescribeRegistries")
def describe_registries(call: Call) -> dict[str, Any]:
    named = {"name": alias(), "status": "ACTIVE", "primaryRegistryAlias": True, "defaultRegistryAlias": True}
    registry = {
        "registryId": call.account,
        "registryArn": f"arn:aws:ecr-public::{call.account}:registry/{call.account}",
        "registryUri": f"{HOST}/{alias()}",
        "verified": False,
        "aliases": [named],
    }
    return {"registries": [registry]}


@answer("ecr-public", "DescribeImages")
def describe_images(call: Call) -> dict[str, Any]:
    _repository(call, call.parameters["repositoryName"])
    return {"imageDetails": []}


@answer("ecr-public", "GetAuthorizationToken")
def get_authorization_token(call: Call) -> dict[str, Any]:
    """One login for all of public.ecr.aws, whoever's repository: API_GetAuthorizationToken.html of ECR Public."""
    del call
    issued = ecr.issue_token(HOST)
    return {"authorizationData": {key: issued[key] for key in ("authorizationToken", "expiresAt")}}


def _by_arn(call: Call) -> dict[str, Any]:
    return _repository(call, call.parameters["resourceArn"].partition(":repository/")[2])


@answer("ecr-public", "TagResource")
def tag_resource(call: Call) -> dict[str, Any]:
    _by_arn(call)["tags"].update({one["Key"]: one.get("Value", "") for one in call.parameters["tags"]})
    return {}


@answer("ecr-public", "UntagResource")
def untag_resource(call: Call) -> dict[str, Any]:
    for key in call.parameters["tagKeys"]:
        _by_arn(call)["tags"].pop(key, None)
    return {}


@answer("ecr-public", "ListTagsForResource")
def list_tags(call: Call) -> dict[str, Any]:
    return {"tags": [{"Key": key, "Value": value} for key, value in _by_arn(call)["tags"].items()]}
