"""Clusters, their capacity providers and settings; account settings; tags of everything.

Sources: API_CreateCluster.html, API_PutClusterCapacityProviders.html, API_CreateCapacityProvider.html,
API_DeleteCluster.html, API_PutAccountSetting.html, API_TagResource.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fargrade.emulator.ecs import store
from fargrade.emulator.ecs.model import Cluster, Deployment
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer

NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
INSIGHTS = ("enabled", "disabled", "enhanced")


@answer("ecs", "CreateCluster")
def create(call: Call) -> dict[str, Any]:
    """CreateCluster: the same name again is the same cluster, as it was."""
    given = call.parameters
    name = given.get("clusterName") or "default"
    if not NAME.fullmatch(name):
        raise store.invalid("Cluster name contains invalid characters.")
    clusters = store.region(call.region).clusters
    held = clusters.get(name)
    providers, strategy = _checked(call, given)
    settings = _settings(call, given.get("settings"))
    if held is not None and held.status == "ACTIVE":
        return {"cluster": described(held, ("SETTINGS", "CONFIGURATIONS", "TAGS"))}
    held = Cluster(
        name,
        store.arn(call.region, f"cluster/{name}"),
        call.region,
        settings,
        given.get("configuration"),
        given.get("serviceConnectDefaults"),
        providers,
        strategy,
        list(given.get("tags") or []),
    )
    clusters[name] = held
    return {"cluster": described(held, ("SETTINGS", "CONFIGURATIONS", "TAGS"))}


def _settings(call: Call, given: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    by_default = store.region(call.region).settings.get("containerInsights", "disabled")
    insights = by_default
    for one in given or ():
        if one.get("value") not in INSIGHTS:
            raise store.invalid(
                "Invalid cluster setting value: containerInsights must be enabled, enhanced or disabled."
            )
        insights = str(one["value"])
    return [{"name": "containerInsights", "value": insights}]


def _checked(call: Call, given: Mapping[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """The capacity providers and the default strategy of a request. Raises Refused."""
    providers = list(dict.fromkeys(given.get("capacityProviders") or []))
    unknown = [one for one in providers if not provider_known(call.region, one)]
    if unknown:
        raise store.invalid("The specified capacity provider was not found. Specify a valid name or ARN and try again.")
    strategy = checked_strategy(given.get("defaultCapacityProviderStrategy") or [], providers)
    return providers, strategy


def provider_known(region: str, name: str) -> bool:
    """Whether there is such a capacity provider."""
    return name in store.FARGATE_PROVIDERS or store.short(name) in store.region(region).providers


def checked_strategy(strategy: Sequence[Mapping[str, Any]], providers: Sequence[str]) -> list[dict[str, Any]]:
    """The strategy with its defaults, of capacity providers of the cluster. Raises Refused.

    Source: API_CapacityProviderStrategyItem.html: at most one base, weights 0 to 1000, not all of them 0.
    """
    filled = [{"weight": 0, "base": 0, **one} for one in strategy]
    names = [one["capacityProvider"] for one in filled]
    outside = [name for name in names if name not in providers]
    if outside:
        raise store.invalid(
            "The specified capacity provider strategy contains a capacity provider that is not associated with the "
            "cluster. Associate the capacity provider with the cluster and try again."
        )
    if len(names) != len(set(names)):
        raise store.invalid("A capacity provider can only be specified once in a capacity provider strategy.")
    if sum(1 for one in filled if one["base"]) > 1:
        raise store.invalid("Only one capacity provider in a capacity provider strategy can have a base defined.")
    if any(name in store.FARGATE_PROVIDERS for name in names) and any(
        name not in store.FARGATE_PROVIDERS for name in names
    ):
        raise store.invalid(
            "A capacity provider strategy cannot contain a mix of Fargate and Auto Scaling group providers."
        )
    if len(filled) > 1 and not any(one["weight"] for one in filled):
        raise store.invalid("At least one capacity provider must have a weight greater than 0.")
    return filled


@answer("ecs", "PutClusterCapacityProviders")
def put_providers(call: Call) -> dict[str, Any]:
    """PutClusterCapacityProviders."""
    held = store.cluster(call)
    providers, strategy = _checked(call, call.parameters)
    used = {task.provider for task in held.live_tasks()} - {""} - set(providers)
    if used:
        raise Refused("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
    held.providers, held.strategy = providers, strategy
    return {"cluster": described(held, ("SETTINGS", "TAGS"))}


@answer("ecs", "UpdateCluster", "UpdateClusterSettings")
def update(call: Call) -> dict[str, Any]:
    """UpdateCluster and UpdateClusterSettings."""
    held, given = store.cluster(call), call.parameters
    if given.get("settings"):
        held.settings = _settings(call, given["settings"])
    if given.get("configuration"):
        held.configuration = given["configuration"]
    if given.get("serviceConnectDefaults"):
        held.connect = given["serviceConnectDefaults"]
    return {"cluster": described(held, ("SETTINGS", "CONFIGURATIONS", "TAGS"))}


@answer("ecs", "DeleteCluster")
def delete(call: Call) -> dict[str, Any]:
    """DeleteCluster: an empty one only; it is INACTIVE from then on."""
    held = store.cluster(call)
    if any(one.status != "INACTIVE" for one in held.services.values()):
        raise Refused("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
    if held.instances:
        raise Refused(
            "ClusterContainsContainerInstancesException",
            "The Cluster cannot be deleted while Container Instances are active or draining.",
        )
    if held.live_tasks():
        raise Refused("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    held.status = "INACTIVE"
    return {"cluster": described(held, ("SETTINGS", "TAGS"))}


@answer("ecs", "DescribeClusters")
def describe(call: Call) -> dict[str, Any]:
    """DescribeClusters."""
    given = call.parameters
    found, failures = [], []
    for name in given.get("clusters") or ["default"]:
        held = store.region(call.region).clusters.get(store.short(name))
        if held is None or (name.startswith("arn:") and name != held.arn):
            failures.append(store.missing(store.own_arn(call.region, "cluster", name)))
        else:
            found.append(described(held, given.get("include") or ()))
    return {"clusters": found, "failures": failures}


@answer("ecs", "ListClusters")
def list_clusters(call: Call) -> dict[str, Any]:
    """ListClusters."""
    held = store.region(call.region).clusters.values()
    return store.pages(call, [one.arn for one in held if one.status == "ACTIVE"], "clusterArns")


def described(held: Cluster, include: Sequence[str] = ()) -> dict[str, Any]:
    """As DescribeClusters has it; settings, statistics, tags and configurations where `include` asks for them."""
    tasks = held.live_tasks()
    found: dict[str, Any] = {
        "clusterArn": held.arn,
        "clusterName": held.name,
        "status": held.status,
        "registeredContainerInstancesCount": len(held.instances),
        "runningTasksCount": sum(task.status == "RUNNING" for task in tasks),
        "pendingTasksCount": sum(task.status in ("PROVISIONING", "PENDING", "ACTIVATING") for task in tasks),
        "activeServicesCount": sum(one.status == "ACTIVE" for one in held.services.values()),
        "statistics": _statistics(held) if "STATISTICS" in include else [],
        "tags": held.tags if "TAGS" in include else [],
        "settings": held.settings if "SETTINGS" in include else [],
        "capacityProviders": held.providers,
        "defaultCapacityProviderStrategy": held.strategy,
    }
    if "CONFIGURATIONS" in include and held.configuration:
        found["configuration"] = held.configuration
    if held.connect:
        found["serviceConnectDefaults"] = held.connect
    return found


def _statistics(held: Cluster) -> list[dict[str, str]]:
    tasks, services = held.live_tasks(), held.services.values()
    count = {
        "runningEC2TasksCount": sum(not one.fargate and one.status == "RUNNING" for one in tasks),
        "runningFargateTasksCount": sum(one.fargate and one.status == "RUNNING" for one in tasks),
        "pendingEC2TasksCount": sum(not one.fargate and one.status != "RUNNING" for one in tasks),
        "pendingFargateTasksCount": sum(one.fargate and one.status != "RUNNING" for one in tasks),
        "activeEC2ServiceCount": sum(one.given.get("launchType") == "EC2" for one in services),
        "activeFargateServiceCount": sum(one.given.get("launchType") == "FARGATE" for one in services),
    }
    return [{"name": name, "value": str(value)} for name, value in count.items()]


# -- capacity providers of Auto Scaling groups ---------------------------------------------------------------


# Source: API_ManagedScaling.html.
MANAGED_SCALING = {
    "status": "DISABLED", "targetCapacity": 100, "minimumScalingStepSize": 1, "maximumScalingStepSize": 10_000,
    "instanceWarmupPeriod": 300,
}  # fmt: skip


@answer("ecs", "CreateCapacityProvider")
def create_provider(call: Call) -> dict[str, Any]:
    """CreateCapacityProvider: of an Auto Scaling group; names must not begin with aws, ecs or fargate."""
    given = call.parameters
    name, held = given["name"], store.region(call.region).providers
    if not NAME.fullmatch(name) or name.lower().startswith(("aws", "ecs", "fargate")):
        raise store.client_error("The specified capacity provider name is invalid: aws, ecs and fargate are reserved.")
    if name in held:
        raise store.invalid("The specified capacity provider already exists. Specify a different name and try again.")
    group = dict(given.get("autoScalingGroupProvider") or {})
    if not group and not given.get("managedInstancesProvider"):
        raise store.client_error("autoScalingGroupProvider must be specified.")
    scaling = {**MANAGED_SCALING, **group.get("managedScaling", {})}
    if group.get("managedTerminationProtection") == "ENABLED" and scaling["status"] != "ENABLED":
        raise store.client_error("Managed termination protection requires managed scaling to be enabled.")
    held[name] = {
        "capacityProviderArn": store.arn(call.region, f"capacity-provider/{name}"),
        "name": name,
        "status": "ACTIVE",
        "type": "EC2_AUTOSCALING" if group else "MANAGED_INSTANCES",
        "autoScalingGroupProvider": {
            "managedTerminationProtection": "DISABLED", "managedDraining": "ENABLED", **group,
            "managedScaling": scaling,
        },
        "tags": list(given.get("tags") or []),
    }  # fmt: skip
    return {"capacityProvider": held[name]}


@answer("ecs", "UpdateCapacityProvider")
def update_provider(call: Call) -> dict[str, Any]:
    """UpdateCapacityProvider."""
    held = _provider(call, call.parameters["name"])
    changes = call.parameters.get("autoScalingGroupProvider") or {}
    before = held["autoScalingGroupProvider"]
    scaling = {**before["managedScaling"], **changes.get("managedScaling", {})}
    held["autoScalingGroupProvider"] = {**before, **changes, "managedScaling": scaling}
    held["updateStatus"] = "UPDATE_COMPLETE"
    return {"capacityProvider": held}


@answer("ecs", "DeleteCapacityProvider")
def delete_provider(call: Call) -> dict[str, Any]:
    """DeleteCapacityProvider: none that a cluster still has."""
    name = store.short(call.parameters["capacityProvider"])
    held = _provider(call, name)
    if any(name in one.providers for one in store.region(call.region).clusters.values()):
        raise store.client_error(
            "The specified capacity provider is in use. Remove it from the clusters and try again."
        )
    del store.region(call.region).providers[name]
    return {"capacityProvider": {**held, "status": "INACTIVE", "updateStatus": "DELETE_COMPLETE"}}


def _provider(call: Call, name: str) -> dict[str, Any]:
    found = store.region(call.region).providers.get(store.short(name))
    if found is None:
        raise store.client_error("The specified capacity provider does not exist.")
    return found


@answer("ecs", "DescribeCapacityProviders")
def describe_providers(call: Call) -> dict[str, Any]:
    """DescribeCapacityProviders: Fargate's two, too."""
    own = {
        name: {
            "capacityProviderArn": store.arn(call.region, f"capacity-provider/{name}"),
            "name": name,
            "status": "ACTIVE",
            "tags": [],
            "type": name,
        }
        for name in store.FARGATE_PROVIDERS
    }
    every = {**store.region(call.region).providers, **own}
    wanted = [store.short(one) for one in call.parameters.get("capacityProviders") or every]
    failures = [
        store.missing(store.own_arn(call.region, "capacity-provider", one)) for one in wanted if one not in every
    ]
    return {"capacityProviders": [every[one] for one in wanted if one in every], "failures": failures}


# -- account settings and tags -------------------------------------------------------------------------------


@answer("ecs", "PutAccountSetting", "PutAccountSettingDefault")
def put_setting(call: Call) -> dict[str, Any]:
    """PutAccountSetting and its default."""
    name, value = call.parameters["name"], call.parameters["value"]
    if name == "containerInsights" and value not in INSIGHTS:
        raise store.invalid("Invalid setting value: containerInsights must be enabled, enhanced or disabled.")
    store.region(call.region).settings[name] = value
    return {"setting": _setting(call, name, value)}


def _setting(call: Call, name: str, value: str) -> dict[str, str]:
    who = call.parameters.get("principalArn") or f"arn:aws:iam::{call.account}:root"
    return {"name": name, "value": value, "principalArn": who, "type": "user"}


@answer("ecs", "DeleteAccountSetting")
def delete_setting(call: Call) -> dict[str, Any]:
    """DeleteAccountSetting."""
    name = call.parameters["name"]
    return {"setting": _setting(call, name, store.region(call.region).settings.pop(name, ""))}


@answer("ecs", "ListAccountSettings")
def list_settings(call: Call) -> dict[str, Any]:
    """ListAccountSettings; with effectiveSettings, the defaults too."""
    given = call.parameters
    defaults = {"containerInsights": "disabled", "awsvpcTrunking": "disabled", "taskLongArnFormat": "enabled"}
    held = store.region(call.region).settings
    shown = {**defaults, **held} if given.get("effectiveSettings") else held
    wanted = [
        (name, value)
        for name, value in shown.items()
        if given.get("name") in (None, name) and given.get("value") in (None, value)
    ]
    return {"settings": [_setting(call, name, value) for name, value in wanted]}


def _task_set(region: str, wanted: str) -> Deployment | None:
    services = [one for cluster in store.region(region).clusters.values() for one in cluster.services.values()]
    sets = ((service, one) for service in services for one in service.deployments if one.external)
    return next((one for service, one in sets if store.task_set_arn(service, one) == wanted), None)


def _tagged(call: Call) -> Any:
    """Whatever carries the tags of `resourceArn`. Raises Refused."""
    wanted = call.parameters["resourceArn"]
    held = store.region(call.region)
    things: list[Any] = [one for family in held.families.values() for one in family]
    for cluster in held.clusters.values():
        things += [cluster, *cluster.tasks.values(), *cluster.services.values(), *cluster.instances.values()]
    found = next((one for one in things if one.arn == wanted), None) or _task_set(call.region, wanted)
    provider = next((one for one in held.providers.values() if one["capacityProviderArn"] == wanted), None)
    if found is None and provider is None:
        kind = "Cluster" if ":cluster/" in wanted else "Resource"
        code = "ClusterNotFoundException" if kind == "Cluster" else "InvalidParameterException"
        raise Refused(code, f"The specified {kind.lower()} could not be found.")
    return found if found is not None else _ProviderTags(provider)


class _ProviderTags:
    def __init__(self, provider: Any) -> None:
        self._provider = provider

    @property
    def tags(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._provider["tags"]
        return found

    @tags.setter
    def tags(self, tags: list[dict[str, Any]]) -> None:
        self._provider["tags"] = tags


@answer("ecs", "TagResource")
def tag(call: Call) -> dict[str, Any]:
    """TagResource: up to 50 tags, none of AWS's own prefix."""
    held = _tagged(call)
    given = call.parameters["tags"]
    if any(str(one.get("key", "")).lower().startswith("aws:") for one in given):
        raise store.invalid("Tag keys beginning with 'aws:' are reserved for AWS.")
    keys = {one.get("key") for one in given}
    held.tags = [one for one in held.tags if one.get("key") not in keys] + list(given)
    if len(held.tags) > 50:
        raise store.invalid("A resource can have at most 50 tags.")
    return {}


@answer("ecs", "UntagResource")
def untag(call: Call) -> dict[str, Any]:
    """UntagResource."""
    held = _tagged(call)
    held.tags = [one for one in held.tags if one.get("key") not in call.parameters["tagKeys"]]
    return {}


@answer("ecs", "ListTagsForResource")
def list_tags(call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    return {"tags": list(_tagged(call).tags)}
