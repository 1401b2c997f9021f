"""The roles of this world, as moto holds them, and what they decide: for whatever acts in a role's name.

`semantics.iam` decides; here its arguments are found: the role's own policies and its boundary, and the policies of
the resource. A role that is not there may do nothing and is assumed by nobody.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.extensions import control_op
from fargrade.emulator.rules import account
from fargrade.semantics.iam import (
    Decision,
    Policy,
    Role,
    call_context,
    ecs_assumes,
    parse_policy,
    role_may,
    service_may_assume,
)
from fargrade.semantics.iam import may_pass as role_may_pass

Context = Mapping[str, str | Sequence[str]]
ECS_TASKS = "ecs-tasks.amazonaws.com"


def backend() -> Any:
    """moto's IAM, in the world's account."""
    from moto.iam.models import iam_backends

    return iam_backends[account()]["aws"]


def find(arn: str) -> Role | None:
    """The role with this ARN (or, as ECS takes it, this name); None where there is none in this account."""
    held = next((one for one in backend().roles.values() if arn in (one.arn, one.name)), None)
    if held is None:
        return None
    bounds = held.permissions_boundary_arn
    return Role(
        arn=held.arn,
        trust=parse_policy(held.assume_role_policy_document, "trust", "trust policy"),
        identity=_policies(held),
        boundary=(_boundary(bounds),) if bounds else None,
        tags={tag["Key"]: tag["Value"] for tag in held.tags or ()},
    )


def find_user(arn: str) -> Role | None:
    """The user with this ARN, with what its groups add; None where there is none."""
    held = next((one for one in backend().users.values() if one.arn == arn), None)
    if held is None:
        return None
    groups = backend().get_groups_for_user(held.name)
    bounds = getattr(held, "permissions_boundary_arn", None)
    return Role(
        arn=held.arn,
        trust=Policy(()),
        identity=tuple(policy for one in (held, *groups) for policy in _policies(one)),
        boundary=(_boundary(bounds),) if bounds else None,
    )


def _policies(held: Any) -> tuple[Policy, ...]:
    """The inline and the attached policies of a role, a user or a group of moto's."""
    inline = [parse_policy(document, name=name) for name, document in held.policies.items()]
    attached = [parse_policy(_document(one), name=one.name) for one in held.managed_policies.values()]
    return (*inline, *attached)


def allowed(
    role_arn: str,
    action: str,
    resource: str = "*",
    context: Context | None = None,
    *,
    region: str = "us-east-1",
    session: Sequence[Policy] | None = None,
    session_name: str = "session",
) -> Decision:
    """Whether a session of the role (or the user) may do `action` on `resource`, by every policy there is."""
    role = find(role_arn) or find_user(role_arn)
    if role is None:
        return Decision(False, "no identity")
    known = call_context(role, resource, region, clock.now())
    return role_may(
        role,
        action,
        resource,
        {**known, **(context or {})},
        of_resource=policies_of(resource),
        session=session,
        session_name=session_name,
    )


def assumable(
    role_arn: str, service: str = ECS_TASKS, context: Context | None = None, *, region: str = "us-east-1"
) -> Decision:
    """Whether `service` may assume the role; the keys that ECS sends along are filled in."""
    role = find(role_arn)
    if role is None:
        return Decision(False, "no resource")
    return service_may_assume(role, service, {**ecs_assumes(region, account()), **(context or {})})


def may_pass(passer: str | None, role_arn: str, service: str = ECS_TASKS, *, region: str = "us-east-1") -> Decision:
    """Whether the caller acting as role `passer` (None: an administrator) may pass `role_arn` to `service`."""
    if passer is None:
        return Decision(True, "identity")
    role = find(passer)
    if role is None:
        return Decision(False, "no identity")
    return role_may_pass(role, role_arn, service, call_context(role, role_arn, region, clock.now()))


def policies_of(resource: str) -> tuple[Policy, ...]:
    """The policies that the resource itself carries: an S3 bucket's, an ECR repository's, a secret's."""
    fields = resource.split(":", 5)
    if len(fields) < 6:
        return ()
    service, region, name = fields[2], fields[3], fields[5]
    document = None
    # A service that was never loaded holds nothing.
    if service == "s3" and (held := sys.modules.get("moto.s3.models")):
        bucket = held.s3_backends[account()]["aws"].buckets.get(name.partition("/")[0])
        document = bucket.policy if bucket else None
    elif service == "ecr" and (held := sys.modules.get("moto.ecr.models")):
        repository = held.ecr_backends[account()][region].repositories.get(name.partition("/")[2])
        document = repository.policy if repository else None
    elif service == "secretsmanager" and (held := sys.modules.get("moto.secretsmanager.models")):
        secrets = held.secretsmanager_backends[account()][region].secrets.values()
        document = next((one.policy for one in secrets if one.arn == resource), None)
    if not document:
        return ()
    text = document.decode() if isinstance(document, bytes) else document
    return (parse_policy(text, "resource", f"policy of {name}"),)


def _document(managed: Any) -> str:
    """The default version of a managed policy: the one that counts."""
    return str(next(one.document for one in managed.versions if one.version_id == managed.default_version_id))


def managed_policy(arn: str) -> Policy:
    """The managed policy, which is there, in its default version."""
    held = backend().managed_policies[arn]
    return parse_policy(_document(held), name=held.name)


def _boundary(arn: str) -> Policy:
    """The policy that bounds a role. One that was deleted since allows nothing."""
    return managed_policy(arn) if arn in backend().managed_policies else Policy((), name=arn)


@control_op("role_allowed")
def _role_allowed(role: str, action: str, resource: str) -> bool:
    return allowed(role, action, resource).allowed


@control_op("role_assumable")
def _role_assumable(role: str, service: str) -> bool:
    return assumable(role, service).allowed


@control_op("role_may_pass")
def _role_may_pass(passer: str, role: str, service: str) -> bool:
    return may_pass(passer, role, service).allowed
