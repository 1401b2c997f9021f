"""What is run, within which limits, and how it ended. Everything that comes back is a claim, never evidence."""

from __future__ import annotations

import re
import signal as signals
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fargrade.course.language import translate as t

MIB = 1 << 20
PLACE = re.compile(r"(?P<file>[^,]+), line (?P<line>\d+): (?P<what>.*)", re.S)


@dataclass(frozen=True)
class Limits:
    """What one job may use. Output beyond `output_bytes` is dropped; beyond `flood_bytes` the job is ended."""

    wall_seconds: float = 20.0
    cpu_seconds: int = 20
    memory_bytes: int = 1024 * MIB
    processes: int = 64
    open_files: int = 256
    file_bytes: int = 64 * MIB
    output_bytes: int = 64 << 10
    flood_bytes: int = 64 * MIB
    result_bytes: int = 256 << 10


@dataclass(frozen=True)
class PythonCall:
    """Call `function(*args, **kwargs)` of the Python `file`; arguments and result are JSON."""

    file: str
    function: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """Run a program found on PATH."""

    argv: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """Files that make up the work folder, what to run in it, and the files to bring back from it.

    `ahead`: how many seconds the world's clock is ahead of the machine's; None: a Python call asks when it must know.
    """

    files: Mapping[str, bytes]
    entry: PythonCall | Command
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    keep: tuple[str, ...] = ()
    ahead: float | None = None

    def as_message(self) -> dict[str, Any]:
        """The job as JSON for the runner; bytes are base64."""
        return {
            "files": {name: b64encode(content).decode() for name, content in self.files.items()},
            "python": asdict(self.entry) if isinstance(self.entry, PythonCall) else None,
            "argv": list(self.entry.argv) if isinstance(self.entry, Command) else None,
            "env": dict(self.env),
            "limits": asdict(self.limits),
            "keep": list(self.keep),
            "ahead": self.ahead,
        }


@dataclass(frozen=True)
class Raised:
    """An exception of the learner's code; `file` and `line` are where in their files it came from.

    `bases` are the names of its class and of all the classes above it; `frames` the learner's own frames, outermost
    first, as text.
    """

    type: str
    message: str
    file: str = ""
    line: int = 0
    bases: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()


Kind = Literal[
    "returned",
    "raised",
    "exited",
    "killed",
    "timed_out",
    "flooded",
    "too_large",
    "not_json",
    "no_file",
    "no_function",
    "wrong_arguments",
    "no_import",
    "no_start",
    "lost",
]
KINDS: tuple[str, ...] = Kind.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Outcome:
    """How a job ended. `exit_code` and `signal` are of its process, where it ended by itself.

    `command` says that it was a program and not a Python call, `out_of_memory` that the machine ended a process of
    it for want of memory; `detail` is what `sentence()` needs beside the kind.
    """

    kind: Kind
    value: Any = None
    error: Raised | None = None
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    exit_code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    files: Mapping[str, bytes] = field(default_factory=dict)
    detail: str = ""
    command: bool = False
    out_of_memory: bool = False

    @property
    def ok(self) -> bool:
        """Whether the code did what was asked of it: returned, or exited with 0 where it is a program."""
        return self.kind == "returned" or (self.kind == "exited" and self.exit_code == 0 and self.command)

    def sentence(self) -> str:
        """How it ended, in one sentence for the learner."""
        if self.kind == "raised" and self.error:
            return _raised(self.error)
        if self.kind == "killed":
            return self._killed()
        if self.kind == "exited":
            return self._exited()
        if self.kind == "timed_out":
            return t("It was still running after {seconds} seconds and was ended.", seconds=f"{self.seconds:.0f}")
        return _plain_sentence(self.kind, self.detail)

    def _exited(self) -> str:
        if self.command:
            return t("The program ended with exit status {code}.", code=self.exit_code)
        return t(
            "The code ended its own process with exit status {code} instead of returning: leave out exit().",
            code=self.exit_code,
        )

    def _killed(self) -> str:
        if self.out_of_memory:
            return t("It used more memory than it may and was ended.")
        if self.signal == getattr(signals, "SIGXCPU", None):
            return t("It used up its processor time and was ended: look for a loop that never ends.")
        if self.signal == getattr(signals, "SIGXFSZ", None):
            return t("It wrote a file that is too large and was ended.")
        return t("It was ended by the signal {signal}.", signal=_signal_name(self.signal))


def _plain_sentence(kind: str, what: str) -> str:
    match kind:
        case "returned":
            return t("The code returned.")
        case "flooded":
            return t("It printed without end and was ended.")
        case "too_large":
            return t("What it returned is too large to be an answer.")
        case "not_json":
            return t("It returned {what}, which is not plain data (text, numbers, lists, dicts).", what=what)
        case "no_file":
            return t("There is no file {what}.", what=what)
        case "no_function":
            return t("There is no function {what} in the file.", what=what)
        case "wrong_arguments":
            return t("The function cannot be called like that: {what}.", what=what)
        case "no_import":
            return t("The file cannot be loaded: {what}.", what=_placed(what))
        case "no_start":
            return t("The code could not be started: {what}.", what=what)
        case _:
            return t("The code interfered with the process that runs it, or took it down: {what}.", what=what)


def _placed(what: str) -> str:
    """`file, line 3: invalid syntax`, as the runner says it, in the learner's language."""
    found = PLACE.fullmatch(what)
    return t("{file}, line {line}: {what}", **found.groupdict()) if found else what


def _raised(error: Raised) -> str:
    what = f"{error.type}: {error.message}" if error.message else error.type
    if error.file:
        return t("{file}, line {line}, raised {what}", file=error.file, line=error.line, what=what)
    return t("It raised {what}", what=what)


def _signal_name(number: int | None) -> str:
    try:
        return signals.Signals(number or 0).name
    except ValueError:
        return str(number)
