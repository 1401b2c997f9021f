"""Policy documents: what IAM refuses to keep, in its words, and how much it keeps.

Quotas: IAM User Guide, "IAM and AWS STS quotas" (reference_iam-quotas.html); white space does not count. Their messages
are known from issue threads: kubernetes-sigs/aws-load-balancer-controller 2718 (ACLSizePerRole),
ministryofjustice/cloud-platform-environments 14473 (PolicySize), aws/eks-hybrid 741 (PoliciesPerRole).
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator.errors import Refused
from fargrade.emulator.iam.principals import refuse_unknown
from fargrade.emulator.roles import backend
from fargrade.emulator.rules import Call, answer, refusal
from fargrade.semantics.iam import Kind, MalformedPolicy, Policy, parse_policy

MOST_TRUST = 2048
MOST_MANAGED = 6144
MOST_INLINE = {"role": 10_240, "user": 2_048, "group": 5_120}
MOST_ATTACHED = 10
MOST_VERSIONS = 5


def limit_exceeded(message: str) -> Refused:
    return Refused("LimitExceeded", message, 409)


def checked(document: str, kind: Kind = "identity") -> Policy:
    """The policy, if IAM takes it. Raises Refused: MalformedPolicyDocument, LimitExceeded."""
    try:
        policy = parse_policy(document, kind)
    except MalformedPolicy as refused:
        raise Refused(refused.code, refused.message, 409 if refused.code == "LimitExceeded" else 400) from None
    refuse_unknown(policy)
    return policy


def size(document: str) -> int:
    """The characters of a policy that count."""
    return len("".join(document.split()))


@refusal("iam", "CreateRole", "UpdateAssumeRolePolicy")
def trust_is_one(call: Call) -> None:
    """A trust policy names who may assume the role, and they exist. moto takes anything, even nothing (upstream)."""
    document = call.parameters.get("AssumeRolePolicyDocument") or call.parameters.get("PolicyDocument") or ""
    if size(document) > MOST_TRUST:
        raise limit_exceeded(f"Cannot exceed quota for ACLSizePerRole: {MOST_TRUST}")
    checked(document, "trust")


@answer("iam", "UpdateAssumeRolePolicy")
def update_trust(call: Call) -> dict[str, Any]:
    """moto refuses trust policies of the version 2008-10-17, and sts:AssumeRole* among the actions (upstream)."""
    backend().get_role(call.parameters["RoleName"]).assume_role_policy_document = call.parameters["PolicyDocument"]
    return {}


@refusal("iam", "CreatePolicy", "CreatePolicyVersion")
def managed_policy_is_one(call: Call) -> None:
    if size(call.parameters["PolicyDocument"]) > MOST_MANAGED:
        raise limit_exceeded(f"Cannot exceed quota for PolicySize: {MOST_MANAGED}")
    checked(call.parameters["PolicyDocument"])


@refusal("iam", "PutRolePolicy", "PutUserPolicy", "PutGroupPolicy")
def inline_policy_is_one(call: Call) -> None:
    """An inline policy is one, and all those of the same identity together are within the quota."""
    kind = call.operation[3:-6].lower()
    name = call.parameters[f"{kind.title()}Name"]
    document = call.parameters["PolicyDocument"]
    checked(document)
    others = {**_inline(kind, name), call.parameters["PolicyName"]: document}
    if sum(map(size, others.values())) > MOST_INLINE[kind]:
        raise limit_exceeded(f"Maximum policy size of {MOST_INLINE[kind]} bytes exceeded for {kind} {name}")


def _inline(kind: str, name: str) -> dict[str, str]:
    held = {"role": backend().roles, "user": backend().users, "group": backend().groups}[kind].values()
    return dict(next((one.policies for one in held if one.name == name), {}) or {})


@refusal("iam", "AttachRolePolicy")
def not_too_many_attached(call: Call) -> None:
    role = next((one for one in backend().roles.values() if one.name == call.parameters["RoleName"]), None)
    arn = call.parameters["PolicyArn"]
    if role and len(role.managed_policies) >= MOST_ATTACHED and arn not in role.managed_policies:
        raise limit_exceeded(f"Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}")


@refusal("iam", "AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy")
def attached_policy_is_there(call: Call) -> None:
    """API_AttachRolePolicy.html: InvalidInput for what is no policy's ARN, NoSuchEntity for one that is not there."""
    arn = call.parameters["PolicyArn"]
    if not arn.startswith("arn:") or ":policy/" not in arn:
        raise Refused("InvalidInput", f"ARN {arn} is not valid.")
    if arn not in backend().managed_policies:
        raise Refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)


@answer("iam", "AttachRolePolicy")
def attach_role_policy(call: Call) -> dict[str, Any]:
    """Attaching twice is attaching once; moto counts the attachment again, and the policy can never go (upstream)."""
    role, policy = backend().get_role(call.parameters["RoleName"]), _policy(call)
    if policy.arn not in role.managed_policies:
        policy.attach_to(role)
    return {}


@refusal("iam", "CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary")
def boundary_is_there(call: Call) -> None:
    arn = call.parameters.get("PermissionsBoundary")
    if arn and arn not in backend().managed_policies:
        raise Refused("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404)


@refusal("iam", "DeletePolicy")
def policy_is_free(call: Call) -> None:
    """API_DeletePolicy.html: first detach it, and delete its other versions. moto deletes it all the same."""
    policy = backend().managed_policies.get(call.parameters["PolicyArn"])
    if policy is None:
        return
    if policy.attachment_count:
        raise Refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if len(policy.versions) > 1:
        raise Refused(
            "DeleteConflict",
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy.",
            409,
        )


def _policy(call: Call) -> Any:
    return backend().managed_policies[call.parameters["PolicyArn"]]
