"""CodeBuild's calls about builds, and the grader's way of running them.

Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from fargrade.emulator import git_hosts, inner, rules
from fargrade.emulator.acting import denial
from fargrade.emulator.codebuild import builds, projects
from fargrade.emulator.codebuild.builds import Build
from fargrade.emulator.codebuild.environment import SESSION, log_of, write_log
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op
from fargrade.emulator.rules import Call, answer


@answer("codebuild", "StartBuild")
def start(call: Call) -> dict[str, Any]:
    given = call.parameters
    project = projects.find(call.region, given["projectName"])
    if project is None:
        arn = f"arn:aws:codebuild:{call.region}:{call.account}:project/{given['projectName']}"
        raise Refused("ResourceNotFoundException", f"Project cannot be found: {arn}")
    if project.described["source"]["type"] == "CODEPIPELINE":
        raise Refused(
            "InvalidInputException",
            "Invalid source: a project with the source type CODEPIPELINE is built by its pipeline only",
        )
    files, resolved, denied = _source(project.described["source"], given.get("sourceVersion", ""), project)
    overrides = {key: value for key, value in given.items() if key.endswith(("Override", "sourceVersion"))}
    return {"build": described(builds.begin(project, files, resolved, "user", overrides=overrides, denied=denied))}


def _source(source: dict[str, Any], version: str, project: projects.Project) -> tuple[dict[str, bytes], str, str]:
    """(files, version, why they cannot be had) of a project's own source."""
    kind, location = source["type"], str(source.get("location", ""))
    if kind == "NO_SOURCE":
        return {}, "", ""
    if kind == "S3":
        bucket, _, key = location.removeprefix("arn:aws:s3:::").partition("/")
        arn = f"arn:aws:s3:::{bucket}/{key}"
        if found := denial(project.role, "s3:GetObject", arn, region=project.region, session=SESSION):
            return {}, "", f"AccessDenied: {found} for primary source and source version {arn}"
        return unpacked(inner.client("s3", project.region).get_object(Bucket=bucket, Key=key)["Body"].read()), arn, ""
    name = "/".join(location.removesuffix(".git").split("/")[-2:])
    commit = git_hosts.head(name, (version or "main").removeprefix("refs/heads/"))
    if commit is None:
        return {}, "", f"repository not found for primary source and source version {version or 'main'}"
    return dict(commit.files), commit.identity, ""


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files in a zip; none where it is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {one.filename: archive.read(one) for one in archive.infolist() if not one.is_dir()}
    except zipfile.BadZipFile:
        return {}


def _refuse_what_is_no_id(*ids: str) -> None:
    """Raises Refused for an id that no build could have: PROJECT:UUID."""
    if any(":" not in one for one in ids):
        raise Refused("InvalidInputException", "Invalid build ID provided")


@answer("codebuild", "BatchGetBuilds")
def batch_get(call: Call) -> dict[str, Any]:
    _refuse_what_is_no_id(*call.parameters["ids"])
    asked = [(one, builds.find(one)) for one in call.parameters["ids"]]
    return {
        "builds": [described(found) for _, found in asked if found and found.region == call.region],
        "buildsNotFound": [one for one, found in asked if not found or found.region != call.region],
    }


@answer("codebuild", "ListBuilds")
def list_all(call: Call) -> dict[str, Any]:
    found = [one.identity for one in builds.all_builds() if one.region == call.region]
    return {"ids": found if call.parameters.get("sortOrder") == "ASCENDING" else found[::-1]}


@answer("codebuild", "ListBuildsForProject")
def list_of_project(call: Call) -> dict[str, Any]:
    project = projects.find(call.region, call.parameters["projectName"])
    if project is None:
        arn = f"arn:aws:codebuild:{call.region}:{call.account}:project/{call.parameters['projectName']}"
        raise Refused("ResourceNotFoundException", f"The provided project {arn} does not exist")
    return {"ids": project.builds if call.parameters.get("sortOrder") == "ASCENDING" else project.builds[::-1]}


@answer("codebuild", "StopBuild")
def stop(call: Call) -> dict[str, Any]:
    _refuse_what_is_no_id(call.parameters["id"])
    found = builds.find(call.parameters["id"])
    if found is None:
        raise Refused("ResourceNotFoundException", f"Build cannot be found: {call.parameters['id']}")
    builds.end(found, "STOPPED")
    return {"build": described(found)}


@answer("codebuild", "RetryBuild")
def retry(call: Call) -> dict[str, Any]:
    found = builds.find(str(call.parameters.get("id", "")))
    if found is None:
        raise Refused("ResourceNotFoundException", f"Build cannot be found: {call.parameters.get('id')}")
    again = builds.begin(found.project, found.files, found.resolved, found.initiator, overrides=found.overrides)
    return {"build": described(again)}


def described(build: Build) -> dict[str, Any]:
    """A build as BatchGetBuilds shows it."""
    project = build.project.described
    done = build.status != "IN_PROGRESS"
    group, stream = log_of(build.project, build.identity)
    arn = f"arn:aws:logs:{build.region}:{rules.account()}:log-group:{group}:log-stream:{stream}"
    logs = {"groupName": group, "streamName": stream, "cloudWatchLogsArn": arn} if group else {}
    return {
        "id": build.identity,
        "arn": build.arn,
        "buildNumber": build.number,
        "startTime": build.started,
        **({"endTime": build.ended} if build.ended else {}),
        "currentPhase": "COMPLETED" if done else build.phases[-1]["phaseType"],
        "buildStatus": build.status,
        "buildComplete": done,
        "projectName": build.project.name,
        "phases": build.phases,
        "source": project["source"],
        "sourceVersion": build.asked,
        "resolvedSourceVersion": build.resolved,
        "artifacts": {"location": ""},
        "environment": build.setting,
        "serviceRole": build.project.role,
        "initiator": build.initiator,
        "timeoutInMinutes": project["timeoutInMinutes"],
        "queuedTimeoutInMinutes": project["queuedTimeoutInMinutes"],
        "encryptionKey": project["encryptionKey"],
        "exportedEnvironmentVariables": [{"name": name, "value": value} for name, value in build.exported.items()],
        "logs": logs,
    }


@control_op("waiting_builds")
def waiting_builds() -> list[dict[str, Any]]:
    """The builds that wait to be run, each a job."""
    return [builds.job_of(one) for one in builds.waiting()]


@control_op("finish_build")
def finish_build(build: str, report: dict[str, Any], zips: dict[str, bytes], printed: str = "") -> None:
    """The build was run, printed this, and ended so: see `builds.run_to`."""
    found = builds.find(build)
    if found is not None and found.status == "IN_PROGRESS":
        write_log(found.project, found.identity, printed)
        builds.run_to(found, report, zips)
