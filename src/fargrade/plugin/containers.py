"""The `containers` fixture: what a grader may do with real containers, whose every "cannot" is not judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fargrade.containers import BuildFailed, Engine, NoEngine, Ownership, Running, build, find_engine, run


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
