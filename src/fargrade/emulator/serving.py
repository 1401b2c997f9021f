"""Who answers on which port: the seam between what runs (tasks, a grader's stand-ins) and what asks (load balancers,
health checks, a grader's requests).

A server is a function from a request to an answer, on a port of a network interface. What runs puts it there when it
begins to listen and takes it away when it ends; whatever depends on it is told of the change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fargrade.emulator.extensions import control_op, on_reset
from fargrade.semantics.network import Asked


@dataclass(frozen=True)
class Answer:
    """What came back: `by` tells what answered (image, task, container …); `seconds` is how long it took."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    by: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.01


Server = Callable[[Asked], Answer]
_servers: dict[tuple[str, int], Server] = {}
_watchers: list[Callable[[], None]] = []
_generation = 0


def listen(interface: str, port: int, server: Server) -> None:
    """From now on `server` answers on the port of the interface (its id)."""
    _servers[(interface, port)] = server
    changed()


def silence(interface: str, port: int | None = None) -> None:
    """Nothing answers any more on the port of the interface, or on any of its ports."""
    for key in [key for key in _servers if key[0] == interface and port in (None, key[1])]:
        del _servers[key]
    changed()


def answer(interface: str, port: int, asked: Asked) -> Answer | None:
    """What answers the request on that port; None where nothing listens."""
    server = _servers.get((interface, port))
    return server(asked) if server else None


def watch(function: Callable[[], None]) -> Callable[[], None]:
    """Call the function whenever what answers, or the way to it, may have changed."""
    _watchers.append(function)
    return function


def generation() -> int:
    """A number that is another one after anything that may have changed who reaches whom, or who answers what."""
    return _generation


def touched() -> None:
    """Something may have changed: a call that is not a mere reading was answered."""
    global _generation
    _generation += 1


def changed() -> None:
    """Something that decides who reaches whom, or who answers what, has changed."""
    touched()
    for watcher in _watchers:
        watcher()


@control_op("stand_in")
def stand_in(
    interface: str,
    port: int,
    *,
    answers: Mapping[str, int] | None = None,
    otherwise: int = 200,
    name: str = "stand-in",
    seconds: float = 0.01,
) -> None:
    """Have a stand-in answer on the port of the interface: `answers` by path, `otherwise` for any other.

    A status of 0 stands for silence: nothing comes back at all.
    """
    by_path = dict(answers or {})

    def serve(asked: Asked) -> Answer:
        status = by_path.get(asked.path, otherwise)
        return Answer(status, name, by={"name": name, "interface": interface}, seconds=seconds if status else 1e9)

    listen(interface, port, serve)


@control_op("silence")
def _silence(interface: str, port: int | None = None) -> None:
    silence(interface, port)


@on_reset
def _nobody() -> None:
    _servers.clear()
