"""ECS's things as they are kept: plain records, with what follows from their own fields alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fargrade.emulator.clock import Event
from fargrade.emulator.image_behaviour import Behaviour

Described = dict[str, Any]


# How long both revisions stay where a deployment that shifts traffic does not say: the reference of
# AWS::ECS::Service DeploymentConfiguration, BakeTimeInMinutes.
DEFAULT_BAKE_MINUTES = 15


@dataclass(eq=False)
class Definition:
    """A revision of a task definition: `given` is what describe returns of it, defaults filled in."""

    arn: str
    family: str
    revision: int
    given: Described
    registered: datetime
    status: str = "ACTIVE"
    deregistered: datetime | None = None
    tags: list[Described] = field(default_factory=list)

    @property
    def containers(self) -> list[Described]:
        found: list[Described] = self.given["containerDefinitions"]
        return found

    @property
    def mode(self) -> str:
        return str(self.given.get("networkMode") or "bridge")

    @property
    def name(self) -> str:
        return f"{self.family}:{self.revision}"


@dataclass(eq=False)
class Cluster:
    """A cluster with what is in it. Tasks are by id, services by name, container instances by id."""

    name: str
    arn: str
    region: str
    settings: list[Described] = field(default_factory=list)
    configuration: Described | None = None
    connect: Described | None = None
    providers: list[str] = field(default_factory=list)
    strategy: list[Described] = field(default_factory=list)
    tags: list[Described] = field(default_factory=list)
    status: str = "ACTIVE"
    tasks: dict[str, Task] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    instances: dict[str, ContainerInstance] = field(default_factory=dict)

    def live_tasks(self) -> list[Task]:
        return [one for one in self.tasks.values() if one.status != "STOPPED"]


@dataclass(eq=False)
class ContainerInstance:
    """An EC2 instance that joined a cluster: `total` and `left` are cpu units, MiB and the ports it can give."""

    id: str
    arn: str
    ec2_id: str
    cluster: Cluster
    zone: str
    instance_type: str
    cpu: int
    memory: int
    registered: datetime
    attributes: list[Described] = field(default_factory=list)
    status: str = "ACTIVE"
    connected: bool = True
    provider: str = ""
    tags: list[Described] = field(default_factory=list)
    version: int = 1

    def tasks(self) -> list[Task]:
        return [one for one in self.cluster.live_tasks() if one.instance is self]

    def ports(self) -> set[int]:
        """The host ports in use."""
        return {int(one["hostPort"]) for task in self.tasks() for box in task.containers for one in box.bindings}


@dataclass(eq=False)
class Container:
    """One container of a task. `given` is its definition with the task's overrides laid over it."""

    name: str
    arn: str
    image: str
    given: Described
    behaviour: Behaviour = field(default_factory=Behaviour)
    digest: str = ""
    runtime: str = ""
    status: str = "PENDING"
    exit_code: int | None = None
    reason: str = ""
    health: str = "UNKNOWN"
    failures: int = 0
    started: datetime | None = None
    listens_after: float = 0.0  # seconds from its start
    bindings: list[Described] = field(default_factory=list)
    log_stream: tuple[str, str, str] | None = None  # region, group, stream

    @property
    def essential(self) -> bool:
        return self.given.get("essential") is not False


@dataclass(eq=False)
class Task:
    """A task. `status` is where it is, `desired` where it shall be; `timers` are what is due to happen to it."""

    id: str
    arn: str
    cluster: Cluster
    definition: Definition
    created: datetime
    launch_type: str
    provider: str = ""
    platform: str = ""
    network: Described | None = None
    overrides: Described = field(default_factory=dict)
    group: str = ""
    started_by: str = ""
    tags: list[Described] = field(default_factory=list)
    execute: bool = False
    service: Service | None = None
    deployment: Deployment | None = None
    status: str = "PROVISIONING"
    desired: str = "RUNNING"
    containers: list[Container] = field(default_factory=list)
    instance: ContainerInstance | None = None
    interface: str = ""
    zone: str = ""
    attachment: Described | None = None
    stop_code: str = ""
    reason: str = ""
    pull_started: datetime | None = None
    pull_stopped: datetime | None = None
    connected: datetime | None = None
    started: datetime | None = None
    stopping_at: datetime | None = None
    ended: datetime | None = None
    stopped_at: datetime | None = None
    targets: list[tuple[str, str, int]] = field(default_factory=list)  # target group, id, port
    timers: list[Event] = field(default_factory=list)
    version: int = 1
    protected: datetime | None = None
    counted: bool = False  # its failure has been counted against its deployment

    @property
    def region(self) -> str:
        return self.cluster.region

    @property
    def fargate(self) -> bool:
        return self.launch_type == "FARGATE"

    @property
    def awsvpc(self) -> bool:
        return self.definition.mode == "awsvpc"

    @property
    def alive(self) -> bool:
        """Whether it runs or shall run: neither stopped nor on its way there."""
        return self.desired == "RUNNING" and self.status != "STOPPED"

    @property
    def running(self) -> bool:
        return self.alive and self.status == "RUNNING"

    def container(self, name: str) -> Container | None:
        return next((one for one in self.containers if one.name == name), None)

    def role(self, key: str) -> str:
        """`executionRoleArn` or `taskRoleArn`, an override before the definition's; "" without one."""
        return str(self.overrides.get(key) or self.definition.given.get(key) or "")


@dataclass(eq=False)
class Revision:
    """A service revision: all that a deployment brings out."""

    arn: str
    definition: Definition
    created: datetime
    launch_type: str
    strategy: list[Described]
    platform: str
    network: Described | None
    balancers: list[Described]
    more: Described = field(default_factory=dict)


@dataclass(eq=False)
class Deployment:
    """A deployment of a service: a revision, how many tasks it shall have, how it goes.

    `balancers` are the load balancers with the target groups that its own tasks are registered in.
    """

    id: str
    arn: str  # of the service deployment
    revision: Revision
    created: datetime
    updated: datetime
    status: str = "PRIMARY"
    desired: int = 0
    failed: int = 0
    streak: int = 0  # failures since the last task that ran well
    state: str = "IN_PROGRESS"
    reason: str = ""
    balancers: list[Described] = field(default_factory=list)
    sources: list[Revision] = field(default_factory=list)
    finished: datetime | None = None
    stage: str = ""
    outcome: str = ""  # the service deployment's status, where it is more than the rollout's
    rollback: Described | None = None
    breaker: str = "DISABLED"
    alarms: Described = field(default_factory=dict)  # what is watched of CloudWatch, and how that stands
    bakes_until: datetime | None = None
    weight: float = 100.0
    not_before: datetime | None = None
    hooks: list[Described] = field(default_factory=list)
    external: str = ""  # the task set's id, where CodeDeploy or another brings it out
    scale: float = 100.0
    tags: list[Described] = field(default_factory=list)  # of a task set
    green: bool = False


@dataclass(eq=False)
class Service:
    """A service. `given` is what was asked for, with defaults; deployments are newest first."""

    name: str
    arn: str
    cluster: Cluster
    given: Described
    created: datetime
    desired: int
    controller: str = "ECS"
    daemon: bool = False
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)
    history: list[Deployment] = field(default_factory=list)
    events: list[Described] = field(default_factory=list)
    tags: list[Described] = field(default_factory=list)
    due: Event | None = None
    steady: bool = False
    load: Described = field(default_factory=dict)
    deleted: datetime | None = None

    @property
    def region(self) -> str:
        return self.cluster.region

    @property
    def primary(self) -> Deployment | None:
        return next((one for one in self.deployments if one.status == "PRIMARY"), None)

    def tasks(self) -> list[Task]:
        """Its tasks that have not stopped."""
        return [one for one in self.cluster.live_tasks() if one.service is self]

    def tasks_of(self, deployment: Deployment) -> list[Task]:
        """Those of the deployment that run or shall run."""
        return [one for one in self.cluster.tasks.values() if one.deployment is deployment and one.alive]

    @property
    def settings(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.given.get("deploymentConfiguration") or {}
        return found

    @property
    def kind(self) -> str:
        """ROLLING, BLUE_GREEN, LINEAR or CANARY."""
        return str(self.settings.get("strategy") or "ROLLING")
