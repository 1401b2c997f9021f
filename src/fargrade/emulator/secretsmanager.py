"""Secrets Manager: the names of secrets, their values, and what is on its way out.

Source: Secrets Manager API Reference, API_CreateSecret.html, API_GetSecretValue.html, API_PutResourcePolicy.html.
"""

from __future__ import annotations

import re
from typing import Any

from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, account, refusal
from fargrade.semantics.iam import MalformedPolicy, parse_policy

NAME = re.compile(r"[A-Za-z0-9/_+=.@-]+")
MARKED = "You can't perform this operation on the secret because it was marked for deletion."
USES = ("GetSecretValue", "PutSecretValue", "UpdateSecret", "TagResource", "PutResourcePolicy", "RotateSecret")


def _held(call: Call, name: str) -> Any:
    """moto's secret by its name or ARN; None where there is none."""
    from moto.secretsmanager.models import secretsmanager_backends

    held = secretsmanager_backends[account()][call.region].secrets
    return next((one for one in held.values() if name in (one.name, one.arn)), None)


@refusal("secretsmanager", "CreateSecret")
def secret_is_new(call: Call) -> None:
    """moto takes any name, and both kinds of value at once (upstream)."""
    given, name = call.parameters, call.parameters["Name"]
    if not NAME.fullmatch(name):
        raise Refused(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )
    _one_value(call)
    held = _held(call, given["Name"])
    if held is not None and held.is_deleted():
        raise Refused(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )


@refusal("secretsmanager", "PutSecretValue", "UpdateSecret")
def _one_value(call: Call) -> None:
    if call.parameters.get("SecretString") is not None and call.parameters.get("SecretBinary") is not None:
        raise Refused(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )


@refusal("secretsmanager", *USES)
def secret_is_not_on_its_way_out(call: Call) -> None:
    """moto says so in other words, with line breaks in them (upstream)."""
    held = _held(call, call.parameters["SecretId"])
    if held is not None and held.is_deleted():
        raise Refused("InvalidRequestException", MARKED)


@refusal("secretsmanager", "PutResourcePolicy")
def policy_is_one(call: Call) -> None:
    try:
        parse_policy(call.parameters["ResourcePolicy"], "resource")
    except MalformedPolicy as refused:
        raise Refused(
            "MalformedPolicyDocumentException", f"This resource policy is malformed: {refused.message}"
        ) from None
