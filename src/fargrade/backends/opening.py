"""From what was asked for to a world: `backend=moto|localstack|aws|http://…`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fargrade.backends.lacking import BackendProblem
from fargrade.course.language import translate as t

EMBEDDED = "moto"
NAMES = (EMBEDDED, "localstack", "aws")


@dataclass(frozen=True)
class Wanted:
    """Which backend to grade on. `account`, `region` and `ceiling` (dollars) are for a real account only."""

    backend: str = EMBEDDED
    account: str = ""
    region: str = ""
    ceiling: str = ""

    @property
    def embedded(self) -> bool:
        return self.backend == EMBEDDED

    @property
    def real(self) -> bool:
        """Whether it is AWS itself, whose answers need no control."""
        return self.backend == "aws"

    def check(self) -> None:
        """Raises BackendProblem, in one sentence, for what cannot be meant."""
        if self.backend not in NAMES and not re.match(r"https?://", self.backend):
            raise BackendProblem(
                t(
                    "There is no backend {backend!r}: choose moto, localstack, aws or http://HOST:PORT.",
                    backend=self.backend,
                )
            )
        if self.real and not (self.account and self.region):
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

        return LocalStackWorld.start(services, region=wanted.region or "us-east-1")
    if wanted.real:
        raise BackendProblem(t("A real account cannot be used by this version yet."))
    from fargrade.backends.endpoint import EndpointWorld

    return EndpointWorld.open(wanted.backend, services, region=wanted.region or "us-east-1")
