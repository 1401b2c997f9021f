"""Container instances: EC2 instances whose agent joins a cluster, and leaves with them.

As on AWS an instance joins by itself: its image is ECS-optimised (or its user data installs the agent), ECS_CLUSTER
in its user data names the cluster (else "default"), its instance profile's role may register it, and there is a way
from its subnet to ECS. Whatever of it is missing, no container instance comes, and nobody says why.

Source: "Amazon ECS container instance registration" and "Amazon ECS container instance IAM role" (developerguide/
launch_container_instance.html, instance_IAM_role.html), "Container agent configuration" (ecs-agent-config.html).
"""

from __future__ import annotations

import base64
import re
from typing import Any

from fargrade.emulator import clock, network_state, roles
from fargrade.emulator.ecs import interfaces, life, placement, store
from fargrade.emulator.ecs.model import Cluster, ContainerInstance
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, account, answer, follower
from fargrade.semantics.network import Need, way_to_service

JOINING, LOOKING = 45.0, 30.0  # boot and the agent's start; how often it tries again
LAST_TRY = 1800.0
CLUSTER = re.compile(r"ECS_CLUSTER\s*=\s*[\"']?([\w-]+)")
AGENT = re.compile(r"ecs-init|amazon-ecs-agent|amazon-linux-extras\s+(?:install|enable)\s.*ecs")
AGENT_ACTIONS = ("ecs:RegisterContainerInstance", "ecs:DiscoverPollEndpoint", "ecs:Poll")
# vCPUs and MiB that instances register of the types that people begin with; others by moto's catalogue.
SYSTEM_SHARE = 0.03
_seen: set[tuple[str, str]] = set()


@on_reset
def _none() -> None:
    _seen.clear()


@follower("ec2", "RunInstances", "StartInstances", "TerminateInstances", "StopInstances")
@follower("autoscaling", "CreateAutoScalingGroup", "UpdateAutoScalingGroup", "SetDesiredCapacity")
def look(call: Call) -> None:
    """Instances have come or gone: new ones boot and try to join, the agent of gone ones is lost."""
    look_in(call.region)


def look_in(region: str) -> None:
    """As `look`, for whoever starts instances by another way."""
    held = {one.id: one for group in interfaces.ec2(region).reservations.values() for one in group.instances}
    for name, one in held.items():
        if one.state == "running" and (region, name) not in _seen:
            _seen.add((region, name))
            clock.after(JOINING, lambda name=name: _join(region, name, clock.now().timestamp()))  # type: ignore[misc]
    for cluster in store.region(region).clusters.values():
        for joined in list(cluster.instances.values()):
            instance = held.get(joined.ec2_id)
            if instance is None or instance.state in ("terminated", "shutting-down"):
                _seen.discard((region, joined.ec2_id))
                _lost(joined, gone=True)
            elif instance.state != "running":
                _lost(joined, gone=False)
            else:
                joined.connected = True


def _lost(joined: ContainerInstance, *, gone: bool) -> None:
    joined.connected = False
    for task in joined.tasks():
        life.stop(task, "TerminationNotice", f"Host EC2 (instance {joined.ec2_id}) terminated.")
    if gone:
        joined.cluster.instances.pop(joined.id, None)


def _join(region: str, name: str, since: float) -> None:
    found = _instance(region, name)
    if found is None or found.state != "running":
        _seen.discard((region, name))
        return
    if _may_join(region, found):
        cluster = store.find_cluster(region, cluster_named(found))
        if cluster is not None:
            register(cluster, found)
            return
    if clock.now().timestamp() - since < LAST_TRY:
        clock.after(LOOKING, lambda: _join(region, name, since))


def _instance(region: str, name: str) -> Any:
    held = interfaces.ec2(region).reservations.values()
    return next((one for group in held for one in group.instances if one.id == name), None)


def user_data(instance: Any) -> str:
    """The instance's user data as it was before base64."""
    text = str(getattr(instance, "user_data", None) or "")
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except ValueError:
        return text


def cluster_named(instance: Any) -> str:
    """The cluster that the instance's agent joins."""
    found = CLUSTER.findall(user_data(instance))
    return str(found[-1]) if found else "default"


def _may_join(region: str, instance: Any) -> bool:
    image = interfaces.ec2(region).amis.get(instance.image_id)
    optimised = image is not None and "ecs" in str(image.name or "").lower()
    if not optimised and not AGENT.search(user_data(instance)):
        return False
    role = role_of(region, instance.id)
    target = store.arn(region, f"cluster/{cluster_named(instance)}")
    if not role or not roles.assumable(role, "ec2.amazonaws.com", region=region).allowed:
        return False
    if not all(
        roles.allowed(role, action, target if "Reg" in action else "*", region=region).allowed
        for action in AGENT_ACTIONS
    ):
        return False
    nic = interfaces.instance_interface(interfaces.ec2(region), instance.id)
    if nic is None:
        return False
    network = network_state.network(region)
    host = interfaces.host_of(nic)
    return all(way_to_service(network, host, Need(one)).open for one in ("ecs", "ecs-agent", "ecs-telemetry"))


def role_of(region: str, instance: str) -> str:
    """The ARN of the role in the instance's profile; "" without one."""
    held = interfaces.ec2(region).iam_instance_profile_associations.get(instance)
    found = _instance(region, instance)
    profile = getattr(held, "iam_instance_profile", None) or getattr(found, "iam_instance_profile", None)
    if isinstance(profile, dict):
        wanted = profile.get("Arn") or profile.get("Name")
        every = roles.backend().instance_profiles.values()
        profile = next((one for one in every if wanted in (one.arn, one.name)), None)
    contained = list(getattr(profile, "roles", None) or [])
    return str(contained[0].arn) if contained else ""


def size_of(instance_type: str) -> tuple[int, int, str]:
    """(cpu units, MiB that the agent registers, architecture) of an instance type.

    The agent registers what the system leaves it: some three percent less than the type's memory.
    """
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    found: Any = INSTANCE_TYPES.get(instance_type) or {}
    cpus = int((found.get("VCpuInfo") or {}).get("DefaultVCpus") or 2)
    memory = int((found.get("MemoryInfo") or {}).get("SizeInMiB") or 1024)
    kinds = (found.get("ProcessorInfo") or {}).get("SupportedArchitectures") or ["x86_64"]
    return cpus * 1024, int(memory * (1 - SYSTEM_SHARE)), "arm64" if "arm64" in kinds else "x86_64"


def register(cluster: Cluster, instance: Any, provider: str = "") -> ContainerInstance:
    """The instance is a container instance of the cluster now."""
    cpu, memory, architecture = size_of(instance.instance_type)
    name = store.new_id()
    zone = instance.placement.zone or getattr(instance.subnet_id, "zone", "") or ""
    subnet = interfaces._subnet(interfaces.ec2(cluster.region), instance.subnet_id)
    attributes = {
        "ecs.ami-id": instance.image_id,
        "ecs.instance-type": instance.instance_type,
        "ecs.availability-zone": subnet.availability_zone if subnet else zone,
        "ecs.subnet-id": instance.subnet_id,
        "ecs.vpc-id": subnet.vpc_id if subnet else "",
        "ecs.os-type": "linux",
        "ecs.os-family": "LINUX",
        "ecs.cpu-architecture": architecture,
    }
    joined = ContainerInstance(
        name,
        store.arn(cluster.region, f"container-instance/{cluster.name}/{name}"),
        instance.id,
        cluster,
        attributes["ecs.availability-zone"],
        instance.instance_type,
        cpu,
        memory,
        clock.now(),
        [{"name": key, "value": value} for key, value in attributes.items() if value],
        provider=provider or _provider(cluster, instance),
    )
    cluster.instances[name] = joined
    for service in cluster.services.values():
        from fargrade.emulator.ecs import scheduling

        scheduling.touch(service)
    return joined


def _provider(cluster: Cluster, instance: Any) -> str:
    """The capacity provider of the cluster whose Auto Scaling group the instance is of."""
    tags = {one["key"]: one["value"] for one in instance.get_tags()} if hasattr(instance, "get_tags") else {}
    group = tags.get("aws:autoscaling:groupName")
    for name in cluster.providers:
        held = store.region(cluster.region).providers.get(name) or {}
        wanted = str((held.get("autoScalingGroupProvider") or {}).get("autoScalingGroupArn", ""))
        if group and wanted.endswith(f"autoScalingGroupName/{group}"):
            return name
    return ""


def described(joined: ContainerInstance) -> dict[str, Any]:
    """As DescribeContainerInstances has it."""
    cpu, memory = placement.left(joined)

    def resources(cpu: int, memory: int, ports: list[int]) -> list[dict[str, Any]]:
        return [
            {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": [str(port) for port in ports]},
            {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
        ]

    always = [22, 2375, 2376, 51678, 51679]
    found: dict[str, Any] = {
        "containerInstanceArn": joined.arn,
        "ec2InstanceId": joined.ec2_id,
        "version": joined.version,
        "versionInfo": {"agentVersion": "1.97.1", "agentHash": "f3c1a8f0", "dockerVersion": "DockerVersion: 25.0.8"},
        "registeredResources": resources(joined.cpu, joined.memory, always),
        "remainingResources": resources(cpu, memory, always + sorted(joined.ports())),
        "status": joined.status,
        "agentConnected": joined.connected,
        "runningTasksCount": sum(one.status == "RUNNING" for one in joined.tasks()),
        "pendingTasksCount": sum(one.status in ("PENDING", "PROVISIONING") for one in joined.tasks()),
        "attributes": joined.attributes,
        "registeredAt": store.stamp(joined.registered),
        "attachments": [],
        "tags": joined.tags,
    }
    if joined.provider:
        found["capacityProviderName"] = joined.provider
    return found


# -- the API -------------------------------------------------------------------------------------------------


@answer("ecs", "ListContainerInstances")
def list_instances(call: Call) -> dict[str, Any]:
    """ListContainerInstances: by status and cluster query."""
    held, given = store.cluster(call), call.parameters
    wanted, query = given.get("status"), given.get("filter")
    found = [
        one.arn
        for one in held.instances.values()
        if wanted in (None, one.status) and (not query or placement.matches(one, query))
    ]
    return store.pages(call, found, "containerInstanceArns")


@answer("ecs", "DescribeContainerInstances")
def describe(call: Call) -> dict[str, Any]:
    """DescribeContainerInstances."""
    held = store.cluster(call)
    names = call.parameters["containerInstances"]
    if not names:
        raise store.invalid("Container instance can not be blank.")
    found = [held.instances[store.short(one)] for one in names if store.short(one) in held.instances]
    failures = [
        store.missing(store.own_arn(call.region, "container-instance", one, held))
        for one in names
        if store.short(one) not in held.instances
    ]
    return {"containerInstances": [described(one) for one in found], "failures": failures}


def _named(call: Call, name: str) -> ContainerInstance:
    found = store.cluster(call).instances.get(store.short(name))
    if found is None:
        raise store.invalid("The specified container instance is not in the cluster.")
    return found


@answer("ecs", "UpdateContainerInstancesState")
def update_state(call: Call) -> dict[str, Any]:
    """UpdateContainerInstancesState: DRAINING stops a service's tasks there once others run."""
    from fargrade.emulator.ecs import scheduling

    held, status = store.cluster(call), call.parameters["status"]
    if status not in ("ACTIVE", "DRAINING"):
        raise store.invalid("The status must be ACTIVE or DRAINING.")
    found = [_named(call, name) for name in call.parameters["containerInstances"]]
    for one in found:
        one.status = status
    for service in held.services.values():
        scheduling.touch(service)
    return {"containerInstances": [described(one) for one in found], "failures": []}


@answer("ecs", "DeregisterContainerInstance")
def deregister(call: Call) -> dict[str, Any]:
    """DeregisterContainerInstance: with tasks on it only by force; these go on, orphaned."""
    found = _named(call, call.parameters["containerInstance"])
    if found.tasks() and not call.parameters.get("force"):
        raise store.invalid("Found running tasks on the instance.")
    del found.cluster.instances[found.id]
    found.status = "INACTIVE"
    for task in found.tasks():
        life.stop(task, "InfrastructureHealth", "Container instance was deregistered.")
    return {"containerInstance": described(found)}


@answer("ecs", "RegisterContainerInstance")
def register_by_hand(call: Call) -> dict[str, Any]:
    """RegisterContainerInstance is the agent's own call: it needs an identity document that AWS has signed.

    Source: API_RegisterContainerInstance.html ("This action is only used by the Amazon ECS agent").
    """
    store.cluster(call)
    raise store.client_error(f"The instance identity document signature is invalid for account {account()}.")


@answer("ecs", "PutAttributes")
def put_attributes(call: Call) -> dict[str, Any]:
    """PutAttributes: custom attributes of container instances."""
    for one in call.parameters["attributes"]:
        joined = _named(call, str(one.get("targetId") or ""))
        joined.attributes = [held for held in joined.attributes if held["name"] != one["name"]]
        joined.attributes.append({"name": one["name"], "value": one.get("value", "")})
    return {"attributes": call.parameters["attributes"]}


@answer("ecs", "ListAttributes")
def list_attributes(call: Call) -> dict[str, Any]:
    """ListAttributes."""
    given, held = call.parameters, store.cluster(call)
    return {
        "attributes": [
            {**attribute, "targetType": "container-instance", "targetId": one.arn}
            for one in held.instances.values()
            for attribute in one.attributes
            if given.get("attributeName") in (None, attribute["name"])
            and given.get("attributeValue") in (None, attribute.get("value"))
        ]
    }
