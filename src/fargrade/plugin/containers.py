"""The `containers` fixture: what a grader may do with real containers, whose every "cannot" is not judged."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fargrade.backends.world import World
from fargrade.containers import BuildFailed, Engine, NoEngine, Ownership, Running, build, find_engine, run
from fargrade.containers.proxy import Proxy
from fargrade.containers.registry import Registry, start_registry
from fargrade.containers.running import Answered, http_get
from fargrade.containers.tasks import AGENT_IMAGE, RealTask, start_task
from fargrade.course.language import translate as t

# What code in a container is given of the grader's own environment.
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
SERVICES_IN_CONTAINERS = ("s3", "sts", "sso", "sso-oidc", "logs", "xray", "ssm", "secretsmanager", "dynamodb")


@dataclass(frozen=True)
class Built:
    """What building came to: the image, or the builder's last words in `problem`."""

    image: str
    problem: str = ""


class Containers:
    """Real containers of one grading. Everything they make is gone when the grading ends, however it ends."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.owner = Ownership(engine)
        self._registry: Registry | None = None
        self._front = 0

    def build(self, files: Mapping[str, bytes], *, bases: Iterable[str] = ()) -> Built:
        """Build the context, without a network; `bases` are the images that it starts from. Raises NoEngine."""
        try:
            return Built(build(self.owner, files, bases=bases))
        except BuildFailed as failed:
            return Built("", str(failed))

    def python(self, files: Mapping[str, bytes], *, boto3: bool = False, command: Sequence[str] = ()) -> str:
        """An image of `files` in /app on Python, with the grader's own boto3 where asked: a build has no network."""
        packages = BOTO3 if boto3 else ()
        start = [f"CMD {json.dumps(list(command))}"] if command else []
        context = {f"app/{name}": content for name, content in files.items()}
        context |= {f"packages/{name}": content for name, content in own_packages(packages).items()}
        lines = [f"FROM {AGENT_IMAGE}", "WORKDIR /app", "ENV PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/packages"]
        lines += ["COPY packages /opt/packages"] if packages else []
        context["Dockerfile"] = "\n".join([*lines, "COPY app /app", "USER 10001", *start, ""]).encode()
        made = self.build(context, bases=[AGENT_IMAGE])
        if made.problem:  # an engine that another grading cleans up on may lose a layer: once more, then
            made = self.build(context, bases=[AGENT_IMAGE])
        if made.problem:
            raise NoEngine(t("A container of ours cannot be made here: {why}", why=made.problem))
        return made.image

    def task(
        self,
        definition: Mapping[str, Any],
        world: World,
        *,
        images: Mapping[str, str],
        role: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> RealTask:
        """Start the task of `definition`, with the session of `role` at 169.254.170.2 and the world's AWS in reach.

        `images` are those that its references mean here; any other is the engine's own. `environment` overrides what
        the containers are told. Raises NoEngine.
        """
        told = {one["name"]: one for one in (definition["containerDefinitions"][0].get("environment") or ())}
        told |= {name: {"name": name, "value": value} for name, value in (environment or {}).items()}
        first, *others = definition["containerDefinitions"]
        changed = {**definition, "containerDefinitions": [{**first, "environment": list(told.values())}, *others]}
        return start_task(
            self.owner,
            changed,
            image=lambda reference: images.get(reference) or self.engine.image(reference).id,
            environment={"AWS_REGION": world.region, "AWS_DEFAULT_REGION": world.region},
            credentials=session_of(world, role) if role else None,
            listen=getattr(world, "listen", None),
        )

    def ship(self, task: RealTask, world: World, name: str) -> None:
        """Put what the task's containers wrote where their awslogs driver would, as the task `name`."""
        task.ship(lambda region: world.client("logs", region), name, world.now().timestamp())

    def proxy(self, targets: Iterable[tuple[str, int]]) -> Proxy:
        """A real proxy in the load balancer's place: before these addresses and ports."""
        return Proxy(targets)

    def through(self, proxy: Proxy, path: str, *, times: int) -> list[Answered | None]:
        """What clients of the proxy get, one after the other, once its targets had a moment to come up."""
        until = time.monotonic() + 15
        while proxy.targets and time.monotonic() < until and _got(proxy, path, ok=True) is None:
            time.sleep(0.1)
        return [_got(proxy, path) for _ in range(times)]

    def run(
        self, image: str, command: Sequence[str] | None = None, *, environment: Mapping[str, str] | None = None
    ) -> Running:
        """Start a container of the image, within limits and in a network of its own. Raises NoEngine."""
        return run(self.owner, image, command, environment=environment)

    @contextmanager
    def behind(self, world: World) -> Iterator[Registry]:
        """Meanwhile the world's docker is a real engine's, and its registry a real one. Raises NoEngine.

        What the world could not do for real, for reasons of this machine, is not judged: see `Delivery.log`'s
        `unreal`, which `truth` looks for.
        """
        registry = self._registry = self._registry or start_registry(self.owner)
        on = world.control(
            "use_real_engine", address=self.engine.address, registry=registry.address, labels=self.owner.labels
        )
        self._front = int(on["front"])
        try:
            yield registry
        finally:
            world.control("leave_real_engine")

    def truth(self, log: Iterable[Mapping[str, Any]]) -> None:
        """Raises NoEngine where an entry of the world's docker log was not done for real, and why."""
        for entry in log:
            if entry.get("unreal"):
                raise NoEngine(str(entry["unreal"]))

    def push(self, world: World, image: str, repository: str, tag: str) -> str:
        """Push `image` with the world's own login, as CI does, while the world is `behind`: its true digest there.

        Raises NoEngine where the push does not arrive.
        """
        token = world.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
        login = {"username": "AWS", "password": b64decode(token).decode().partition(":")[2]}
        where = f"127.0.0.1:{self._front}/{world.account}/{world.region}/{repository}"
        self.engine.client.api.tag(image, where, tag)
        digest, problem = "", ""
        for said in self.engine.client.api.push(where, tag=tag, stream=True, decode=True, auth_config=login):
            problem = str(said.get("error", "")) or problem
            digest = str((said.get("aux") or {}).get("Digest", "")) or digest
        if problem or not digest:
            raise NoEngine(t("The Docker engine refused: {why}", why=problem))
        return digest

    def pull(self, registry: Registry, name: str, digest: str) -> str:
        """The image from the registry, by its digest: no image that happens to lie here."""
        return str(self.engine.client.images.pull(f"{registry.address}/{name}", tag=digest).id)

    def clear(self) -> None:
        """Remove all that was made until now."""
        self.owner.clear()


def _got(proxy: Proxy, path: str, *, ok: bool = False) -> Answered | None:
    try:
        answer = http_get("127.0.0.1", proxy.port, path)
    except OSError:
        return None
    return answer if not ok or answer.status == 200 else None


def session_of(world: World, role: str) -> dict[str, Any]:
    """The credentials that ECS gives a task with this role, in the agent's own form, from where the world has them."""
    where = str(world.task_environment(role)["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    path = where.removeprefix("{endpoint}")
    listen: Callable[[], int] = world.listen  # type: ignore[attr-defined]
    answer = http_get("127.0.0.1", listen(), path)
    found: dict[str, Any] = json.loads(answer.body)
    return found


@lru_cache(maxsize=4)
def own_packages(names: tuple[str, ...]) -> dict[str, bytes]:
    """The files of pure Python packages as they are installed here, by path; of botocore's data some services'."""
    found: dict[str, bytes] = {}
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue
        place = Path(spec.origin)
        files = [place] if place.name != "__init__.py" else sorted(place.parent.rglob("*"))
        above = place.parent if place.name != "__init__.py" else place.parent.parent
        for file in files:
            path = file.relative_to(above)
            if file.is_file() and file.suffix != ".pyc" and _wanted(path):
                found[str(path)] = file.read_bytes()
    return found


def _wanted(path: Path) -> bool:
    parts = path.parts
    return parts[:2] != ("botocore", "data") or len(parts) == 3 or parts[2] in SERVICES_IN_CONTAINERS


class EngineOnDemand:
    """Finds the engine when a check first asks for it, and remembers how that went."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._containers: Containers | None = None
        self.problem = ""

    def containers(self) -> Containers:
        """The grading's containers. Raises NoEngine, each time, where none can be had."""
        if self.problem:
            raise NoEngine(self.problem)
        if self._containers is None:
            try:
                engine = find_engine(self._mode)
                engine.client.ping()
            except NoEngine as lacking:
                self.problem = str(lacking)
                raise
            self._containers = Containers(engine)
        return self._containers

    def as_json(self) -> dict[str, Any]:
        """For grade.json: which engine was used, or why none was; nothing where no check asked."""
        if self.problem:
            return {"containers": "", "containers_note": self.problem}
        return {"containers": self._containers.engine.address} if self._containers else {}

    def clear(self) -> None:
        """Remove all that was made until now; what this process still makes, its reaper removes after it."""
        if self._containers is not None:
            self._containers.clear()


@lru_cache(maxsize=3)
def engine_on_demand(mode: str) -> EngineOnDemand:
    """This process's engine: one, with one reaper, for all of its gradings (verify, watch)."""
    return EngineOnDemand(mode)
