"""How quickly a batch grades: against plain pytest with mock_aws, against no isolation at all, by workers, by size.

`python -m benchmarks.batch_speed [COUNT] [--items 1.2,2.5 | --items all]`. `rows()` gives them to benchmarks/bench.py.
Both sides of a ratio are measured in one run, wall time and processor time, the latter of the whole machine: leave it
to the bench. Submissions are made of the course's known answers, right and wrong: of an item a week, or of all.

The other sides do the learner's calls only, recorded from a grading of the solution: they know no given state, and
check nothing. That makes them cheaper than a fair rival would be.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fargrade.course import Course, Item
from fargrade.sandbox.inside.processes import descendants
from fargrade.verify.answers import known_answers

COUNT = 100
SEED = 5
SIZES = (10, 100, 300)
ITEMS = ("1.2", "2.1", "3.4", "4.2")  # one a week: what a learner hands in week by week
FEW = 20  # enough to see what two processes gain on this machine
SIZED = ("1.2",)  # what a batch's size is measured with
NEXT = (
    "The next bottleneck, by profile: moto and the gateway, that is the world itself, half of the time where an\n"
    "item has a network or services in it; then pytest's session; and in 1.4, 4.7 and 4.9 the start of aws and act."
)
LOOKS = 0.25  # seconds between two looks at the memory
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
    """What something took: wall seconds, and how long the machine's processors worked meanwhile."""

    wall: float
    processor: float


class Memory:
    """The most memory that everything below this process has held together, shared pages counted once (PSS)."""

    def __init__(self) -> None:
        self.most = 0
        self._done = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._done.wait(LOOKS):
            self.most = max(self.most, sum(map(self._held, descendants(os.getpid()))))

    @staticmethod
    def _held(pid: int) -> int:
        """In KiB; 0 for a process that is gone."""
        try:
            told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            return next((int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:")), 0)
        except OSError:
            return 0


@contextmanager
def measured(into: list[Took]) -> Iterator[None]:
    """Measure the block."""
    before, started = _worked(), time.monotonic()
    yield
    into.append(Took(time.monotonic() - started, _worked() - before))


def _worked() -> float:
    """Seconds that the machine's processors have worked so far: leave it to the bench alone.

    Adding up what each process is told of its children loses most of what ran in sandboxes: it counted a third.
    """
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text(encoding="ascii").split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


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
        "from fargrade.plugin import supervision\nfrom fargrade.plugin.learner import EACH\n"
        "from fargrade.sandbox import PythonCall\n"
        "calls, run = [], supervision.ItemSandbox.run\n"
        "def recorded(self, job):\n"
        "    if isinstance(job.entry, PythonCall):\n"
        "        one = job.entry\n"
        "        made = [(one.file, one.function, list(one.args))]\n"
        "        if one.file == EACH:\n"  # several calls in one process: the other sides make them one by one
        "            made = [(one.args[0], one.args[1], args) for args in one.args[2]]\n"
        "        for file, function, args in made:\n"
        "            calls.append({'file': file, 'function': function, 'args': args,\n"
        "                          'kwargs': dict(one.kwargs), 'env': dict(job.env), 'item': self.of})\n"
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
        self.root = _course_of(course, items, workspace / "course")
        self.workspace = workspace
        self.count = count
        self.top = workspace / "submissions"
        submissions(_only(course, items), self.top, count)
        self.calls = workspace / "calls.json"
        record_calls(course, items, self.calls)

    def batch(self, count: int, workers: int) -> Took:
        """A confined batch over the first `count`."""
        took: list[Took] = []
        with measured(took):
            self._batch(count, workers)
        return took[0]

    def held(self, count: int, workers: int) -> tuple[Took, int]:
        """As `batch`, and the most memory that all of it held, in KiB; looking at it costs time of its own."""
        took: list[Took] = []
        with Memory() as memory, measured(took):
            self._batch(count, workers)
        return took[0], memory.most

    def _batch(self, count: int, workers: int) -> None:
        folders = self.workspace / f"in{count}"
        if not folders.exists():
            for path in sorted(self.top.iterdir())[:count]:
                shutil.copytree(path, folders / path.name)
        out = self.workspace / f"out-{count}-{workers}-{time.monotonic_ns()}"
        line = [sys.executable, "-m", "fargrade.cli", "batch", "--submissions", str(folders), "--out", str(out)]
        line += ["--workers", str(workers), "--seed", str(SEED)]
        where = {**os.environ, "FARGRADE_COURSE": str(self.root)}
        subprocess.run(line, env=where, cwd=self.root, check=False, stdout=subprocess.DEVNULL)
        book = json.loads((out / "gradebook.json").read_text())
        assert len(book["submissions"]) == count
        assert not any(row["faults"] for row in book["submissions"])

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


def _course_of(course: Course, items: Sequence[Item], root: Path) -> Path:
    """The course with these items and no others."""
    for item in items:
        week = item.folder.partition("/")[0]
        for top in ("exercises", "solutions"):
            shutil.copytree(course.root / top / item.folder, root / top / item.folder)
        graders = root / "graders" / week
        graders.mkdir(parents=True, exist_ok=True)
        for path in (course.root / "graders" / week).glob(f"test_{item.name}.*"):
            shutil.copy(path, graders)
        shutil.copytree(course.root / "graders" / week / "answers" / item.name, graders / "answers" / item.name)
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(course.root / name, root)
    return root


def _only(course: Course, items: Sequence[Item]) -> Course:
    chosen = Course(course.root)
    chosen.__dict__["items"] = tuple(items)
    return chosen


def run(count: int = COUNT, ids: Sequence[str] = ITEMS, sizes: Sequence[int] = SIZES) -> list[Row]:
    """All ratios."""
    return list(rows(count, ids, sizes))


def rows(count: int, ids: Sequence[str], sizes: Sequence[int]) -> Iterator[Row]:
    """The ratios as they are measured: each of wall time and of processor time where both say something."""
    course = Course.find(Path(__file__).resolve().parent.parent)
    with _bench(course, ids, count) as bench:
        two = bench.batch(count, 2)
        plain = bench.plain(count, 2)
        yield from _both("plain pytest + mock_aws against the confined batch", plain, two, count, "≥ 2")
        one = bench.batch(count, 1)
        yield _ratio("one worker against two, wall", one.wall / count, two.wall / count, "≥ 1.7")
        few = min(count, FEW)
        alone, paired = bench.plain(few, 1), bench.plain(few, 2)
        yield _ratio("… the same of plain pytest: what the machine gives", alone.wall / few, paired.wall / few, "–")
        yield _ratio("… processors that one worker keeps busy", one.processor / count, one.wall / count, "–")
        floor = bench.floor(count)
        yield from _both("one worker against the floor (in process, unconfined)", one, floor, count, "≤ 2")
    with _bench(course, SIZED, max(sizes)) as bench:
        yield from _by_size(bench, sizes)


@contextmanager
def _bench(course: Course, ids: Sequence[str], count: int) -> Iterator[Bench]:
    items = [item for item in course.items if item.id in ids or list(ids) == ["all"]]
    with tempfile.TemporaryDirectory(prefix="fargrade-bench-") as made:
        yield Bench(course, items, Path(made), count)


def _by_size(bench: Bench, sizes: Sequence[int]) -> Iterator[Row]:
    """Whether a large batch costs more for each of its submissions than a small one.

    What starts once, the worlds above all, is left out of the time by taking what the further submissions cost.
    """
    each = {size: bench.held(size, 2) for size in sizes}
    further = [
        ((each[more][0].processor - each[less][0].processor) / (more - less), f"{less} to {more}")
        for less, more in pairwise(sizes)
    ]
    (first, a), (last, z) = further[0], further[-1]
    yield _ratio(f"each further one from {z} against from {a}, processor", last, first, "≈ 1")
    least, most = sizes[0], sizes[-1]
    memory = {size: each[size][1] / 1024 for size in sizes}
    yield _ratio(f"memory of all processes (MiB), {most} against {least}", memory[most], memory[least], "≈ 1")


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
    parser.add_argument("--items", default=",".join(ITEMS), help="of which submissions are made, or all")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    given = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; {given.count} submissions of {given.items}")
    print(f"{'seconds a submission':<58} {'this':>8} {'that':>8}  {'ratio':>6}   aim")
    for row in rows(given.count, given.items.split(","), [int(one) for one in given.sizes.split(",")]):
        print(row, flush=True)
    print(NEXT)


if __name__ == "__main__":
    main()
