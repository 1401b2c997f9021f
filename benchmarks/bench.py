"""`make bench`: what grading costs, as ratios with both sides in one run. Aims are aims: it always ends well.

`python -m benchmarks.bench [--quick] [SECTION …]`; sections: item, week, watch, start, gateway, batch.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import batch_speed, gateway, ours

PLAIN_ITEMS = ("1.1", "1.2", "1.3", "1.6", "1.7")  # what moto alone can be asked; 1.4, 1.5 and 1.8 it lacks
WATCHED = (
    ("1.6", "lifecycle-policy.json"),
    ("1.2", "repository.py"),
    ("1.8", "public.py"),
    ("1.5", "scanning.py"),
)


def median(measured: Callable[[], float], times: int) -> float:
    return statistics.median(measured() for _ in range(times))


def line(what: str, mine: float, theirs: float, aim: float, unit: str = "s") -> None:
    ratio = mine / theirs
    sign = "ok" if ratio <= aim else "OVER"
    print(f"  {what:<58} {mine:8.3f} {unit} against {theirs:8.3f} {unit}   ratio {ratio:5.2f}   aim ≤ {aim:g}   {sign}")


def limit(what: str, took: float, aim: float) -> None:
    print(f"  {what:<58} {took:8.3f} s   aim ≤ {aim:g} s   {'ok' if took <= aim else 'OVER'}")


def bench_item(times: int) -> None:
    """Grading one item, warm, against its own calls in process on a warm moto."""
    print("One item (1.2), warm, as watch grades it after a save, against its AWS calls in process with no isolation")
    warm = ours.Warm("1.2")
    calls = warm.calls()
    floor = Floor(calls)
    floor.seconds()
    graded, played, waited, bare = [], [], [], []
    for _ in range(times):
        graded.append(warm.seconds())
        played.append(floor.seconds())
        count, seconds = warm.in_processes()
        waited.append(seconds)
        bare.append(count * warm.bare_process())
    warm.close()
    floor.close()
    whole, least = statistics.median(graded), statistics.median(played)
    line(f"the whole grading, {len(calls)} calls", whole, least, 2)
    inside, alone = statistics.median(waited), statistics.median(bare)
    print(
        f"  of it, waiting for the learner's {count} processes: {inside:.3f} s; without a call in them: {alone:.3f} s"
    )
    print(f"  the rest, pytest, the grader's reading and the verdicts: {whole - inside:.3f} s")


class Floor:
    """The calls of a grading, played again by boto3 under mock_aws, everything warm."""

    def __init__(self, calls: list[tuple[str, str, dict[str, Any]]]) -> None:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError
        from moto import mock_aws

        self._mock = mock_aws()
        self._mock.start()
        client = gateway.clients(None)
        kept = {"ecr": client("ecr"), "iam": client("iam")}
        self._calls = [(getattr(kept[s], xform_name(o)), p) for s, o, p in calls if s in kept]
        self._errors = (ClientError, BotoCoreError, Exception)

    def seconds(self) -> float:
        from moto.core.base_backend import BackendDict

        started = time.perf_counter()
        BackendDict.reset()
        for call, parameters in self._calls:
            with contextlib.suppress(*self._errors):
                call(**parameters)
        return time.perf_counter() - started

    def close(self) -> None:
        self._mock.stop()


def bench_week(times: int) -> None:
    """The week against one plain pytest with the same graders."""
    print(f"Items {', '.join(PLAIN_ITEMS)}, cold, against one `python -m pytest` with mock_aws and the same assertions")
    graders = ours.graders(PLAIN_ITEMS)
    left_out = [f"--deselect={grader}" for grader in ours.other_graders("1", PLAIN_ITEMS)]
    mine, theirs = [], []
    for _ in range(times):
        theirs.append(_plain(graders))
        mine.append(ours.grade_seconds("--week", "1", "--", *left_out))
    line("the items, in full", statistics.median(mine), statistics.median(theirs), 1)


def _plain(graders: list[str]) -> float:
    started = time.perf_counter()
    options = ["-q", "--noconftest", "-p", "benchmarks.plain", "-p", "no:cacheprovider"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *graders],
        cwd=ours.ROOT, env=ours.environment(), capture_output=True, check=False,
    )  # fmt: skip
    return time.perf_counter() - started


def bench_watch(times: int) -> None:
    """From a save to the verdict."""
    print("From a save to the verdict, in `make watch`")
    for item, file in WATCHED:
        watching = ours.Watching(item, file)
        watching.seconds()
        limit(f"{item}, {file}", median(watching.seconds, times), 0.3)
        watching.close()


def bench_start(times: int) -> None:
    """The second `make grade week=1` over the solutions."""
    print("`make grade week=1 submission=solutions`, once everything is installed")
    ours.grade_seconds("--week", "1")
    limit("from nothing to the result", median(lambda: ours.grade_seconds("--week", "1"), times), 3)


def bench_gateway(times: int) -> None:
    """A call through the gateway with everything on."""
    print("A call: the gateway over HTTP, against bare moto over HTTP and against in process")
    for name, (inside, bare, mine) in gateway.measure(20 * times).items():
        line(f"{name}: over HTTP", mine, bare, 1.5, "ms")
        line(f"{name}: in process", mine, inside, 2, "ms")
    for services in (("ecr",), ("ecr", "iam")):
        print(f"  a world for {', '.join(services)} imports of moto: {' '.join(gateway.imported_by(services))}")


def bench_batch(times: int) -> None:
    """A class: against plain pytest, against no isolation, by workers and by size."""
    few = times < 7
    for row in batch_speed.rows(
        20 if few else batch_speed.COUNT, batch_speed.ITEMS, (5, 20) if few else batch_speed.SIZES
    ):
        print(f"  {row}", flush=True)


SECTIONS = {
    "item": bench_item,
    "week": bench_week,
    "watch": bench_watch,
    "start": bench_start,
    "gateway": bench_gateway,
    "batch": bench_batch,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    given = parser.parse_args()
    unknown = [one for one in given.sections if one not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]}: choose among {', '.join(SECTIONS)}")
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: the ratios count, the seconds are this machine's now\n"
    )
    for name in given.sections or SECTIONS:
        SECTIONS[name](3 if given.quick else 7)
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", line_buffering=True)
    sys.exit(main())
