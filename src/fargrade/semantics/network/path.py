"""The answer to every question about a network: the hops on the way, and the one where it stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "source",
    "dns",
    "gateway",
    "public address",
    "route",
    "network acl",
    "security group",
    "nat gateway",
    "endpoint",
    "load balancer",
    "listener",
    "rule",
    "target group",
    "target",
]


@dataclass(frozen=True)
class Hop:
    """One place on the way, by its id or name. `passed` is None where it cannot be told from the description.

    `why` says what decided, as a template that `values` fill in after its translation; `decided_by` is the
    rule, route or entry itself, as described (None for the absence of any).
    """

    kind: Kind
    subject: str
    passed: bool | None
    why: str
    values: Mapping[str, object] = field(default_factory=dict)
    decided_by: Mapping[str, Any] | None = None

    @property
    def said(self) -> str:
        """`why` in English, filled in."""
        return self.why.format(**self.values)


@dataclass(frozen=True)
class Path:
    """The hops from one end towards the other, in order; after the one that stops it there is none."""

    hops: tuple[Hop, ...]

    @property
    def open(self) -> bool:
        """Whether it leads through."""
        return bool(self.hops) and all(hop.passed for hop in self.hops)

    @property
    def undecided(self) -> bool:
        """Whether it stops where the description cannot tell."""
        return bool(self.hops) and self.hops[-1].passed is None

    @property
    def stopped(self) -> Hop | None:
        """The hop where it stops, None for an open path."""
        return next((hop for hop in self.hops if not hop.passed), None)

    def __add__(self, more: Path) -> Path:
        """This path and, if it is open, `more` behind it."""
        return Path(self.hops + more.hops) if self.open or not self.hops else self

    def lines(self) -> list[str]:
        """The hops as text, one each."""
        mark = {True: "✓", False: "✗", None: "?"}
        return [f"{mark[hop.passed]} {hop.kind} {hop.subject}: {hop.said}" for hop in self.hops]


def walk(hops: Iterable[Hop]) -> Path:
    """The hops up to and with the first that does not let through; the rest is never asked."""
    taken: list[Hop] = []
    for hop in hops:
        taken.append(hop)
        if not hop.passed:
            break
    return Path(tuple(taken))
