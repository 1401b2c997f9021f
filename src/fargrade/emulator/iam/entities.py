"""Roles, users, profiles and providers: that they are there, once, and how IAM says that they are not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from fargrade.emulator.errors import Refused
from fargrade.emulator.iam.managed import bring
from fargrade.emulator.roles import backend
from fargrade.emulator.rules import Call, refusal

OF_A_ROLE = (
    *("GetRole", "DeleteRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy", "TagRole", "UntagRole"),
    *("ListRoleTags", "PutRolePolicy", "GetRolePolicy", "DeleteRolePolicy", "ListRolePolicies", "AttachRolePolicy"),
    *("DetachRolePolicy", "ListAttachedRolePolicies", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
    *("AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile", "ListInstanceProfilesForRole"),
)
OF_A_USER = (
    *("DeleteUser", "UpdateUser", "PutUserPolicy", "GetUserPolicy", "DeleteUserPolicy", "ListUserPolicies", "TagUser"),
    *("AttachUserPolicy", "DetachUserPolicy", "ListAttachedUserPolicies", "CreateAccessKey", "AddUserToGroup"),
)
OF_A_PROFILE = (
    *("GetInstanceProfile", "DeleteInstanceProfile", "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"),
)


def no_such(message: str) -> Refused:
    return Refused("NoSuchEntity", message, 404)


def _named(held: Iterable[Any], name: str) -> Any:
    return next((one for one in held if one.name == name), None)


@refusal("iam", *OF_A_ROLE)
def role_is_there(call: Call) -> None:
    """moto refuses, in other words: "Role x not found" (upstream)."""
    name = call.parameters["RoleName"]
    if _named(backend().roles.values(), name) is None:
        raise no_such(f"The role with name {name} cannot be found.")


@refusal("iam", *OF_A_USER)
def user_is_there(call: Call) -> None:
    name = call.parameters.get("UserName")
    if name and _named(backend().users.values(), name) is None:
        raise no_such(f"The user with name {name} cannot be found.")


@refusal("iam", *OF_A_PROFILE)
def profile_is_there(call: Call) -> None:
    name = call.parameters["InstanceProfileName"]
    if _named(backend().instance_profiles.values(), name) is None:
        raise no_such(f"Instance Profile {name} cannot be found.")


@refusal("iam", "GetRolePolicy", "DeleteRolePolicy")
def inline_policy_is_there(call: Call) -> None:
    role, name = _named(backend().roles.values(), call.parameters["RoleName"]), call.parameters["PolicyName"]
    if role and name not in role.policies:
        raise no_such(f"The role policy with name {name} cannot be found.")


@refusal("iam", "GetPolicy", "DeletePolicy", "GetPolicyVersion", "ListPolicyVersions", "CreatePolicyVersion")
def policy_is_there(call: Call) -> None:
    arn = call.parameters["PolicyArn"]
    bring(arn)
    if arn not in backend().managed_policies:
        raise no_such(f"Policy {arn} was not found.")


@refusal("iam", "DetachRolePolicy")
def policy_is_attached(call: Call) -> None:
    role, arn = _named(backend().roles.values(), call.parameters["RoleName"]), call.parameters["PolicyArn"]
    if role and arn not in role.managed_policies:
        raise no_such(f"Policy {arn} was not found.")


@refusal("iam", "CreateRole", "CreateUser", "CreateInstanceProfile", "CreateGroup")
def name_is_free(call: Call) -> None:
    """Names are unique whatever their case: reference_iam-quotas.html, "IAM name requirements". Upstream, too."""
    kind = call.operation.removeprefix("Create")
    name = call.parameters[f"{kind}Name"]
    held = {
        "Role": backend().roles,
        "User": backend().users,
        "InstanceProfile": backend().instance_profiles,
        "Group": backend().groups,
    }[kind].values()
    if any(one.name.lower() == name.lower() for one in held):
        said = f"Instance Profile {name}" if kind == "InstanceProfile" else f"{kind} with name {name}"
        raise Refused("EntityAlreadyExists", f"{said} already exists.", 409)


@refusal("iam", "CreateServiceLinkedRole")
def service_linked_role_is_free(call: Call) -> None:
    """It is made once, often by the service itself; moto makes it again, or says EntityAlreadyExists (upstream)."""
    service, suffix = call.parameters["AWSServiceName"], call.parameters.get("CustomSuffix")
    for role in backend().roles.values():
        of_service = role.path == f"/aws-service-role/{service}/"
        if of_service and (not suffix or role.name.endswith(f"_{suffix}")):
            raise Refused(
                "InvalidInput",
                f"Service role name {role.name} has been taken in this account, please try a different suffix.",
            )


@refusal("iam", "CreateOpenIDConnectProvider")
def provider_is_new(call: Call) -> None:
    """API_CreateOpenIDConnectProvider.html: the URL begins with https://, and there is one provider a URL."""
    url = call.parameters["Url"]
    address = urlsplit(url)
    if address.scheme != "https" or not address.netloc or address.query:
        raise Refused("ValidationError", "Invalid Open ID Connect Provider URL")
    arn = f"arn:aws:iam::{call.account}:oidc-provider/{address.netloc}{address.path}"
    if arn in backend().open_id_providers:
        raise Refused("EntityAlreadyExists", f"Provider with url {url} already exists.", 409)
