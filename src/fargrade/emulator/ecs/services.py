"""Services: created, updated, deleted, described; what runs of them is the scheduler's.

Sources: API_CreateService.html, API_UpdateService.html, API_DeleteService.html, API_DescribeServices.html.
"""

from __future__ import annotations

import re
from typing import Any

from fargrade.emulator import clock, roles
from fargrade.emulator.ecs import deployment_alarms, interfaces, scheduling, store, tasks
from fargrade.emulator.ecs.model import DEFAULT_BAKE_MINUTES, Definition, Deployment, Revision, Service, Task
from fargrade.emulator.elbv2 import store as balancing
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer
from fargrade.semantics.ecs import on_fargate, service_refusals, target_type_refusal

NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
LINKED_ROLE = "arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")
MOST_DEPLOYMENTS = 5
# Words: github.com/pipe-cd/pipecd/pull/6336.
FORCE = (
    "When switching from launch type to capacity provider strategy on an existing service, or making a change to a "
    "capacity provider strategy on a service that is already using one, you must force a new deployment."
)
# What UpdateService may be given beside the service and the cluster, and which of it makes a new deployment.
DEPLOYED = (
    "taskDefinition", "networkConfiguration", "capacityProviderStrategy", "platformVersion", "loadBalancers",
    "serviceRegistries", "serviceConnectConfiguration", "volumeConfigurations", "enableExecuteCommand",
    "enableECSManagedTags", "propagateTags",
)  # fmt: skip
KEPT = (
    "deploymentConfiguration", "healthCheckGracePeriodSeconds", "placementConstraints", "placementStrategy",
    "availabilityZoneRebalancing", "deploymentController", *DEPLOYED,
)  # fmt: skip


@answer("ecs", "CreateService")
def create(call: Call) -> dict[str, Any]:
    """CreateService."""
    given, held = call.parameters, store.cluster(call)
    name = given["serviceName"]
    if not NAME.fullmatch(name):
        raise store.invalid("Service name contains invalid characters.")
    there = held.services.get(name)
    if there is not None and there.status == "ACTIVE":
        if there.given.get("clientToken") and there.given["clientToken"] == given.get("clientToken"):
            return {"service": described(there)}
        raise store.invalid("Creation of service was not idempotent.")
    if there is not None and there.status == "DRAINING":
        raise store.invalid("Unable to Start a service that is still Draining.")
    controller = (given.get("deploymentController") or {}).get("type") or "ECS"
    if not given.get("taskDefinition") and controller != "EXTERNAL":
        raise store.invalid("TaskDefinition can not be blank.")
    definition = store.definition(call.region, given["taskDefinition"]) if given.get("taskDefinition") else None
    strategy = tasks.strategy_of(given, held)
    fargate = on_fargate(given.get("launchType"), strategy)
    tasks.refuse(service_refusals(given, definition.given if definition else None, fargate=fargate, new=True))
    _refuse_what_is_not_there(call, given, definition)
    service = Service(
        name,
        store.arn(call.region, f"service/{held.name}/{name}"),
        held,
        _with_defaults(given, strategy, fargate),
        clock.now(),
        int(given.get("desiredCount") or 0),
        controller,
        given.get("schedulingStrategy") == "DAEMON",
        tags=list(given.get("tags") or []),
    )
    held.services[name] = service
    if definition is not None:
        deploy(service, definition)
    scheduling.touch(service)
    return {"service": described(service)}


def _with_defaults(given: dict[str, Any], strategy: list[dict[str, Any]], fargate: bool) -> dict[str, Any]:
    kept = {key: value for key, value in given.items() if key not in ("cluster", "serviceName", "tags")}
    daemon = given.get("schedulingStrategy") == "DAEMON"
    base: dict[str, Any] = {"maximumPercent": 100 if daemon else 200, "minimumHealthyPercent": 0 if daemon else 100}
    asked = given.get("deploymentConfiguration") or {}
    controller = (given.get("deploymentController") or {}).get("type") or "ECS"
    if controller == "ECS":
        base |= {"deploymentCircuitBreaker": {"enable": False, "rollback": False}, "strategy": "ROLLING"}
        if (asked.get("strategy") or "ROLLING") != "ROLLING":
            base["bakeTimeInMinutes"] = DEFAULT_BAKE_MINUTES
    kept["deploymentConfiguration"] = {**base, **asked}
    most = kept["deploymentConfiguration"]["maximumPercent"]
    kept.setdefault("availabilityZoneRebalancing", "ENABLED" if most > 100 and not daemon else "DISABLED")
    if strategy:
        kept["capacityProviderStrategy"] = strategy
    else:
        kept["launchType"] = given.get("launchType") or "EC2"
    if fargate:
        kept["platformVersion"] = given.get("platformVersion") or "LATEST"
    if given.get("loadBalancers"):
        kept.setdefault("healthCheckGracePeriodSeconds", 0)
    return kept


def _refuse_what_is_not_there(call: Call, given: dict[str, Any], definition: Definition | None) -> None:
    """Raise Refused for subnets, groups, target groups, namespaces and roles that are none, or do not suit."""
    _refuse_namespace(call, given)
    interfaces.check_network(call.region, (given.get("networkConfiguration") or {}).get("awsvpcConfiguration"))
    balanced = given.get("loadBalancers") or []
    if definition is not None and given.get("role") and definition.mode == "awsvpc":
        raise store.invalid("You cannot specify an IAM role for services that require a service linked role.")
    for one in balanced:
        _refuse_target_group(call, one, definition)
    if given.get("enableExecuteCommand") and definition is not None and not definition.given.get("taskRoleArn"):
        raise store.invalid(
            "The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid task "
            "role in "
            "your task definition and try again."
        )


def _refuse_namespace(call: Call, given: dict[str, Any]) -> None:
    """A Cloud Map namespace that Service Connect is to use: here there are those that clusters have for their default.

    Words: github.com/terraform-aws-modules/terraform-aws-ecs/issues/116.
    """
    settings = given.get("serviceConnectConfiguration") or {}
    if not settings.get("enabled"):
        return
    named = settings.get("namespace") or (store.cluster(call).connect or {}).get("namespace")
    if not named:
        raise store.invalid("A namespace must be specified: neither the service nor its cluster has one.")
    known = [(one.connect or {}).get("namespace") for one in store.region(call.region).clusters.values()]
    if named not in known and named.rpartition("/")[2] not in known:
        raise Refused("NamespaceNotFoundException", f"Failed to retrieve namespace for {named}")


def _refuse_target_group(call: Call, one: dict[str, Any], definition: Definition | None) -> None:
    advanced = one.get("advancedConfiguration") or {}
    for arn in [one.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")]:
        if not arn:
            continue
        group = balancing.backend(call.region).target_groups.get(arn)
        if group is None:
            raise store.invalid(f"Target group for ARN: {arn} does not exist.")
        mode = definition.mode if definition else "awsvpc"
        if refused := target_type_refusal(arn, str(group.target_type), mode):
            raise Refused(refused.code, refused.message)
        # A target group for blue/green gets its listener when traffic shifts to it.
        if arn == one.get("targetGroupArn") and not advanced and not balancing.balancers_of(call.region, arn):
            raise store.invalid(
                f"The target group with targetGroupArn {arn} does not have an associated load balancer."
            )
    role = advanced.get("roleArn")
    if role and not roles.assumable(role, "ecs.amazonaws.com", region=call.region).allowed:
        raise store.invalid(
            f"Unable to assume the role {role}. Verify that the role exists and that ecs.amazonaws.com may assume it."
        )


def deploy(service: Service, definition: Definition, balancers: list[dict[str, Any]] | None = None) -> Deployment:
    """Begin a deployment of the service as it is now asked for."""
    given, now = service.given, clock.now()
    place = f"{service.cluster.name}/{service.name}"
    revision = Revision(
        store.arn(service.region, f"service-revision/{place}/{store.new_number()}"),
        definition,
        now,
        "" if given.get("capacityProviderStrategy") else str(given.get("launchType") or "EC2"),
        list(given.get("capacityProviderStrategy") or []),
        str(given.get("platformVersion") or ""),
        given.get("networkConfiguration"),
        list(given.get("loadBalancers") or []),
    )
    breaker = bool((service.settings.get("deploymentCircuitBreaker") or {}).get("enable"))
    made = Deployment(
        f"ecs-svc/{store.new_number()}",
        store.arn(service.region, f"service-deployment/{place}/{store.new_id(21)}"),
        revision,
        now,
        now,
        desired=service.desired,
        breaker="MONITORING" if breaker else "DISABLED",
        balancers=balancers if balancers is not None else list(revision.balancers),
    )
    made.reason = f"ECS deployment {made.id} in progress."
    before = [one.revision for one in service.deployments if one.status == "PRIMARY"]
    made.sources = before
    for one in service.deployments:
        if one.status == "PRIMARY":
            one.status = "ACTIVE"
            if one.state == "IN_PROGRESS":
                one.outcome, one.finished = "STOPPED", now
    service.deployments.insert(0, made)
    service.history.insert(0, made)
    service.given["taskDefinition"] = definition.arn
    service.steady = False
    deployment_alarms.watch(service, made)
    return made


@answer("ecs", "UpdateService")
def update(call: Call) -> dict[str, Any]:
    """UpdateService."""
    given, held = call.parameters, store.cluster(call)
    service = store.service(held, given["service"])
    if service.controller != "ECS":
        _refuse_of_another_controller(service, given)
    named = given.get("taskDefinition")
    current = service.primary.revision.definition if service.primary else None
    definition = store.definition(call.region, named) if named else current
    if given.get("capacityProviderStrategy"):
        tasks.strategy_of({"capacityProviderStrategy": given["capacityProviderStrategy"]}, held)
        changed = given["capacityProviderStrategy"] != service.given.get("capacityProviderStrategy")
        if changed and not given.get("forceNewDeployment"):
            raise store.invalid(FORCE)
    merged = {**service.given, **{key: value for key, value in given.items() if value is not None}}
    if given.get("deploymentConfiguration"):
        merged["deploymentConfiguration"] = {**service.settings, **given["deploymentConfiguration"]}
    if given.get("capacityProviderStrategy"):
        merged.pop("launchType", None)
    fargate = on_fargate(merged.get("launchType"), merged.get("capacityProviderStrategy") or [])
    merged["desiredCount"] = service.desired if given.get("desiredCount") is None else given["desiredCount"]
    if service.daemon and given.get("desiredCount") is not None:
        raise store.invalid("The 'desiredCount' parameter is not valid for the DAEMON strategy.")
    described_definition = definition.given if definition else None
    tasks.refuse(service_refusals(merged, described_definition, fargate=fargate, new=False))
    _refuse_what_is_not_there(call, {k: v for k, v in merged.items() if k in given}, definition)
    changes = any(given.get(key) is not None and key != "taskDefinition" for key in DEPLOYED)
    renewed = bool(given.get("forceNewDeployment")) or definition is not current or changes
    if renewed:
        _refuse_a_sixth(service)
    _apply(service, given, merged)
    if renewed and definition:
        deploy(service, definition)
    scheduling.touch(service)
    return {"service": described(service)}


def _refuse_a_sixth(service: Service) -> None:
    """Words: github.com/aws/containers-roadmap/issues/2836."""
    under_way = [one for one in service.deployments if one.status == "ACTIVE" or one.state == "IN_PROGRESS"]
    if len(under_way) >= MOST_DEPLOYMENTS:
        raise store.invalid(f"{MOST_DEPLOYMENTS} active deployments exist, unable to create new deployment.")


def _refuse_of_another_controller(service: Service, given: dict[str, Any]) -> None:
    allowed = ("service", "cluster", "desiredCount", "deploymentConfiguration", "healthCheckGracePeriodSeconds")
    if given.get("loadBalancers") is not None and service.controller == "CODE_DEPLOY":  # kayac/ecspresso/issues/393
        raise store.invalid(
            "Unable to update load balancers on services with a CODE_DEPLOY deployment controller. "
            "Use AWS CodeDeploy to trigger a new deployment."
        )
    if any(value is not None and key not in allowed for key, value in given.items()):
        raise store.invalid(
            f"Unable to update task definition on services with a {service.controller} deployment controller. "
            "Use AWS CodeDeploy to trigger a new deployment."
        )


def _apply(service: Service, given: dict[str, Any], merged: dict[str, Any]) -> None:
    for key in KEPT:
        if given.get(key) is not None and key != "taskDefinition":
            service.given[key] = merged[key]
    if given.get("capacityProviderStrategy"):
        service.given.pop("launchType", None)
    if given.get("desiredCount") is not None:
        set_desired(service, int(given["desiredCount"]))


def set_desired(service: Service, count: int) -> None:
    """The service shall run `count` tasks."""
    if count != service.desired:
        service.desired = count
        service.steady = False
        if service.primary and service.primary.state != "FAILED":
            service.primary.desired = count
            service.primary.not_before = None
    scheduling.touch(service)


@answer("ecs", "DeleteService")
def delete(call: Call) -> dict[str, Any]:
    """DeleteService: one that is scaled to nothing, or by force; it drains, then is INACTIVE."""
    held = store.cluster(call)
    service = store.service(held, call.parameters["service"])
    if service.desired and not call.parameters.get("force") and not service.daemon:
        raise store.invalid("The service cannot be stopped while it is scaled above 0.")
    service.status, service.desired = "DRAINING", 0
    service.deleted = clock.now()
    for one in service.deployments:
        one.desired = 0
    scheduling.touch(service)
    return {"service": described(service)}


@answer("ecs", "ListServices")
def list_services(call: Call) -> dict[str, Any]:
    """ListServices: the active and draining ones, by launch type and scheduling strategy."""
    given, held = call.parameters, store.cluster(call)
    found = [
        one.arn
        for one in held.services.values()
        if one.status != "INACTIVE"
        and given.get("launchType") in (None, one.given.get("launchType"))
        and given.get("schedulingStrategy") in (None, "DAEMON" if one.daemon else "REPLICA")
    ]
    return store.pages(call, found, "serviceArns", 10)


@answer("ecs", "ListServicesByNamespace")
def list_by_namespace(call: Call) -> dict[str, Any]:
    """ListServicesByNamespace: those with Service Connect in that namespace."""
    wanted = call.parameters["namespace"]
    found = [
        one.arn
        for cluster in store.region(call.region).clusters.values()
        for one in cluster.services.values()
        if (one.given.get("serviceConnectConfiguration") or {}).get("namespace") == wanted
    ]
    return store.pages(call, found, "serviceArns", 10)


@answer("ecs", "DescribeServices")
def describe(call: Call) -> dict[str, Any]:
    """DescribeServices: up to 10; inactive ones, too, while ECS still knows them."""
    held, names = store.cluster(call), call.parameters["services"]
    if not names:
        raise store.invalid("Services cannot be empty.")
    if len(names) > 10:
        raise store.invalid("You can describe up to 10 services at a time.")
    tags = "TAGS" in (call.parameters.get("include") or ())
    found, failures = [], []
    for name in dict.fromkeys(names):
        service = store.find_service(held, name)
        if service is None:
            failures.append(store.missing(store.own_arn(call.region, "service", name, held)))
        else:
            found.append(described(service, tags=tags))
    return {"services": found, "failures": failures}


def described(service: Service, *, tags: bool = True) -> dict[str, Any]:
    """As DescribeServices has it."""
    given = service.given
    live = service.tasks()
    primary = service.primary
    same = (
        "capacityProviderStrategy", "platformVersion", "deploymentConfiguration", "networkConfiguration",
        "healthCheckGracePeriodSeconds", "launchType", "availabilityZoneRebalancing", "serviceConnectConfiguration",
    )  # fmt: skip
    found: dict[str, Any] = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster.arn,
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": sum(one.running for one in live),
        "pendingCount": sum(one.alive and one.status in PENDING for one in live),
        "taskDefinition": given.get("taskDefinition"),
        "loadBalancers": given.get("loadBalancers") or [],
        "serviceRegistries": given.get("serviceRegistries") or [],
        "placementConstraints": given.get("placementConstraints") or [],
        "placementStrategy": given.get("placementStrategy") or [],
        "schedulingStrategy": "DAEMON" if service.daemon else "REPLICA",
        "deploymentController": {"type": service.controller},
        "enableECSManagedTags": bool(given.get("enableECSManagedTags")),
        "enableExecuteCommand": bool(given.get("enableExecuteCommand")),
        "propagateTags": given.get("propagateTags") or "NONE",
        "events": [{**one, "createdAt": store.stamp(one["createdAt"])} for one in service.events],
        "createdAt": store.stamp(service.created),
        "roleArn": LINKED_ROLE.format(account=service.arn.split(":")[4]),
        "deployments": [_deployment(service, one) for one in service.deployments if not one.external],
        **{key: given[key] for key in same if given.get(key) is not None},
    }
    if given.get("platformVersion"):
        found["platformFamily"] = "Linux"
    if primary is not None and service.controller == "ECS":
        found["currentServiceDeployment"] = primary.arn
        found["currentServiceRevisions"] = [
            revision_summary(service, one, full=False) for one in service.deployments if service.tasks_of(one)
        ]
    if service.controller != "ECS":
        from fargrade.emulator.ecs import tasksets

        found["taskSets"] = [tasksets.described(service, one) for one in service.deployments if one.external]
    if tags and service.tags:
        found["tags"] = service.tags
    return found


def revision_summary(service: Service, one: Deployment, *, full: bool) -> dict[str, Any]:
    """A revision with the count of its tasks, and of its traffic where a deployment shifts it."""
    counted: list[Task] = service.tasks_of(one)
    found: dict[str, Any] = {
        "arn": one.revision.arn,
        "requestedTaskCount": one.desired,
        "runningTaskCount": sum(task.running for task in counted),
        "pendingTaskCount": sum(task.status in PENDING for task in counted),
    }
    if full and service.kind != "ROLLING":
        found["requestedProductionTrafficWeight"] = one.weight
    return found


def _deployment(service: Service, one: Deployment) -> dict[str, Any]:
    revision = one.revision
    counted = service.tasks_of(one)
    found: dict[str, Any] = {
        "id": one.id,
        "status": one.status,
        "taskDefinition": revision.definition.arn,
        "desiredCount": one.desired,
        "pendingCount": sum(task.status in PENDING for task in counted),
        "runningCount": sum(task.running for task in counted),
        "failedTasks": one.failed,
        "createdAt": store.stamp(one.created),
        "updatedAt": store.stamp(one.updated),
        "launchType": revision.launch_type or None,
        "capacityProviderStrategy": revision.strategy or None,
        "platformVersion": (tasks.PLATFORM if revision.platform == "LATEST" else revision.platform) or None,
        "platformFamily": "Linux" if revision.platform else None,
        "networkConfiguration": revision.network,
        "rolloutState": one.state,
        "rolloutStateReason": one.reason,
    }
    return {key: value for key, value in found.items() if value is not None}
