"""A World at an endpoint that is there already: another emulator, LocalStack, or (backends.account) AWS itself.

What it can do is asked of it, not assumed: its health, and one cheap read per service. What it lacks raises Lacking.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fargrade.backends import rights
from fargrade.backends.forwarder import Forwarder
from fargrade.backends.lacking import BackendProblem, ability, missing_service, unsupported
from fargrade.backends.upstream import Keys, Upstream
from fargrade.backends.world import WorldFault
from fargrade.course.language import translate as t
from fargrade.emulator.errors import Response
from fargrade.emulator.recording import RecordedCall
from fargrade.semantics.iam import Decision, Role

if TYPE_CHECKING:
    from fargrade.semantics.network import Network

REGION = "us-east-1"
HEALTH = "/_localstack/health"
RESETS = ("/_localstack/state/reset", "/_ministack/reset", "/moto-api/reset")
TIME = "/_fargrade/time"
PROBE_SECONDS = 5
SLOW_SECONDS = 300.0
NO_DOCKER = "docker: the course's docker works with the embedded backend only (backend=moto)\n"
KEYS = Keys("test", "test")  # what LocalStack and its like take
# One cheap read per service of the course: nothing but whether it is there.
READS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "ecr": ("describe_repositories", {}),
    "ecr-public": ("describe_repositories", {}),
    "sts": ("get_caller_identity", {}),
    "iam": ("list_roles", {}),
    "ecs": ("list_clusters", {}),
    "ec2": ("describe_vpcs", {}),
    "elbv2": ("describe_load_balancers", {}),
    "application-autoscaling": ("describe_scalable_targets", {"ServiceNamespace": "ecs"}),
    "cloudwatch": ("describe_alarms", {}),
    "logs": ("describe_log_groups", {}),
    "xray": ("get_groups", {}),
    "s3": ("list_buckets", {}),
    "codebuild": ("list_projects", {}),
    "codepipeline": ("list_pipelines", {}),
    "codedeploy": ("list_applications", {}),
    "codeconnections": ("list_connections", {}),
    "events": ("list_rules", {}),
    "ssm": ("describe_parameters", {}),
    "secretsmanager": ("list_secrets", {}),
}


class EndpointWorld:
    """A world behind `url`. `name` is the backend's, for messages."""

    def __init__(self, url: str, *, name: str = "", region: str = REGION, keys: Keys = KEYS) -> None:
        self.url = url.rstrip("/")
        self.name = name or self.url
        self.region = region
        self.account = ""
        self.health: dict[str, Any] = {}
        self.lacking: dict[str, str] = {}
        self._keys = keys
        self._clients: dict[tuple[str, str], Any] = {}
        self._tokens: dict[str, str] = {}
        self._upstream = Upstream(self.url, lambda: self._keys)
        self._forwarder = Forwarder(self._upstream.send, region, watch=self._watch, route=self._route)
        self._moves = False
        self._content = 0
        self._reset_path: str | None = None

    @classmethod
    def open(cls, url: str, services: Iterable[str] = (), **options: Any) -> EndpointWorld:
        """The world at `url`, probed for what it can do. Raises BackendProblem, in one sentence, where none is."""
        where = urlsplit(url)
        if where.scheme not in ("http", "https") or not where.hostname:
            raise BackendProblem(t("{url} is no endpoint: write backend=http://HOST:PORT.", url=url))
        world = cls(url, **options)
        world.probe(services)
        return world

    def probe(self, services: Iterable[str] = ()) -> None:
        """Ask for its health, who we are, and one read of each service. Raises BackendProblem: nothing answers."""
        try:
            status, body = self._plain("GET", HEALTH)
        except OSError as error:
            why = getattr(error, "strerror", None) or error
            raise BackendProblem(t("Nothing answers at {url}: {why}.", url=self.url, why=why)) from None
        if status == 200:
            try:
                self.health = dict(json.loads(body))
            except ValueError:
                self.health = {}
        self._moves = self._time(0) is not None
        self.account = self._who_we_are()
        for service in sorted(set(services)):
            self.lacks(service)

    def _who_we_are(self) -> str:
        try:
            return str(self._client("sts", self.region).get_caller_identity()["Account"])
        except Exception as error:  # whatever it is, there is no grading without it
            raise BackendProblem(
                t("{url} does not say which account it is (sts GetCallerIdentity): {why}", url=self.url, why=error)
            ) from None

    def lacks(self, service: str) -> str:
        """Why the service is not to be had here; "" where it is. Asked once."""
        if service not in self.lacking:
            read, parameters = READS.get(service, ("", {}))
            self.lacking[service] = ""
            if read:
                region = REGION if service == "ecr-public" else self.region
                try:
                    getattr(self._client(service, region), read)(**parameters)
                except Exception as error:  # a refusal that AWS could give means that the service is there
                    self.lacking[service] = unsupported(error)
        return self.lacking[service]

    def _time(self, seconds: float) -> datetime | None:
        """Move the endpoint's clock, where it is our own emulator's; None where there is no such thing."""
        try:
            status, body = self._plain("POST", TIME, json.dumps({"seconds": seconds}).encode())
            return datetime.fromtimestamp(float(json.loads(body)["now"]), UTC) if status == 200 else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _route(self, path: str, body: bytes) -> Response:
        """What learners ask beside AWS (their sleep, their docker): our own emulator knows it, another does not."""
        if not self._moves:
            return Response(501, {}, json.dumps({"exit": 125, "stderr": NO_DOCKER}).encode())
        try:
            status, answer = self._plain("POST", path, body)
        except OSError as error:
            return Response(503, {}, json.dumps({"exit": 125, "stderr": f"{error}\n"}).encode())
        return Response(status, {"Content-Type": "application/json"}, answer)

    @property
    def wall_seconds(self) -> float:
        """How long a learner's code may take: where a clock cannot be moved, waiting takes as long as it takes."""
        return 20.0 if self._moves else SLOW_SECONDS

    def advance(self, seconds: float) -> datetime:
        if not self._moves:
            raise ability("advance", self.name)
        moved = self._time(seconds)
        if moved is None:
            raise WorldFault(t("{url} no longer answers", url=self.url))
        return moved

    def _plain(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """A request of no AWS protocol. Raises OSError."""
        where = urlsplit(self.url)
        kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        connection = kind(where.hostname or "", where.port, timeout=PROBE_SECONDS)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read(1 << 20)
        except http.client.HTTPException as error:
            raise OSError(str(error) or type(error).__name__) from None
        finally:
            connection.close()

    def describe(self) -> dict[str, Any]:
        """For grade.json: where this is, what it says of itself, and what it lacks."""
        return {
            "url": self.url,
            "edition": str(self.health.get("edition", "")),
            "version": str(self.health.get("version", "")),
            "account": self.account,
            "region": self.region,
            "services": {service: why or "available" for service, why in self.lacking.items()},
        }

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
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7LEARNER",
            "AWS_SECRET_ACCESS_KEY": "learner-of-fargrade",
            **({} if self._moves else {"FARGRADE_TIME": "real", "AWS_MAX_ATTEMPTS": "5"}),
        }

    def client(self, service: str, region: str | None = None) -> Any:
        if why := self.lacks(service):
            raise missing_service(service, self.name, why)
        return self._client(service, region or self.region)

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = self._new_client(service, region)
        return self._clients[service, region]

    def _new_client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        config = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}, **path_style(service))
        return _session().create_client(
            service,
            region_name=region,
            endpoint_url=self.url or None,
            aws_access_key_id=self._keys.access,
            aws_secret_access_key=self._keys.secret,
            aws_session_token=self._keys.token or None,
            config=config,
        )

    def calls(self, service: str | None = None, operation: str | None = None) -> list[RecordedCall]:
        return [
            call
            for call in self._forwarder.calls()
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
        """As a push would, through ECR's own calls; a past and a size cannot be made here (the size is ignored).

        What a container of it does cannot be said here either: it holds no program.
        """
        if pushed_at is not None or children:
            raise ability("push_image", self.name)
        if behaviour is not None:
            raise ability("behaviour", self.name)
        del size
        self._content += 1
        from fargrade.backends.pushing import push

        content = content if content is not None else f"image {self._content} of {datetime.now(UTC).isoformat()}"
        return push(self.client("ecr", region or None), repository, tags, content, architecture)

    def issued_token(self, password: str) -> str | None:
        return self._tokens.get(password)

    def _watch(self, call: RecordedCall, response: Response) -> None:
        """Remember the logins that ECR issued to the learner: whether one leaks is a question of checks."""
        if call.operation != "GetAuthorizationToken" or not call.ok:
            return
        try:
            issued = json.loads(response.body)["authorizationData"]
            for one in issued if isinstance(issued, list) else [issued]:
                password = base64.b64decode(one["authorizationToken"]).decode().partition(":")[2]
                self._tokens[password] = str(one.get("proxyEndpoint", "")).removeprefix("https://")
        except (ValueError, KeyError, TypeError):
            return

    def now(self) -> datetime:
        return (self._time(0) if self._moves else None) or datetime.now(UTC)

    def network(self) -> Network:
        from fargrade.backends.network import read_network

        return read_network(self.client, self.region)

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

    def __getattr__(self, name: str) -> Any:
        """An ability of the embedded world's: there is nothing here to do it with."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise ability(name, self.name)

    def reset(self, seed: int = 0, region: str = "") -> None:
        """Empty the world, where the endpoint can; where not, what is made has random names, and stays."""
        del seed, region
        self._forwarder.forget()
        self._tokens.clear()
        try:
            if self._reset_path is None:
                paths = [path for path in RESETS if self._plain("POST", path)[0] == 200]
                self._reset_path = paths[0] if paths else ""
            elif self._reset_path:
                self._plain("POST", self._reset_path)
            if self._reset_path:
                self.account = self._who_we_are()
        except OSError as error:
            raise WorldFault(f"{self.url}: {error}") from None

    def listen(self, listening: socket.socket | None = None) -> int:
        """Serve learners on the socket handed over, else on loopback; returns the port."""
        return self._forwarder.listen(listening)

    def close_listeners(self) -> None:
        """Serve no learner any more."""
        self._forwarder.close_listeners()

    def faults(self) -> list[str]:
        """Nothing that it says of itself: what an endpoint cannot do, its answers say."""
        return []

    def restart(self) -> None:
        """An endpoint is not ours to start again. Raises WorldFault."""
        raise WorldFault(t("{url} no longer answers", url=self.url))

    def close(self) -> None:
        """Serve nobody; the endpoint itself stays as it is."""
        self._forwarder.close_listeners()


def path_style(service: str) -> dict[str, Any]:
    """S3 at an endpoint without names below it: the bucket stands in the path."""
    return {"s3": {"addressing_style": "path"}} if service == "s3" else {}


@lru_cache(maxsize=1)
def _session() -> Any:
    import botocore.session

    return botocore.session.Session()
