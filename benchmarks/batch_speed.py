"""How quickly a batch grades: against plain pytest with mock_aws, against no isolation at all, by workers, by size.

`python benchmarks/batch_speed.py [COUNT] [--items 1.2,2.5]`. `run()` gives the rows to benchmarks/bench.py. Both sides
of a ratio are measured in one run, wall time and processor time of all processes; on a busy machine the latter says
more. Submissions are made of the course's known answers, right and wrong, all weeks that exist.

The other sides do the learner's calls only, recorded from a grading of the solution: they know no given state, and
check nothing. That makes them cheaper than a fair rival would be.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fargrade.course import Course, Item
from fargrade.verify.answers import known_answers

COUNT = 100
SEED = 5
SIZES = (10, 100, 300)
PLAIN = Path(__file__).resolve().parent / "plain"


@dataclass(frozen=True)
class Row:
    """One ratio: `ours` and `theirs` in seconds a submission; `aim` is what must hold of the ratio."""

    name: str
    ours: float
    theirs: float
    ratio: float
    aim: str

    def __str__(self) -> str:
        return f"{self.name:<58} {self.ours:8.2f} {self.theirs:8.2f}  {self.ratio:6.2f}   {self.aim}"


@dataclass(frozen=True)
class Took:
    """What something took: wall seconds, and the processor's seconds of all processes that it waited for."""

    wall: float
    processor: float


@contextmanager
def measured(into: list[Took]) -> Iterator[None]:
    """Measure the block."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    own = time.process_time()
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + time.process_time() - own
    into.append(Took(time.monotonic() - started, used))


def submissions(course: Course, top: Path, count: int) -> Path:
    """`count` submissions of known answers: mostly right, every kind of wrong among them."""
    chance = random.Random(SEED)
    known = {item.id: known_answers(item) for item in course.items}
    weight = {"stub": 1.0, "solution": 12.0, "right": 3.0, "wrong": 1.0}
    for number in range(count):
        for item in course.items:
            answer = chance.choices(known[item.id], [weight[one.kind] for one in known[item.id]])[0]
            with answer.submission() as folder:
                shutil.copytree(folder / item.folder, top / f"s{number:03}" / item.folder)
    return top


def record_calls(course: Course, items: Sequence[Item], into: Path) -> None:
    """The Python calls that grading the solution makes, as JSON: what the other sides do."""
    code = (
        "import json, sys\n"
        "from fargrade.course import Course\nfrom fargrade.run import Request, grade\n"
        "from fargrade.plugin import supervision\nfrom fargrade.sandbox import PythonCall\n"
        "calls, run = [], supervision.ItemSandbox.run\n"
        "def recorded(self, job):\n"
        "    if isinstance(job.entry, PythonCall):\n"
        "        calls.append({'file': job.entry.file, 'function': job.entry.function, 'args': list(job.entry.args),\n"
        "                      'kwargs': dict(job.entry.kwargs), 'env': dict(job.env), 'item': self.of})\n"
        "    return run(self, job)\n"
        "supervision.ItemSandbox.run = recorded\n"
        "course = Course.find()\n"
        "for item in [one for one in course.items if one.id in sys.argv[3].split(',')]:\n"
        "    supervision.ItemSandbox.of = item.folder\n"
        "    asked = Request(submission=sys.argv[1], seed='5', face=False, pytest=('-q', '--no-summary'))\n"
        "    grade(course, [item], asked)\n"
        "open(sys.argv[2], 'w').write(json.dumps(calls, default=str))\n"
    )
    ids = ",".join(item.id for item in items)
    where = {**os.environ, "FARGRADE_COURSE": str(course.root)}
    subprocess.run(
        [sys.executable, "-c", code, str(course.root / "solutions"), str(into), ids],
        env=where, cwd=course.root, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


class Bench:
    """The sides, each measured on the same submissions."""

    def __init__(self, course: Course, items: Sequence[Item], workspace: Path, count: int) -> None:
        self.course = course
        self.ids = [item.id for item in items]
        self.workspace = workspace
        self.count = count
        self.top = workspace / "submissions"
        submissions(_only(course, items), self.top, count)
        self.calls = workspace / "calls.json"
        record_calls(course, items, self.calls)

    def batch(self, count: int, workers: int) -> tuple[Took, int]:
        """A confined batch over the first `count`; also the largest memory of a process, in KiB."""
        folders = self.workspace / f"in{count}"
        if not folders.exists():
            for path in sorted(self.top.iterdir())[:count]:
                shutil.copytree(path, folders / path.name)
        out = self.workspace / f"out-{count}-{workers}-{time.monotonic_ns()}"
        took: list[Took] = []
        line = [sys.executable, "-m", "fargrade.cli", "batch", "--submissions", str(folders), "--out", str(out)]
        line += ["--workers", str(workers), "--seed", str(SEED)]
        line += ["--item", self.ids[0]] if len(self.ids) == 1 else []
        where = {**os.environ, "FARGRADE_COURSE": str(self.course.root)}
        with measured(took):
            subprocess.run(line, env=where, cwd=self.course.root, check=False, stdout=subprocess.DEVNULL)
        book = json.loads((out / "gradebook.json").read_text())
        assert len(book["submissions"]) == count
        assert not any(row["faults"] for row in book["submissions"])
        return took[0], resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss

    def plain(self, count: int, workers: int) -> Took:
        """One `python -m pytest` with mock_aws a submission, no isolation, as many at a time."""
        took: list[Took] = []
        todo = sorted(self.top.iterdir())[:count]
        with measured(took):
            running: list[subprocess.Popen[bytes]] = []
            for path in todo:
                if len(running) == workers:
                    running.pop(0).wait()
                running.append(self._plain(path))
            for process in running:
                process.wait()
        return took[0]

    def _plain(self, submission: Path) -> subprocess.Popen[bytes]:
        where = {**os.environ, "SUBMISSION": str(submission), "CALLS": str(self.calls)}
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull,
             str(PLAIN / "test_plain.py")],
            env=where, cwd=PLAIN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def floor(self, count: int) -> Took:
        """The same calls in one warm process, without pytest or isolation."""
        took: list[Took] = []
        where = {**os.environ, "CALLS": str(self.calls)}
        paths = [str(path) for path in sorted(self.top.iterdir())[:count]]
        with measured(took):
            subprocess.run([sys.executable, str(PLAIN / "floor.py"), *paths], env=where, cwd=PLAIN, check=True)
        return took[0]


def _only(course: Course, items: Sequence[Item]) -> Course:
    chosen = Course(course.root)
    chosen.__dict__["items"] = tuple(items)
    return chosen


def run(count: int = COUNT, ids: Sequence[str] = (), sizes: Sequence[int] = SIZES) -> list[Row]:
    """All ratios."""
    return list(rows(count, ids, sizes))


def rows(count: int, ids: Sequence[str], sizes: Sequence[int]) -> Iterator[Row]:
    """The ratios as they are measured: each of wall time and of processor time where both say something."""
    course = Course.find(Path(__file__).resolve().parent.parent)
    items = [item for item in course.items if not ids or item.id in ids]
    with tempfile.TemporaryDirectory(prefix="fargrade-bench-") as made:
        bench = Bench(course, items, Path(made), max(count, *sizes))
        two, _ = bench.batch(count, 2)
        plain = bench.plain(count, 2)
        yield from _both("plain pytest + mock_aws against the confined batch", plain, two, count, "≥ 2")
        one, _ = bench.batch(count, 1)
        yield Row(
            "one worker against two, wall", one.wall / count, two.wall / count, one.wall / two.wall, "≥ 1.7"
        )  # fmt: skip
        yield from _both(
            "one worker against the floor (in process, unconfined)", one, bench.floor(count), count, "≤ 2"
        )  # fmt: skip
        each = {size: bench.batch(size, 2) for size in sizes}
        first, last = sizes[0], sizes[-1]
        yield _ratio(
            f"a submission among {last} against among {first}, processor",
            each[last][0].processor / last,
            each[first][0].processor / first,
            "≈ 1",
        )
        yield _ratio(
            f"largest process (MiB) with {last} against {first}",
            each[last][1] / 1024,
            each[first][1] / 1024,
            "≈ 1",
        )


def _both(name: str, ours: Took, theirs: Took, count: int, aim: str) -> list[Row]:
    return [
        _ratio(f"{name}, wall", ours.wall / count, theirs.wall / count, aim),
        _ratio(f"{name}, processor", ours.processor / count, theirs.processor / count, aim),
    ]


def _ratio(name: str, one: float, other: float, aim: str) -> Row:
    return Row(name, one, other, one / other if other else 0.0, aim)


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", nargs="?", type=int, default=COUNT)
    parser.add_argument("--items", default="")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    given = parser.parse_args()
    rows = run(
        given.count, [one for one in given.items.split(",") if one], [int(one) for one in given.sizes.split(",")]
    )
    print(f"{'':<58} {'this':>8} {'that':>8}  {'ratio':>6}   aim")
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
