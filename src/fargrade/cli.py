"""The command line: `fargrade grade|watch|hint|learned|verify|emulator`. Make is its face.

Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 nothing could be judged, 130 interrupted.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from fargrade import __version__
from fargrade.backends.lacking import BackendProblem
from fargrade.course import Course, CourseProblem, Item
from fargrade.course.language import languages, use_language
from fargrade.course.language import translate as t

USAGE = 2
INTERRUPTED = 130
# One for one, so that columns stay columns.
NEAREST = dict(zip("…→“”’–—·×≥≤", '~>""\'--.x><', strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    _speak_plainly()
    try:
        use_language(_language(arguments))
        given = _parser().parse_args(arguments)
        status: int = given.run(given)
        sys.stdout.flush()
    except (CourseProblem, BackendProblem, ValueError) as problem:
        print(problem, file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        return _unread()
    except OSError as problem:
        print(_system_said(problem), file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _unread() -> int:
    """Whoever read along has stopped (`… | head`): there is nobody left to tell, and nothing wrong."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _system_said(problem: OSError) -> str:
    why = problem.strerror or str(problem)
    return t("{file}: {why}.", file=problem.filename, why=why) if problem.filename else f"{why}."


def _language(arguments: Sequence[str] | None) -> str:
    """The language asked for: known before anything else is read, so that what is wrong is said in it, too."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--lang", nargs="?", default="")
    return early.parse_known_args(arguments)[0].lang or os.environ.get("FARGRADE_LANG") or "en"


def _speak_plainly() -> None:
    """A terminal that lacks a character gets the nearest it has: a result is never lost for want of an arrow."""
    codecs.register_error("fargrade", lambda error: (_nearest(error), getattr(error, "end", 0)))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="fargrade")


def _nearest(error: UnicodeError) -> str:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(NEAREST.get(one, "?") for one in error.object[error.start : error.end])


class Said(argparse.HelpFormatter):
    """argparse's help, with its own words in the language in use."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, t("usage: ") if prefix is None else prefix)

    def start_section(self, heading: str | None) -> None:
        headings = {"positional arguments": t("arguments"), "options": t("options")}
        super().start_section(headings.get(heading or "", heading))


class Parser(argparse.ArgumentParser):
    """argparse, but what is wrong is said in one sentence, with what to write instead."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, add_help=False, formatter_class=Said)
        self.add_argument("-h", "--help", action="help", help=t("show this help"))

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {self._said(message)}\n")

    def _said(self, message: str) -> str:
        _, is_missing, names = message.partition("arguments are required: ")
        if is_missing and names == "COMMAND":
            return t("say what to do: {commands}", commands=", ".join(name for name, _, _ in _commands()))
        if is_missing:
            command = self.prog.rpartition(" ")[2]
            example = " ".join([f"make {command}", *(f"{one.lstrip('-')}=…" for one in names.split(", "))])
            return t("something is missing: {example}", example=example)
        _, is_unknown, what = message.partition("unrecognized arguments: ")
        if is_unknown:
            return t("unrecognized arguments: {what}", what=what)
        if wrong := re.fullmatch(r"argument (\S+): invalid choice: (.+) \(choose from (.+)\)", message):
            name, found, choices = wrong.groups()
            return t(
                "argument {name}: {given} is no choice: choose from {choices}", name=name, given=found, choices=choices
            )
        return message


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="fargrade", description=t("Grade the AWS containers course."))
    parser.add_argument("--version", action="version", version=f"fargrade {__version__}", help=t("say the version"))
    speaks = t("language: {languages}", languages=", ".join(languages()))
    parser.add_argument("--lang", default="", help=speaks)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, about in _commands():
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(run=run)
        command.add_argument("--lang", default=argparse.SUPPRESS, help=speaks)
        OPTIONS[name](command)
    return parser


def _choice(command: argparse.ArgumentParser) -> None:
    command.add_argument("--week", default="", help=t("only this week"))
    command.add_argument("--item", default="", help=t("only this item, as 1.6 or by its slug"))


def _grading(command: argparse.ArgumentParser) -> None:
    _choice(command)
    command.add_argument("--submission", default="", help=t("folder shaped like exercises/"))
    command.add_argument("--backend", default="", help=t("where the work is graded: moto, localstack, aws, http://…"))
    for name, about in (
        ("account", t("with --backend=aws")),
        ("region", t("with --backend=aws")),
        ("ceiling", t("in dollars")),
    ):
        command.add_argument(f"--{name}", default="", help=about)
    command.add_argument("--seed", default="", help=t("replay the random inputs of an earlier run"))
    command.add_argument("--json", default="", help=t("write the result to this file as well"))
    command.add_argument("--reports", default="reports", help=t("folder for the reports"))
    command.add_argument("--confine", default="", choices=("", "auto", "required", "off"))
    command.add_argument(
        "--containers",
        default="",
        choices=("", "auto", "on", "off", "only"),
        help=t("real containers; only: nothing but the checks in them"),
    )


def _grade_options(command: argparse.ArgumentParser) -> None:
    _grading(command)
    command.add_argument("pytest", nargs="*", help=t("anything after -- goes to pytest: -- -k tags -x"))


def _item_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--item", required=True, help=t("the item, as 1.6 or by its slug"))


def _hint_options(command: argparse.ArgumentParser) -> None:
    _item_option(command)
    command.add_argument("--all", action="store_true", help=t("all steps at once"))
    command.add_argument("--reports", default="reports", help=t("folder that remembers the step"))


def _verify_options(command: argparse.ArgumentParser) -> None:
    _choice(command)
    command.add_argument("--seeds", type=int, default=1, help=t("grade every answer with this many seeds"))
    command.add_argument("--seed", type=int, default=None, help=t("start from this seed"))
    command.add_argument("--malformed", type=int, default=3, help=t("how many malformed answers an item to make up"))
    command.add_argument(
        "--containers",
        default="",
        choices=("", "auto", "on", "off", "only"),
        help=t("real containers; only: nothing but the checks in them"),
    )


def _batch_options(command: argparse.ArgumentParser) -> None:
    _choice(command)
    command.add_argument("--submissions", required=True, help=t("folder with a folder or archive for each submission"))
    command.add_argument("--out", required=True, help=t("folder for the results and the gradebook"))
    command.add_argument("--workers", type=int, default=0, help=t("how many at a time (default: one a processor)"))
    command.add_argument("--seed", default="", help=t("the random inputs, the same for all"))
    command.add_argument("--resume", action="store_true", help=t("leave out what was graded and has not changed"))
    command.add_argument(
        "--unconfined", action="store_true", help=t("grade without bubblewrap, trusting every submission")
    )
    command.add_argument(
        "--containers",
        default="off",
        choices=("off", "auto", "on"),
        help=t("real containers: builds run on the engine"),
    )
    command.add_argument(
        "--job-seconds", type=float, default=0, help=t("how long one call of a learner's code may take (20)")
    )
    command.add_argument("--policy", default="", help=t("weights and late policy (default: course.toml beside them)"))
    command.add_argument(
        "--scheduler", default="", help=t("grade on the workers of this dask scheduler: tls://HOST:PORT")
    )
    command.add_argument("--tls", nargs=3, default=("", "", ""), metavar=("CA", "CERT", "KEY"), help=t("for tls://"))
    command.add_argument(
        "--also", default="", help=t("forms to write for each submission too: junit,gradescope,github")
    )


def _replay_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", required=True, help=t("folder that a batch wrote"))
    command.add_argument("--student", required=True, help=t("the submission, as the gradebook names it"))
    command.add_argument("--item", default="", help=t("only this item"))


def _gradebook_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", required=True, help=t("folder that a batch wrote"))
    command.add_argument("--policy", default="", help=t("weights and late policy"))


def _release_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", required=True, help=t("a new folder"))


def _package_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("kind", choices=("gradescope", "workflow"))
    command.add_argument("--out", required=True, help=t("a new file"))
    _choice(command)


def _gradescope_options(command: argparse.ArgumentParser) -> None:
    _choice(command)
    command.add_argument("--submission", required=True)
    command.add_argument("--results", required=True, help="results.json")
    command.add_argument("--seed", default="", help=t("the random inputs (default: by what was handed in)"))


def _report_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("form", choices=("github", "gradescope", "junit"))
    command.add_argument("--grade", default="reports/grade.json", help=t("grade.json of a grading"))
    command.add_argument("--out", default="", help=t("a file (default: GitHub's job summary, else standard output)"))


def _emulator_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=int, default=4566)
    command.add_argument("--host", default="127.0.0.1", help=t("0.0.0.0 lets other machines in"))
    command.add_argument(
        "--services", default="", help=t("only these, as ecr,ecs,ec2: it starts sooner (default: all)")
    )


def run_grade(given: argparse.Namespace) -> int:
    """Grade a submission's items and show the result."""
    course = Course.find()
    items = course.select(week=given.week, item=given.item)
    from fargrade.run import Request, grade

    return grade(course, items, Request.from_options(given))


def run_watch(given: argparse.Namespace) -> int:
    """Grade again what a save touched."""
    course = Course.find()
    items = course.select(week=given.week, item=given.item)
    from fargrade.run import Request
    from fargrade.watch import watch

    return watch(course, items, Request.from_options(given))


def run_hint(given: argparse.Namespace) -> int:
    """Print the next step of the item's hints."""
    from fargrade.hints import next_hint

    item = _one(given.item)
    print(next_hint(item, Path(given.reports), everything=given.all))
    return 0


def run_learned(given: argparse.Namespace) -> int:
    """Print what the item taught."""
    text = _one(given.item).text("learned").strip()
    print(text or t("Nothing is written there yet."))
    return 0


def run_verify(given: argparse.Namespace) -> int:
    """Prove that every grader tells right from wrong."""
    course = Course.find()
    items = course.select(week=given.week, item=given.item)
    from fargrade.verify import verify

    return verify(
        course, items, seeds=given.seeds, seed=given.seed, containers=given.containers, malformed=given.malformed
    )


def run_batch(given: argparse.Namespace) -> int:
    """Grade every submission of a folder."""
    from fargrade.batch.run import Wanted, batch

    course = Course.find()
    items = course.select(week=given.week, item=given.item)
    wanted = Wanted(
        submissions=Path(given.submissions),
        out=Path(given.out),
        workers=max(0, given.workers),
        seed=given.seed,
        resume=given.resume,
        unconfined=given.unconfined,
        containers=given.containers,
        job_seconds=min(600.0, max(1.0, given.job_seconds)) if given.job_seconds else 0.0,
        policy=Path(given.policy) if given.policy else None,
        scheduler=given.scheduler,
        tls=tuple(given.tls),
        forms=tuple(one for one in given.also.split(",") if one),
    )
    return batch(course, items, wanted)


def run_replay(given: argparse.Namespace) -> int:
    """Grade a submission of a batch again, exactly as it was graded there."""
    from fargrade.batch.again import replay

    return replay(Course.find(), Path(given.out), given.student, given.item)


def run_gradebook(given: argparse.Namespace) -> int:
    """Make a batch's gradebook anew."""
    from fargrade.batch.again import gradebook

    return gradebook(Course.find(), Path(given.out), Path(given.policy) if given.policy else None)


def run_table(given: argparse.Namespace) -> int:
    """Print the table of what is judged where; with --write, put it into the docs."""
    from fargrade.table import table, write

    course = Course.find()
    if given.write:
        for path in write(course):
            print(path)
    else:
        print(table(course))
    return 0


def run_sweep(given: argparse.Namespace) -> int:
    """Finish what gradings on a real account left behind; 0 where nothing is left."""
    del given
    from fargrade.backends.account import sweep_unfinished

    return 1 if sweep_unfinished() else 0


def run_release(given: argparse.Namespace) -> int:
    """Make what learners get, and prove that it holds nothing else."""
    from fargrade.release import release

    made = release(Course.find(), Path(given.out))
    print(t("{count} files in {folder}: no solution, no answer, no hidden check.", count=made.files, folder=given.out))
    if made.hidden:
        print(t("Left out: {checks}", checks=", ".join(made.hidden)))
    return 0


def run_package(given: argparse.Namespace) -> int:
    """Make a package for a platform."""
    from fargrade.packaging import package_gradescope, package_workflow

    course = Course.find()
    course.select(week=given.week, item=given.item)
    choice = "".join(f"--{name} {value} " for name, value in (("week", given.week), ("item", given.item)) if value)
    if given.kind == "gradescope":
        package_gradescope(course, Path(given.out), choice)
    else:
        package_workflow(Path(given.out), choice)
    print(given.out)
    return 0


def run_gradescope(given: argparse.Namespace) -> int:
    """Grade one submission for Gradescope."""
    from fargrade.batch.single import grade_one

    course = Course.find()
    items = course.select(week=given.week, item=given.item)
    return grade_one(course, items, Path(given.submission), Path(given.results), given.seed)


def run_report(given: argparse.Namespace) -> int:
    """Show a grading in another tool's form."""
    from fargrade.reports.forms import write_form

    return write_form(given.form, Path(given.grade), given.out)


def run_doctor(_: argparse.Namespace) -> int:
    """Say what this machine can do."""
    from fargrade.doctor import doctor

    return doctor()


def run_emulator(given: argparse.Namespace) -> int:
    """Serve the embedded backend alone."""
    from fargrade.emulator.__main__ import serve_alone

    return serve_alone(given.host, given.port, [name for name in given.services.split(",") if name])


def _one(wanted: str) -> Item:
    return Course.find().select(item=wanted)[0]


def _commands() -> tuple[tuple[str, Callable[[argparse.Namespace], int], str], ...]:
    """The commands: the name, what runs, and what it is for."""
    return (
        ("grade", run_grade, t("grade a submission (default: exercises/) and show the result")),
        ("watch", run_watch, t("grade again whatever a save touches")),
        ("hint", run_hint, t("print the next hint for an item")),
        ("learned", run_learned, t("print what an item taught")),
        ("verify", run_verify, t("prove that the graders tell right answers from wrong ones")),
        ("batch", run_batch, t("grade a folder of submissions, and make their gradebook")),
        ("replay", run_replay, t("grade a submission of a batch again, with the learner's very inputs")),
        ("gradebook", run_gradebook, t("make a batch's gradebook anew, without grading")),
        ("table", run_table, t("what is judged where: item by backend")),
        ("sweep", run_sweep, t("remove what a grading on a real account left behind")),
        ("doctor", run_doctor, t("say what this machine can do, and how to get the rest")),
        ("release", run_release, t("make what learners get: no solutions, answers, hidden checks")),
        ("package", run_package, t("make Gradescope's autograder zip, or a GitHub workflow")),
        ("gradescope", run_gradescope, t("grade one submission for Gradescope")),
        ("report", run_report, t("show a grade.json in another tool's form")),
        ("emulator", run_emulator, t("serve the embedded AWS on a port")),
    )


OPTIONS = {
    "grade": _grade_options,
    "watch": _grading,
    "hint": _hint_options,
    "learned": _item_option,
    "verify": _verify_options,
    "batch": _batch_options,
    "replay": _replay_options,
    "gradebook": _gradebook_options,
    "doctor": lambda _: None,
    "release": _release_options,
    "package": _package_options,
    "gradescope": _gradescope_options,
    "report": _report_options,
    "table": lambda command: command.add_argument("--write", action="store_true", help=t("into the docs")),
    "sweep": lambda _: None,
    "emulator": _emulator_options,
}

if __name__ == "__main__":
    sys.exit(main())
