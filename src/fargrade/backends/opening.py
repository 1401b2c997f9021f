"""From what was asked for to a world: `backend=moto|localstack|aws|http://…`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fargrade.backends.costs import CEILING
from fargrade.backends.lacking import BackendProblem
from fargrade.course.language import translate as t

EMBEDDED = "moto"
MOST_DOLLARS = 100
NAMES = (EMBEDDED, "localstack", "aws")


@dataclass(frozen=True)
class Wanted:
    """Which backend to grade on. `account`, `ceiling` (dollars) and `estimate` are for a real account only."""

    backend: str = EMBEDDED
    account: str = ""
    region: str = ""
    ceiling: str = ""
    estimate: float = 0.0

    @property
    def embedded(self) -> bool:
        return self.backend == EMBEDDED

    @property
    def real(self) -> bool:
        """Whether it is AWS itself, whose answers need no control."""
        return self.backend == "aws"

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions named, the one to grade in first."""
        return tuple(one for one in self.region.replace(",", " ").split() if one)

    @property
    def dollars(self) -> float:
        """The ceiling. Raises BackendProblem: it is no amount."""
        try:
            amount = float(self.ceiling) if self.ceiling else CEILING
        except ValueError:
            amount = -1.0
        if not 0 <= amount <= MOST_DOLLARS:
            raise BackendProblem(
                t(
                    "The ceiling is an amount of dollars up to {most}, not {given!r}.",
                    most=MOST_DOLLARS,
                    given=self.ceiling,
                )
            )
        return amount

    def check(self) -> None:
        """Raises BackendProblem, in one sentence, for what cannot be meant."""
        if self.backend not in NAMES and not re.match(r"https?://", self.backend):
            raise BackendProblem(
                t(
                    "There is no backend {backend!r}: choose moto, localstack, aws or http://HOST:PORT.",
                    backend=self.backend,
                )
            )
        self.dollars  # noqa: B018 - it may be no amount
        if self.account and not re.fullmatch(r"\d{12}", self.account):
            raise BackendProblem(t("An account is named by its twelve digits, not {given!r}.", given=self.account))
        if self.real and not (self.account and self.regions):
            raise BackendProblem(
                t("A real account is used only by name: backend=aws account=123456789012 region=eu-central-1.")
            )


def open_world(wanted: Wanted, services: Iterable[str]) -> Any:
    """The world asked for, started or connected to. BackendProblem, in one sentence: it cannot be had."""
    wanted.check()
    if wanted.embedded:
        from fargrade.backends.embedded import EmbeddedWorld

        return EmbeddedWorld.start(services)
    if wanted.backend == "localstack":
        from fargrade.backends.localstack import LocalStackWorld

        return LocalStackWorld.start(services, region=(*wanted.regions, "us-east-1")[0])
    if wanted.real:
        from fargrade.backends.account import AccountWorld

        return AccountWorld.open_account(
            wanted.account, wanted.regions, ceiling=wanted.dollars, estimate=wanted.estimate
        )
    from fargrade.backends.endpoint import EndpointWorld

    return EndpointWorld.open(wanted.backend, services, region=(*wanted.regions, "us-east-1")[0])
