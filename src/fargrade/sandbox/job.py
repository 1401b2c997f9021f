"""What is run, within which limits, and how it ended. Everything that comes back is a claim, never evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fargrade.course.language import translate as t

MIB = 1 << 20


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
    """Files that make up the work folder, what to run in it, and the files to bring back from it."""

    files: Mapping[str, bytes]
    entry: PythonCall | Command
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    keep: tuple[str, ...] = ()

    def as_message(self) -> dict[str, Any]:
        """The job as JSON for the runner; bytes are base64."""
        from base64 import b64encode

        return {
            "files": {name: b64encode(content).decode() for name, content in self.files.items()},
            "python": asdict(self.entry) if isinstance(self.entry, PythonCall) else None,
            "argv": list(self.entry.argv) if isinstance(self.entry, Command) else None,
            "env": dict(self.env),
            "limits": asdict(self.limits),
            "keep": list(self.keep),
        }


@dataclass(frozen=True)
class Raised:
    """An exception of the learner's code; `file` and `line` are where in their files it came from.

    `bases` are the names of its class and of all the classes above it.
    """

    type: str
    message: str
    file: str = ""
    line: int = 0
    bases: tuple[str, ...] = ()


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
    "lost",
]
KINDS: tuple[str, ...] = Kind.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Outcome:
    """How a job ended. `exit_code` and `signal` are of its process, where it ended by itself."""

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

    @property
    def ok(self) -> bool:
        """Whether the code did what was asked of it: returned, or exited with 0 where it is a program."""
        return self.kind == "returned" or (self.kind == "exited" and self.exit_code == 0 and self.detail == "command")

    def sentence(self) -> str:
        """How it ended, in one sentence for the learner."""
        if self.kind == "raised" and self.error:
            return self._raised(self.error)
        if self.kind == "killed":
            return self._killed()
        return {
            "returned": t("The code returned."),
            "exited": t("The program ended itself with exit status {code}.", code=self.exit_code),
            "timed_out": t(
                "It was still running after {seconds} seconds and was ended.", seconds=f"{self.seconds:.0f}"
            ),
            "flooded": t("It printed without end and was ended."),
            "too_large": t("What it returned is too large to be an answer."),
            "not_json": t(
                "It returned {what}, which is not plain data (text, numbers, lists, dicts).", what=self.detail
            ),
            "no_file": t("There is no file {file}.", file=self.detail),
            "no_function": t("There is no function {function} in the file.", function=self.detail),
            "wrong_arguments": t("The function cannot be called like that: {why}.", why=self.detail),
            "no_import": t("The file cannot be loaded: {why}.", why=self.detail),
            "lost": t("The code interfered with the process that runs it, or took it down: {why}.", why=self.detail),
        }.get(self.kind, self.kind)

    def _raised(self, error: Raised) -> str:
        what = f"{error.type}: {error.message}" if error.message else error.type
        if error.file:
            return t("{file}, line {line}, raised {what}", file=error.file, line=error.line, what=what)
        return t("It raised {what}", what=what)

    def _killed(self) -> str:
        import signal as signals

        if self.signal == getattr(signals, "SIGXCPU", None):
            return t("It used up its processor time and was ended.")
        if self.signal == getattr(signals, "SIGXFSZ", None):
            return t("It wrote a file that is too large and was ended.")
        try:
            name = signals.Signals(self.signal or 0).name
        except ValueError:
            name = str(self.signal)
        return t("It was ended by the signal {signal}.", signal=name)
