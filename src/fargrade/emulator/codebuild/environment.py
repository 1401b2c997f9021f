"""What a build finds in its environment, and what CodeBuild fetches for it with the service role's rights.

Sources: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html,
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fargrade.emulator import clock, inner, rules
from fargrade.emulator.acting import denial, first_denial
from fargrade.emulator.codebuild.projects import Project
from fargrade.semantics.buildspec import Buildspec

if TYPE_CHECKING:
    from fargrade.emulator.codebuild.builds import Build

SESSION = "AWSCodeBuild"
LONGEST_LINE, MOST_LINES = 8_000, 1_000


class Unfetched(Exception):
    """A parameter or a secret could not be fetched: the build fails with this message."""


def log_of(project: Project, build: str) -> tuple[str, str]:
    """(group, stream) that the build writes its log to; ("", "") where it writes none to CloudWatch.

    Source: docs.aws.amazon.com/codebuild/latest/APIReference/API_CloudWatchLogsConfig.html.
    """
    config = (project.described.get("logsConfig") or {}).get("cloudWatchLogs") or {}
    if config.get("status") == "DISABLED":
        return "", ""
    own = build.partition(":")[2]
    stream = f"{config['streamName']}/{own}" if config.get("streamName") else own
    return str(config.get("groupName") or f"/aws/codebuild/{project.name}"), stream


def write_log(project: Project, build: str, text: str) -> None:
    """Put what the build printed into its log, as far as CodeBuild may."""
    group, stream = log_of(project, build)
    if not group or logs_denial(project, build):
        return
    logs = inner.client("logs", project.region)
    if not _group_exists(project.region, group):
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(clock.now().timestamp() * 1000)
    lines = [line[:LONGEST_LINE] for line in text.splitlines() if line.strip()][-MOST_LINES:]
    if lines:
        events = [{"timestamp": now, "message": f"{line}\n"} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def logs_denial(project: Project, build: str) -> str:
    """Why the build cannot write its log to CloudWatch; "" where it can, or need not."""
    group, stream_name = log_of(project, build)
    if not group:
        return ""
    arn = f"arn:aws:logs:{project.region}:{rules.account()}:log-group:{group}"
    stream = f"{arn}:log-stream:{stream_name}"
    if not _group_exists(project.region, group):
        making = denial(project.role, "logs:CreateLogGroup", arn, region=project.region, session=SESSION)
        if making and denial(project.role, "logs:CreateLogGroup", f"{arn}:*", region=project.region, session=SESSION):
            return making
    wanted = [("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream)]
    return first_denial(project.role, wanted, region=project.region, session=SESSION)


def _group_exists(region: str, name: str) -> bool:
    found = inner.client("logs", region).describe_log_groups(logGroupNamePrefix=name)
    return any(one["logGroupName"] == name for one in found["logGroups"])


def environment_of(build: Build, spec: Buildspec) -> dict[str, str]:
    """The environment of the build's commands. StartBuild's variables win over the project's, those over the
    buildspec's. Raises Unfetched."""
    fetched = {
        **{name: _parameter(build, one) for name, one in spec.parameters.items()},
        **{name: _secret(build, one) for name, one in spec.secrets.items()},
    }
    given = {**spec.variables, **fetched}
    for variables in (
        build.setting.get("environmentVariables") or (),
        build.overrides.get("environmentVariablesOverride") or (),
    ):
        for one in variables:
            given[one["name"]] = _value(build, one)
    return {**given, **_of_codebuild(build)}


def _value(build: Build, one: dict[str, Any]) -> str:
    kind = one.get("type", "PLAINTEXT")
    if kind == "PARAMETER_STORE":
        return _parameter(build, one["value"])
    return _secret(build, one["value"]) if kind == "SECRETS_MANAGER" else str(one["value"])


def _of_codebuild(build: Build) -> dict[str, str]:
    """What CodeBuild itself sets."""
    return {
        "AWS_DEFAULT_REGION": build.region,
        "AWS_REGION": build.region,
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.identity,
        "CODEBUILD_BUILD_IMAGE": str(build.setting.get("image", "")),
        "CODEBUILD_BUILD_NUMBER": str(build.number),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_INITIATOR": build.initiator,
        "CODEBUILD_KMS_KEY_ID": str(build.project.described.get("encryptionKey", "")),
        "CODEBUILD_LOG_PATH": build.identity.partition(":")[2],
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.resolved,
        "CODEBUILD_SOURCE_VERSION": build.asked,
        "CODEBUILD_START_TIME": str(int(build.started.timestamp() * 1000)),
    }


def _parameter(build: Build, name: str) -> str:
    arn = f"arn:aws:ssm:{build.region}:{rules.account()}:parameter/{name.removeprefix('/')}"
    if found := denial(build.project.role, "ssm:GetParameters", arn, region=build.region, session=SESSION):
        raise Unfetched(f"Decrypted Variables Error: AccessDeniedException: {found}")
    from botocore.exceptions import ClientError

    try:
        held = inner.client("ssm", build.region).get_parameter(Name=name, WithDecryption=True)
    except ClientError:
        raise Unfetched(f"Decrypted Variables Error: parameter does not exist: {name}") from None
    return str(held["Parameter"]["Value"])


def _secret(build: Build, reference: str) -> str:
    """`secret-id:json-key:version-stage:version-id`; a secret's ARN has colons of its own."""
    if reference.startswith("arn:"):
        fields = reference.split(":")
        identity, rest = ":".join(fields[:7]), fields[7:]
    else:
        identity, *rest = reference.split(":")
    key = rest[0] if rest else ""
    from botocore.exceptions import ClientError

    client = inner.client("secretsmanager", build.region)
    try:
        arn = client.describe_secret(SecretId=identity)["ARN"]
    except ClientError:
        raise Unfetched(f"Secrets Manager Error Message: the secret {identity} can't be found") from None
    wanted = "secretsmanager:GetSecretValue"
    if found := denial(build.project.role, wanted, arn, region=build.region, session=SESSION):
        raise Unfetched(f"Secrets Manager Error Message: AccessDeniedException: {found}")
    text = str(client.get_secret_value(SecretId=identity).get("SecretString", ""))
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        raise Unfetched(f"Secrets Manager Error Message: the secret {identity} has no key {key}") from None
