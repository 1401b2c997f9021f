"""A diagram as a directed graph: nodes with labels, groups around them, edges with labels. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field


class DiagramError(Exception):
    """The text is no diagram that can be read: `line` (0 where it is the whole) and why.

    `why` is a template with `values` to fill in, so that it can be translated before it is filled.
    """

    def __init__(self, line: int, why: str, **values: object) -> None:
        filled = why.format(**values)
        super().__init__(f"line {line}: {filled}" if line else filled)
        self.line = line
        self.why = why
        self.values = values


@dataclass
class Node:
    """A node; `groups` are the ids of the groups around it, the outermost first."""

    id: str
    label: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """A line between two nodes or groups. `forward` and `backward` say at which ends it has a head."""

    source: str
    target: str
    label: str = ""
    forward: bool = True
    backward: bool = False


@dataclass
class Graph:
    """Nodes and groups by id, and edges between them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    group_parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def node(self, name: str, label: str = "", groups: tuple[str, ...] = ()) -> Node:
        """The node called `name`, made on first mention; a later label replaces the id that stood for one."""
        found = self.nodes.setdefault(name, Node(name, name))
        if label:
            found.label = label
        if groups and len(groups) > len(found.groups):
            found.groups = groups
        return found

    def text(self, node: Node) -> str:
        """What the node says of itself."""
        return node.label if node.label != node.id else node.id

    def context(self, node: Node) -> str:
        """What stands on the groups around it."""
        return " ".join(self.groups.get(group, "") for group in node.groups)

    def members(self, name: str) -> list[str]:
        """The nodes that `name` means: itself, or all nodes of the group of that name, however deep.

        An arrow to or from a box is an arrow to or from everything in it: so people draw it.
        """
        if name in self.groups:
            inside = [node.id for node in self.nodes.values() if name in node.groups]
            return inside or [name]
        return [name]

    def links(self, forward: Callable[[Edge], tuple[bool, bool]]) -> Iterator[tuple[str, str]]:
        """Every step (from, to) that the edges allow; `forward` says of an edge whether it leads on, and back."""
        for edge in self.edges:
            onward, back = forward(edge)
            for source in self.members(edge.source):
                for target in self.members(edge.target):
                    if onward:
                        yield source, target
                    if back:
                        yield target, source


def reaches(
    links: Iterable[tuple[str, str]], start: Iterable[str], goal: Iterable[str], avoid: Iterable[str] = ()
) -> bool:
    """Whether a way leads from any of `start` to any of `goal` without passing through `avoid`."""
    return bool(way(links, start, goal, avoid))


def way(
    links: Iterable[tuple[str, str]], start: Iterable[str], goal: Iterable[str], avoid: Iterable[str] = ()
) -> list[str]:
    """The nodes of a shortest way from any of `start` to any of `goal` around `avoid`; empty where there is none."""
    steps: dict[str, list[str]] = {}
    for source, target in links:
        steps.setdefault(source, []).append(target)
    goals, closed = set(goal), set(avoid)
    ways = [[name] for name in sorted(start)]
    seen = {name for (name,) in ways}
    for walked in ways:
        for following in steps.get(walked[-1], ()):
            if following in goals:
                return [*walked, following]
            if following not in seen and following not in closed:
                seen.add(following)
                ways.append([*walked, following])
    return []
