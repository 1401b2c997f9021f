"""The command-line options of the plugin; `fargrade grade` and plain pytest share them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest

from fargrade.backends.lacking import BackendProblem
from fargrade.backends.opening import Wanted
from fargrade.containers.finding import MODES
from fargrade.course import language
from fargrade.course.language import translate as t
from fargrade.verdict import Evidence

MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class Options:
    """What one grading was asked for."""

    submission: Path
    seed: int
    language: str
    wanted: Wanted
    confine: str
    containers: str
    reports: Path | None
    json: Path | None
    control: bool
    face: bool
    replay: str
    job_seconds: float | None
    evidence: str = ""

    @property
    def backend(self) -> str:
        """The backend's name, as it was asked for."""
        return self.wanted.backend


def add_options(parser: pytest.Parser) -> None:
    """Add fargrade's group to pytest's command line."""
    group = parser.getgroup("fargrade")
    group.addoption("--submission", metavar="DIR", help="folder shaped like exercises/ (default: exercises/)")
    group.addoption("--seed", metavar="N", help="replay the random inputs of an earlier run")
    group.addoption("--lang", metavar="LANG", help="language of the messages: en, ru")
    group.addoption(
        "--backend",
        default="moto",
        metavar="NAME",
        help="where the work is graded: moto, localstack, aws, http://HOST:PORT",
    )
    for name, about in (
        ("account", "the account to grade on, with --backend=aws"),
        ("region", "the region to grade in, with --backend=aws"),
        ("ceiling", "what a grading on a real account may cost, in dollars"),
    ):
        group.addoption(f"--aws-{name}", default="", metavar=name.upper(), help=about)
    group.addoption("--as-control", action="store_true", help="grade the solution to see what the backend can show")
    group.addoption(
        "--confine",
        default="auto",
        choices=("auto", "required", "off"),
        help="whether the learner's code must run confined (bubblewrap)",
    )
    group.addoption(
        "--containers",
        default="auto",
        choices=MODES,
        help="real containers, where a Docker engine is found; on: also pull the images that are not there",
    )
    group.addoption(
        "--evidence",
        default="",
        choices=get_args(Evidence),
        metavar="KIND",
        help="only the checks that rest on this evidence",
    )
    group.addoption("--reports", metavar="DIR", help="write grade.json there, and keep it complete")
    group.addoption("--grade-json", metavar="FILE", help="write the result to FILE as well")
    group.addoption(
        "--replay",
        default="",
        metavar="COMMAND",
        help="the command that replays this run, printed with the result",
    )
    group.addoption(
        "--job-seconds", default="", metavar="N", help="end a call of the learner's code after so long (20)"
    )
    group.addoption("--face", action="store_true", help="show items and verdicts instead of pytest's own output")


def read_options(config: pytest.Config, root: Path) -> Options:
    """The options of this run. Raises pytest.UsageError, in one sentence, for what cannot be."""
    get = config.getoption
    reports = get("--reports")
    json = get("--grade-json")
    return Options(
        submission=_submission(get("--submission"), root),
        seed=_seed(get("--seed")),
        language=_language(get("--lang")),
        wanted=_wanted(get),
        confine=get("--confine"),
        containers=get("--containers"),
        reports=Path(reports) if reports else None,
        json=Path(json) if json else None,
        control=get("--as-control"),
        face=get("--face"),
        replay=get("--replay"),
        job_seconds=_seconds(get("--job-seconds")),
        evidence=get("--evidence"),
    )


def _submission(given: str | None, root: Path) -> Path:
    folder = Path(given) if given else root / "exercises"
    if not folder.exists():
        raise pytest.UsageError(t("There is no folder {folder}: name the folder to grade.", folder=folder))
    if not folder.is_dir():
        raise pytest.UsageError(
            t(
                "{folder} is a file: name a folder shaped like exercises/ (week1/02_repository/…).",
                folder=folder,
            )
        )
    if not any(folder.glob("week*")):
        raise pytest.UsageError(
            t(
                "{folder} holds no week: name a folder shaped like exercises/ (week1/02_repository/…).",
                folder=folder,
            )
        )
    return folder


def _seed(given: str | None) -> int:
    if given is None or given == "":
        return random.SystemRandom().randrange(1, 10**6)
    if not given.isdecimal() or int(given) > MAX_SEED:
        raise pytest.UsageError(
            t("The seed is a whole number from 0 to {most}, not {given!r}.", most=MAX_SEED, given=given)
        )
    return int(given)


def _seconds(given: str) -> float | None:
    if not given:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 600:
        raise pytest.UsageError(t("--job-seconds is from 1 to 600, not {given!r}.", given=given))
    return seconds


def _language(given: str | None) -> str:
    wanted = given or os.environ.get("FARGRADE_LANG") or language.SOURCE_LANGUAGE
    try:
        language.use_language(wanted)
    except ValueError:
        raise pytest.UsageError(
            t(
                "There is no language {language!r}: choose one of {languages}.",
                language=wanted,
                languages=", ".join(language.languages()),
            )
        ) from None
    return wanted


def _wanted(get: Callable[[str], Any]) -> Wanted:
    wanted = Wanted(get("--backend"), get("--aws-account"), get("--aws-region"), get("--aws-ceiling"))
    try:
        wanted.check()
    except BackendProblem as problem:
        raise pytest.UsageError(str(problem)) from None
    return wanted
