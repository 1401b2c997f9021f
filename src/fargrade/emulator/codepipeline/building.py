"""The CodeBuild action, and the manual approval: both wait for somebody.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html.
"""

from __future__ import annotations

import json
from typing import Any

from fargrade.emulator import codebuild, rules
from fargrade.emulator.acting import first_denial
from fargrade.emulator.codebuild.environment import SESSION
from fargrade.emulator.codepipeline import artifacts
from fargrade.emulator.codepipeline.executions import ActionFailed, ActionRun, Execution, fail, runs, succeed


@runs("Build", "CodeBuild")
def build(execution: Execution, run: ActionRun) -> None:
    name = run.configuration["ProjectName"]
    arn = f"arn:aws:codebuild:{execution.region}:{rules.account()}:project/{name}"
    wanted = [("codebuild:StartBuild", arn), ("codebuild:BatchGetBuilds", arn)]
    session = artifacts.session_of(execution)
    if found := first_denial(execution.role_of(run), wanted, region=execution.region, session=session):
        raise ActionFailed(
            f"Error calling startBuild: {found} (Service: AWSCodeBuild; Status Code: 400; Error Code: "
            "AccessDeniedException)"
        )
    project = codebuild.projects.find(execution.region, name)
    if project is None:
        raise ActionFailed(
            f"Error calling startBuild: Project cannot be found: {arn} (Service: AWSCodeBuild; Status Code: 400; "
            "Error Code: ResourceNotFoundException)"
        )
    if project.described["source"]["type"] != "CODEPIPELINE":
        raise ActionFailed(
            f"Error calling startBuild: the project {name} has the source type "
            f"{project.described['source']['type']}, not CODEPIPELINE (Service: AWSCodeBuild; Status Code: 400; "
            "Error Code: InvalidInputException)"
        )
    taken = artifacts.inputs(run)
    primary = run.configuration.get("PrimarySource") or taken[0]
    if primary not in taken or (len(taken) > 1 and "PrimarySource" not in run.configuration):
        raise ActionFailed("The action configuration needs a PrimarySource among its input artifacts.")
    denied = artifacts.reading_denial(execution, primary, role=project.role, session=SESSION)
    place = execution.artifacts[primary]
    where = f"arn:aws:s3:::{place.bucket}/{place.key}"
    files = {} if denied else artifacts.read(execution, primary, role=project.role, session=SESSION)
    begun = codebuild.begin(
        project,
        files,
        str(execution.revisions[0]["revisionId"]) if execution.revisions else "",
        f"codepipeline/{execution.held.name}",
        lambda ended: _built(execution, run, ended),
        overrides={"environmentVariablesOverride": _variables(run)},
        denied=f"AccessDenied: {denied} for primary source and source version {where}" if denied else "",
    )
    run.external = begun.identity


def _variables(run: ActionRun) -> list[dict[str, Any]]:
    """The action's EnvironmentVariables: a JSON array in a text. Raises ActionFailed."""
    try:
        given = json.loads(run.configuration.get("EnvironmentVariables") or "[]")
        return [
            {"name": str(one["name"]), "value": str(one["value"]), "type": one.get("type", "PLAINTEXT")}
            for one in given
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ActionFailed("EnvironmentVariables must be a JSON array of objects with name and value.") from None


def _built(execution: Execution, run: ActionRun, ended: codebuild.Build) -> None:
    run.variables = dict(ended.exported)
    if ended.status != "SUCCEEDED":
        fail(execution, run, f"Build terminated with state: {ended.status}. {ended.problem}".strip())
        return
    wanted = artifacts.outputs(run)
    try:
        for name in wanted:
            content = ended.artifacts.get("" if len(wanted) == 1 else name)
            if content is None:
                raise ActionFailed(
                    f"The build left no artifact for {name}: "
                    + (
                        "its buildspec has no artifacts"
                        if len(wanted) == 1
                        else "with several output artifacts each is a secondary artifact of that name"
                    )
                )
            artifacts.store(execution, run, name, content, role=ended.project.role, session=SESSION)
    except ActionFailed as error:
        fail(execution, run, str(error))
        return
    succeed(execution, run)


@runs("Test", "CodeBuild")
def test(execution: Execution, run: ActionRun) -> None:
    """A test action is a build, too."""
    build(execution, run)


@runs("Approval", "Manual")
def approve(execution: Execution, run: ActionRun) -> None:
    """Waits for PutApprovalResult; its token is the run's id."""
    del execution, run
