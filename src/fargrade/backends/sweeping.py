"""Removes what a run made on a real account, and proves by listing that nothing is left, or says what is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fargrade.backends.belongings import KINDS, Kind

ROUNDS = 8
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# Already gone, by the words that the services have for it.
REFUSED_ROUNDS = 2
REFUSED = ("AccessDenied", "UnauthorizedOperation", "not authorized")
GONE = ("NotFound", "NoSuch", "DoesNotExist", "ClusterNotFoundException", "ServiceNotActive", "InactiveCluster")
ClientOf = Callable[[str, str], Any]


@dataclass(frozen=True)
class Left:
    """Something of the run's that is still there, or a listing that could not be had (`what` is empty)."""

    kind: Kind
    region: str
    what: str
    why: str = ""

    @property
    def refused(self) -> bool:
        """Whether it is still there since we may not remove it, or not even look."""
        return any(word in self.why for word in REFUSED)

    @property
    def command(self) -> str:
        """What removes it by hand; for a listing that failed, what lists it."""
        if not self.what:
            return f"aws {self.kind.service} … --region {self.region}   # could not list: {self.kind.name}"
        return self.kind.line(self.what, self.region)


def sweep(
    client: ClientOf,
    regions: Iterable[str],
    prefix: str,
    run: str,
    *,
    services: Iterable[str] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> list[Left]:
    """Remove everything of the run in these regions, in rounds, until two listings in a row show nothing.

    Returns what is left. Things that use each other, throttling and an account that is slow to know of its own doings
    take more than one round. `services` leaves out the others, which this account was found not to have.
    """
    regions = tuple(regions)
    kinds = [kind for kind in KINDS if services is None or kind.service in set(services)]
    clean = 0
    left: list[Left] = []
    for number in range(ROUNDS):
        left = _round(client, regions, kinds, prefix, run)
        clean = clean + 1 if not left else 0
        if clean == 2:  # once may be a list that is not up to date yet
            return []
        if left and number >= REFUSED_ROUNDS and all(one.refused for one in left):
            return left  # who may not, may not in a minute either
        pause(FIRST_PAUSE if clean else min(FIRST_PAUSE * 2**number, LONGEST_PAUSE))
    return left


def _round(client: ClientOf, regions: tuple[str, ...], kinds: list[Kind], prefix: str, run: str) -> list[Left]:
    """Find and remove, once through; returns what was found, with why it could not be removed."""
    left = []
    for kind in kinds:
        for region in _regions_of(kind, regions):
            try:
                reached = client(kind.service, region)
                found = list(dict.fromkeys(kind.find(reached, prefix, run)))
            except Exception as error:  # whatever it is: a listing that failed proves nothing
                left.append(Left(kind, region, "", _said(error)))
                continue
            for what in found:
                why = ""
                try:
                    kind.remove(reached, what)
                except Exception as error:  # the next round tries again
                    why = "" if _gone(error) else _said(error)
                left.append(Left(kind, region, what, why))
    return left


def _regions_of(kind: Kind, regions: tuple[str, ...]) -> tuple[str, ...]:
    """IAM and S3's list of buckets are the same in every region."""
    return regions[:1] if kind.service in ("iam", "s3") else regions


def _gone(error: Exception) -> bool:
    code = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
    return any(word in code for word in GONE)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
