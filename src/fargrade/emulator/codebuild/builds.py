"""CodeBuild's builds: prepared here, run by the grader in the learner's sandbox, finished here.

The emulator cannot run what a learner wrote. A build that has got as far as its first command waits as a *job*: the
plan of its buildspec, its source, its environment. Whoever runs it tells how it ended and what it left behind.
Sources: https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html,
https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fargrade.emulator import clock, roles, rules
from fargrade.emulator.codebuild.environment import Unfetched, environment_of, logs_denial
from fargrade.emulator.codebuild.projects import SERVICE, Project
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.ids import new_id
from fargrade.emulator.sts import sessions
from fargrade.semantics.buildspec import Buildspec, BuildspecError, parse, plan

BUILD_PHASES = {"install": "INSTALL", "pre_build": "PRE_BUILD", "build": "BUILD", "post_build": "POST_BUILD"}


@dataclass
class Build:
    """One build. `done(build)` is called when it has ended, however it did."""

    project: Project
    files: Mapping[str, bytes]
    resolved: str
    initiator: str
    done: Callable[[Build], None] | None
    number: int
    overrides: Mapping[str, Any] = field(default_factory=dict)
    denied: str = ""  # why its source could not be fetched
    identity: str = ""
    started: datetime = field(default_factory=clock.now)
    ended: datetime | None = None
    status: str = "IN_PROGRESS"
    phases: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    spec: Buildspec | None = None
    exported: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, bytes] = field(default_factory=dict)  # a zip by identifier; "" is the primary one

    @property
    def region(self) -> str:
        return self.project.region

    @property
    def asked(self) -> str:
        """The version of the source that was asked for; the one that was built, where nobody asked."""
        return str(self.overrides.get("sourceVersion") or self.resolved)

    @property
    def arn(self) -> str:
        return f"arn:aws:codebuild:{self.region}:{rules.account()}:build/{self.identity}"

    @property
    def setting(self) -> dict[str, Any]:
        """Its environment: the project's, with what StartBuild overrides."""
        given: dict[str, Any] = dict(self.project.described["environment"])
        if "privilegedModeOverride" in self.overrides:
            given["privilegedMode"] = self.overrides["privilegedModeOverride"]
        return given

    @property
    def problem(self) -> str:
        """What the first failed phase said."""
        for phase in self.phases:
            for context in phase.get("contexts", ()):
                if context["message"] and phase["phaseStatus"] != "SUCCEEDED":
                    return str(context["message"])
        return ""


_builds: dict[str, Build] = {}
_numbers = itertools.count(1)


@on_reset
def _new() -> None:
    global _numbers
    _builds.clear()
    _numbers = itertools.count(1)


def find(identity: str) -> Build | None:
    """The build with this id or ARN."""
    return _builds.get(identity.rpartition("build/")[2] or identity)


def all_builds() -> list[Build]:
    """Every build, oldest first."""
    return list(_builds.values())


def begin(
    project: Project,
    files: Mapping[str, bytes],
    resolved: str,
    initiator: str,
    done: Callable[[Build], None] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    denied: str = "",
) -> Build:
    """Start a build of `project` on this source. It waits at its first command, unless it fails before that."""
    made = Build(project, files, resolved, initiator, done, next(_numbers), overrides or {}, denied)
    made.identity = f"{project.name}:{new_id()}"
    _builds[made.identity] = made
    project.builds.append(made.identity)
    for phase in ("SUBMITTED", "QUEUED"):
        _told(made, phase)
    if not _prepared(made):
        clock.after(5, lambda: end(made, "FAILED"))
    return made


def _prepared(build: Build) -> bool:
    """Get the build to its first command; False where it failed before."""
    role = build.project.role
    if not roles.assumable(role, SERVICE, {"aws:SourceArn": build.project.arn}, region=build.region).allowed:
        return _failed(build, "PROVISIONING", f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}")
    if found := logs_denial(build.project, build.identity):
        return _failed(
            build,
            "PROVISIONING",
            f"ACCESS_DENIED: Service role {role} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log "
            f"streams for build {build.arn}. Error message: {found}",
        )
    _told(build, "PROVISIONING")
    if build.denied:
        return _failed(build, "DOWNLOAD_SOURCE", f"CLIENT_ERROR: {build.denied}")
    try:
        build.spec = parse(_buildspec_text(build))
        build.environment = environment_of(build, build.spec)
    except (BuildspecError, Unfetched) as error:
        return _failed(build, "DOWNLOAD_SOURCE", str(error))
    _told(build, "DOWNLOAD_SOURCE")
    return True


def _buildspec_text(build: Build) -> str:
    """The buildspec: inline in the project, or a file of the source. Raises BuildspecError."""
    given = str(build.overrides.get("buildspecOverride") or build.project.described["source"].get("buildspec") or "")
    if "\n" in given or given.lstrip().startswith("{"):
        return given
    name = given or "buildspec.yml"
    content = build.files.get(name.removeprefix("./"))
    if content is None:
        raise BuildspecError(
            f"YAML_FILE_ERROR: stat /codebuild/output/src/{name}: no such file or directory"
            if build.files
            else "YAML_FILE_ERROR: YAML file does not exist"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise BuildspecError("YAML_FILE_ERROR: yaml: control characters are not allowed") from None


def job_of(build: Build) -> dict[str, Any]:
    """The build as data for whoever runs it."""
    assert build.spec is not None
    return {
        "id": build.identity,
        "project": build.project.name,
        "role": build.project.role,
        "region": build.region,
        "privileged": bool(build.setting.get("privilegedMode")),
        "environment": {**build.environment, **_credentials(build)},
        "files": dict(build.files),
        "plan": plan(build.spec),
        "minutes": build.project.described.get("timeoutInMinutes", 60),
    }


def _credentials(build: Build) -> dict[str, str]:
    """The service role's session, as the SDKs and the CLI find it."""
    name = f"AWSCodeBuild-{build.identity.partition(':')[2]}"
    session = sessions.start(build.project.role, name, lasting=True)
    return {
        "AWS_ACCESS_KEY_ID": session.key,
        "AWS_SECRET_ACCESS_KEY": session.secret,
        "AWS_SESSION_TOKEN": session.token,
    }


def waiting() -> list[Build]:
    """Builds that wait to be run."""
    return [one for one in _builds.values() if one.status == "IN_PROGRESS" and one.spec is not None]


def run_to(build: Build, report: Mapping[str, Any], zips: Mapping[str, bytes]) -> None:
    """The build was run: `report` is what its driver says, `zips` its artifacts by identifier ("" the primary)."""
    told = {str(one.get("phase")): one for one in report.get("phases", ()) if isinstance(one, dict)}
    for name, phase in BUILD_PHASES.items():
        if name in told:
            _told(build, phase, failure=str(told[name].get("message", "")) if told[name].get("failed") else "")
    upload = told.get("upload_artifacts", {})
    _told(build, "UPLOAD_ARTIFACTS", failure=str(upload.get("message", "")) if upload.get("failed") else "")
    succeeded = report.get("succeeded") is True
    if succeeded:
        build.artifacts = dict(zips)
        assert build.spec is not None
        exported = report.get("exported") or {}
        build.exported = {name: str(exported.get(name, "")) for name in build.spec.exported}
    elif not build.problem:
        _told(build, "BUILD", failure=str(report.get("problem") or "COMMAND_EXECUTION_ERROR"))
    end(build, "SUCCEEDED" if succeeded else "FAILED")


def end(build: Build, status: str) -> None:
    """The build has ended. Whoever began it is told. Idempotent."""
    if build.status != "IN_PROGRESS":
        return
    build.status = status
    build.ended = clock.now()
    _told(build, "FINALIZING")
    build.phases.append({"phaseType": "COMPLETED", "startTime": build.ended})
    if build.done:
        build.done(build)


def _failed(build: Build, phase: str, message: str) -> bool:
    _told(build, phase, failure=message)
    return False


def _told(build: Build, phase: str, *, failure: str = "") -> None:
    now = clock.now()
    code, _, message = failure.partition(": ")
    known = code.isupper() and " " not in code
    build.phases.append(
        {
            "phaseType": phase,
            "phaseStatus": "FAILED" if failure else "SUCCEEDED",
            "startTime": now,
            "endTime": now,
            "durationInSeconds": 0,
            "contexts": [{"statusCode": code if known else "", "message": failure if not known else message}],
        }
    )
