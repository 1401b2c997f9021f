"""Who may do what in a world, read through the grader's own clients and decided by `semantics.iam`: on any backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from fargrade.semantics.iam import Decision, Policy, Role, call_context, parse_policy, role_may


class Reads(Protocol):
    """As much of a World as reading rights takes."""

    region: str

    def client(self, service: str, region: str | None = None) -> Any: ...

    def now(self) -> Any: ...


def read_role(world: Reads, name: str) -> Role:
    """The role with this name or ARN, with all that is attached to it. Raises botocore's ClientError: NoSuchEntity."""
    iam = world.client("iam")
    held = iam.get_role(RoleName=name.rsplit("/", 1)[-1])["Role"]
    own = {"RoleName": held["RoleName"]}
    inline = [
        _parsed(iam.get_role_policy(**own, PolicyName=one)["PolicyDocument"], name=one)
        for one in _all(iam, "list_role_policies", "PolicyNames", own)
    ]
    attached = [
        _managed(iam, one["PolicyArn"]) for one in _all(iam, "list_attached_role_policies", "AttachedPolicies", own)
    ]
    bounds = held.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Role(
        arn=held["Arn"],
        trust=_parsed(held["AssumeRolePolicyDocument"], "trust", "trust policy"),
        identity=(*inline, *attached),
        boundary=(_managed(iam, bounds),) if bounds else None,
        tags={tag["Key"]: tag["Value"] for tag in held.get("Tags", ())},
    )


def resource_policies(world: Reads, resource: str) -> tuple[Policy, ...]:
    """The policies on the resource itself: a bucket's, a repository's, a secret's. None where it is not there."""
    fields = resource.split(":", 5)
    if len(fields) < 6:
        return ()
    service, region, name = fields[2], fields[3], fields[5]
    calls: dict[str, tuple[str, str, dict[str, str]]] = {
        "s3": ("get_bucket_policy", "Policy", {"Bucket": name.partition("/")[0]}),
        "ecr": ("get_repository_policy", "policyText", {"repositoryName": name.partition("/")[2]}),
        "secretsmanager": ("get_resource_policy", "ResourcePolicy", {"SecretId": resource}),
    }
    if service not in calls or "*" in name.partition("/")[0]:
        return ()
    from botocore.exceptions import ClientError

    operation, key, arguments = calls[service]
    try:
        text = getattr(world.client(service, region or None), operation)(**arguments).get(key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise
        return ()
    return (_parsed(text, "resource", f"policy of {name}"),) if text else ()


def decide(
    world: Reads,
    role: str | Role,
    action: str,
    resource: str = "*",
    context: Mapping[str, str | Sequence[str]] | None = None,
) -> Decision:
    """Whether a session of `role` (its name or ARN, or as it was read) may do `action` on `resource` in this world."""
    asked = role if isinstance(role, Role) else read_role(world, role)
    known = call_context(asked, resource, world.region, world.now())
    return role_may(
        asked, action, resource, {**known, **(context or {})}, of_resource=resource_policies(world, resource)
    )


def _managed(iam: Any, arn: str) -> Policy:
    held = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=held["DefaultVersionId"])["PolicyVersion"]
    return _parsed(version["Document"], name=held["PolicyName"])


def _parsed(document: Any, kind: Any = "identity", name: str = "") -> Policy:
    """botocore has IAM's documents as dicts; what is not JSON it leaves as text, percent-encoded."""
    return parse_policy(unquote(document) if isinstance(document, str) and "%7B" in document else document, kind, name)


def _all(iam: Any, operation: str, key: str, arguments: Mapping[str, str]) -> Iterable[Any]:
    for page in iam.get_paginator(operation).paginate(**arguments):
        yield from page[key]
