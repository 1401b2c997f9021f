"""CodeDeploy's calls about deployments.

Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeployment.html.
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator import inner
from fargrade.emulator.codedeploy import deployments, groups
from fargrade.emulator.codedeploy.deployments import Deployment
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer
from fargrade.semantics.pipeline.blue_green import AppSpecError, app_spec


@answer("codedeploy", "CreateDeployment")
def create(call: Call) -> dict[str, Any]:
    given = call.parameters
    of = groups.application(call.region, given["applicationName"])
    if not given.get("deploymentGroupName"):
        raise Refused("DeploymentGroupNameRequiredException", "Deployment group name is required")
    held = groups.group(call.region, of.name, given["deploymentGroupName"])
    if of.platform != "ECS":
        raise NotImplementedError(f"deployments to the compute platform {of.platform}")
    revision = given.get("revision")
    if not revision:
        raise Refused("RevisionRequiredException", "A revision is required")
    config = given.get("deploymentConfigName") or held["deploymentConfigName"]
    groups.routing(call.region, config)
    try:
        spec = app_spec(_text(call.region, revision))
    except AppSpecError as error:
        raise Refused("InvalidRevisionException", str(error)) from None
    settings = given.get("autoRollbackConfiguration") or held.get("autoRollbackConfiguration") or {}
    made = Deployment(
        deployments.new_identity(),
        call.region,
        held,
        spec,
        revision,
        config,
        description=given.get("description", ""),
        auto_rollback=tuple(settings.get("events") or ()) if settings.get("enabled") else (),
    )
    return {"deploymentId": deployments.begin(made).identity}


def _text(region: str, revision: dict[str, Any]) -> str:
    """The AppSpec that a revision is, or leads to. Raises Refused."""
    kind = revision.get("revisionType")
    if kind in ("AppSpecContent", "String"):
        held = revision.get("appSpecContent" if kind == "AppSpecContent" else "string") or {}
        return str(held.get("content", ""))
    if kind != "S3":
        raise Refused("InvalidRevisionException", f"An ECS deployment cannot have a revision of the type {kind}")
    from botocore.exceptions import ClientError

    place = revision.get("s3Location") or {}
    try:
        found = inner.client("s3", region).get_object(Bucket=place.get("bucket", ""), Key=place.get("key", ""))
    except ClientError as error:
        raise Refused("RevisionDoesNotExistException", f"The revision cannot be fetched: {error}") from None
    return str(found["Body"].read().decode("utf-8", "replace"))


@answer("codedeploy", "GetDeployment")
def get(call: Call) -> dict[str, Any]:
    return {"deploymentInfo": deployments.described(deployments.find(call.parameters["deploymentId"]))}


@answer("codedeploy", "BatchGetDeployments")
def batch_get(call: Call) -> dict[str, Any]:
    found = [deployments.described(deployments.find(one)) for one in call.parameters["deploymentIds"]]
    return {"deploymentsInfo": found}


@answer("codedeploy", "ListDeployments")
def list_all(call: Call) -> dict[str, Any]:
    given = call.parameters
    wanted = given.get("includeOnlyStatuses") or ()
    if given.get("applicationName") and not given.get("deploymentGroupName"):
        raise Refused(
            "DeploymentGroupNameRequiredException",
            "If applicationName is specified, then deploymentGroupName must be specified.",
        )
    if given.get("deploymentGroupName") and not given.get("applicationName"):
        raise Refused(
            "ApplicationNameRequiredException",
            "If deploymentGroupName is specified, then applicationName must be specified.",
        )
    times = given.get("createTimeRange") or {}
    start, end = times.get("start"), times.get("end")
    if start and end and start > end:
        raise Refused("InvalidTimeRangeException", "The specified time range is not valid: it ends before it starts.")
    return {
        "deployments": [
            one.identity
            for one in deployments.all_deployments(call.region)
            if given.get("applicationName") in (None, one.group["applicationName"])
            and given.get("deploymentGroupName") in (None, one.group["deploymentGroupName"])
            and (not wanted or one.status in wanted)
            and (not start or _seconds(start) <= one.created.timestamp())
            and (not end or one.created.timestamp() <= _seconds(end))
        ]
    }


def _seconds(time: Any) -> float:
    """A time as the request has it: a date, or seconds since 1970."""
    return float(time.timestamp() if hasattr(time, "timestamp") else time)


@answer("codedeploy", "StopDeployment")
def stop(call: Call) -> dict[str, Any]:
    found = deployments.find(call.parameters["deploymentId"])
    if not found.going:
        raise Refused("DeploymentAlreadyCompletedException", "The deployment has ended already")
    deployments.stop(found, roll_back=bool(call.parameters.get("autoRollbackEnabled")))
    return {"status": "Succeeded", "statusMessage": ""}


@answer("codedeploy", "ContinueDeployment")
def go_on(call: Call) -> dict[str, Any]:
    deployments.go_on(deployments.find(call.parameters["deploymentId"]))
    return {}


@answer("codedeploy", "ListDeploymentTargets")
def list_targets(call: Call) -> dict[str, Any]:
    found = deployments.find(call.parameters["deploymentId"])
    return {"targetIds": [deployments.target(found)["ecsTarget"]["targetId"]]}


@answer("codedeploy", "GetDeploymentTarget")
def get_target(call: Call) -> dict[str, Any]:
    return {"deploymentTarget": deployments.target(deployments.find(call.parameters["deploymentId"]))}


@answer("codedeploy", "BatchGetDeploymentTargets")
def batch_get_targets(call: Call) -> dict[str, Any]:
    return {"deploymentTargets": [deployments.target(deployments.find(call.parameters["deploymentId"]))]}
