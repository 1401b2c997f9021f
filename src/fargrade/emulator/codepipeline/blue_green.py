"""The CodeDeployToECS action: templates filled in, a revision registered, a deployment begun and followed.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html.
"""

from __future__ import annotations

import json
from typing import Any

from fargrade.emulator import clock, codedeploy, inner
from fargrade.emulator.acting import first_denial
from fargrade.emulator.codepipeline import artifacts
from fargrade.emulator.codepipeline.deploying import SECONDS_BETWEEN, refuse_passing
from fargrade.emulator.codepipeline.executions import ActionFailed, ActionRun, Execution, fail, runs, succeed
from fargrade.semantics.pipeline import ImageFileError, image_detail, rendered_template

WANTED = (
    *("codedeploy:CreateDeployment", "codedeploy:GetDeployment", "codedeploy:GetDeploymentConfig"),
    *("codedeploy:RegisterApplicationRevision", "codedeploy:GetApplicationRevision"),
    "ecs:RegisterTaskDefinition",
)


@runs("Deploy", "CodeDeployToECS")
def to_ecs(execution: Execution, run: ActionRun) -> None:
    given = run.configuration
    role, session = execution.role_of(run), artifacts.session_of(execution)
    wanted = [(action, "*") for action in WANTED]
    if found := first_denial(role, wanted, region=execution.region, session=session):
        raise ActionFailed(f"The provided role does not have sufficient permissions: {found}")
    files = {name: artifacts.read(execution, name, role=role, session=session) for name in artifacts.inputs(run)}
    template = _file(files, given, "TaskDefinitionTemplate", "taskdef.json")
    spec = _file(files, given, "AppSpecTemplate", "appspec.yaml")
    try:
        definition: dict[str, Any] = json.loads(rendered_template(template, _images(files, given)))
    except ValueError:
        raise ActionFailed("The task definition template file is not valid JSON.") from None
    refuse_passing(execution, role, definition)
    ecs = inner.client("ecs", execution.region)
    made = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    content = rendered_template(spec, {}, made)
    run.external = inner.client("codedeploy", execution.region).create_deployment(
        applicationName=given["ApplicationName"],
        deploymentGroupName=given["DeploymentGroupName"],
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
    )["deploymentId"]
    clock.after(SECONDS_BETWEEN, lambda: _look(execution, run))


def _images(files: dict[str, dict[str, bytes]], given: dict[str, str]) -> dict[str, str]:
    """The image of each placeholder, from the imageDetail.json of its artifact. Raises ActionFailed."""
    found = {}
    for number in range(1, 5):
        artifact, name = given.get(f"Image{number}ArtifactName"), given.get(f"Image{number}ContainerName")
        if not artifact or not name:
            continue
        content = files.get(artifact, {}).get("imageDetail.json")
        if content is None:
            raise ActionFailed(f"Did not find imageDetail.json in the artifact {artifact}.")
        try:
            found[name] = image_detail(content)
        except ImageFileError as error:
            raise ActionFailed(str(error)) from None
    return found


def _file(files: dict[str, dict[str, bytes]], given: dict[str, str], which: str, default: str) -> str:
    artifact, path = given[f"{which}Artifact"], given.get(f"{which}Path", default)
    content = files.get(artifact, {}).get(path)
    if content is None:
        raise ActionFailed(f"Exception while trying to read the template file {path} from the artifact {artifact}.")
    return content.decode("utf-8", "replace")


def _look(execution: Execution, run: ActionRun) -> None:
    held = codedeploy.find(run.external)
    if held.status == "Succeeded" or (held.going and held.shifted):
        succeed(execution, run)
    elif held.going:
        clock.after(SECONDS_BETWEEN, lambda: _look(execution, run))
    else:
        fail(
            execution, run, f"The deployment {run.external} has {held.status.lower()}: {held.error.get('message', '')}"
        )
