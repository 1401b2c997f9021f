"""Whether the caller may make the call: asked of every call that is not an administrator's, before it is answered."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from fargrade.emulator import inner, roles
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call
from fargrade.emulator.sts.assuming import decided_by
from fargrade.semantics.iam import Ask, Decision, Made, Request, asks, denial

# How services name a denial, where it is not AccessDeniedException with status 400.
CODES = {
    **dict.fromkeys(("s3", "iam", "sts", "elbv2", "cloudwatch"), ("AccessDenied", 403)),
    "ec2": ("UnauthorizedOperation", 403),
}


def authorize(call: Call) -> None:
    """Raises Refused, in the service's own words, where the caller's policies do not allow the call."""
    mine = decided_by(call.caller)
    if mine is None:
        return
    tags = _tags_of_what_is_there(call)
    made = Made(call.service, call.operation, call.parameters, call.region, call.account, partial(_lookup, call))
    for ask in asks(made):
        decision = ask.decided(
            lambda action, resource, context: _decide(call, action, resource, {**tags, **context}), mine.identity
        )
        if not decision.allowed:
            raise refused(call, ask, decision)
    if call.service == "s3" and call.operation in ("GetObject", "HeadObject"):
        _hide_what_is_missing(call)


def _tags_of_what_is_there(call: Call) -> dict[str, str]:
    """EC2's resources are known by their ids, and by their tags to conditions: aws:ResourceTag/KEY, where all agree.

    Source: docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html.
    """
    models: Any = sys.modules.get("moto.ec2.models")
    if call.service != "ec2" or models is None:
        return {}
    held = models.ec2_backends[call.account][call.region].tags
    named = [value for key, value in call.parameters.items() if key.endswith("Id") and isinstance(value, str)]
    tags = [dict(held.get(name) or {}) for name in named]
    first, *others = tags or [{}]
    return {
        f"aws:ResourceTag/{key}": str(value)
        for key, value in first.items()
        if all(one.get(key) == value for one in others)
    }


def refused(call: Call, ask: Ask, decision: Decision) -> Refused:
    """The denial of one of the rights that a call needs."""
    resource = ask.resources[0] if ask.resources else "*"
    request = Request(call.caller.arn, ask.action, resource)
    code, status = CODES.get(call.service, ("AccessDeniedException", 400))
    said = denial(request, decision, '"' if call.service == "s3" else "")
    if call.service == "ec2":
        said = f"You are not authorized to perform this operation. {said}"
    return Refused(code, said, status)


def _decide(call: Call, action: str, resource: str, context: Mapping[str, str]) -> Decision:
    caller = call.caller
    return roles.allowed(
        caller.decided_by,
        action,
        resource,
        context,
        region=call.region,
        session=caller.policies,
        session_name=caller.session_name,
    )


def _hide_what_is_missing(call: Call) -> None:
    """API_GetObject.html: without s3:ListBucket, a key that is not there is AccessDenied, not NoSuchKey."""
    models: Any = sys.modules.get("moto.s3.models")
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    held = models.s3_backends[call.account]["aws"].buckets.get(bucket) if models else None
    if held is None or key in held.keys:
        return
    lists = Ask("s3:ListBucket", (f"arn:aws:s3:::{bucket}",))
    decision = _decide(call, lists.action, lists.resources[0], {})
    if not decision.allowed:
        raise refused(call, lists, decision)


def _lookup(call: Call, kind: str, name: str) -> str | None:
    """The ARN of what is there by that name, where it cannot be composed."""
    held = {
        "role": roles.backend().roles,
        "user": roles.backend().users,
        "instance-profile": roles.backend().instance_profiles,
        "policy": roles.backend().managed_policies,
    }.get(kind)
    if held is not None:
        return next((str(one.arn) for one in held.values() if one.name == name), None)
    try:
        if kind == "secret":  # six random characters follow its name
            return str(inner.client("secretsmanager", call.region).describe_secret(SecretId=name)["ARN"])
        if kind == "task definition":  # a family stands for its newest revision
            found = inner.client("ecs", call.region).describe_task_definition(taskDefinition=name)
            return str(found["taskDefinition"]["taskDefinitionArn"])
    except ClientError:
        return None  # it is not there: the call itself will say so
    return None
