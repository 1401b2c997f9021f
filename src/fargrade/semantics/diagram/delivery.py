"""Who is who in a picture of container delivery, in English and Russian, and how the image travels through it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fargrade.semantics.diagram.graph import Edge, Graph, Node, reaches, way

DEVELOPER = re.compile(
    r"\bdev\b|\bdevs\b|developer|разраб|программист|engineer|инженер|programmer|\bcoder|laptop|ноутбук|workstation",
    re.I,
)
USERS = re.compile(
    r"\busers?\b|пользовател|юзер|\bclients?\b|клиент|customer|покупател|посетител|visitor|browser|браузер|audience",
    re.I,
)
ECR = re.compile(r"\becr\b|elastic container registry|container registry|реестр (?:контейнер|образ)", re.I)
ECS = re.compile(r"\becs\b|elastic container service", re.I)
EC2 = re.compile(r"\bec2\b", re.I)
FARGATE = re.compile(r"fargate|фаргейт", re.I)
TOWARDS = re.compile(r"\b(?:to|into|from|out of|в|из|с) (?:the |an? |our |private |amazon |aws )*$", re.I)
PULL = re.compile(r"\bpulls?\b|скачив|забира|тян|загружает из|получает", re.I)


def words(text: str) -> str:
    """The text with the joints of identifiers opened, so that ECS_EC2 and ecsOnFargate show their words."""
    opened = re.sub(r"([a-zа-я])([A-ZА-Я])", r"\1 \2", text)
    return re.sub(r"[_\-/.:]+", " ", opened)


@dataclass(frozen=True)
class Delivery:
    """The parts of the picture, as ids of nodes."""

    graph: Graph
    developers: frozenset[str]
    users: frozenset[str]
    registry: frozenset[str]
    on_ec2: frozenset[str]
    on_fargate: frozenset[str]

    def image_ways(self) -> list[tuple[str, str]]:
        """The steps that an image can take: along arrows, and against those that say "pull" """
        return list(self.graph.links(_image_way))

    def connections(self) -> list[tuple[str, str]]:
        """Every line, in both directions."""
        return list(self.graph.links(lambda _: (True, True)))

    def image_reaches(self, place: frozenset[str], other: frozenset[str]) -> bool:
        """Whether the image gets from the registry to `place`, not by way of the other launch type or a person."""
        closed = (other - place) | self.developers | self.users
        return reaches(self.image_ways(), self.registry, place, avoid=closed)

    def pushed(self) -> bool:
        """Whether the image gets from the developer to the registry, before it runs anywhere."""
        closed = self.on_ec2 | self.on_fargate | self.users
        return reaches(self.image_ways(), self.developers, self.registry, avoid=closed)

    def bypassed(self) -> list[str]:
        """What stands on a way from the developer to where containers run, around the registry; empty if none does."""
        closed = self.registry | self.users
        around = way(self.image_ways(), self.developers, self.on_ec2 | self.on_fargate, avoid=closed)
        return [self.graph.text(self.graph.nodes[name]) for name in around]

    def serves(self, place: frozenset[str], other: frozenset[str]) -> bool:
        """Whether the users are connected with `place`, not by way of registry, developer or the other launch type."""
        closed = (other - place) | self.registry | self.developers
        return reaches(self.connections(), self.users, place, avoid=closed)


def _image_way(edge: Edge) -> tuple[bool, bool]:
    """Along the arrow; where it says that somebody pulls, the image comes the other way, too."""
    pulls = bool(PULL.search(edge.label))
    return edge.forward or (pulls and edge.backward), edge.backward or (pulls and edge.forward)


def delivery(graph: Graph) -> Delivery:
    """Recognise the parties of the picture by what nodes, and the boxes around them, are called."""
    said = {node.id: words(_said(graph, node)) for node in graph.nodes.values()}
    registry = {name for name, text in said.items() if _is_registry(text)}
    near_ecs = _near_ecs(graph, said)

    def runs(kind: re.Pattern[str]) -> frozenset[str]:
        return frozenset(
            name for name, text in said.items() if name not in registry and name in near_ecs and kind.search(text)
        )

    ec2, fargate = runs(EC2), runs(FARGATE)
    people = set(said) - registry - ec2 - fargate
    return Delivery(
        graph=graph,
        developers=frozenset(name for name in people if DEVELOPER.search(said[name])),
        users=frozenset(name for name in people if USERS.search(said[name]) and not DEVELOPER.search(said[name])),
        registry=frozenset(registry),
        on_ec2=ec2,
        on_fargate=fargate,
    )


def _is_registry(text: str) -> bool:
    """Whether a node is ECR: not where somebody else is named first who pushes *to* it or pulls *from* it."""
    others = [match.start() for kind in (DEVELOPER, ECS) for match in kind.finditer(text)]
    return any(
        not (TOWARDS.search(text[: match.start()]) and any(other < match.start() for other in others))
        for match in ECR.finditer(text)
    )


def _said(graph: Graph, node: Node) -> str:
    """A node's label, and where that leaves the kind open, its box's: a "Service" in a box "Fargate" runs there."""
    own = graph.text(node)
    kinds = (EC2, FARGATE, ECR, DEVELOPER, USERS)
    if any(kind.search(words(own)) for kind in kinds):
        return own
    inner = [graph.groups.get(group, "") for group in node.groups if not ECS.search(graph.groups.get(group, ""))]
    named = [
        graph.groups.get(group, "")
        for group in node.groups
        if EC2.search(graph.groups.get(group, "")) or FARGATE.search(graph.groups.get(group, ""))
    ]
    return " ".join([own, *(named or inner)])


def _near_ecs(graph: Graph, said: dict[str, str]) -> set[str]:
    """The nodes that belong to ECS: by their own words, by a box around them, or as a neighbour of an ECS node."""
    direct = {
        name for name, text in said.items() if ECS.search(text) or ECS.search(words(graph.context(graph.nodes[name])))
    }
    neighbours = {
        one for a, b in graph.links(lambda _: (True, True)) for one, other in ((a, b), (b, a)) if other in direct
    }
    return direct | neighbours
