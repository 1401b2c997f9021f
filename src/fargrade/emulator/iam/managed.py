"""AWS managed policies: there when they are asked for, without loading all of them into every world.

moto has the documents of all of them (read from AWS by its maintainers), but keeps either all or none in a world;
`MOTO_IAM_LOAD_MANAGED_POLICIES` costs a second. Upstream: moto could look them up like this.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from fargrade.emulator.roles import backend
from fargrade.emulator.rules import Call, refusal

PREFIX = "arn:aws:iam::aws:policy/"


@refusal(
    "iam",
    *("AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy", "GetPolicy", "GetPolicyVersion"),
    *("ListPolicyVersions", "CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary"),
    "ListEntitiesForPolicy",
)
def bring_named(call: Call) -> None:
    """Have the AWS managed policy that the call names in this world, if AWS has it."""
    for name in ("PolicyArn", "PermissionsBoundary"):
        arn = call.parameters.get(name)
        if isinstance(arn, str) and arn.startswith(PREFIX):
            bring(arn)


@refusal("iam", "ListPolicies")
def bring_all(call: Call) -> None:
    """A list of AWS's policies, or of all, has every one of them."""
    if call.parameters.get("Scope", "All") != "Local" and not call.parameters.get("OnlyAttached"):
        for name, data in _documents().items():
            bring(f"arn:aws:iam::aws:policy{data['Path']}{name}")


def bring(arn: str) -> None:
    """Have the AWS managed policy with this ARN in the world, if AWS has one."""
    held = backend().managed_policies
    name = arn.rsplit("/", 1)[-1]
    data = _documents().get(name)
    if arn in held or data is None or f"{PREFIX[:-1]}{data['Path']}{name}" != arn:
        return
    from moto.iam.models import AWSManagedPolicy

    policy = AWSManagedPolicy.from_data(name, backend().account_id, backend().region_name, data)
    held[policy.arn] = policy
    backend().aws_managed_policies.append(policy)


@lru_cache(maxsize=1)
def _documents() -> dict[str, dict[str, Any]]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    documents: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return documents
