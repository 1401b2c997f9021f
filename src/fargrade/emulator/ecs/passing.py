"""iam:PassRole for what a call does not name itself: the roles of the task definition that it runs.

What is named in the call (RegisterTaskDefinition, overrides) is asked of every call: `emulator.authorization`.

Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service" (id_roles_use_passrole.html);
"Amazon ECS task IAM role" (developerguide/task-iam-roles.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fargrade.emulator import roles
from fargrade.emulator.ecs import store
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, refusal
from fargrade.semantics.iam import Request, access_denied

KEYS = ("taskRoleArn", "executionRoleArn")


@refusal("ecs", "RunTask", "StartTask", "CreateService", "UpdateService")
def _roles_may_be_passed(call: Call) -> None:
    caller = call.caller
    if not caller.decided_by:
        return
    for named in dict.fromkeys(_passed(call)):
        held = roles.find(named)
        arn = held.arn if held else named
        context = {"iam:PassedToService": roles.ECS_TASKS}
        decision = roles.allowed(
            caller.decided_by,
            "iam:PassRole",
            arn,
            context,
            region=call.region,
            session=caller.policies,
            session_name=caller.session_name,
        )
        if not decision.allowed:
            said = access_denied(Request(caller.arn, "iam:PassRole", arn), decision)
            raise Refused("AccessDeniedException", said.removeprefix("AccessDeniedException: "))


def _passed(call: Call) -> Iterator[str]:
    given: dict[str, Any] = call.parameters
    laid = given.get("overrides") or {}
    named = given.get("taskDefinition")
    held = store.find_definition(call.region, str(named)) if named else None
    if held is not None:
        yield from (str(held.given[key]) for key in KEYS if held.given.get(key) and not laid.get(key))
