"""Service deployments and revisions, as the newer operations show and stop them.

Sources: API_DescribeServiceDeployments.html, API_ListServiceDeployments.html, API_DescribeServiceRevisions.html,
API_StopServiceDeployment.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.ecs import scheduling, services, store
from fargrade.emulator.ecs.model import Deployment, Service
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer

STOPPED = "it was stopped by the user."


def _every(region: str) -> Iterator[tuple[Service, Deployment]]:
    for cluster in store.region(region).clusters.values():
        for service in cluster.services.values():
            for one in service.history:
                yield service, one


def status(one: Deployment) -> str:
    """The service deployment's status."""
    if one.outcome:
        return one.outcome
    return "IN_PROGRESS" if one.state == "IN_PROGRESS" else "SUCCESSFUL"


def _brief(service: Service, one: Deployment) -> dict[str, Any]:
    found = {
        "serviceDeploymentArn": one.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster.arn,
        "createdAt": store.stamp(one.created),
        "startedAt": store.stamp(one.created),
        "finishedAt": store.stamp(one.finished),
        "targetServiceRevisionArn": one.revision.arn,
        "status": status(one),
        "statusReason": (one.rollback or {}).get("reason"),
    }
    return {key: value for key, value in found.items() if value is not None}


@answer("ecs", "ListServiceDeployments")
def list_deployments(call: Call) -> dict[str, Any]:
    """ListServiceDeployments: newest first, by status and time of creation."""
    given, held = call.parameters, store.cluster(call)
    service = store.service(held, given["service"], active=False)
    wanted = given.get("status") or []
    found = [_brief(service, one) for one in service.history if not wanted or status(one) in wanted]
    return {"serviceDeployments": found[: given.get("maxResults") or 100]}


@answer("ecs", "DescribeServiceDeployments")
def describe_deployments(call: Call) -> dict[str, Any]:
    """DescribeServiceDeployments: up to 20."""
    wanted = call.parameters["serviceDeploymentArns"]
    held = {one.arn: (service, one) for service, one in _every(call.region)}
    return {
        "serviceDeployments": [_described(*held[arn]) for arn in wanted if arn in held],
        "failures": [store.missing(arn) for arn in wanted if arn not in held],
    }


def _described(service: Service, one: Deployment) -> dict[str, Any]:
    by_revision = {held.revision.arn: held for held in service.history}
    found = {
        **_brief(service, one),
        "updatedAt": store.stamp(one.updated),
        "sourceServiceRevisions": [
            services.revision_summary(service, by_revision[source.arn], full=True)
            for source in one.sources
            if source.arn in by_revision
        ],
        "targetServiceRevision": services.revision_summary(service, one, full=True),
        "deploymentConfiguration": dict(service.settings),
        "deploymentCircuitBreaker": {
            "status": one.breaker,
            "failureCount": one.failed,
            "threshold": scheduling.threshold(service),
        },
        "alarms": one.alarms or None,
        "lifecycleStage": one.stage or None,
        "rollback": {**one.rollback, "startedAt": store.stamp(one.rollback["startedAt"])} if one.rollback else None,
    }
    if one.outcome == "STOPPED":
        found["stoppedAt"] = store.stamp(one.finished)
    found.pop("targetServiceRevisionArn")
    return {key: value for key, value in found.items() if value is not None}


@answer("ecs", "DescribeServiceRevisions")
def describe_revisions(call: Call) -> dict[str, Any]:
    """DescribeServiceRevisions."""
    wanted = call.parameters["serviceRevisionArns"]
    held = {one.revision.arn: (service, one) for service, one in _every(call.region)}
    return {
        "serviceRevisions": [_revision(*held[arn]) for arn in wanted if arn in held],
        "failures": [store.missing(arn) for arn in wanted if arn not in held],
    }


def _revision(service: Service, one: Deployment) -> dict[str, Any]:
    revision = one.revision
    digests = {
        box.name: box.digest
        for task in service.cluster.tasks.values()
        if task.deployment is one
        for box in task.containers
    }
    found = {
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster.arn,
        "taskDefinition": revision.definition.arn,
        "capacityProviderStrategy": revision.strategy or None,
        "launchType": revision.launch_type or None,
        "platformVersion": revision.platform or None,
        "platformFamily": "Linux" if revision.platform else None,
        "loadBalancers": revision.balancers,
        "serviceRegistries": service.given.get("serviceRegistries") or [],
        "networkConfiguration": revision.network,
        "containerImages": [
            {
                "containerName": box["name"],
                "image": box["image"],
                **({"imageDigest": d} if (d := digests.get(box["name"])) else {}),
            }
            for box in revision.definition.containers
        ],
        "guardDutyEnabled": False,
        "createdAt": store.stamp(revision.created),
    }
    return {key: value for key, value in found.items() if value is not None}


@answer("ecs", "StopServiceDeployment")
def stop(call: Call) -> dict[str, Any]:
    """StopServiceDeployment: abort, or roll back to the last that was completed (the default)."""
    wanted = call.parameters["serviceDeploymentArn"]
    held = {one.arn: (service, one) for service, one in _every(call.region)}
    if wanted not in held:
        raise Refused("ServiceDeploymentNotFoundException", "The service deployment was not found.")
    service, one = held[wanted]
    if one.state != "IN_PROGRESS" or one.status != "PRIMARY":
        raise Refused("ConflictException", "The service deployment has already finished.")
    if call.parameters.get("stopType") == "ABORT":
        one.outcome, one.state, one.finished = "STOPPED", "FAILED", clock.now()
    else:
        scheduling.fail(service, one, "stopped by the user.", roll_back=True, by="ECS deployment", because=STOPPED)
    scheduling.touch(service)
    return {"serviceDeploymentArn": one.arn}
