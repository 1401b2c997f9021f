"""The `learner` fixture: runs the learner's code in the sandbox and turns what went wrong into a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fargrade.course.language import translate as t
from fargrade.course.submission import Answer
from fargrade.grading import CheckFailed
from fargrade.plugin.evidence import NotBegun
from fargrade.sandbox import Command, Job, Limits, Outcome, PythonCall, Sandbox
from fargrade.verdict import Finding

PYTHONS = ("python", "python3")
WAITED = ("WaiterError", "TimeoutError")
# Stands in for the interpreter that a container starts: the script sees the argv and the name that it would there.
START = "fargrade_start.py"
SCRIPT = b"""import runpy, sys

def start(argv):
    sys.argv = argv
    runpy.run_path(argv[0], run_name="__main__")
"""

# Stands beside the answer and calls a function of it several times: [what it returned], or [] where it did not.
EACH = "fargrade_each.py"
EACH_SCRIPT = b"""import importlib.util, os, sys

def each(file, function, calls):
    path = os.path.abspath(file)
    name = os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    made = []
    for args in calls:
        try:
            made.append([getattr(module, function)(*args)])
        except BaseException:
            made.append([])
    return made
"""


class Learner:
    """The learner's files and the place where they run. Each run is a process and a folder of its own.

    `in_vain` says why what the code waited for did not come, "" where that cannot be told. `heard` is told what it
    printed.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        answer: Answer,
        environment: Mapping[str, str],
        *,
        wall_seconds: float | None = None,
        in_vain: Callable[[], str] = str,
        heard: Callable[[str], object] = str,
    ) -> None:
        self._in_vain = in_vain
        self._heard = heard
        self._sandbox = sandbox
        self._wall_seconds = Limits().wall_seconds if wall_seconds is None else wall_seconds
        self._answer = answer
        self._environment = environment

    def elsewhere(self, **environment: str) -> Learner:
        """The same learner with another environment, such as AWS_REGION="eu-central-1"."""
        return self._other({**self._environment, **environment})

    def within(self, environment: Mapping[str, str]) -> Learner:
        """The same learner with this environment and nothing else of its own, as `world.task_environment` has it."""
        endpoint = self._sandbox.endpoint
        filled = {name: value.replace("{endpoint}", endpoint) for name, value in environment.items()}
        return self._other(filled)

    def patient(self, seconds: float) -> Learner:
        """The same learner, whose code may take longer: a real engine builds and pushes for it."""
        return self._other(self._environment, seconds)

    def _other(self, environment: Mapping[str, str], seconds: float | None = None) -> Learner:
        wall_seconds = self._wall_seconds if seconds is None else seconds
        return Learner(
            self._sandbox,
            self._answer,
            environment,
            wall_seconds=wall_seconds,
            in_vain=self._in_vain,
            heard=self._heard,
        )

    def _run(self, job: Job) -> Outcome:
        outcome = self._sandbox.run(job)
        self._heard("\n".join(text.rstrip() for text in (outcome.stdout, outcome.stderr) if text.strip()))
        return outcome

    def call(self, file: str, function: str, *args: Any, **kwargs: Any) -> Any:
        """What `function(*args, **kwargs)` of the learner's `file` returned: a claim, never evidence.

        Arguments and the value are JSON. Raises CheckFailed, with the cause, unless it returned.
        """
        return self._value(self.attempt(file, function, *args, **kwargs), function, args, kwargs)

    def call_each(self, file: str, function: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """What each call returned, as `call` says it, of a function that changes nothing: see `attempt_each`."""
        outcomes = self.attempt_each(file, function, calls)
        return [self._value(one, function, tuple(args), {}) for one, args in zip(outcomes, calls, strict=True)]

    def _value(self, outcome: Outcome, function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if outcome.kind == "returned":
            return outcome.value
        if not_begun(outcome):
            raise NotBegun
        raise CheckFailed(
            Finding(
                expected=t("{call} returns", call=f"{function}({_shown(args, kwargs)})"),
                found=outcome.sentence(),
                reason=t("The code did not finish: what it should have done cannot be seen."),
                on_aws=self._in_vain() if waited_in_vain(outcome) else "",
                hint=slip(outcome),
            )
        )

    def attempt(self, file: str, function: str, *args: Any, **kwargs: Any) -> Outcome:
        """Call the function and say how it ended, whatever that was. Raises AnswerProblem: no such file."""
        self._answer.text(file)
        return self._run(
            Job(
                files=self._answer.files,
                entry=PythonCall(file, function, args, kwargs),
                env=self._environment,
                limits=Limits(wall_seconds=self._wall_seconds),
            )
        )

    def attempt_each(self, file: str, function: str, calls: Sequence[Sequence[Any]]) -> list[Outcome]:
        """How each call of the function ended, one after another in one process: for functions that change nothing.

        A call that did not return there is made again in a process of its own, and so is each where that one broke
        down: how it ends is its own doing, and told as ever. Raises AnswerProblem: no such file.
        """
        self._answer.text(file)
        together = self._run(
            Job(
                files={**self._answer.files, EACH: EACH_SCRIPT},
                entry=PythonCall(EACH, "each", (file, function, [list(args) for args in calls])),
                env=self._environment,
                limits=Limits(wall_seconds=self._wall_seconds),
            )
        )
        said = together.value if together.kind == "returned" and isinstance(together.value, list) else []
        said += [None] * (len(calls) - len(said))
        return [
            Outcome("returned", value=one[0])
            if isinstance(one, list) and len(one) == 1
            else self.attempt(file, function, *args)
            for one, args in zip(said, calls, strict=False)
        ]

    def shell(
        self,
        file: str,
        *args: str,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, bytes] | None = None,
        keep: tuple[str, ...] = (),
        limits: Limits | None = None,
    ) -> Outcome:
        """Run `bash file args…` in the answer's folder, with `files` of the grader's beside (and over) it."""
        self._answer.text(file)
        return self._run(
            Job(
                files={**self._answer.files, **(files or {})},
                entry=Command(("bash", file, *args)),
                env={**self._environment, **(env or {})},
                limits=limits or Limits(wall_seconds=self._wall_seconds),
                keep=keep,
            )
        )

    def container(
        self, *argv: str, env: Mapping[str, str] | None = None, files: Mapping[str, bytes] | None = None
    ) -> Outcome:
        """Run the program as a container with the answer's files (and `files`) in its working folder would.

        `env` is added to its environment. It may have more threads than other code: s3transfer alone takes ten a file.
        `python FILE …` runs in the warm runner: what a script raises is then the outcome's error, not a traceback.
        """
        program = argv[0].rsplit("/", 1)[-1]
        warm = program in PYTHONS and len(argv) > 1 and argv[1] in self._answer.files
        entry = PythonCall(START, "start", (list(argv[1:]),)) if warm else Command(argv)
        return self._run(
            Job(
                files={**self._answer.files, **(files or {}), **({START: SCRIPT} if warm else {})},
                entry=entry,
                env={**self._environment, **(env or {})},
                limits=Limits(wall_seconds=self._wall_seconds, processes=256, memory_bytes=2048 << 20),
            )
        )


def not_begun(outcome: Outcome) -> bool:
    """Whether the learner's code ended in the stub's own `raise NotImplementedError`."""
    return outcome.kind == "raised" and outcome.error is not None and outcome.error.type == "NotImplementedError"


def waited_in_vain(outcome: Outcome) -> bool:
    """Whether the learner's code gave up waiting for something that did not come."""
    return outcome.kind == "raised" and outcome.error is not None and outcome.error.type in WAITED


def slip(outcome: Outcome) -> str:
    """What to do about a slip that has nothing to do with AWS; "" where it is none of the usual ones."""
    if outcome.error is None:
        return ""
    error, said = outcome.error.type, outcome.error.message
    if error == "ModuleNotFoundError":
        return t("Python's own library and boto3 are there, and the files beside this one")
    if error == "EOFError":
        return t("nobody is there to type: leave out input()")
    if error in ("NoRegionError", "NoCredentialsError", "EndpointConnectionError") or "security token" in said:
        return t("leave keys, endpoint and session out of the code: boto3 finds what it needs in the environment")
    return ""


def _shown(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    parts = [repr(value) for value in args] + [f"{name}={value!r}" for name, value in kwargs.items()]
    text = ", ".join(parts)
    return text if len(text) <= 200 else text[:199] + "…"
