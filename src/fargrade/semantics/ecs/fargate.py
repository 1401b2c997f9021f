"""What Fargate does not allow in a task definition.

Source: "Amazon ECS task definition differences for Fargate" (developerguide/fargate-tasks-services.html) and
"Task definition parameters for Fargate"; words from AWS's own refusals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fargrade.semantics.ecs.images import parse_image
from fargrade.semantics.ecs.refusals import FARGATE_PARAMETERS, Refusal
from fargrade.semantics.ecs.sizes import LEAST_STORAGE, MOST_STORAGE, cpu_units, fargate_size, memory_mib

Request = Mapping[str, Any]
LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
NEVER = ("dnsServers", "dnsSearchDomains", "extraHosts", "hostname", "dockerSecurityOptions", "links")
CAPABILITIES = ("SYS_PTRACE",)


def fargate_rules(given: Request) -> Iterator[Refusal]:
    """Every refusal of Fargate's own, beyond what is refused of any task definition."""
    yield from _size(given)
    if given.get("networkMode") != "awsvpc":
        yield _no("network mode", "Fargate only supports network mode 'awsvpc'.")
    yield from _storage(given)
    yield from _task(given)
    containers: Sequence[Request] = given.get("containerDefinitions") or []
    for container in containers:
        yield from _container(container)
        yield from _log(container)
    if not given.get("executionRoleArn"):
        yield from _execution_role(containers)


def _no(rule: str, message: str) -> Refusal:
    return Refusal(rule, message, source=FARGATE_PARAMETERS)


def _size(given: Request) -> Iterator[Refusal]:
    missing = [key for key in ("cpu", "memory") if not given.get(key)]
    for key in missing:
        yield _no(f"{key} missing", f"Fargate requires that '{key}' be defined at the task level.")
    cpu, memory = cpu_units(given.get("cpu")), memory_mib(given.get("memory"))
    if not missing and cpu and memory and fargate_size(cpu, memory) is None:
        yield _no(
            "size",
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values.",
        )


def _storage(given: Request) -> Iterator[Refusal]:
    storage = given.get("ephemeralStorage")
    if not storage:
        return
    size = int(storage.get("sizeInGiB") or 0)
    if size < LEAST_STORAGE:
        yield _no("storage", f"EphemeralStorage size should be at least {LEAST_STORAGE}")
    elif size > MOST_STORAGE:
        yield _no("storage", f"EphemeralStorage size should be at most {MOST_STORAGE}")


def _task(given: Request) -> Iterator[Refusal]:
    if given.get("placementConstraints"):
        yield _no("placement", "Fargate compatible task definitions do not support placement constraints.")
    if given.get("ipcMode"):
        yield _no("ipcMode", "Fargate compatible task definitions do not support ipcMode.")
    if given.get("pidMode") == "host":
        yield _no(
            "pidMode",
            "Tasks using the Fargate launch type do not support pidMode 'host'. "
            "The supported value for pidMode is 'task'.",
        )
    if given.get("inferenceAccelerators"):
        yield _no("accelerators", "Fargate compatible task definitions do not support inferenceAccelerators.")
    for volume in given.get("volumes") or []:
        if (volume.get("host") or {}).get("sourcePath"):
            yield _no("host volume", "Fargate compatible task definitions do not support sourcePath")
        if volume.get("dockerVolumeConfiguration"):
            yield _no("docker volume", "Fargate compatible task definitions do not support dockerVolumeConfiguration.")


def _container(container: Request) -> Iterator[Refusal]:
    if container.get("privileged"):
        yield _no("privileged", "Fargate requires that the 'privileged' setting be 'false'")
    for key in NEVER:
        if container.get(key):
            yield _no(key, f"Fargate compatible task definitions do not support {key}.")
    if container.get("disableNetworking"):
        yield _no("disableNetworking", "Fargate compatible task definitions do not support disableNetworking.")
    if any(one.get("type") in ("GPU", "InferenceAccelerator") for one in container.get("resourceRequirements") or []):
        yield _no("gpu", "Fargate compatible task definitions do not support GPU resource requirements.")
    linux = container.get("linuxParameters") or {}
    added = (linux.get("capabilities") or {}).get("add") or []
    refused = [one for one in added if one not in CAPABILITIES]
    if refused:
        yield _no("capabilities", f"The following capabilities are not supported on Fargate: {', '.join(refused)}")
    for key in ("devices", "sharedMemorySize", "maxSwap", "swappiness"):
        if linux.get(key):
            yield _no(key, f"Fargate compatible task definitions do not support linuxParameters {key}.")
    limits = [str(one.get("name")) for one in container.get("ulimits") or [] if one.get("name") != "nofile"]
    if limits:
        yield _no("ulimits", f"Fargate compatible task definitions only support the nofile ulimit, not {limits[0]}.")


def _log(container: Request) -> Iterator[Refusal]:
    log = container.get("logConfiguration") or {}
    driver = log.get("logDriver")
    if driver and driver not in LOG_DRIVERS:
        yield _no("log driver", f"{driver} is not a valid log driver. Must be one of [{', '.join(LOG_DRIVERS)}]")
    if driver == "awslogs" and not (log.get("options") or {}).get("awslogs-stream-prefix"):
        yield _no(
            "stream prefix",
            "Fargate requires log configuration options to include awslogs-stream-prefix to support log driver "
            "awslogs.",
        )


def _execution_role(containers: Sequence[Request]) -> Iterator[Refusal]:
    words = "Fargate requires task definition to have execution role ARN to support {}."
    images = [parse_image(str(one.get("image", ""))) for one in containers]
    if any(image and image.private_ecr for image in images):
        yield _no("execution role", words.format("ECR images"))
    if any((one.get("logConfiguration") or {}).get("logDriver") == "awslogs" for one in containers):
        yield _no("execution role", words.format("log driver awslogs"))
    if any(one.get("secrets") or one.get("repositoryCredentials") for one in containers):
        yield _no("execution role", words.format("ECS secrets"))
