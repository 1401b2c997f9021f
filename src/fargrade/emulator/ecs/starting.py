"""Whether a task can start: roles, secrets, log groups, images, and the way to each of them.

Each question gives a `Problem` with AWS's own words, which the task then stops with. Words: "Stopped tasks error
messages" (developerguide/stopped-task-error-codes.html), "CannotPullContainer task errors"
(task_cannot_pull_image.html) and "ResourceInitializationError" (resource-initialization-error.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fargrade.emulator import acting, network_state, roles
from fargrade.emulator.ecs import interfaces, pulling
from fargrade.emulator.ecs.model import Container, Task
from fargrade.emulator.rules import account
from fargrade.semantics.network import Need, way_to_service

INITIALIZATION = "ResourceInitializationError"
AUTH = f"{INITIALIZATION}: unable to pull secrets or registry auth: "


@dataclass(frozen=True)
class Problem:
    """Why a task does not start. `container` is the one whose image it is about; others never came to their turn."""

    reason: str
    container: str = ""
    kind: str = INITIALIZATION


def role_problem(task_roles: dict[str, str], region: str) -> str:
    """ECS's words where it cannot assume one of the roles; "" where it can.

    Source: developerguide/troubleshooting, "ECS was unable to assume the role".
    """
    for arn in task_roles.values():
        if arn and not roles.assumable(arn, region=region).allowed:
            return (
                f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that "
                "the role "
                "being passed has the proper trust relationship and permissions and that your IAM user has permissions "
                "to pass this role."
            )
    return ""


def problem(task: Task) -> Problem | None:
    """The first thing that keeps the task from starting; None where it starts. Finds its images' behaviour."""
    return next(_problems(task), None)


def _problems(task: Task) -> Iterator[Problem]:
    yield from _file_systems(task)
    for container in task.containers:
        yield from _secrets(task, container)
    for container in task.containers:
        if found := pulling.problem(task, container):
            yield Problem(found.reason, container.name, found.kind)
    for container in task.containers:
        yield from _log_group(task, container)


def reachable(task: Task, service: str) -> bool:
    """Whether the task's traffic gets to the AWS service (as endpoints name it)."""
    host = interfaces.host(task)
    return host is not None and way_to_service(network_state.network(task.region), host, Need(service)).open


def puller(task: Task) -> str:
    """The role that pulls, logs and reads secrets: the execution role, on instances else the instance's own."""
    found = task.role("executionRoleArn")
    if not found and task.instance is not None:
        from fargrade.emulator.ecs.instances import role_of

        found = role_of(task.region, task.instance.ec2_id)
    return found


def denied(task: Task, action: str, resource: str = "*") -> str:
    """Why the execution role may not do it, as AWS says it; "" where it may."""
    return acting.denial(puller(task), action, resource, region=task.region, session=task.id)


# -- secrets -------------------------------------------------------------------------------------------------


def _secrets(task: Task, container: Container) -> Iterator[Problem]:
    for one in container.given.get("secrets") or []:
        value = str(one["valueFrom"])
        manager = ":secretsmanager:" in value
        service, action = (
            ("secretsmanager", "secretsmanager:GetSecretValue") if manager else ("ssm", "ssm:GetParameters")
        )
        place = "secret from asm" if manager else "secrets from ssm"
        wrong = f"{AUTH}execution resource retrieval failed: unable to retrieve {place}: "
        if not reachable(task, service):
            yield Problem(
                f"{AUTH}unable to retrieve {place}: There is a connection issue between the task and "
                f"{'AWS Secrets Manager' if manager else 'AWS Systems Manager Parameter Store'}. "
                f"Check your task network configuration. {timed_out(f'https://{service}.{task.region}.amazonaws.com/')}"
            )
            return
        arn = _secret_arn(task.region, value) if manager else _parameter_arn(task.region, value)
        if why := denied(task, action, arn):
            yield Problem(f"{wrong}service call has been retried 1 time(s): AccessDeniedException: {_bare(why)}")
        elif manager and not _secret_there(task.region, value):
            missing = "Secrets Manager can't find the specified secret."
            yield Problem(f"{wrong}service call has been retried 1 time(s): ResourceNotFoundException: {missing}")
        elif not manager and not _parameter_there(task.region, value):
            yield Problem(f"{wrong}service call has been retried 1 time(s): invalid ssm parameters: {_plain(value)}")


def _secret_arn(region: str, value: str) -> str:
    """The secret's own ARN, without the JSON key, version stage and version id that may follow it."""
    parts = value.split(":")
    return (
        ":".join(parts[:7])
        if value.startswith("arn:")
        else f"arn:aws:secretsmanager:{region}:{account()}:secret:{value}"
    )


def _parameter_arn(region: str, value: str) -> str:
    if value.startswith("arn:"):
        return value
    return f"arn:aws:ssm:{region}:{account()}:parameter/{value.lstrip('/')}"


def _plain(value: str) -> str:
    return value.partition(":parameter")[2] if value.startswith("arn:") else value


def _secret_there(region: str, value: str) -> bool:
    from moto.secretsmanager.models import secretsmanager_backends

    arn = _secret_arn(region, value)
    held: Any = secretsmanager_backends[account()][region].secrets
    return any(arn in (one.arn, one.arn.rsplit("-", 1)[0]) and not one.is_deleted() for one in held.values())


def _parameter_there(region: str, value: str) -> bool:
    from moto.ssm.models import ssm_backends

    held: Any = ssm_backends[account()][region]
    name = _plain(value)
    return any(bool(held.get_parameter(one)) for one in {name, name.lstrip("/"), "/" + name.lstrip("/")})


# -- file systems --------------------------------------------------------------------------------------------


def _file_systems(task: Task) -> Iterator[Problem]:
    """Of EFS only that the file system is there. Words: those of "Stopped tasks error messages", EFS volumes."""
    wanted = [one.get("efsVolumeConfiguration") or {} for one in task.definition.given.get("volumes") or []]
    for name in (str(one["fileSystemId"]) for one in wanted if one.get("fileSystemId")):
        from moto.efs.models import efs_backends

        if name not in efs_backends[account()][task.region].file_systems_by_id:
            yield Problem(
                f"{INITIALIZATION}: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to "
                f'resolve "{name}.efs.{task.region}.amazonaws.com" - check that your file system ID is correct'
            )


# -- logs ----------------------------------------------------------------------------------------------------


def _log_group(task: Task, container: Container) -> Iterator[Problem]:
    """The log driver asks for the stream, and makes the group only where that is answered with ResourceNotFound.

    Source: github.com/moby/moby, daemon/logger/awslogs, logStream.create.
    """
    log = container.given.get("logConfiguration") or {}
    if log.get("logDriver") != "awslogs":
        return
    options = log.get("options") or {}
    region, group = str(options["awslogs-region"]), str(options["awslogs-group"])
    stream = f"{options.get('awslogs-stream-prefix', '')}/{container.name}/{task.id}".lstrip("/")
    wrong = f"{INITIALIZATION}: failed to validate logger args: "
    if not reachable(task, "logs"):
        words = f"failed to create Cloudwatch log stream: {timed_out(f'https://logs.{region}.amazonaws.com/')}"
        yield Problem(f"{wrong}create stream has been retried 1 times: {words} : exit status 1")
        return
    arn = f"arn:aws:logs:{region}:{account()}:log-group:{group}"
    held = _log_groups(region)
    missing = group not in held.groups
    if why := denied(task, "logs:CreateLogStream", f"{arn}:log-stream:{stream}"):
        words = f"failed to create Cloudwatch log stream: AccessDeniedException: {_bare(why)}"
    elif missing and str(options.get("awslogs-create-group", "")).lower() != "true":
        words = (
            "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
        )
    elif missing and (why := denied(task, "logs:CreateLogGroup", f"{arn}:*")):
        words = f"failed to create Cloudwatch log group: AccessDeniedException: {_bare(why)}"
    else:
        if missing:
            held.create_log_group(group, {})
        container.log_stream = (region, group, stream)
        if stream not in held.groups[group].streams:
            held.create_log_stream(group, stream)
        return
    yield Problem(f"{wrong}create stream has been retried 1 times: {words} : exit status 1")


def _log_groups(region: str) -> Any:
    from moto.logs.models import logs_backends

    return logs_backends[account()][region]


def timed_out(address: str) -> str:
    """What a client says that got no connection."""
    return f'RequestError: send request failed caused by: Post "{address}": dial tcp: i/o timeout'


def _bare(why: str) -> str:
    return re.sub(r"^AccessDenied(Exception)?: ", "", why)
