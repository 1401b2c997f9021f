"""What RunTask, CreateService and UpdateService refuse, on the parameters as boto3 sends them and what they name.

Words: AWS's own, as public issue threads and the API reference show them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fargrade.semantics.ecs.refusals import API, GUIDE, Refusal
from fargrade.semantics.ecs.sizes import cpu_units, fargate_size, memory_mib

Request = Mapping[str, Any]
INVALID = "InvalidParameterException"
SPOT = ("FARGATE", "FARGATE_SPOT")
PLATFORMS = ("LATEST", "1.4.0", "1.3.0", "1.0.0")
RUN_TASK = API + "API_RunTask.html"
CREATE_SERVICE = API + "API_CreateService.html"
BREAKER = GUIDE + "deployment-circuit-breaker.html"
A_DAY = 1440  # minutes


def _no(rule: str, message: str, source: str = RUN_TASK, code: str = INVALID) -> Refusal:
    return Refusal(rule, message, code, source)


def on_fargate(launch_type: str | None, strategy: Sequence[Request]) -> bool:
    """Whether what is launched so runs on Fargate. `strategy` is the one that counts: the given or the cluster's."""
    if launch_type:
        return launch_type == "FARGATE"
    return bool(strategy) and strategy[0]["capacityProvider"] in SPOT


def launch_refusals(given: Request, definition: Request, *, fargate: bool) -> Iterator[Refusal]:
    """What is refused of a launch of any kind: the launch type, the network, the placement, the platform."""
    mode = definition.get("networkMode") or "bridge"
    launch_type = given.get("launchType")
    if launch_type and given.get("capacityProviderStrategy"):
        yield _no(
            "both", "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again.",
        )  # fmt: skip
    if fargate and "FARGATE" not in (definition.get("compatibilities") or ()):
        yield _no("not for fargate", "Task definition does not support launch_type FARGATE.")
    if not fargate and definition.get("requiresCompatibilities") == ["FARGATE"]:
        yield _no("not for ec2", f"Task definition does not support launch_type {launch_type or 'EC2'}.")
    network = (given.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if mode == "awsvpc" and not network:
        yield _no("no network", "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if mode != "awsvpc" and network:
        yield _no("network", "Network Configuration is not valid for the given networkMode of this task definition.")
    if network and not fargate and network.get("assignPublicIp") == "ENABLED":
        yield _no("public ip", "Assign public IP is not supported for this launch type.")
    if network:
        yield from _awsvpc(network)
    yield from _placement(given, fargate)


def _awsvpc(network: Request) -> Iterator[Refusal]:
    if not network.get("subnets"):
        yield _no("subnets", "subnets can not be empty.")
    for key, most in (("subnets", 16), ("securityGroups", 5)):
        if len(network.get(key) or ()) > most:
            yield _no(key, f"{key} can have at most {most} items.", source=API + "API_AwsVpcConfiguration.html")


def _placement(given: Request, fargate: bool) -> Iterator[Refusal]:
    if fargate and given.get("placementConstraints"):
        yield _no("placement", "Placement constraints are not supported with FARGATE launch type.")
    if fargate and given.get("placementStrategy"):
        yield _no("placement", "Placement strategies are not supported with FARGATE launch type.")
    platform = given.get("platformVersion")
    if platform and not fargate:
        yield _no("platform", "The platform version must be null when specifying an EC2 launch type.")
    elif platform and platform not in PLATFORMS:
        yield _no("platform", "The specified platform version does not exist.", code="PlatformUnknownException")


def run_refusals(given: Request, definition: Request, *, fargate: bool) -> Iterator[Refusal]:
    """What RunTask refuses of the request itself, beside what it names being there."""
    count = given.get("count", 1)
    if not 1 <= int(1 if count is None else count) <= 10:
        yield _no("count", "count must be between 1 and 10, inclusive.")
    yield from launch_refusals(given, definition, fargate=fargate)
    yield from _overrides(given.get("overrides") or {}, definition, fargate)
    keys = [one.get("key") for one in given.get("tags") or []]
    if len(keys) != len(set(keys)):
        yield _no("tags", "Multiple tags contain the same key.")
    if len(given.get("startedBy") or "") > 128:
        yield _no("startedBy", "startedBy can have at most 128 characters.")


def _overrides(given: Request, definition: Request, fargate: bool) -> Iterator[Refusal]:
    """Other sizes, for this once, must be such as a task can have: API_TaskOverride.html, API_ContainerOverride."""
    names = {one["name"] for one in definition["containerDefinitions"]}
    cpu = cpu_units(given.get("cpu") or definition.get("cpu"))
    memory = memory_mib(given.get("memory") or definition.get("memory"))
    sizes = given.get("cpu") or given.get("memory")
    if fargate and sizes and (not cpu or not memory or fargate_size(cpu, memory) is None):
        asked = (
            f"{given.get('cpu') or definition.get('cpu')} CPU, {given.get('memory') or definition.get('memory')} memory"
        )
        yield _no("size", f"No Fargate configuration exists for given values: {asked}.", API + "API_TaskOverride.html")
    for one in given.get("containerOverrides") or []:
        name = one.get("name")
        if name not in names:
            yield _no("override", f"Override for container named {name} is not a container in the TaskDefinition.")
        if memory and (one.get("memory") or 0) > memory:  # words: github.com/artilleryio/artillery/issues/591
            yield _no("container memory", f"'memory' setting for container '{name}' is greater than for task.")


def service_refusals(given: Request, definition: Request | None, *, fargate: bool, new: bool) -> Iterator[Refusal]:
    """What CreateService (`new`) and UpdateService refuse of the request itself."""
    daemon = given.get("schedulingStrategy") == "DAEMON"
    if new and daemon and fargate:
        yield _no("daemon", "The daemon scheduling strategy is not supported with FARGATE.", CREATE_SERVICE)
    if new and daemon and given.get("desiredCount") is not None:
        yield _no("daemon count", "The 'desiredCount' parameter is not valid for the DAEMON strategy.", CREATE_SERVICE)
    if new and not daemon and given.get("desiredCount") is None:
        yield _no("desired count", "The 'desiredCount' parameter is required.", CREATE_SERVICE)
    if (given.get("desiredCount") or 0) < 0:
        yield _no("desired count", "desiredCount must not be negative.", CREATE_SERVICE)
    yield from _deployment(given, daemon)
    if new:
        yield from _controlled(given)
    keys = [one.get("key") for one in given.get("tags") or []]
    if len(keys) != len(set(keys)):  # hashicorp/terraform-provider-aws/issues/32259
        yield _no("tags", "Multiple tags contain the same key.", CREATE_SERVICE)
    grace = given.get("healthCheckGracePeriodSeconds")
    if grace and not given.get("loadBalancers"):
        words = "Health check grace period is only valid for services configured to use load balancers"
        yield _no("grace", words, CREATE_SERVICE)
    if definition is not None:
        yield from launch_refusals(given, definition, fargate=fargate)
        yield from _load_balanced(given, definition)
        yield from _connected(given, definition)
        yield from _volumes(given, definition)


def _deployment(given: Request, daemon: bool) -> Iterator[Refusal]:
    settings = given.get("deploymentConfiguration") or {}
    least, most = settings.get("minimumHealthyPercent"), settings.get("maximumPercent")
    least = (0 if daemon else 100) if least is None else least
    most = (100 if daemon else 200) if most is None else most
    source = API + "API_DeploymentConfiguration.html"
    if least == most == 100 and not daemon:
        yield _no(
            "blocked",
            "The deployment configuration of maximumPercent 100 and minimumHealthyPercent 100 blocks deployments.",
            source,
        )
    elif most < least:
        yield _no("blocked", "maximumPercent must not be less than minimumHealthyPercent.", source)
    controller = (given.get("deploymentController") or {}).get("type", "ECS")
    if controller != "ECS" and settings.get("deploymentCircuitBreaker"):
        words = "Deployment circuit breaker is not supported for the deployment controller."
        yield _no("breaker", words, GUIDE + "deployment-circuit-breaker.html")
    if controller != "ECS" and (settings.get("alarms") or {}).get("alarmNames"):
        words = "Deployment alarms are not supported for the deployment controller."
        yield _no("alarms", words, API + "API_DeploymentAlarms.html")
    yield from _breaker(settings.get("deploymentCircuitBreaker") or {})
    for words in _out_of_range(settings):
        yield _no("range", words, source)
    strategy = settings.get("strategy", "ROLLING")
    for key, of in (("linearConfiguration", "LINEAR"), ("canaryConfiguration", "CANARY")):
        if settings.get(key) and strategy != of:
            yield _no("strategy", f"{key} is only valid for the {of} deployment strategy.", source)


def _breaker(breaker: Request) -> Iterator[Refusal]:
    asked = breaker.get("thresholdConfiguration") or {}
    value = asked.get("value")
    most = None if asked.get("type") == "COUNT" else 100
    if value is not None and (value < 1 or (most is not None and value > most)):
        words = "at least 1." if most is None else f"between 1 and {most}."
        yield _no("threshold", f"The circuit breaker's threshold value must be {words}", BREAKER)


def _out_of_range(settings: Request) -> Iterator[str]:
    """API_DeploymentConfiguration.html, API_CanaryConfiguration.html, API_LinearConfiguration.html."""
    canary, linear = settings.get("canaryConfiguration") or {}, settings.get("linearConfiguration") or {}
    for name, value, least, most in (
        ("bakeTimeInMinutes", settings.get("bakeTimeInMinutes"), 0, A_DAY),
        ("canaryPercent", canary.get("canaryPercent"), 0.1, 100),
        ("canaryBakeTimeInMinutes", canary.get("canaryBakeTimeInMinutes"), 0, A_DAY),
        ("stepPercent", linear.get("stepPercent"), 3, 100),
        ("stepBakeTimeInMinutes", linear.get("stepBakeTimeInMinutes"), 0, A_DAY),
    ):
        if value is not None and not least <= value <= most:
            yield f"{name} must be between {least} and {most}."


def _connected(given: Request, definition: Request) -> Iterator[Refusal]:
    """Service Connect publishes ports by their names: API_ServiceConnectService.html."""
    settings = given.get("serviceConnectConfiguration") or {}
    names = {port.get("name") for one in definition["containerDefinitions"] for port in one.get("portMappings") or []}
    for one in settings.get("services") or [] if settings.get("enabled") else []:
        if one.get("portName") not in names:
            words = f"The port name {one.get('portName')} is not of a port mapping in the task definition."
            yield _no("port name", words, API + "API_ServiceConnectService.html")


def _volumes(given: Request, definition: Request) -> Iterator[Refusal]:
    """Words: github.com/go-to-k/cdkd/pull/811."""
    at_launch = {one.get("name") for one in definition.get("volumes") or [] if one.get("configuredAtLaunch")}
    if any(one.get("name") not in at_launch for one in given.get("volumeConfigurations") or []):
        words = "Volume configuration provided but no matching configuredAtLaunch volume found in task definition."
        yield _no("volume", words, API + "API_ServiceVolumeConfiguration.html")


def _controlled(given: Request) -> Iterator[Refusal]:
    """Who brings versions out decides whether load balancers are the service's or the task sets'."""
    controller = (given.get("deploymentController") or {}).get("type", "ECS")
    if controller == "EXTERNAL" and given.get("loadBalancers"):  # hashicorp/terraform-provider-aws/issues/27291
        yield _no("balancers", "LoadBalancers must be empty or null.", CREATE_SERVICE)
    if controller == "CODE_DEPLOY" and not given.get("loadBalancers"):
        words = "A service with the CODE_DEPLOY deployment controller must use a load balancer."
        yield _no("balancers", words, CREATE_SERVICE)
    if given.get("role") and not given.get("loadBalancers"):  # boto/boto3/issues/461
        yield _no("role", "A role was passed, but no load balancers were present.", CREATE_SERVICE)


def _load_balanced(given: Request, definition: Request) -> Iterator[Refusal]:
    containers = {one["name"]: one for one in definition["containerDefinitions"]}
    strategy = (given.get("deploymentConfiguration") or {}).get("strategy", "ROLLING")
    for one in given.get("loadBalancers") or []:
        name, port = one.get("containerName"), one.get("containerPort")
        if one.get("loadBalancerName") and one.get("targetGroupArn"):
            yield _no("balancer", "loadBalancerName and targetGroupArn cannot both be specified.", CREATE_SERVICE)
        if name not in containers:
            yield _no("container", f"The container {name} does not exist in the task definition.", CREATE_SERVICE)
        elif port not in _container_ports(containers[name]):
            words = f"The container {name} did not have a container port {port} defined."
            yield _no("container port", words, CREATE_SERVICE)
        advanced = one.get("advancedConfiguration") or {}
        needed = ("alternateTargetGroupArn", "productionListenerRule", "roleArn")
        missing = [key for key in needed if not advanced.get(key)]
        if strategy != "ROLLING" and missing:
            words = f"advancedConfiguration must have {missing[0]} for the {strategy} deployment strategy."
            yield _no("advanced", words, API + "API_AdvancedConfiguration.html")


def _container_ports(container: Request) -> list[int]:
    return [int(one["containerPort"]) for one in container.get("portMappings") or [] if one.get("containerPort")]


def target_type_refusal(arn: str, target_type: str, mode: str) -> Refusal | None:
    """A target group of the wrong type for the network mode: ip for awsvpc, instance (or ip, on host) for the rest."""
    if mode == "awsvpc" and target_type != "ip":
        return _no(
            "target type",
            f"The provided target group {arn} has target type {target_type}, which is incompatible with the awsvpc "
            "network mode specified in the task definition.",
            CREATE_SERVICE,
        )
    if mode != "awsvpc" and target_type != "instance":
        return _no(
            "target type",
            f"The provided target group {arn} has target type {target_type}, which is incompatible with the {mode} "
            "network mode specified in the task definition.",
            CREATE_SERVICE,
        )
    return None
