"""What a grader may ask of the world its item runs in, whatever the backend."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fargrade.backends.network import Served
    from fargrade.semantics.network import Network

from fargrade.semantics.iam import Decision, Role


class WorldFault(Exception):
    """A fault of the backend's: what was graded on it is not judged, never failed."""


class CallView(Protocol):
    """A recorded call of the learner's."""

    @property
    def number(self) -> int: ...

    @property
    def service(self) -> str: ...

    @property
    def operation(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, Any]: ...

    @property
    def status(self) -> int: ...

    @property
    def error(self) -> str: ...

    @property
    def message(self) -> str: ...

    @property
    def region(self) -> str: ...

    @property
    def ok(self) -> bool: ...

    def summary(self) -> str: ...


class World(Protocol):
    """A fresh world. `environment` is what the learner's code finds in its environment."""

    account: str
    region: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What the learner's code finds in its environment, as in a shell that is logged in to AWS."""

    @property
    def real(self) -> bool:
        """Whether this is AWS itself, where nothing can be made up: no key that is not there, no time that passes."""

    def named(self, name: str) -> str:
        """The name to give to what is made: on a real account it says whose it is, elsewhere it is `name`."""

    @property
    def registry(self) -> str:
        """The private registry's host: ACCOUNT.dkr.ecr.REGION.amazonaws.com."""

    def client(self, service: str, region: str | None = None) -> Any:
        """The grader's own boto3 client."""

    def calls(self, service: str | None = None, operation: str | None = None) -> Sequence[CallView]:
        """The learner's calls, in order."""

    def push_image(
        self,
        repository: str,
        tags: Sequence[str] = (),
        *,
        pushed_at: datetime | None = None,
        content: str | None = None,
        size: int = 50_000_000,
        architecture: str = "amd64",
        children: Sequence[str] = (),
        behaviour: Mapping[str, Any] | None = None,
        region: str = "",
    ) -> str:
        """Push an image (or an index of `children`) to the world's region, or another; returns its digest.

        Raises botocore's ClientError.

        `behaviour` is what it does when a container runs it: `ports`, `answers` (status by path), `otherwise`, `body`,
        `ready_after`, `exits`, `exits_after`, `prints`, `needs`, `memory`, `port_from`. Without it, it listens on the
        ports that its container maps and answers 200 to everything.
        """

    def seed_findings(
        self, repository: str, digest: str, findings: Sequence[Mapping[str, Any]], *, status: str = "COMPLETE"
    ) -> None:
        """Make the image's scan come to these findings; an empty status means never scanned."""

    def issued_token(self, password: str) -> str | None:
        """The registry host that a login password was issued for, None if it never was."""

    def request(
        self, url: str, *, source: str = "internet", method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Served:
        """What a client gets that asks for the URL: from the internet, or from an interface in the VPC (its id)."""

    def stand_in(
        self,
        interface: str,
        port: int,
        *,
        answers: Mapping[str, int] | None = None,
        otherwise: int = 200,
        name: str = "stand-in",
    ) -> None:
        """Have something answer on the port of a network interface: a status by path, `otherwise` for any other."""

    def network(self) -> Network:
        """The region's network and load balancers as they are described now, to ask who reaches whom."""

    def load(
        self, cluster: str, service: str, cpu: Sequence[float | None], memory: Sequence[float | None] = ()
    ) -> datetime:
        """Put a service under load from the next whole minute on, which is returned: ECS publishes what comes of it.

        A value a minute, None where nothing is measured; in task-CPUs (and tasks' memory): 3.0 fills three tasks.
        """

    def measure(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        value: float,
        *,
        at: datetime | None = None,
        unit: str = "None",
    ) -> None:
        """Have an AWS service publish one measurement (AWS/… namespaces take no PutMetricData)."""

    def advance(self, seconds: float) -> datetime:
        """Let `seconds` pass in the world, with all that comes due in them; returns its time."""

    def now(self) -> datetime:
        """The time in the world."""

    def docker_log(self) -> list[dict[str, Any]]:
        """What the learner's code asked of the docker engine, in order."""

    def role(self, name: str) -> Role:
        """The role with this name or ARN, with all that is attached. Raises botocore's ClientError: NoSuchEntity."""

    def decide(
        self,
        role: str | Role,
        action: str,
        resource: str = "*",
        context: Mapping[str, str | Sequence[str]] | None = None,
    ) -> Decision:
        """Whether a session of `role` may do `action` on `resource`, by all policies there are in this world."""

    def task_environment(self, role: str) -> Mapping[str, str]:
        """What a container of a task with the task role `role` (ARN) finds in its environment: no keys, but where its
        credentials are; `{endpoint}` stands for the world's address. Raises botocore's ClientError: it is not assumed.
        """

    def identity_token(self, issuer: str, subject: str, audience: str = "sts.amazonaws.com", **claims: str) -> str:
        """A token that the OIDC provider `issuer` (https://…) gives to `subject`, for AssumeRoleWithWebIdentity."""

    def control(self, operation: str, **arguments: Any) -> Any:
        """An operation of this backend's own."""

    def reset(self, seed: int = 0, region: str = "") -> None:
        """Make the world anew; in `region`, where the backend can choose."""


class OpenWorld(World, Protocol):
    """A world as whoever opened it sees it: what serves learners, and how it ends."""

    def listen(self, listening: socket.socket | None = None) -> int:
        """Serve learners on the socket handed over, else on loopback; returns the port. Raises WorldFault."""

    def close_listeners(self) -> None:
        """Serve no learner any more. Raises WorldFault."""

    def faults(self) -> list[str]:
        """What the backend could not do since the reset, a sentence each: never the learner's doing."""

    def describe(self) -> dict[str, Any]:
        """For grade.json: where this world is and what it lacks; nothing for the embedded one."""

    def close(self) -> None:
        """End it, with all that was started for it."""
