"""CodeDeploy's applications, deployment groups and configurations: what AWS keeps of them, and what it refuses.

Sources: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html,
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html (the predefined configurations),
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-create-ecs.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fargrade.emulator import clock, inner, roles, rules
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.ids import new_id
from fargrade.emulator.rules import Call, answer

SERVICE = "codedeploy.amazonaws.com"
KEPT = (
    *("deploymentConfigName", "serviceRoleArn", "triggerConfigurations", "alarmConfiguration", "deploymentStyle"),
    *("autoRollbackConfiguration", "outdatedInstancesStrategy", "blueGreenDeploymentConfiguration"),
    *("loadBalancerInfo", "ecsServices", "ec2TagFilters", "ec2TagSet", "onPremisesInstanceTagFilters"),
    *("onPremisesTagSet", "autoScalingGroups", "terminationHookEnabled"),
)


def _canary(percent: int, minutes: int) -> dict[str, Any]:
    given = {"canaryPercentage": percent, "canaryInterval": minutes}
    return {"type": "TimeBasedCanary", "timeBasedCanary": given}


def _linear(percent: int, minutes: int) -> dict[str, Any]:
    given = {"linearPercentage": percent, "linearInterval": minutes}
    return {"type": "TimeBasedLinear", "timeBasedLinear": given}


PREDEFINED: dict[str, dict[str, Any]] = {
    "CodeDeployDefault.ECSAllAtOnce": {"type": "AllAtOnce"},
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes": _linear(10, 1),
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes": _linear(10, 3),
    "CodeDeployDefault.ECSCanary10Percent5Minutes": _canary(10, 5),
    "CodeDeployDefault.ECSCanary10Percent15Minutes": _canary(10, 15),
}
OF_SERVERS = tuple(f"CodeDeployDefault.{name}" for name in ("OneAtATime", "HalfAtATime", "AllAtOnce"))


@dataclass
class Application:
    """An application and its deployment groups, each as GetDeploymentGroup shows it."""

    name: str
    platform: str
    identity: str = field(default_factory=new_id)
    created: Any = field(default_factory=clock.now)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        return {
            "applicationId": self.identity,
            "applicationName": self.name,
            "createTime": self.created,
            "linkedToGitHub": False,
            "computePlatform": self.platform,
        }


_applications: dict[tuple[str, str], Application] = {}
_configs: dict[tuple[str, str], dict[str, Any]] = {}
tags: dict[str, dict[str, str]] = {}


@on_reset
def _new() -> None:
    _applications.clear()
    _configs.clear()
    tags.clear()


def application(region: str, name: str) -> Application:
    """The application. Raises Refused."""
    found = _applications.get((region, name))
    if found is None:
        raise Refused("ApplicationDoesNotExistException", f"No application found for name: {name}")
    return found


def group(region: str, of: str, name: str) -> dict[str, Any]:
    """The deployment group. Raises Refused."""
    found = application(region, of).groups.get(name)
    if found is None:
        raise Refused("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return found


def routing(region: str, name: str) -> dict[str, Any]:
    """How a configuration routes traffic. Raises Refused."""
    if name in PREDEFINED:
        return PREDEFINED[name]
    found = _configs.get((region, name))
    if found is None:
        raise Refused("DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}")
    return dict(found.get("trafficRoutingConfig") or {"type": "AllAtOnce"})


@answer("codedeploy", "CreateApplication")
def create_application(call: Call) -> dict[str, Any]:
    name = call.parameters["applicationName"]
    if (call.region, name) in _applications:
        raise Refused("ApplicationAlreadyExistsException", f"Application already exists: {name}")
    made = Application(name, call.parameters.get("computePlatform", "Server"))
    _applications[(call.region, name)] = made
    _tag(f"arn:aws:codedeploy:{call.region}:{call.account}:application:{name}", call)
    return {"applicationId": made.identity}


@answer("codedeploy", "GetApplication")
def get_application(call: Call) -> dict[str, Any]:
    return {"application": application(call.region, call.parameters["applicationName"]).described()}


@answer("codedeploy", "BatchGetApplications")
def batch_get_applications(call: Call) -> dict[str, Any]:
    found = [application(call.region, name).described() for name in call.parameters["applicationNames"]]
    return {"applicationsInfo": found}


@answer("codedeploy", "ListApplications")
def list_applications(call: Call) -> dict[str, Any]:
    return {"applications": sorted(name for region, name in _applications if region == call.region)}


@answer("codedeploy", "DeleteApplication")
def delete_application(call: Call) -> dict[str, Any]:
    _applications.pop((call.region, call.parameters["applicationName"]), None)
    return {}


@answer("codedeploy", "CreateDeploymentConfig")
def create_config(call: Call) -> dict[str, Any]:
    name = call.parameters["deploymentConfigName"]
    if name in PREDEFINED or name in OF_SERVERS or (call.region, name) in _configs:
        raise Refused("DeploymentConfigAlreadyExistsException", f"Deployment Configuration already exists: {name}")
    _configs[(call.region, name)] = {**call.parameters, "deploymentConfigId": new_id(), "createTime": clock.now()}
    return {"deploymentConfigId": _configs[(call.region, name)]["deploymentConfigId"]}


@answer("codedeploy", "GetDeploymentConfig")
def get_config(call: Call) -> dict[str, Any]:
    name = call.parameters["deploymentConfigName"]
    if name in PREDEFINED:
        shown = {"deploymentConfigName": name, "computePlatform": "ECS", "trafficRoutingConfig": PREDEFINED[name]}
        return {"deploymentConfigInfo": shown}
    routing(call.region, name)
    return {"deploymentConfigInfo": _configs[(call.region, name)]}


@answer("codedeploy", "ListDeploymentConfigs")
def list_configs(call: Call) -> dict[str, Any]:
    own = [name for region, name in _configs if region == call.region]
    return {"deploymentConfigsList": [*OF_SERVERS, *PREDEFINED, *own]}


@answer("codedeploy", "DeleteDeploymentConfig")
def delete_config(call: Call) -> dict[str, Any]:
    _configs.pop((call.region, call.parameters["deploymentConfigName"]), None)
    return {}


@answer("codedeploy", "CreateDeploymentGroup")
def create_group(call: Call) -> dict[str, Any]:
    given = call.parameters
    of = application(call.region, given["applicationName"])
    name = given["deploymentGroupName"]
    if name in of.groups:
        raise Refused("DeploymentGroupAlreadyExistsException", f"Deployment group name already exists: {name}")
    made = {key: given[key] for key in KEPT if given.get(key) is not None}
    default = "CodeDeployDefault.ECSAllAtOnce" if of.platform == "ECS" else "CodeDeployDefault.OneAtATime"
    made.setdefault("deploymentConfigName", default)
    _refuse(call.region, of, made)
    made |= {
        "applicationName": of.name,
        "deploymentGroupId": new_id(),
        "deploymentGroupName": name,
        "computePlatform": of.platform,
    }
    of.groups[name] = made
    _tag(f"arn:aws:codedeploy:{call.region}:{call.account}:deploymentgroup:{of.name}/{name}", call)
    return {"deploymentGroupId": made["deploymentGroupId"]}


@answer("codedeploy", "UpdateDeploymentGroup")
def update_group(call: Call) -> dict[str, Any]:
    given = call.parameters
    of = application(call.region, given["applicationName"])
    held = group(call.region, of.name, given["currentDeploymentGroupName"])
    made = {**held, **{key: given[key] for key in KEPT if given.get(key) is not None}}
    _refuse(call.region, of, made)
    del of.groups[held["deploymentGroupName"]]
    made["deploymentGroupName"] = given.get("newDeploymentGroupName") or held["deploymentGroupName"]
    of.groups[made["deploymentGroupName"]] = made
    return {"hooksNotCleanedUp": []}


@answer("codedeploy", "GetDeploymentGroup")
def get_group(call: Call) -> dict[str, Any]:
    found = group(call.region, call.parameters["applicationName"], call.parameters["deploymentGroupName"])
    return {"deploymentGroupInfo": found}


@answer("codedeploy", "BatchGetDeploymentGroups")
def batch_get_groups(call: Call) -> dict[str, Any]:
    of = application(call.region, call.parameters["applicationName"])
    found = [of.groups[name] for name in call.parameters["deploymentGroupNames"] if name in of.groups]
    return {"deploymentGroupsInfo": found, "errorMessage": ""}


@answer("codedeploy", "ListDeploymentGroups")
def list_groups(call: Call) -> dict[str, Any]:
    of = application(call.region, call.parameters["applicationName"])
    return {"applicationName": of.name, "deploymentGroups": list(of.groups)}


@answer("codedeploy", "DeleteDeploymentGroup")
def delete_group(call: Call) -> dict[str, Any]:
    application(call.region, call.parameters["applicationName"]).groups.pop(
        call.parameters["deploymentGroupName"], None
    )
    return {"hooksNotCleanedUp": []}


def _tag(arn: str, call: Call) -> None:
    tags[arn] = {one["Key"]: one["Value"] for one in call.parameters.get("tags") or ()}


@answer("codedeploy", "ListTagsForResource")
def list_tags(call: Call) -> dict[str, Any]:
    return {"Tags": [{"Key": k, "Value": v} for k, v in tags.get(call.parameters["ResourceArn"], {}).items()]}


@answer("codedeploy", "TagResource")
def tag(call: Call) -> dict[str, Any]:
    held = tags.setdefault(call.parameters["ResourceArn"], {})
    held |= {one["Key"]: one["Value"] for one in call.parameters["Tags"]}
    return {}


@answer("codedeploy", "UntagResource")
def untag(call: Call) -> dict[str, Any]:
    for key in call.parameters["TagKeys"]:
        tags.get(call.parameters["ResourceArn"], {}).pop(key, None)
    return {}


def _refuse(region: str, of: Application, made: dict[str, Any]) -> None:
    """Raises Refused for what CreateDeploymentGroup and UpdateDeploymentGroup refuse."""
    role = made.get("serviceRoleArn", "")
    if not roles.assumable(role, SERVICE, {"aws:SourceAccount": rules.account()}, region=region).allowed:
        raise Refused(
            "InvalidRoleException",
            f"AWS CodeDeploy does not have the permissions required to assume the role {role}.",
        )
    if made["deploymentConfigName"] not in OF_SERVERS:
        routing(region, made["deploymentConfigName"])
    if of.platform == "ECS":
        _refuse_of_ecs(region, made)


def _refuse_of_ecs(region: str, made: dict[str, Any]) -> None:
    style = made.get("deploymentStyle") or {}
    if (style.get("deploymentType"), style.get("deploymentOption")) != ("BLUE_GREEN", "WITH_TRAFFIC_CONTROL"):
        raise Refused(
            "InvalidDeploymentStyleException",
            "For Amazon ECS the deployment style must be BLUE_GREEN with the option WITH_TRAFFIC_CONTROL.",
        )
    if made["deploymentConfigName"] in OF_SERVERS:
        raise Refused(
            "InvalidDeploymentConfigNameException",
            f"{made['deploymentConfigName']} is not a deployment configuration of the ECS compute platform.",
        )
    blue_green = made.get("blueGreenDeploymentConfiguration") or {}
    if not blue_green.get("terminateBlueInstancesOnDeploymentSuccess") or not blue_green.get("deploymentReadyOption"):
        raise Refused(
            "InvalidBlueGreenDeploymentConfigurationException",
            "For Amazon ECS terminateBlueInstancesOnDeploymentSuccess and deploymentReadyOption must be specified.",
        )
    _refuse_routes(region, made)
    services = made.get("ecsServices") or []
    if len(services) != 1:
        raise Refused("InvalidECSServiceException", "Deployment group must have exactly one ECS service.")
    name = f"{services[0].get('clusterName')}/{services[0].get('serviceName')}"
    held = service(region, services[0])
    if held is None:
        raise Refused("InvalidECSServiceException", f"The ECS service {name} cannot be found.")
    if (held.get("deploymentController") or {}).get("type") != "CODE_DEPLOY":
        raise Refused(
            "InvalidECSServiceException",
            "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
        )


def _refuse_routes(region: str, made: dict[str, Any]) -> None:
    pairs = (made.get("loadBalancerInfo") or {}).get("targetGroupPairInfoList") or []
    if len(pairs) != 1:
        raise Refused("InvalidLoadBalancerInfoException", "Exactly one target group pair must be specified for ECS.")
    names = [one.get("name") for one in pairs[0].get("targetGroups") or ()]
    if len(names) != 2 or len(set(names)) != 2:
        raise Refused("InvalidTargetGroupPairException", "A target group pair must name two different target groups.")
    held = {one["TargetGroupName"] for one in inner.client("elbv2", region).describe_target_groups()["TargetGroups"]}
    for name in names:
        if name not in held:
            raise Refused("InvalidTargetGroupPairException", f"The target group {name} cannot be found.")
    routes = [(pairs[0].get("prodTrafficRoute") or {}).get("listenerArns") or []]
    if len(routes[0]) != 1:
        raise Refused("InvalidTargetGroupPairException", "A production traffic route needs exactly one listener.")
    routes.append((pairs[0].get("testTrafficRoute") or {}).get("listenerArns") or [])
    for arn in [arn for route in routes for arn in route]:
        if listener(region, arn) is None:
            raise Refused("InvalidTargetGroupPairException", f"The listener {arn} cannot be found.")


def service(region: str, named: dict[str, Any]) -> dict[str, Any] | None:
    """The ECS service, as described; None where there is none."""
    from botocore.exceptions import ClientError

    wanted = {"cluster": named.get("clusterName") or "default", "services": [named.get("serviceName", "")]}
    try:
        found = inner.client("ecs", region).describe_services(**wanted)["services"]
    except ClientError:
        return None
    return dict(found[0]) if found and found[0]["status"] == "ACTIVE" else None


def listener(region: str, arn: str) -> dict[str, Any] | None:
    """The listener, as described; None where there is none."""
    from botocore.exceptions import ClientError

    try:
        return dict(inner.client("elbv2", region).describe_listeners(ListenerArns=[arn])["Listeners"][0])
    except (ClientError, IndexError):
        return None
