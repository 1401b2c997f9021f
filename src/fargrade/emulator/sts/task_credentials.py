"""A task's credentials: the ECS agent answers at an address that only the task knows, with its role's session.

Source: Amazon ECS Developer Guide, "Task IAM role" (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, served at 169.254.170.2).
Here the address is on the world's own listener, so the variable is AWS_CONTAINER_CREDENTIALS_FULL_URI: every SDK takes
it the same way, and the loopback address is one that they allow ("Container credential provider", AWS SDKs Reference).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from fargrade.emulator import roles
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op, learner_read, on_reset
from fargrade.emulator.sts import sessions

PATH = "/v2/credentials"
SIX_HOURS = 6 * 3600
_tasks: dict[str, str] = {}


@control_op("task_credentials")
def give(role: str, service: str = roles.ECS_TASKS, region: str = "us-east-1") -> str:
    """The path where a new task with this role finds its credentials. Raises Refused where ECS could not assume it."""
    if not roles.assumable(role, service, region=region).allowed:
        raise Refused(
            "ClientException",
            f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role "
            "being passed has the proper trust relationship and permissions and that your IAM user has permissions to "
            "pass this role.",
        )
    found = roles.find(role)
    task = secrets.token_hex(16)
    _tasks[task] = found.arn if found else role
    return f"{PATH}?id={task}"


@learner_read(PATH)
def credentials(query: Mapping[str, str], _headers: Mapping[str, str]) -> tuple[int, bytes]:
    """What the agent answers at a task's address: fresh credentials of its role."""
    task = query.get("id", "")
    role = _tasks.get(task)
    if role is None:
        said = {"code": "InvalidIdInRequest", "message": "CredentialsV2Request: ID not found", "HTTPErrorCode": 400}
        return 400, json.dumps(said).encode()
    try:
        session = sessions.start(role, task, seconds=SIX_HOURS, lasting=True)
    except Exception:  # the role was deleted since: moto's own exception
        return 400, json.dumps({"code": "AssumeRoleUnauthorizedAccess", "message": f"{role} is not there"}).encode()
    answer: dict[str, Any] = {
        "RoleArn": role,
        "AccessKeyId": session.key,
        "SecretAccessKey": session.secret,
        "Token": session.token,
        "Expiration": session.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return 200, json.dumps(answer).encode()


@on_reset
def _forget() -> None:
    _tasks.clear()
