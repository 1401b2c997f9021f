"""The `containers` fixture: what a grader may do with real containers, whose every "cannot" is not judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fargrade.backends.world import World
from fargrade.containers import BuildFailed, Engine, NoEngine, Ownership, Running, build, find_engine, run
from fargrade.containers.registry import Registry, start_registry


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

    def build(self, files: Mapping[str, bytes], *, bases: Iterable[str] = ()) -> Built:
        """Build the context, without a network; `bases` are the images that it starts from. Raises NoEngine."""
        try:
            return Built(build(self.owner, files, bases=bases))
        except BuildFailed as failed:
            return Built("", str(failed))

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
        world.control(
            "use_real_engine", address=self.engine.address, registry=registry.address, labels=self.owner.labels
        )
        try:
            yield registry
        finally:
            world.control("leave_real_engine")

    def truth(self, log: Iterable[Mapping[str, Any]]) -> None:
        """Raises NoEngine where an entry of the world's docker log was not done for real, and why."""
        for entry in log:
            if entry.get("unreal"):
                raise NoEngine(str(entry["unreal"]))

    def pull(self, registry: Registry, name: str, digest: str) -> str:
        """The image from the registry, by its digest: no image that happens to lie here."""
        return str(self.engine.client.images.pull(f"{registry.address}/{name}", tag=digest).id)

    def clear(self) -> None:
        """Remove all that was made until now."""
        self.owner.clear()


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
