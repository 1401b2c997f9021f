"""Deploy actions: a new revision into an ECS service, files into a bucket.

Sources: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fargrade.emulator import clock, inner, roles, rules
from fargrade.emulator.acting import denial, first_denial
from fargrade.emulator.codepipeline import artifacts
from fargrade.emulator.codepipeline.executions import ActionFailed, ActionRun, Execution, fail, runs, succeed
from fargrade.semantics.iam import Request, access_denied
from fargrade.semantics.pipeline import ImageFileError, image_definitions, registration

SECONDS_BETWEEN = 15.0


@runs("Deploy", "ECS")
def to_ecs(execution: Execution, run: ActionRun) -> None:
    given = run.configuration
    file = given.get("FileName", "imagedefinitions.json")
    role, session = execution.role_of(run), artifacts.session_of(execution)
    name = artifacts.inputs(run)[0]
    place = execution.artifacts[name]
    files = artifacts.read(execution, name, role=role, session=session)
    if file not in files:
        raise ActionFailed(
            f"Did not find the image definition file {file} in the input artifacts ZIP file. Verify the file is stored "
            f"in your pipeline's Amazon S3 artifact bucket: {place.bucket} key: {place.key}"
        )
    cluster, service = given["ClusterName"], given["ServiceName"]
    of_service = f"arn:aws:ecs:{execution.region}:{rules.account()}:service/{cluster.rpartition('/')[2]}/{service}"
    _refuse(execution, role, [("ecs:DescribeServices", of_service), ("ecs:DescribeTaskDefinition", "*")])
    ecs = inner.client("ecs", execution.region)
    described = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not described or described[0]["status"] != "ACTIVE":
        raise ActionFailed(f"Invalid action configuration: The AWS ECS service {service} does not exist")
    if described[0].get("deploymentController", {}).get("type", "ECS") != "ECS":
        raise ActionFailed("Invalid action configuration: The service's deployment controller must be ECS")
    running = ecs.describe_task_definition(taskDefinition=described[0]["taskDefinition"])["taskDefinition"]
    try:
        wanted = registration(running, image_definitions(files[file], file))
    except ImageFileError as error:
        raise ActionFailed(str(error)) from None
    _refuse(execution, role, [("ecs:RegisterTaskDefinition", "*")])
    refuse_passing(execution, role, wanted)
    _refuse(execution, role, [("ecs:UpdateService", of_service)])
    made = ecs.register_task_definition(**wanted)["taskDefinition"]["taskDefinitionArn"]
    updated = ecs.update_service(cluster=cluster, service=service, taskDefinition=made)["service"]
    deployment = next((one["id"] for one in updated.get("deployments", ()) if one["status"] == "PRIMARY"), "")
    run.external = deployment
    run.variables = {"ClusterName": cluster, "ServiceName": service, "DeploymentId": deployment}
    until = clock.now() + timedelta(minutes=float(given.get("DeploymentTimeout", 60)))
    clock.after(SECONDS_BETWEEN, lambda: _look(execution, run, made, until))


def _look(execution: Execution, run: ActionRun, revision: str, until: Any) -> None:
    """Wait for the service to run the revision, and nothing else."""
    ecs = inner.client("ecs", execution.region)
    given = run.configuration
    (held,) = ecs.describe_services(cluster=given["ClusterName"], services=[given["ServiceName"]])["services"] or [None]
    if held is None:
        fail(execution, run, f"The AWS ECS service {given['ServiceName']} does not exist any more")
        return
    ours = next((one for one in held["deployments"] if one["taskDefinition"] == revision), None)
    if ours is None or ours.get("rolloutState") == "FAILED":
        reason = (ours or {}).get("rolloutStateReason") or "the service has gone back to an earlier revision"
        fail(execution, run, f"The deployment failed: {reason}")
    elif len(held["deployments"]) == 1 and held["runningCount"] == held["desiredCount"]:
        succeed(execution, run)
    elif clock.now() >= until:
        fail(execution, run, "The deployment timed out: the service did not become stable")
    else:
        clock.after(SECONDS_BETWEEN, lambda: _look(execution, run, revision, until))


def _refuse(execution: Execution, role: str, wanted: list[tuple[str, str]]) -> None:
    session = artifacts.session_of(execution)
    if found := first_denial(role, wanted, region=execution.region, session=session):
        raise ActionFailed(f"The provided role does not have sufficient permissions to access ECS: {found}")


def refuse_passing(execution: Execution, role: str, task_definition: dict[str, Any]) -> None:
    """The pipeline's role must be allowed to pass both of the task's roles. Raises ActionFailed."""
    for key in ("executionRoleArn", "taskRoleArn"):
        passed = task_definition.get(key)
        if not passed:
            continue
        decision = roles.may_pass(role, passed, region=execution.region)
        if not decision.allowed:
            found = roles.find(role)
            principal = found.session(artifacts.session_of(execution)) if found else role
            said = access_denied(Request(principal, "iam:PassRole", passed), decision)
            raise ActionFailed(f"The provided role does not have sufficient permissions to access ECS: {said}")


@runs("Deploy", "S3")
def to_s3(execution: Execution, run: ActionRun) -> None:
    given = run.configuration
    role, session = execution.role_of(run), artifacts.session_of(execution)
    name = artifacts.inputs(run)[0]
    files = artifacts.read(execution, name, role=role, session=session)
    if given["Extract"].lower() == "true":
        prefix = given.get("ObjectKey", "").strip("/")
        wanted = {f"{prefix}/{path}" if prefix else path: content for path, content in files.items()}
    else:
        wanted = {given.get("ObjectKey") or f"{name}.zip": artifacts.packed(files)}
    for key, content in wanted.items():
        arn = f"arn:aws:s3:::{given['BucketName']}/{key}"
        if found := denial(role, "s3:PutObject", arn, region=execution.region, session=session):
            raise ActionFailed(f"The provided role does not have sufficient permissions. {found}")
        inner.client("s3", execution.region).put_object(Bucket=given["BucketName"], Key=key, Body=content)
    succeed(execution, run)
