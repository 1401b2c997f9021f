"""Source actions: where a revision comes from, and what a change starts.

Sources: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from fargrade.emulator import codeconnections, git_hosts, inner, rules
from fargrade.emulator.acting import denial
from fargrade.emulator.codepipeline import artifacts, executions
from fargrade.emulator.codepipeline.executions import ActionFailed, ActionRun, Execution, runs, succeed
from fargrade.emulator.codepipeline.pipelines import Held, all_pipelines
from fargrade.emulator.git_hosts import Commit


@git_hosts.on_push
def pushed(commit: Commit) -> list[str]:
    """Start the pipelines that listen to the branch; returns the executions' ids."""
    return [
        executions.start(held, "WebhookV2", commit.identity).identity
        for held in all_pipelines()
        if any(_listens(held, action, commit) for action in held.declared["stages"][0]["actions"])
    ]


def _listens(held: Held, action: Mapping[str, Any], commit: Commit) -> bool:
    given, kind = action["configuration"], action["actionTypeId"]["provider"]
    if kind == "CodeStarSourceConnection":
        found = codeconnections.find(given["ConnectionArn"])
        if not found or not found.available or given["FullRepositoryId"] != commit.repository:
            return False
        # A trigger takes the place of the default detection of changes, and so of DetectChanges:
        # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineTriggerDeclaration.html
        filters = [one for one in held.declared.get("triggers") or () if _of_action(one, action)]
        if filters:
            return any(_filter_takes(one, commit) for one in filters)
        detects = given.get("DetectChanges", "true").lower() != "false"
        return detects and bool(given["BranchName"] == commit.branch)
    if kind == "CodeCommit":
        polls = given.get("PollForSourceChanges", "true").lower() != "false"
        return polls and (given["RepositoryName"], given["BranchName"]) == (commit.repository, commit.branch)
    if kind == "GitHub":
        return (f"{given['Owner']}/{given['Repo']}", given["Branch"]) == (commit.repository, commit.branch)
    return False


def _of_action(trigger: Mapping[str, Any], action: Mapping[str, Any]) -> bool:
    return bool(trigger.get("gitConfiguration", {}).get("sourceActionName") == action["name"])


def _filter_takes(trigger: Mapping[str, Any], commit: Commit) -> bool:
    """Whether one of a trigger's push filters takes the commit: branches and file paths, each included or excluded."""
    for one in trigger["gitConfiguration"].get("push") or ():
        branches, paths = one.get("branches") or {}, one.get("filePaths") or {}
        if "tags" in one and not branches:
            continue
        if _taken(branches, [commit.branch]) and _taken(paths, list(commit.files)):
            return True
    return False


def _taken(patterns: Mapping[str, Any], names: list[str]) -> bool:
    left = [name for name in names if not any(fnmatchcase(name, one) for one in patterns.get("excludes") or ())]
    includes = patterns.get("includes")
    return bool(left) and (not includes or any(fnmatchcase(name, one) for name in left for one in includes))


@runs("Source", "CodeStarSourceConnection")
def from_connection(execution: Execution, run: ActionRun) -> None:
    given = run.configuration
    arn, repository, branch = given["ConnectionArn"], given["FullRepositoryId"], given["BranchName"]
    found = codeconnections.find(arn)
    if found is None:
        raise ActionFailed(f"[{run.name}] Connection {arn} could not be found")
    role, session = execution.role_of(run), artifacts.session_of(execution)
    # Either prefix is right: the service has been renamed, its permissions have both names.
    denials = [
        denial(role, f"{name}:UseConnection", arn, region=execution.region, session=session)
        for name in ("codestar-connections", "codeconnections")
    ]
    if all(denials):
        raise ActionFailed(
            f"[{run.name}] Unable to use Connection: {arn}. The provided role does not have sufficient permissions. "
            f"{denials[0]}"
        )
    if not found.available:
        raise ActionFailed(f"[{run.name}] Connection {arn} is not available")
    commit = git_hosts.head(repository, branch)
    if commit is None:
        raise ActionFailed(f"[{run.name}] No Branch [{branch}] found for FullRepositoryName [{repository}]")
    _give_commit(execution, run, commit)


@runs("Source", "CodeCommit")
def from_codecommit(execution: Execution, run: ActionRun) -> None:
    given = run.configuration
    repository, branch = given["RepositoryName"], given["BranchName"]
    arn = f"arn:aws:codecommit:{execution.region}:{rules.account()}:{repository}"
    for action in ("codecommit:GetBranch", "codecommit:GetCommit", "codecommit:UploadArchive"):
        _refuse(execution, run, action, arn)
    commit = git_hosts.head(repository, branch)
    if commit is None:
        raise ActionFailed(f"The branch {branch} of the CodeCommit repository {repository} does not exist.")
    _give_commit(execution, run, commit)


def _give_commit(execution: Execution, run: ActionRun, commit: Commit) -> None:
    run.external = commit.identity
    run.variables = {
        "CommitId": commit.identity,
        "CommitMessage": commit.message,
        "AuthorDate": run.started.isoformat(),
        "BranchName": commit.branch,
        "FullRepositoryName": commit.repository,
        "RepositoryName": commit.repository.rpartition("/")[2],
    }
    _give(execution, run, artifacts.packed(commit.files), commit.identity, commit.message)


@runs("Source", "S3")
def from_s3(execution: Execution, run: ActionRun) -> None:
    bucket, key = run.configuration["S3Bucket"], run.configuration["S3ObjectKey"]
    _refuse(execution, run, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    held = inner.client("s3", execution.region).get_object(Bucket=bucket, Key=key)
    version = str(held.get("VersionId") or held["ETag"].strip('"'))
    run.variables = {"BucketName": bucket, "ObjectKey": key, "VersionId": version, "ETag": held["ETag"].strip('"')}
    _give(execution, run, held["Body"].read(), version, f"Amazon S3 version id: {version}")


@runs("Source", "ECR")
def from_ecr(execution: Execution, run: ActionRun) -> None:
    name, tag = run.configuration["RepositoryName"], run.configuration.get("ImageTag", "latest")
    arn = f"arn:aws:ecr:{execution.region}:{rules.account()}:repository/{name}"
    _refuse(execution, run, "ecr:DescribeImages", arn)
    client = inner.client("ecr", execution.region)
    image = client.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])["imageDetails"][0]
    digest = image["imageDigest"]
    uri = f"{rules.account()}.dkr.ecr.{execution.region}.amazonaws.com/{name}"
    detail = {
        "ImageSizeInBytes": str(image.get("imageSizeInBytes", 0)),
        "ImageDigest": digest,
        "Version": "1.0",
        "ImagePushedAt": str(image["imagePushedAt"]),
        "RegistryId": rules.account(),
        "RepositoryName": name,
        "ImageURI": f"{uri}@{digest}",
        "ImageTags": image.get("imageTags", []),
    }
    run.variables = {"ImageDigest": digest, "ImageTag": tag, "ImageURI": detail["ImageURI"], "RepositoryName": name}
    import json

    _give(execution, run, artifacts.packed({"imageDetail.json": json.dumps(detail).encode()}), digest, digest)


def _give(execution: Execution, run: ActionRun, content: bytes, revision: str, summary: str) -> None:
    """Leave the source as the action's artifact."""
    name = artifacts.outputs(run)[0]
    role, session = execution.role_of(run), artifacts.session_of(execution)
    artifacts.store(execution, run, name, content, role=role, session=session)
    execution.revisions.append({"name": run.name, "artifact": name, "revisionId": revision, "summary": summary})
    succeed(execution, run)


def _refuse(execution: Execution, run: ActionRun, action: str, resource: str) -> None:
    role, session = execution.role_of(run), artifacts.session_of(execution)
    if found := denial(role, action, resource, region=execution.region, session=session):
        raise ActionFailed(f"The provided role does not have sufficient permissions. {found}")
