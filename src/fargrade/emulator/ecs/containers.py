"""What the containers of a task do while it runs: listen, answer, print, check their health, exit."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fargrade.emulator import clock, serving
from fargrade.emulator.ecs import interfaces, store
from fargrade.emulator.ecs.model import Container, Task
from fargrade.emulator.image_behaviour import seconds_to_listen
from fargrade.emulator.logs import store as logs
from fargrade.emulator.rules import account
from fargrade.semantics.network import Asked

LOCAL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(/[^\s\"'|;]*)?")
PORT = re.compile(r"(?:localhost|127\.0\.0\.1)[ :](\d+)")
DYNAMIC = range(32768, 61000)  # an instance's ephemeral ports: developerguide/task_definition_parameters.html, hostPort
LINE_MOST = 256 * 1024
Ended = Callable[[Task, Container, int, str], None]
Changed = Callable[[Task], None]


def start(task: Task, container: Container, ended: Ended, changed: Changed) -> None:
    """The container starts: `ended` is told of its end, `changed` when its health changes."""
    given, behaviour = container.given, container.behaviour
    container.status, container.started = "RUNNING", clock.now()
    container.listens_after = seconds_to_listen(behaviour, container.digest)
    container.runtime = f"{task.id}-{store.new_number(10)}"
    for line in behaviour.prints:
        log(container, line)
    names = {one["name"] for one in [*(given.get("environment") or []), *(given.get("secrets") or [])]}
    missing = [name for name in behaviour.needs if name not in names]
    limit = _memory_limit(task, given)
    if missing:
        log(container, f"error: the environment variable {missing[0]} is not set")
        _later(task, 1, lambda: ended(task, container, 1, ""))
        return
    if behaviour.memory and limit and behaviour.memory > limit:
        why = "OutOfMemoryError: Container killed due to memory usage"
        _later(task, 0.5, lambda: ended(task, container, 137, why))
        return
    if behaviour.exits is not None:
        code = behaviour.exits
        _later(task, behaviour.exits_after, lambda: ended(task, container, code, ""))
    _later(task, container.listens_after, lambda: listen(task, container))
    check = given.get("healthCheck")
    if check and (check.get("command") or ["NONE"])[0] != "NONE":
        _later(task, float(check.get("interval") or 30), lambda: _check(task, container, changed))


def _later(task: Task, seconds: float, do: Callable[[], None]) -> None:
    task.timers.append(clock.after(seconds, do))


def _memory_limit(task: Task, given: dict[str, Any]) -> int:
    return int(given.get("memory") or task.overrides.get("memory") or task.definition.given.get("memory") or 0)


# -- listening -----------------------------------------------------------------------------------------------


def ports(container: Container) -> list[int]:
    """The ports it listens on."""
    behaviour, given = container.behaviour, container.given
    if behaviour.port_from:
        values = {one["name"]: one["value"] for one in given.get("environment") or []}
        value = values.get(behaviour.port_from, "")
        return [int(value)] if value.isdigit() else list(behaviour.ports or ())
    if behaviour.ports is not None:
        return list(behaviour.ports)
    return [int(one["containerPort"]) for one in given.get("portMappings") or [] if one.get("containerPort")]


def listening(container: Container) -> bool:
    """Whether it has come as far as to listen."""
    since = container.started
    return (
        container.status == "RUNNING"
        and since is not None
        and (clock.now() - since).total_seconds() >= container.listens_after
    )


def listen(task: Task, container: Container) -> None:
    """Its ports answer from now on, on the task's own interface or on the instance's."""
    if container.status != "RUNNING":
        return
    for interface, port, inner in _places(task, container):
        serving.listen(interface, port, _server(task, container, inner))


def silence(task: Task, container: Container) -> None:
    """Its ports answer no more."""
    for interface, port, _ in _places(task, container):
        serving.silence(interface, port)


def _places(task: Task, container: Container) -> list[tuple[str, int, int]]:
    """(interface, port there, the container's port) of all that it listens on and that can be reached."""
    inside = ports(container)
    if task.awsvpc:
        return [(task.interface, port, port) for port in inside] if task.interface else []
    if task.instance is None:
        return []
    nic = interfaces.instance_interface(interfaces.ec2(task.region), task.instance.ec2_id)
    if nic is None:
        return []
    if task.definition.mode == "host":
        return [(nic.id, port, port) for port in inside]
    bound = {int(one["containerPort"]): int(one["hostPort"]) for one in container.bindings}
    return [(nic.id, bound[port], port) for port in inside if port in bound]


def _server(task: Task, container: Container, port: int) -> serving.Server:
    by = {
        "task": task.arn,
        "container": container.name,
        "image": container.image,
        "digest": container.digest,
        "taskDefinition": task.definition.arn,
        "deployment": task.deployment.id if task.deployment else "",
        "service": task.service.name if task.service else "",
        "port": str(port),
    }

    def serve(asked: Asked) -> serving.Answer:
        behaviour = container.behaviour
        return serving.Answer(behaviour.status(asked.path), behaviour.body or container.image, by=by)

    return serve


def bind(task: Task, container: Container, taken: set[int]) -> None:
    """Give the container's port mappings their host ports on the instance; dynamic ones where none is named."""
    for mapping in container.given.get("portMappings") or []:
        inner = int(mapping.get("containerPort") or 0)
        outer = int(mapping.get("hostPort") or 0)
        if task.definition.mode == "host":
            outer = inner
        elif not outer:
            outer = next(port for port in DYNAMIC if port not in taken)
        taken.add(outer)
        container.bindings.append(
            {
                "bindIP": "0.0.0.0",
                "containerPort": inner,
                "hostPort": outer,
                "protocol": mapping.get("protocol") or "tcp",
            }
        )


# -- health --------------------------------------------------------------------------------------------------


def _check(task: Task, container: Container, changed: Changed) -> None:
    check = container.given["healthCheck"]
    if container.status != "RUNNING":
        return
    before = container.health
    age = (clock.now() - (container.started or clock.now())).total_seconds()
    if passes(container):
        container.failures, container.health = 0, "HEALTHY"
    elif age > float(check.get("startPeriod") or 0):
        container.failures += 1
        if container.failures >= int(check.get("retries") or 3):
            container.health = "UNHEALTHY"
    if container.health != before:
        changed(task)
    if container.health == "UNKNOWN" or container.failures or not _settled(container):
        _later(task, float(check.get("interval") or 30), lambda: _check(task, container, changed))


def _settled(container: Container) -> bool:
    """Whether another check could change nothing: what it does is fixed until somebody changes it."""
    return container.health == "HEALTHY"


def look_again(task: Task, container: Container, changed: Changed) -> None:
    """What the container does has changed: its health is checked again, in its time."""
    check = container.given.get("healthCheck")
    if check and (check.get("command") or ["NONE"])[0] != "NONE":
        _later(task, float(check.get("interval") or 30), lambda: _check(task, container, changed))


def passes(container: Container) -> bool:
    """Whether the container's own health check passes, as far as its command's words tell.

    Source: API_HealthCheck.html: the command begins with CMD or CMD-SHELL; exit status 0 is healthy.
    """
    command = [str(one) for one in container.given["healthCheck"].get("command") or []]
    if command[:1] not in (["CMD"], ["CMD-SHELL"]) or not listening(container):
        return False
    words = " ".join(command[1:])
    open_ports = ports(container)
    found = LOCAL.search(words)
    if found:
        if int(found[1] or (443 if found[0].startswith("https") else 80)) not in open_ports:
            return False
        strict = "curl" not in words or re.search(r"\s(-\w*f\w*|--fail\S*)\b", words)
        return not strict or container.behaviour.status(found[2] or "/") < 400
    port = PORT.search(words)
    if port:
        return int(port[1]) in open_ports
    return not re.match(r"\s*(false|exit [1-9])", words)


# -- logs ----------------------------------------------------------------------------------------------------


def log(container: Container, line: str, moment: datetime | None = None) -> None:
    """The container prints a line: it goes to its log stream, if it has one."""
    if container.log_stream is None:
        return
    from moto.logs.models import logs_backends

    region, group, stream = container.log_stream
    held: Any = logs_backends[account()][region]
    if group not in held.groups or stream not in held.groups[group].streams:
        return
    when = int((moment or clock.now()).timestamp() * 1000)
    logs.write(region, group, stream, [{"timestamp": when, "message": line[:LINE_MOST]}])
