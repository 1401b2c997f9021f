"""Runs a task definition with real containers, as Fargate would: one network for all, in order, within its sizes.

What comes back is shaped as DescribeTasks has it. Sources, in docs.aws.amazon.com/AmazonECS/latest/developerguide:
task_definition_parameters.html (what each setting means), stopped-task-error-codes.html (`stoppedReason`'s words).
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fargrade.containers.agent import AGENT
from fargrade.containers.finding import NoEngine
from fargrade.containers.ownership import Ownership
from fargrade.containers.running import (
    MEMORY,
    READY_SECONDS,
    Answered,
    Running,
    address_in,
    http_get,
    limits,
    own_network,
)
from fargrade.course.language import translate as t
from fargrade.semantics.ecs import cpu_units, memory_mib

AGENT_IMAGE = "python:3.12-slim"
AGENT_ADDRESS = "169.254.170.2"  # where every SDK in a task asks
AGENTS_SUBNET, AGENTS_GATEWAY = "169.254.170.0/24", "169.254.170.1"
TASKS_RANGE = "169.254.170.128/25"  # else a task might be given .2
NETWORK_SECONDS = 60.0
CREDENTIALS_PATH = "/v2/credentials/task"
MEBIBYTE = 1 << 20
MOST_MEMORY = 1 << 30
WAIT_SECONDS = 60.0
STOP_SECONDS = 5
START_SECONDS = 5
RETRIES = 3  # API_HealthCheck.html
CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
ESSENTIAL = "Essential container in task exited"
Listen = Callable[[socket.socket], int]


@dataclass
class Member:
    """A container of the task: its definition and, once it was created, itself. `reason` is what ECS says of it.

    `sick`: its health check has failed too often, whatever the engine still forgives.
    """

    definition: Mapping[str, Any]
    running: Running | None = None
    reason: str = ""
    sick: bool = False

    @property
    def name(self) -> str:
        return str(self.definition["name"])

    @property
    def essential(self) -> bool:
        return self.definition.get("essential", True) is not False

    def state(self) -> Mapping[str, Any]:
        """The engine's own view of it; empty before it was created."""
        if self.running is None:
            return {}
        self.running.container.reload()
        found: Mapping[str, Any] = self.running.container.attrs["State"]
        return found

    def health(self) -> str:
        """UNKNOWN without a health check, and until the first one has decided."""
        if self.sick:
            return "UNHEALTHY"
        status = str(self.state().get("Health", {}).get("Status", ""))
        return {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}.get(status, "UNKNOWN")

    def meets(self, condition: str) -> bool | None:
        """Whether it has come to `condition`; None where it never can any more."""
        state = self.state()
        ended = bool(state) and not state.get("Running") and state.get("Status") != "created"
        if condition == "START":
            return bool(state) and state.get("Status") != "created"
        if condition == "COMPLETE":
            return ended
        if condition == "SUCCESS":
            return (True if state.get("ExitCode") == 0 else None) if ended else False
        return None if ended or self.health() == "UNHEALTHY" else self.health() == "HEALTHY"

    def as_json(self) -> dict[str, Any]:
        """As in DescribeTasks."""
        state = self.state()
        said: dict[str, Any] = {
            "name": self.name,
            "image": self.definition["image"],
            "lastStatus": "RUNNING" if state.get("Running") else "STOPPED" if state or self.reason else "PENDING",
            "healthStatus": self.health(),
        }
        if state and not state.get("Running") and state.get("Status") != "created":
            said["exitCode"] = int(state["ExitCode"])
            if state.get("OOMKilled"):
                said["reason"] = "OutOfMemoryError: Container killed due to memory usage"
        if self.reason:
            said["reason"] = self.reason
        return said


@dataclass
class Tries:
    """A container's health checks since the first look, of which the engine keeps the last five."""

    _known: set[str] | None = None
    _failed: int = 0

    def failed(self, state: Mapping[str, Any]) -> int:
        """How many in a row have failed, those that were over at the first look left out."""
        log = (state.get("Health") or {}).get("Log") or []
        known = self._known if self._known is not None else {one["Start"] for one in log}
        for one in log:
            if one["Start"] not in known:
                self._failed = self._failed + 1 if one["ExitCode"] else 0
        self._known = known | {one["Start"] for one in log}
        return self._failed


@dataclass
class RealTask:
    """A task of real containers. `address` is its one interface's, reached from this machine alone."""

    members: list[Member]
    address: str = ""
    stopped_reason: str = ""
    stop_code: str = ""
    _pause: Any = None
    _network: Any = None
    _beside: list[Any] = field(default_factory=list)

    def __getitem__(self, name: str) -> Member:
        return next(member for member in self.members if member.name == name)

    def look(self) -> None:
        """Do what ECS does when it sees an essential container ended: stop the others."""
        if self.stopped_reason:
            return
        for member in self.members:
            state = member.state()
            if member.essential and state.get("Status") == "exited":
                self.stop(ESSENTIAL, "EssentialContainerExited")
                return

    def remove(self) -> None:
        """End it without ceremony, and give its network back."""
        for container in [*(one.running.container for one in self.members if one.running), self._pause, *self._beside]:
            container.remove(force=True, v=True)
        self._network.remove()

    def stop(self, reason: str, code: str = "UserInitiated") -> None:
        """SIGTERM, then SIGKILL after each container's stopTimeout; `reason` becomes stoppedReason."""
        self.stopped_reason, self.stop_code = reason, code
        for member in reversed(self.members):
            if member.running is not None:
                grace = min(int(member.definition.get("stopTimeout") or STOP_SECONDS), STOP_SECONDS)
                member.running.container.stop(timeout=grace)
        if self._pause is not None:
            self._pause.stop(timeout=0)

    def describe(self) -> dict[str, Any]:
        """As DescribeTasks has it: lastStatus, healthStatus, containers with their exit codes, stoppedReason."""
        self.look()
        healths = [member.health() for member in self.members if member.essential]
        health = "UNHEALTHY" if "UNHEALTHY" in healths else "HEALTHY" if set(healths) == {"HEALTHY"} else "UNKNOWN"
        said = {
            "lastStatus": "STOPPED" if self.stopped_reason else "RUNNING",
            "healthStatus": health,
            "containers": [member.as_json() for member in self.members],
        }
        if self.stopped_reason:
            said |= {"stoppedReason": self.stopped_reason, "stopCode": self.stop_code}
        return said

    def wait(self, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """Wait until it has stopped, or `seconds` are over; what it is then."""
        until = time.monotonic() + seconds
        while (found := self.describe())["lastStatus"] != "STOPPED" and time.monotonic() < until:
            time.sleep(0.05)
        return found

    def wait_healthy(self, seconds: float = WAIT_SECONDS) -> bool:
        """Whether it became healthy in time; at once no, where nothing checks its health or the check has decided.

        To be asked of a task that has come up: what startPeriod forgives is over, and failures count.
        """
        checked = [member for member in self.members if member.definition.get("healthCheck")]
        tries = {member.name: Tries() for member in checked}
        until = time.monotonic() + seconds
        while checked and time.monotonic() < until:
            found = self.describe()
            if found["healthStatus"] == "HEALTHY":
                return True
            if found["lastStatus"] == "STOPPED" or found["healthStatus"] == "UNHEALTHY":
                return False
            for member in checked:
                retries = int(member.definition["healthCheck"].get("retries") or RETRIES)
                state = member.state()
                unknown = bool(state.get("Running")) and "Health" not in state  # a command that begins with no CMD
                member.sick = member.sick or unknown or tries[member.name].failed(state) >= retries
            time.sleep(0.1)
        return False

    def ask(self, path: str = "/", *, port: int, seconds: float = READY_SECONDS) -> Answered | None:
        """Its answer to GET `path` on `port`, tried until something listens; None where nothing came."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                return http_get(self.address, port, path)
            except OSError:
                self.look()
                if self.stopped_reason:
                    return None
                time.sleep(0.05)
        return None

    def log(self, name: str) -> str:
        """What a container wrote."""
        running = self[name].running
        return running.log() if running else ""

    def ship(self, logs: Callable[[str], Any], task: str, when: float) -> None:
        """What the awslogs driver does: put each container's lines into the stream PREFIX/CONTAINER/TASK of its group.

        `logs` gives a client of CloudWatch Logs in a region. What the driver does not find, it leaves unshipped:
        docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html.
        """
        for member in self.members:
            configured = member.definition.get("logConfiguration") or {}
            options = configured.get("options") or {}
            lines = self.log(member.name).splitlines()
            if configured.get("logDriver") != "awslogs" or not options.get("awslogs-group") or not lines:
                continue
            client = logs(str(options.get("awslogs-region", "")))
            group, stream = options["awslogs-group"], f"{options.get('awslogs-stream-prefix', '')}/{member.name}/{task}"
            try:
                client.create_log_stream(logGroupName=group, logStreamName=stream.lstrip("/"))
                events = [{"timestamp": int(when * 1000), "message": line} for line in lines]
                client.put_log_events(logGroupName=group, logStreamName=stream.lstrip("/"), logEvents=events)
            except client.exceptions.ResourceNotFoundException:
                continue


def start_task(
    owner: Ownership,
    definition: Mapping[str, Any],
    *,
    image: Callable[[str], str],
    environment: Mapping[str, str] | None = None,
    credentials: Mapping[str, Any] | None = None,
    listen: Listen | None = None,
) -> RealTask:
    """Start the task that `definition` (as RegisterTaskDefinition takes it) describes.

    `image` gives the image here that a reference means; `credentials` are the task role's, answered at 169.254.170.2;
    `listen` has AWS answer on a socket in the task's own network, which AWS_ENDPOINT_URL names.
    Raises NoEngine: this machine cannot do it. What cannot be started is a task that stopped, with its reason.
    """
    owner.begin()
    engine = owner.engine
    if not engine.near:
        raise NoEngine(
            t("This engine runs in a machine of its own, whose containers cannot be asked from here: use Linux or WSL.")
        )
    engine.image(AGENT_IMAGE)
    network = _agents_network(owner) if credentials else own_network(owner, f"task-{time.monotonic_ns()}")
    network.reload()
    gateway = network.attrs["IPAM"]["Config"][0]["Gateway"]
    inside = dict(environment or {})
    beside = []
    if credentials:
        answers = json.dumps({CREDENTIALS_PATH: dict(credentials)})
        beside.append(_started(owner, "agent", answers, network, address=AGENT_ADDRESS))
        inside["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = CREDENTIALS_PATH
    if listen is not None:
        with socket.create_server((gateway, 0)) as listening:
            inside["AWS_ENDPOINT_URL"] = f"http://{gateway}:{listen(listening)}"
    pause = _started(owner, "task", "", network)
    members = [Member(one) for one in definition["containerDefinitions"]]
    task = RealTask(members, address_in(pause, network.name), _pause=pause, _network=network, _beside=beside)
    _start_in_order(owner, task, definition, image, inside)
    return task


def _agents_network(owner: Ownership) -> Any:
    """A network in which 169.254.170.2 can be had: one at a time on an engine, so another grading's is waited for."""
    import docker

    pool = docker.types.IPAMPool(subnet=AGENTS_SUBNET, iprange=TASKS_RANGE, gateway=AGENTS_GATEWAY)
    until = time.monotonic() + NETWORK_SECONDS
    while True:
        try:
            return owner.engine.client.networks.create(
                f"fargrade-{owner.run}-agents-{time.monotonic_ns()}",
                driver="bridge",
                internal=True,
                labels=owner.labels,
                ipam=docker.types.IPAMConfig(pool_configs=[pool]),
            )
        except docker.errors.APIError as error:
            said = str(error.explanation or error)
            if "overlap" not in said.lower() or time.monotonic() > until:
                raise NoEngine(t("A task's network cannot be made here: {why}", why=said)) from None
            time.sleep(0.2)


def _started(owner: Ownership, what: str, argument: str, network: Any, *, address: str = "") -> Any:
    """A container of ours that runs AGENT, ready; at `address` of the network, where one is given."""
    import docker

    settings: dict[str, Any] = {"network": network.name}
    if address:
        settings["networking_config"] = {network.name: docker.types.EndpointConfig("1.41", ipv4_address=address)}
    container = owner.engine.client.containers.create(
        AGENT_IMAGE,
        ["python3", "-I", "-c", AGENT, what, argument],
        user="0",
        labels=owner.labels,
        **settings,
        **limits(),
    )
    try:
        container.start()
    except docker.errors.APIError as error:
        raise NoEngine(t("A task's network cannot be made here: {why}", why=error.explanation or error)) from None
    until = time.monotonic() + 15
    while b"ready" not in container.logs():
        container.reload()
        if container.status == "exited" or time.monotonic() > until:
            said = container.logs(tail=3).decode("utf-8", "replace").strip()
            raise NoEngine(t("A task's network cannot be made here: {why}", why=said))
        time.sleep(0.03)
    container.reload()
    return container


def _start_in_order(
    owner: Ownership,
    task: RealTask,
    definition: Mapping[str, Any],
    image: Callable[[str], str],
    environment: Mapping[str, str],
) -> None:
    """Start each container once what it depends on has come to its condition (dependsOn)."""
    waiting = list(task.members)
    until = time.monotonic() + WAIT_SECONDS
    while waiting and not task.stopped_reason:
        for member in list(waiting):
            ready = _ready(task, member)
            if ready:
                _create(owner, task, member, definition, image(str(member.definition["image"])), environment)
                waiting.remove(member)
            elif ready is None or time.monotonic() > until:
                member.reason = "Dependency was not met"
                task.stop("Task failed to start", "TaskFailedToStart")
                return
        task.look()
        time.sleep(0.02 if waiting else 0)


def _ready(task: RealTask, member: Member) -> bool | None:
    """Whether all it depends on is as it must be; None where it never will be."""
    met = [task[one["containerName"]].meets(one["condition"]) for one in member.definition.get("dependsOn") or ()]
    return None if None in met else all(met)


def _create(
    owner: Ownership,
    task: RealTask,
    member: Member,
    definition: Mapping[str, Any],
    image: str,
    environment: Mapping[str, str],
) -> None:
    import docker

    settings = {**limits(*_sizes(definition, member.definition)), **_settings(member.definition)}
    given = {one["name"]: one["value"] for one in member.definition.get("environment") or ()}
    try:
        container = owner.engine.client.containers.create(
            image,
            member.definition.get("command") or None,
            environment={**environment, **given},
            labels=owner.labels,
            network_mode=f"container:{task._pause.id}",
            **settings,
        )
        member.running = Running(container, task.address)
        container.start()
    except docker.errors.APIError as error:
        said = str(error.explanation or error)
        member.reason = f"CannotStartContainerError: Error response from daemon: {said}"
        if member.essential:
            task.stop("Task failed to start", "TaskFailedToStart")


def _sizes(definition: Mapping[str, Any], container: Mapping[str, Any]) -> tuple[int, float]:
    """(memory in bytes, processors): the container's own limits, else the task's."""
    memory = int(container.get("memory") or memory_mib(definition.get("memory")) or 0) * MEBIBYTE or MEMORY
    cpus = (cpu_units(definition.get("cpu")) or container.get("cpu") or 1024) / 1024
    return min(memory, MOST_MEMORY), min(max(cpus, 0.1), 2.0)


def _settings(container: Mapping[str, Any]) -> dict[str, Any]:
    """The container definition's other settings, as docker-py's create takes them."""
    settings: dict[str, Any] = {}
    if container.get("entryPoint"):
        settings["entrypoint"] = list(container["entryPoint"])
    for key, name in (("user", "user"), ("workingDirectory", "working_dir")):
        if container.get(key):
            settings[name] = container[key]
    if container.get("readonlyRootFilesystem"):
        settings["read_only"] = True
    if container.get("healthCheck"):
        settings["healthcheck"] = _health_check(container["healthCheck"])
    if (container.get("linuxParameters") or {}).get("initProcessEnabled"):
        settings["init"] = True
    if container.get("cpu"):
        settings["cpu_shares"] = max(2, int(container["cpu"]))
    mounts = [one["containerPath"] for one in container.get("mountPoints") or () if one.get("containerPath")]
    if mounts:
        settings["tmpfs"] = dict.fromkeys(mounts, "size=64m")
    return settings


def _health_check(given: Mapping[str, Any]) -> dict[str, Any]:
    """Docker's form of it, with API_HealthCheck.html's defaults; no interval is longer here than half a second.

    Some seconds to start in are given to all: three tries that AWS spreads over a minute and a half are over here in
    two seconds, which a busy machine may take to start what is right.
    """
    second = 10**9
    return {
        "test": list(given["command"]) if isinstance(given["command"], Sequence) else given["command"],
        "interval": second // 2,
        "timeout": int(given.get("timeout") or 5) * second,
        "retries": int(given.get("retries") or RETRIES),
        "start_period": max(int(given.get("startPeriod") or 0), START_SECONDS) * second,
    }
