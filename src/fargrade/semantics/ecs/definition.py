"""What RegisterTaskDefinition refuses, whatever the launch type, on the parameters as boto3 sends them.

Each rule is a generator of refusals over the whole request, so that a grader can ask for all that is wrong at once.
Messages are AWS's own words where public issue threads and AWS's pages show them; else their plain meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fargrade.semantics.ecs.fargate import fargate_rules
from fargrade.semantics.ecs.refusals import API, PARAMETERS, Refusal
from fargrade.semantics.ecs.sizes import cpu_units, memory_mib

Request = Mapping[str, Any]
NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
IMAGE = re.compile(r"[a-zA-Z0-9_\-:./#@\[\]\+]{1,255}")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+|[\w+=,.@-]{1,64}")
SECRET = re.compile(r"arn:aws[a-z-]*:(secretsmanager|ssm):.+|[\w./-]+")
PORT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
MOST_CONTAINERS = 10


def definition_refusals(given: Request, *, fargate: bool | None = None) -> list[Refusal]:
    """Everything RegisterTaskDefinition refuses in `given`; empty where AWS would register it.

    `fargate`: also what Fargate refuses; by default where requiresCompatibilities names it.
    """
    wanted = "FARGATE" in (given.get("requiresCompatibilities") or ()) if fargate is None else fargate
    found = list(_common_rules(given))
    if not wanted:
        return found
    # There the task's own memory is what is asked for.
    return [*(one for one in found if one.rule != "no memory"), *fargate_rules(given)]


def runs_on(given: Request) -> tuple[str, ...]:
    """The launch types that the definition is compatible with: what describe's `compatibilities` lists."""
    return ("EC2", "FARGATE") if not definition_refusals(given, fargate=True) else ("EC2",)


def network_mode(given: Request) -> str:
    """The network mode; bridge where none is named, as on Linux instances."""
    return str(given.get("networkMode") or "bridge")


def is_essential(container: Request) -> bool:
    return container.get("essential") is not False


def _common_rules(given: Request) -> Iterator[Refusal]:
    containers: Sequence[Request] = given.get("containerDefinitions") or []
    yield from _whole(given, containers)
    for container in containers:
        yield from _one_container(given, container)
        yield from _ports(given, container)
        yield from _log_driver(container)
        yield from _environment(container)
        yield from _health_check(container)
        yield from _restart(container)
    yield from _host_ports(containers)
    yield from _log_router(containers)
    yield from _resources(given, containers)
    yield from _dependencies(containers)
    yield from _volumes(given, containers)


def _whole(given: Request, containers: Sequence[Request]) -> Iterator[Refusal]:
    if not NAME.fullmatch(str(given.get("family", ""))):
        yield Refusal("family", "Family contains invalid characters.")
    if not containers:
        yield Refusal("no containers", "Container list cannot be empty.")
        return
    if len(containers) > MOST_CONTAINERS:
        yield Refusal("too many containers", f"Too many containers: at most {MOST_CONTAINERS} in a task definition.")
    names = [str(one.get("name", "")) for one in containers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Refusal("duplicate name", f"Container names must be unique: '{name}' is there more than once.")
    if not any(map(is_essential, containers)):
        yield Refusal("no essential container", "Task definition doesn't have any essential container")
    for key in ("executionRoleArn", "taskRoleArn"):
        if given.get(key) and not ROLE.fullmatch(str(given[key])):
            yield Refusal("role", "Role is not valid")
    for key, read in (("cpu", cpu_units), ("memory", memory_mib)):
        if given.get(key) and not read(given[key]):
            yield Refusal(f"{key} unreadable", f"Invalid '{key}' setting for task.")


def _one_container(given: Request, container: Request) -> Iterator[Refusal]:
    name = str(container.get("name") or "")
    if not name:
        yield Refusal("container name", "Container.name should not be null or empty.")
    elif not NAME.fullmatch(name):
        yield Refusal("container name", "Container.name contains invalid characters.")
    if not container.get("image"):
        yield Refusal("image", "Container.image should not be null or empty.")
    elif not IMAGE.fullmatch(str(container["image"])):
        yield Refusal("image", "Container.image contains invalid characters.")
    mode = network_mode(given)
    if mode != "bridge" and container.get("links"):
        yield Refusal("links", f"Links are not supported when networkMode={mode}.")
    if mode == "awsvpc":
        for key in ("dnsServers", "dnsSearchDomains", "extraHosts", "hostname", "disableNetworking"):
            if container.get(key):
                yield Refusal(key, f"{key} is not supported on container when networkMode=awsvpc.")


def _ports(given: Request, container: Request) -> Iterator[Refusal]:
    mode = network_mode(given)
    mappings: Sequence[Request] = container.get("portMappings") or []
    if mode == "none" and mappings:
        yield Refusal("ports", "Port mappings are not allowed when networkMode=none.")
    for mapping in mappings:
        port, host = mapping.get("containerPort"), mapping.get("hostPort")
        if not port and not mapping.get("containerPortRange"):
            yield Refusal("container port", "Container port must be specified in a port mapping.")
        for number in (port, host):
            if number is not None and not 0 <= int(number) <= 65535:
                yield Refusal("port range", f"Invalid port: {number}. Port must be between 1 and 65535.")
        if mode in ("awsvpc", "host") and host and port is not None and int(host) != int(port):
            words = f"When networkMode={mode}, the host ports and container ports in port mappings must match."
            yield Refusal("ports differ", words)
        name = mapping.get("name")
        if name is not None and not PORT_NAME.fullmatch(str(name)):
            words = (
                f"The port mapping name '{name}' must be lowercase letters, digits, _ and -, at most 64, no - first."
            )
            yield Refusal("port name", words, source=API + "API_PortMapping.html")


def _host_ports(containers: Sequence[Request]) -> Iterator[Refusal]:
    """Words: github.com/aws/amazon-ecs-agent/issues/1220."""
    mappings: list[Request] = [one for container in containers for one in container.get("portMappings") or []]
    fixed = [(str(one.get("protocol") or "tcp"), int(one["hostPort"])) for one in mappings if one.get("hostPort")]
    for protocol, port in sorted({one for one in fixed if fixed.count(one) > 1}):
        yield Refusal("duplicate host port", f"{protocol.upper()} host port '{port}' is mapped multiple times in task.")


def _log_router(containers: Sequence[Request]) -> Iterator[Refusal]:
    """FireLens is a pair: who sends, and who routes. Words: fabfuel/ecs-deploy/issues/164 and
    aws/amazon-cloudwatch-logs-for-fluent-bit/issues/20, both on github.com."""
    routers = any(one.get("firelensConfiguration") for one in containers)
    senders = any((one.get("logConfiguration") or {}).get("logDriver") == "awsfirelens" for one in containers)
    if senders and not routers:
        yield Refusal(
            "log router",
            "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be "
            "configured in one of the containers.",
        )
    if routers and not senders:
        yield Refusal(
            "log router",
            "When a firelensConfiguration object is specified, at least one container has to be configured with the "
            "awsfirelens log driver.",
        )


def _restart(container: Request) -> Iterator[Refusal]:
    policy, source = container.get("restartPolicy") or {}, API + "API_ContainerRestartPolicy.html"
    period = policy.get("restartAttemptPeriod")
    if period is not None and not 60 <= int(period) <= 1800:
        yield Refusal("restart", "restartAttemptPeriod must be between 60 and 1800.", source=source)
    if len(policy.get("ignoredExitCodes") or ()) > 50:
        yield Refusal("restart", "ignoredExitCodes can have at most 50 items.", source=source)


def _log_driver(container: Request) -> Iterator[Refusal]:
    log = container.get("logConfiguration") or {}
    if log.get("logDriver") != "awslogs":
        return
    options: Request = log.get("options") or {}
    missing = [key for key in ("awslogs-group", "awslogs-region") if not options.get(key)]
    if missing:
        yield Refusal("awslogs options", f"Log driver awslogs requires options: {', '.join(missing)}")
    known = {
        "awslogs-group", "awslogs-region", "awslogs-stream-prefix", "awslogs-create-group", "awslogs-datetime-format",
        "awslogs-multiline-pattern", "mode", "max-buffer-size", "awslogs-endpoint", "awslogs-credentials-endpoint",
        "awslogs-stream", "tag", "awslogs-force-flush-interval-seconds", "awslogs-max-buffered-events",
        "awslogs-format",
    }  # fmt: skip
    unknown = [key for key in options if key not in known]
    if unknown:
        yield Refusal("awslogs options", f"Log driver awslogs disallows options: {', '.join(unknown)}")


def _environment(container: Request) -> Iterator[Refusal]:
    secrets: Sequence[Request] = container.get("secrets") or []
    plain = {one.get("name") for one in container.get("environment") or []}
    names = [one.get("name") for one in secrets]
    for name in dict.fromkeys(names):
        if name in plain or names.count(name) > 1:
            yield Refusal(
                "secret name",
                "The secret name must be unique and not shared with any new or existing environment variables set on "
                f"the container, such as '{name}'.",
            )
    for one in secrets:
        if not SECRET.fullmatch(str(one.get("valueFrom", ""))):
            yield Refusal("secret", f"Invalid valueFrom of the secret '{one.get('name')}'.")


def _health_check(container: Request) -> Iterator[Refusal]:
    check = container.get("healthCheck")
    if not check:
        return
    if not check.get("command"):
        yield Refusal("health command", "Health check command must not be empty.", source=API + "API_HealthCheck.html")
    for key, low, high in (("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)):
        value = check.get(key)
        if value is not None and not low <= int(value) <= high:
            words = f"Health check {key} must be between {low} and {high}."
            yield Refusal("health range", words, source=API + "API_HealthCheck.html")


def _resources(given: Request, containers: Sequence[Request]) -> Iterator[Refusal]:
    memory, cpu = memory_mib(given.get("memory")), cpu_units(given.get("cpu"))
    for one in containers:
        name, hard, soft = one.get("name"), one.get("memory"), one.get("memoryReservation")
        wrong = f"Invalid setting for container '{name}'."
        if not memory and hard is None and soft is None:
            yield Refusal("no memory", f"{wrong} At least one of 'memory' or 'memoryReservation' must be specified.")
        if hard is not None and int(hard) < 6:
            yield Refusal("too little memory", f"{wrong} The 'memory' must be at least 6 MiB.")
        if hard is not None and soft is not None and int(soft) > int(hard):
            yield Refusal("memory order", f"{wrong} The 'memory' must be greater than 'memoryReservation'.")
        if memory and hard is not None and int(hard) > memory:
            # Words: github.com/pulumi/pulumi-awsx/issues/1220.
            yield Refusal(
                "container memory", f"The 'memory' setting for container '{name}' is greater than for the task."
            )
    reserved = sum(int(one.get("memoryReservation") or one.get("memory") or 0) for one in containers)
    if memory and reserved > memory:
        words = "Total memory reserved by the containers must not exceed the task 'memory'."
        yield Refusal("reserved memory", f"Invalid 'memory' setting for task. {words}", source=PARAMETERS)
    if cpu and sum(int(one.get("cpu") or 0) for one in containers) > cpu:
        words = "Total cpu of the containers must not exceed the task 'cpu'."
        yield Refusal("container cpu", f"Invalid 'cpu' setting for task. {words}")


def _dependencies(containers: Sequence[Request]) -> Iterator[Refusal]:
    by_name = {str(one.get("name")): one for one in containers}
    for container in containers:
        for wanted in container.get("dependsOn") or []:
            other = by_name.get(str(wanted.get("containerName")))
            name = wanted.get("containerName")
            if other is None or other is container:
                yield Refusal("dependency", f"Container '{name}' in dependsOn is not defined in the task definition.")
            elif wanted.get("condition") == "HEALTHY" and not other.get("healthCheck"):
                yield Refusal(
                    "dependency health", f"Container '{name}' must have a healthCheck: a container waits for it."
                )
            elif wanted.get("condition") in ("COMPLETE", "SUCCESS") and is_essential(other):
                yield Refusal("dependency essential", f"Container '{name}' is essential: nothing can wait for its end.")
        for link in container.get("links") or []:
            if str(link).partition(":")[0] not in by_name:
                yield Refusal("link", f"Link '{link}' names no container of the task definition.")
        for source in container.get("volumesFrom") or []:
            if source.get("sourceContainer") not in by_name:
                yield Refusal("volumesFrom", f"volumesFrom names no container: '{source.get('sourceContainer')}'.")
    if _circular(by_name):
        yield Refusal("circular", "There is a circular dependency between the containers.")


def _circular(by_name: Mapping[str, Request]) -> bool:
    left = {
        name: {str(one.get("containerName")) for one in container.get("dependsOn") or []} & set(by_name) - {name}
        for name, container in by_name.items()
    }
    while left:
        free = {name for name, needs in left.items() if not needs & set(left)}
        if not free:
            return True
        left = {name: needs for name, needs in left.items() if name not in free}
    return False


def _volumes(given: Request, containers: Sequence[Request]) -> Iterator[Refusal]:
    names = [one.get("name") for one in given.get("volumes") or []]
    if len(names) != len(set(names)):
        yield Refusal("duplicate volume", "Volume names must be unique in a task definition.")
    for container in containers:
        for mount in container.get("mountPoints") or []:
            if mount.get("sourceVolume") not in names:
                yield Refusal("volume", f"Unknown volume '{mount.get('sourceVolume')}'.")
            if not mount.get("containerPath"):
                yield Refusal("mount path", "Mount point containerPath should not be null or empty.")
