"""Task definitions: registered as sent with AWS's defaults, refused by `semantics.ecs`, listed, taken back.

Sources: API_RegisterTaskDefinition.html, API_DeregisterTaskDefinition.html, API_DeleteTaskDefinitions.html,
API_ListTaskDefinitions.html.
"""

from __future__ import annotations

import copy
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.ecs import store
from fargrade.emulator.ecs.model import Definition
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer
from fargrade.semantics.ecs import cpu_units, definition_refusals, memory_mib, network_mode, parse_image, runs_on

# What a container definition has in describe, also where it was not sent.
DEFAULTS: dict[str, Any] = {
    "cpu": 0, "portMappings": [], "essential": True, "environment": [], "mountPoints": [], "volumesFrom": [],
    "systemControls": [],
}  # fmt: skip


@answer("ecs", "RegisterTaskDefinition")
def register(call: Call) -> dict[str, Any]:
    """RegisterTaskDefinition."""
    given = call.parameters
    refused = definition_refusals(given)
    if refused:
        raise Refused(refused[0].code, refused[0].message)
    family = given["family"]
    held = store.region(call.region).families.setdefault(family, [])
    revision = held[-1].revision + 1 if held else 1
    made = Definition(
        store.arn(call.region, f"task-definition/{family}:{revision}"),
        family,
        revision,
        _with_defaults(given),
        clock.now(),
        tags=list(given.get("tags") or []),
    )
    held.append(made)
    return {"taskDefinition": described(made, call), "tags": made.tags}


def _with_defaults(given: dict[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy({key: value for key, value in given.items() if key != "tags" and value is not None})
    mode = network_mode(given)
    for read, key in ((cpu_units, "cpu"), (memory_mib, "memory")):
        if kept.get(key):
            kept[key] = str(read(kept[key]))
    containers = []
    for container in kept["containerDefinitions"]:
        one = {**copy.deepcopy(DEFAULTS), **container}
        one["portMappings"] = [_mapping(port, mode) for port in one["portMappings"]]
        if check := one.get("healthCheck"):
            one["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **check}
        containers.append(one)
    kept["containerDefinitions"] = containers
    for volume in kept.setdefault("volumes", []):
        if efs := volume.get("efsVolumeConfiguration"):
            efs.setdefault("rootDirectory", "/")
    kept.setdefault("placementConstraints", [])
    kept["compatibilities"] = list(runs_on(given))
    kept["requiresAttributes"] = [{"name": name} for name in _attributes(given)]
    return kept


def _mapping(port: dict[str, Any], mode: str) -> dict[str, Any]:
    made = {"protocol": "tcp", **port}
    if "containerPort" in port:
        same = mode in ("awsvpc", "host")
        made["hostPort"] = (port.get("hostPort") or port["containerPort"]) if same else port.get("hostPort") or 0
    return made


def _attributes(given: dict[str, Any]) -> list[str]:
    """What an instance must offer for it: "Task definition parameters", requiresAttributes."""
    found = ["com.amazonaws.ecs.capability.docker-remote-api.1.18"]
    containers = given["containerDefinitions"]
    if network_mode(given) == "awsvpc":
        found.append("ecs.capability.task-eni")
    if given.get("taskRoleArn"):
        found.append("com.amazonaws.ecs.capability.task-iam-role")
    images = [parse_image(str(one.get("image", ""))) for one in containers]
    if any(image and image.private_ecr for image in images):
        found.append("com.amazonaws.ecs.capability.ecr-auth")
        if given.get("executionRoleArn"):
            found.append("ecs.capability.execution-role-ecr-pull")
    drivers = {str(one["logConfiguration"]["logDriver"]) for one in containers if one.get("logConfiguration")}
    found += [f"com.amazonaws.ecs.capability.logging-driver.{driver}" for driver in sorted(drivers)]
    if "awslogs" in drivers and given.get("executionRoleArn"):
        found.append("ecs.capability.execution-role-awslogs")
    if any(one.get("healthCheck") for one in containers):
        found.append("ecs.capability.container-health-check")
    return found


def described(held: Definition, call: Call | None = None) -> dict[str, Any]:
    """As DescribeTaskDefinition has it."""
    found = {
        **held.given,
        "taskDefinitionArn": held.arn,
        "revision": held.revision,
        "status": held.status,
        "registeredAt": store.stamp(held.registered),
    }
    if call is not None:
        found["registeredBy"] = f"arn:aws:iam::{call.account}:user/learner"
    if held.deregistered:
        found["deregisteredAt"] = store.stamp(held.deregistered)
    return found


@answer("ecs", "DescribeTaskDefinition")
def describe(call: Call) -> dict[str, Any]:
    """DescribeTaskDefinition: inactive ones, too, by their revision."""
    held = store.definition(call.region, call.parameters["taskDefinition"], active=False)
    wanted = "TAGS" in (call.parameters.get("include") or ())
    return {"taskDefinition": described(held, call), "tags": held.tags if wanted else []}


@answer("ecs", "DeregisterTaskDefinition")
def deregister(call: Call) -> dict[str, Any]:
    """DeregisterTaskDefinition: INACTIVE from now on; what runs goes on."""
    name = call.parameters["taskDefinition"]
    if ":" not in store.short(name):
        raise store.client_error("The revision must be specified.")
    held = store.definition(call.region, name, active=False)
    if held.status != "ACTIVE":
        raise store.client_error("The specified task definition is inactive.")
    held.status, held.deregistered = "INACTIVE", clock.now()
    return {"taskDefinition": described(held, call)}


MALFORMED = "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
UNKNOWN = "The specified task definition does not exist. Specify a valid account, family, revision and try again."


@answer("ecs", "DeleteTaskDefinitions")
def delete(call: Call) -> dict[str, Any]:
    """DeleteTaskDefinitions: up to 10, only INACTIVE ones."""
    names = call.parameters["taskDefinitions"]
    if len(names) > 10:
        raise store.invalid("You can delete up to 10 task definitions at a time.")
    gone, failures = [], []
    for name in names:
        held = store.find_definition(call.region, name)
        if held is None or ":" not in store.short(name):
            why = UNKNOWN if ":" in store.short(name) else MALFORMED
            failures.append({"arn": name, "reason": why})
        elif held.status == "ACTIVE":
            reason = (
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
            )
            failures.append({"arn": held.arn, "reason": reason})
        else:
            held.status = "DELETE_IN_PROGRESS"
            gone.append(described(held, call))
            if not _in_use(call.region, held):
                held.status = "DELETED"
    return {"taskDefinitions": gone, "failures": failures}


def _in_use(region: str, held: Definition) -> bool:
    clusters = store.region(region).clusters.values()
    return any(task.definition is held for one in clusters for task in one.live_tasks()) or any(
        deployment.revision.definition is held
        for one in clusters
        for service in one.services.values()
        for deployment in service.deployments
    )


@answer("ecs", "ListTaskDefinitions")
def list_definitions(call: Call) -> dict[str, Any]:
    """ListTaskDefinitions: by whole family, status and order."""
    given = call.parameters
    wanted = given.get("status") or "ACTIVE"
    families = store.region(call.region).families
    names = [given["familyPrefix"]] if given.get("familyPrefix") else sorted(families)
    found = [one.arn for name in names for one in families.get(name, []) if one.status == wanted]
    if given.get("sort") == "DESC":
        found.reverse()
    return store.pages(call, found, "taskDefinitionArns")


@answer("ecs", "ListTaskDefinitionFamilies")
def list_families(call: Call) -> dict[str, Any]:
    """ListTaskDefinitionFamilies: those with an active revision, unless INACTIVE or ALL are asked for."""
    given = call.parameters
    wanted = given.get("status") or "ACTIVE"

    def shown(held: list[Definition]) -> bool:
        active = any(one.status == "ACTIVE" for one in held)
        return wanted == "ALL" or active == (wanted == "ACTIVE")

    families = store.region(call.region).families
    prefix = given.get("familyPrefix") or ""
    return store.pages(
        call, sorted(f for f, held in families.items() if f.startswith(prefix) and shown(held)), "families"
    )
