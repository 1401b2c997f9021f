"""The embedded backend: a World on the emulator's process. The grader's clients reach it without HTTP."""

from __future__ import annotations

import io
import itertools
import random
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fargrade.backends import rights
from fargrade.backends.world import WorldFault
from fargrade.emulator.process import EmulatorFault, EmulatorProcess, EmulatorRefused
from fargrade.emulator.recording import RecordedCall
from fargrade.semantics.iam import Decision, Role

if TYPE_CHECKING:
    import botocore.session

    from fargrade.backends.network import Served
    from fargrade.semantics.network import Network

ACCOUNT = "123456789012"
REGION = "us-east-1"
KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class EmbeddedWorld:
    """A world in a process of its own, emptied for each item."""

    def __init__(self, services: tuple[str, ...], region: str) -> None:
        self._services = services
        self._process = EmulatorProcess.start(services, region=region)
        self.region = region
        self.account = ACCOUNT
        # It cannot be guessed: whoever runs with a role's session has no way to this one.
        self._key = "AKIA" + "".join(secrets.choice(KEY_LETTERS) for _ in range(16))
        self._clients: dict[tuple[str, str], Any] = {}
        self._content = itertools.count()

    @classmethod
    def start(cls, services: Iterable[str], *, region: str = REGION) -> EmbeddedWorld:
        """Start the process; returns at once."""
        return cls(tuple(services), region)

    @property
    def real(self) -> bool:
        return False

    def named(self, name: str) -> str:
        return name

    @property
    def registry(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self._key,
            "AWS_SECRET_ACCESS_KEY": "learner-of-fargrade",
        }

    def client(self, service: str, region: str | None = None) -> Any:
        key = (service, region or self.region)
        if key not in self._clients:
            from botocore.config import Config

            from fargrade.emulator.services import BY_MODEL

            client = _session().create_client(
                service,
                region_name=region or BY_MODEL[service].only_region or self.region,
                aws_access_key_id="AKIAIOSFODNN7GRADER",
                aws_secret_access_key="grader",
                endpoint_url="http://world.invalid",
                config=Config(user_agent="fargrade"),  # botocore makes up its own anew for each call: a quarter of it
            )
            client.meta.events.register("before-send", self._send)
            self._clients[key] = client
        return self._clients[key]

    def _send(self, request: Any, **_: Any) -> Any:
        """botocore's before-send hook: the answer comes over the control channel instead of HTTP."""
        from botocore.awsrequest import AWSResponse
        from botocore.compat import HTTPHeaders

        address = urlsplit(request.url)
        path = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
        headers = {str(k): v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
        with _faults():
            status, answered, content = self._process.send(request.method, path, headers, body)
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(answered), _Raw(content))

    def calls(self, service: str | None = None, operation: str | None = None) -> list[RecordedCall]:
        with _faults():
            calls = self._process.calls()
        return [
            call
            for call in calls
            if (service is None or call.service == service) and (operation is None or call.operation == operation)
        ]

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
        digest: str = self.control(
            "push_image",
            repository=repository,
            tags=list(tags),
            region=region or self.region,
            content=f"image {next(self._content)}" if content is None else content,
            pushed_at=pushed_at.timestamp() if pushed_at else None,
            size=size,
            architecture=architecture,
            children=list(children) or None,
            behaviour=dict(behaviour) if behaviour is not None else None,
        )["digest"]
        return digest

    def seed_findings(
        self, repository: str, digest: str, findings: Sequence[Mapping[str, Any]], *, status: str = "COMPLETE"
    ) -> None:
        self.control(
            "seed_findings",
            repository=repository,
            digest=digest,
            findings=[dict(one) for one in findings],
            region=self.region,
            status=status,
        )

    def issued_token(self, password: str) -> str | None:
        registry: str | None = self.control("issued_token", password=password)
        return registry

    def request(
        self, url: str, *, source: str = "internet", method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Served:
        from fargrade.backends.network import served

        told = self.control(
            "request", url=url, region=self.region, source=source, method=method, headers=dict(headers or {})
        )
        return served(told)

    def stand_in(
        self,
        interface: str,
        port: int,
        *,
        answers: Mapping[str, int] | None = None,
        otherwise: int = 200,
        name: str = "stand-in",
    ) -> None:
        self.control(
            "stand_in", interface=interface, port=port, answers=dict(answers or {}), otherwise=otherwise, name=name
        )

    def network(self) -> Network:
        from fargrade.backends.network import read_network

        return read_network(self.client, self.region)

    def load(
        self, cluster: str, service: str, cpu: Sequence[float | None], memory: Sequence[float | None] = ()
    ) -> datetime:
        began: str = self.control(
            "load", region=self.region, cluster=cluster, service=service, cpu=list(cpu), memory=list(memory)
        )
        return datetime.fromisoformat(began)

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
        self.control(
            "measure",
            region=self.region,
            namespace=namespace,
            name=metric,
            dimensions=dict(dimensions),
            at=(at or self.now()).timestamp(),
            value=value,
            unit=unit,
        )

    def advance(self, seconds: float) -> datetime:
        return datetime.fromisoformat(self.control("advance", seconds=seconds))

    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("now"))

    def docker_log(self) -> list[dict[str, Any]]:
        log: list[dict[str, Any]] = self.control("docker_log")
        return log

    def role(self, name: str) -> Role:
        return rights.read_role(self, name)

    def decide(
        self,
        role: str | Role,
        action: str,
        resource: str = "*",
        context: Mapping[str, str | Sequence[str]] | None = None,
    ) -> Decision:
        return rights.decide(self, role, action, resource, context)

    def task_environment(self, role: str) -> Mapping[str, str]:
        path = self.control("task_credentials", role=role, region=self.region)
        return {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{{endpoint}}{path}",
        }

    def identity_token(self, issuer: str, subject: str, audience: str = "sts.amazonaws.com", **claims: str) -> str:
        token: str = self.control("identity_token", issuer=issuer, subject=subject, audience=audience, claims=claims)
        return token

    def control(self, operation: str, **arguments: Any) -> Any:
        from botocore.exceptions import ClientError

        try:
            with _faults():
                return self._process.control(operation, **arguments)
        except EmulatorRefused as refused:
            said: Any = {
                "Error": {"Code": refused.code, "Message": str(refused)},
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
            raise ClientError(said, operation) from None

    def reset(self, seed: int = 0, region: str = "") -> None:
        self._content = itertools.count()
        _session()  # imported while the process, if this is its first reset, still starts
        with _faults():
            self.account = str(random.Random(seed).randrange(10**11, 10**12))
            self.region = region or REGION
            self._process.reset(seed, self.account, self._key, self.region)

    def listen(self, listening: socket.socket | None = None) -> int:
        """Serve learners on the socket handed over, else on loopback; returns the port. Raises WorldFault."""
        with _faults():
            return self._process.listen(listening)

    def close_listeners(self) -> None:
        """Serve no learner any more. Raises WorldFault."""
        with _faults():
            self._process.close_listeners()

    def faults(self) -> list[str]:
        """What the emulator could not do since the reset, a sentence each: never the learner's doing."""
        with _faults():
            return self._process.faults()

    def describe(self) -> dict[str, Any]:
        """Nothing beyond its name."""
        return {}

    def restart(self) -> None:
        """Replace the process, dead or alive, by a new one; reset it, and listen again, before use."""
        self._process.close()
        self._process = EmulatorProcess.start(self._services, region=self.region)

    def close(self) -> None:
        """End the process."""
        self._process.close()


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except EmulatorFault as fault:
        raise WorldFault(str(fault)) from None


@lru_cache(maxsize=1)
def _session() -> botocore.session.Session:
    """One session for all of the grader's clients: its loader's cache is what makes a client cheap."""
    import botocore.session

    return botocore.session.Session()


class _Raw(io.BytesIO):
    """The body as urllib3 would hand it to botocore."""

    def stream(self, amount: int = 65536, **_: Any) -> Iterator[bytes]:
        while part := self.read(amount):
            yield part
