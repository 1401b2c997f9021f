"""`make verify`: one command proves that every grader tells right from wrong.

Every stub must be graded as not begun, the solution and every right answer must score full marks, every
wrong answer must fail exactly the checks that it names. Whatever is not so is a hole, and any hole is an error.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from fargrade.course import Course, CourseProblem, Item
from fargrade.course.checks import read_checks
from fargrade.verify.answers import ALL, KnownAnswer, known_answers
from fargrade.verify.malformed import malformed_answers
from fargrade.verify.tree import holes_in_course, holes_in_item

PROCESSES = 2
MALFORMED = 3
ONLY = "only"  # nothing but the checks in containers, and the answers that concern them
CONTAINER = "container"


@dataclass(frozen=True)
class Proof:
    """What grading one known answer showed; `hole` is empty where it was as it must be."""

    item: str
    kind: str
    label: str
    hole: str
    in_containers: int = 0
    not_in_containers: str = ""


def verify(
    course: Course,
    items: Sequence[Item],
    *,
    seeds: int = 1,
    seed: int | None = None,
    containers: str = "",
    malformed: int = MALFORMED,
) -> int:
    """Verify `items` with `seeds` random seeds; prints the table and the holes. Returns 0, or 1 for any hole.

    `malformed` answers an item are made up, which must be judged, whatever they score.
    `containers` is grading's option: without an engine, what only a container shows is not judged, and no hole.
    With ONLY, nothing but those checks is run, on the solution, the right answers and those that they must fail.
    Raises CourseProblem in a release.
    """
    if not (course.root / "solutions").is_dir():
        raise CourseProblem("This is what learners get: the solutions and known answers to verify with are not here.")
    console = Console(highlight=False)
    first = random.SystemRandom().randrange(1, 10**6) if seed is None else seed
    holes = holes_in_course(course)
    tasks: list[tuple[KnownAnswer, int, str]] = []
    if containers == ONLY:
        items, malformed = [item for item in items if in_containers(item)], 0
    for item in items:
        try:
            answers = known_answers(item)
        except ValueError as error:
            holes += [*str(error).split("\n"), *holes_in_item(item, None)]
            continue
        holes += holes_in_item(item, answers)
        if containers == ONLY:
            answers = [answer for answer in answers if concerns(answer, in_containers(item))]
        tasks += [(answer, number, containers) for answer in answers for number in range(first, first + seeds)]
    with ExitStack() as stack:
        for item in items:
            made = stack.enter_context(malformed_answers(item, malformed, first))
            tasks += [(answer, first, containers) for answer in made]
        proofs = list(_graded(tasks, console))
    holes += _together(proofs)
    console.print(_table(items, proofs))
    for hole in dict.fromkeys(holes):
        console.print(Text.assemble(("hole  ", "bold red"), hole), soft_wrap=True)
    _say_containers(console, proofs)
    console.print(f"{len(proofs)} gradings, {len(set(holes))} holes, seed {first}")
    return 1 if holes else 0


def _together(proofs: list[Proof]) -> Iterator[str]:
    """What is wrong with the answers; what is wrong with many alike, as with a grader that crashes, is said once."""
    labels: dict[tuple[str, str], list[str]] = {}
    for proof in proofs:
        if proof.hole:
            labels.setdefault((proof.item, proof.hole), []).append(proof.label)
    for (item, hole), whose in labels.items():
        more = f" and {len(whose) - 3} more" if len(whose) > 3 else ""
        yield f"{item} {', '.join(whose[:3])}{more}: {hole}"


def in_containers(item: Item) -> set[str]:
    """The ids of the item's checks that take a real container."""
    return {check.id for check in read_checks(item.grader) if check.evidence == CONTAINER}


def concerns(answer: KnownAnswer, checks: set[str]) -> bool:
    """Whether `answer` says something about these checks: it must pass them, or fail one of them by name.

    What fails everything (AWS refuses it, say) never comes as far as a container.
    """
    return answer.kind in ("solution", "right") or bool(checks & set(answer.fails))


def _graded(tasks: list[tuple[KnownAnswer, int, str]], console: Console) -> Iterator[Proof]:
    if not tasks:
        return
    context = get_context("spawn")
    processes = min(PROCESSES, len(tasks))
    with (
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
        ProcessPoolExecutor(processes, mp_context=context, initializer=_begin) as pool,
    ):
        bar = progress.add_task("verifying", total=len(tasks))
        for proof in pool.map(prove, *zip(*tasks, strict=True)):
            progress.advance(bar)
            yield proof


def _begin() -> None:
    import atexit

    from fargrade.workbench import close_workbench, keep_workbench

    keep_workbench()
    atexit.register(close_workbench)


def prove(answer: KnownAnswer, seed: int, containers: str = "") -> Proof:
    """Grade `answer` and hold the result against what is known of it."""
    grade = graded(answer, seed, containers)
    hole = _hole(answer, grade)
    if containers == ONLY and not grade["backend"].get("containers"):
        hole = hole or "no engine judged it"  # without one, this proves nothing
    checks = [check for item in grade["items"] for check in item["checks"] if check["evidence"] == CONTAINER]
    judged = [check for check in checks if check["status"] != "not_judged"]
    return Proof(
        answer.item.id,
        answer.kind,
        answer.label,
        f"{hole} (seed {seed})" if hole else "",
        len(judged),
        next((check["reason"] for check in checks if check["status"] == "not_judged"), ""),
    )


def graded(answer: KnownAnswer, seed: int, containers: str = "") -> dict[str, Any]:
    """grade.json for `answer`, by the same command as everything else."""
    from fargrade.run import Request, grade

    printed = io.StringIO()
    with answer.submission() as folder, TemporaryDirectory(prefix="fargrade-verify-") as out:
        result = Path(out) / "grade.json"
        only = (f"--evidence={CONTAINER}",) if containers == ONLY else ()
        request = Request(
            submission=str(folder),
            seed=str(seed),
            json=str(result),
            face=False,
            containers="auto" if containers == ONLY else containers,
            pytest=("-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", *only),
        )
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            grade(Course(answer.item.root), [answer.item], request)
        if not result.is_file():
            return {"items": [], "backend": {}, "printed": printed.getvalue()}
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return found


def _hole(answer: KnownAnswer, grade: dict[str, Any]) -> str:
    if not grade["items"]:
        return "it was not graded: " + " ".join(grade.get("printed", "").split())[-600:]
    item = grade["items"][0]
    statuses = {check["id"]: check["status"] for check in item["checks"]}
    failed = {check for check, status in statuses.items() if status == "failed"}
    if answer.kind == "stub":
        return "" if not item["begun"] and failed == set(statuses) else "the stub is not graded as not begun"
    if not item["begun"] and answer.kind != "malformed":
        return "it is graded as not begun"
    run = {check["evidence"] for check in item["checks"]}
    must = set(statuses) if ALL in answer.fails else set(answer.fails)
    must &= set(statuses) if run == {CONTAINER} else must  # the others were not run
    unjudged = [check for check in item["checks"] if check["status"] == "not_judged"]
    excused = {check["id"] for check in unjudged if _excused(check, answer, must, grade)}
    for check in unjudged:
        if check["id"] not in excused:
            return f"not judged: {check['id']} ({check['reason']})"
    if answer.kind == "malformed":
        return ""
    must -= excused
    return "; ".join(
        [f"passes {check}, which it must fail" for check in sorted(must - failed)]
        + [_failed_too(check) for check in item["checks"] if check["id"] in failed - must]
    )


def _excused(check: dict[str, Any], answer: KnownAnswer, must: set[str], grade: dict[str, Any]) -> bool:
    """Whether it is no hole that this check was not judged: it takes a container, and no engine is here.

    Where one is, the solution and every answer that the check must fail are judged by it; an answer that only
    must not fail it may begin from an image that cannot be had.
    """
    if check["evidence"] != CONTAINER:
        return False
    return not grade["backend"].get("containers") or (answer.kind != "solution" and check["id"] not in must)


def _failed_too(check: dict[str, Any]) -> str:
    said = "; ".join(check[key] for key in ("reason", "expected", "found") if check[key])
    return f"fails {check['id']} ({said})"


def _say_containers(console: Console, proofs: list[Proof]) -> None:
    """What real containers had their part in, and why not where they had none: loudly, since nothing else shows it."""
    judged = sum(proof.in_containers for proof in proofs)
    missed = Counter(proof.not_in_containers for proof in proofs if proof.not_in_containers)
    if judged:
        console.print(f"{judged} checks judged in real containers")
    for reason, times in missed.most_common():
        text = f"{times} gradings without their checks in a container: {reason}"
        console.print(Text.assemble(("not judged  ", "bold yellow"), text), soft_wrap=True)


def _table(items: Sequence[Item], proofs: list[Proof]) -> Table:
    table = Table(title="answers as they must be, of all")
    kinds = ("stub", "solution", "right", "wrong", "malformed")
    for column in ("item", *kinds):
        table.add_column(column, justify="left" if column == "item" else "right")
    for item in items:
        row = [f"{item.id} {item.slug}"]
        for kind in kinds:
            of_kind = [proof for proof in proofs if proof.item == item.id and proof.kind == kind]
            good = sum(1 for proof in of_kind if not proof.hole)
            row.append(f"[{'green' if good == len(of_kind) else 'red'}]{good}/{len(of_kind)}[/]")
        table.add_row(*row)
    return table
