"""CodeBuild's projects: what AWS keeps of them, and what it refuses.

All of it is ours: moto refuses the sources CODEPIPELINE and NO_SOURCE, and its builds succeed at once without running.
Upstream: moto would take the two source types; its builds are a decision of its own.
Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fargrade.emulator import clock, roles, rules
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, answer

SERVICE = "codebuild.amazonaws.com"
KEPT = (
    *("description", "source", "secondarySources", "sourceVersion", "secondarySourceVersions", "artifacts"),
    *("secondaryArtifacts", "cache", "environment", "serviceRole", "timeoutInMinutes", "queuedTimeoutInMinutes"),
    *("encryptionKey", "tags", "vpcConfig", "logsConfig", "fileSystemLocations", "buildBatchConfig"),
    *("concurrentBuildLimit", "autoRetryLimit"),
)


@dataclass
class Project:
    """A project, as BatchGetProjects shows it."""

    described: dict[str, Any]
    region: str
    builds: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.described["name"])

    @property
    def arn(self) -> str:
        return str(self.described["arn"])

    @property
    def role(self) -> str:
        return str(self.described["serviceRole"])


_projects: dict[tuple[str, str], Project] = {}


@on_reset
def _new() -> None:
    _projects.clear()


def find(region: str, name: str) -> Project | None:
    """The project with this name or ARN."""
    return _projects.get((region, name.rpartition("project/")[2] or name))


@answer("codebuild", "CreateProject")
def create(call: Call) -> dict[str, Any]:
    given = call.parameters
    name = given["name"]
    arn = f"arn:aws:codebuild:{call.region}:{call.account}:project/{name}"
    if find(call.region, name):
        raise Refused("ResourceAlreadyExistsException", f"Project already exists: {arn}")
    made: dict[str, Any] = {
        "timeoutInMinutes": 60,
        "queuedTimeoutInMinutes": 480,
        "cache": {"type": "NO_CACHE"},
        "tags": [],
    }
    made |= {key: given[key] for key in KEPT if given.get(key) is not None}
    made.setdefault("encryptionKey", f"arn:aws:kms:{call.region}:{call.account}:alias/aws/s3")
    made["serviceRole"] = _role(str(made.get("serviceRole", "")), call)
    _refuse(made, arn)
    now = clock.now()
    made |= {"name": name, "arn": arn, "created": now, "lastModified": now, "badge": {"badgeEnabled": False}}
    made["environment"] = _environment(made["environment"])
    _projects[(call.region, name)] = Project(made, call.region)
    return {"project": made}


@answer("codebuild", "UpdateProject")
def update(call: Call) -> dict[str, Any]:
    project = find(call.region, call.parameters["name"])
    if project is None:
        arn = f"arn:aws:codebuild:{call.region}:{call.account}:project/{call.parameters['name']}"
        raise Refused("ResourceNotFoundException", f"Project cannot be found: {arn}")
    made = {**project.described, **{key: call.parameters[key] for key in KEPT if call.parameters.get(key) is not None}}
    made["serviceRole"] = _role(str(made["serviceRole"]), call)
    _refuse(made, project.arn)
    made["environment"] = _environment(made["environment"])
    made["lastModified"] = clock.now()
    project.described = made
    return {"project": made}


@answer("codebuild", "BatchGetProjects")
def batch_get(call: Call) -> dict[str, Any]:
    asked = [(name, find(call.region, name)) for name in call.parameters["names"]]
    return {
        "projects": [found.described for _, found in asked if found],
        "projectsNotFound": [name for name, found in asked if not found],
    }


@answer("codebuild", "ListProjects")
def list_names(call: Call) -> dict[str, Any]:
    names = sorted(name for region, name in _projects if region == call.region)
    return {"projects": names if call.parameters.get("sortOrder") != "DESCENDING" else names[::-1]}


@answer("codebuild", "DeleteProject")
def delete(call: Call) -> dict[str, Any]:
    found = find(call.region, call.parameters["name"])
    if found:
        _projects.pop((call.region, found.name))
    return {}


def _environment(given: dict[str, Any]) -> dict[str, Any]:
    """With what AWS fills in."""
    return {
        "privilegedMode": False,
        "imagePullCredentialsType": "CODEBUILD",
        **given,
        "environmentVariables": [{"type": "PLAINTEXT", **one} for one in given.get("environmentVariables") or ()],
    }


def _role(given: str, call: Call) -> str:
    """The service role's ARN; AWS takes a name, too."""
    return given if given.startswith("arn:") else f"arn:aws:iam::{call.account}:role/{given}"


def _refuse(made: dict[str, Any], arn: str) -> None:
    """Raises Refused for what CreateProject and UpdateProject refuse."""
    role = made["serviceRole"]
    if f"::{rules.account()}:" not in role:
        raise _invalid("Invalid service role: Service role account ID does not match caller's account")
    if not roles.assumable(role, SERVICE, {"aws:SourceArn": arn, "aws:SourceAccount": rules.account()}).allowed:
        raise _invalid(f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}")
    _refuse_ends(made["source"], made["artifacts"])
    for one in made["environment"].get("environmentVariables") or ():
        if one.get("type") == "SECRETS_MANAGER" and not one.get("value"):
            raise _invalid(f"Invalid environment variable {one['name']}: it names no secret")
    names = [one["name"] for one in made["environment"].get("environmentVariables") or ()]
    if len(set(names)) != len(names):
        raise _invalid("Invalid environment variables: duplicate names are not allowed")


def _refuse_ends(source: dict[str, Any], artifacts: dict[str, Any]) -> None:
    """What does not fit together of where the source comes from and where the artifacts go."""
    kind = source["type"]
    if (kind == "CODEPIPELINE") != (artifacts["type"] == "CODEPIPELINE"):
        raise _invalid("Invalid artifacts: source type and artifacts type must both be CODEPIPELINE, or neither")
    if kind not in ("CODEPIPELINE", "NO_SOURCE") and not source.get("location"):
        raise _invalid("Invalid project source: location must not be empty")
    if kind == "NO_SOURCE" and not source.get("buildspec"):
        raise _invalid("Invalid project source: a buildspec is required for source type NO_SOURCE")
    if kind == "NO_SOURCE" and source.get("location"):
        raise _invalid("Invalid project source: location must be empty for source type NO_SOURCE")
    if artifacts["type"] == "S3" and not artifacts.get("location"):
        raise _invalid("Invalid artifacts: location must not be empty for artifacts type S3")
    if artifacts["type"] == "NO_ARTIFACTS" and artifacts.get("location"):
        raise _invalid("Invalid artifacts: artifact type NO_ARTIFACTS should have null location")


def _invalid(message: str) -> Refused:
    return Refused("InvalidInputException", message)
