"""One submission graded for a platform that hands in and shows results itself: Gradescope."""

from __future__ import annotations

import contextlib
import json
import random
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from fargrade.batch.intake import Refused, take_in
from fargrade.batch.records import write_atomically
from fargrade.batch.slot import Slot
from fargrade.batch.task import Task, Terms
from fargrade.batch.version import course_version
from fargrade.course import Course, Item
from fargrade.course.language import current_language
from fargrade.course.language import translate as t
from fargrade.reports import gradescope
from fargrade.reports.terminal import number as points
from fargrade.sandbox.confinement import bubblewrap_problem

OURS = 3


def grade_one(course: Course, items: Sequence[Item], submission: Path, results: Path, seed: str) -> int:
    """Grade and write results.json; returns 0, or 3 without results where the fault is ours: to be run again.

    Where bubblewrap is not to be had (a platform's container), the code runs unconfined, as nobody, and the result
    says so.
    """
    try:
        taken = take_in(course, submission)
    except Refused as refused:
        write_atomically(results, _refused(str(refused)))
        return 0
    # Where no seed is asked for, it follows from what was handed in: handed in again, it is graded the same.
    number = int(seed) if seed.isdecimal() else random.Random(zlib.crc32(taken.digest.encode())).randrange(1, 10**6)
    terms = Terms(
        items=tuple(item.id for item in items),
        seed=number,
        language=current_language(),
        confine="off" if bubblewrap_problem() else "required",
        course=course_version(course),
    )
    slot = Slot(course)
    try:
        report = slot.grade(Task("submission", taken.files, terms))
    finally:
        slot.close()
    if len(report.lost) == len(terms.items):
        print("; ".join(report.faults), file=sys.stderr)
        return OURS
    told = json.loads(gradescope.report(report.grade))
    told["output"] = "\n".join([told["output"], *taken.notes])
    write_atomically(results, json.dumps(told).encode())
    with contextlib.suppress(OSError):
        print(t("Score {score} of {most}", score=points(report.grade["score"]), most=points(report.grade["max_score"])))
    return 0


def _refused(why: str) -> bytes:
    return json.dumps({"score": 0, "output": why, "output_format": "text", "visibility": "visible"}).encode()
