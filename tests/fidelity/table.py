"""The probe table: what a row is, and how one is asked of a world.

A row is one call: right or wrong, what AWS does with it, and where that is written. Rows stand in `rows/`, a module a
service, in the list `ROWS`; nothing else needs to be edited (README.md says how). The table is asked through boto3 over
HTTP, as anybody's code would, without the client's own checks: what is tested is the service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError

ACCEPTED = "accepted"
NAMED = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Step:
    """A call made before (or, in `then`, after) the one in question.

    `saves` keeps parts of the answer for later steps: {"vpc": "Vpc.VpcId"} makes "<vpc>" mean it. `shows` says what
    parts of the answer must be. The service "world" is the world itself: advance, push_image and the other control
    operations.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    saves: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One call. `aws` is AWS's error code, or "accepted"; `says` a regular expression that its message matches.

    `differs` says why ours does otherwise, where it does: the row is then listed as one that does not agree, and a
    test fails as soon as it does.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    why: str
    aws: str
    source: str
    says: str = ""
    given: tuple[Step, ...] = ()
    shows: Mapping[str, Any] = field(default_factory=dict)
    then: tuple[Step, ...] = ()
    differs: str = ""

    @property
    def name(self) -> str:
        """What a person calls the row."""
        return f"{self.service} {self.operation}: {self.why}"

    @property
    def id(self) -> str:
        words = re.sub(r"[^\w]+", "-", self.why.lower(), flags=re.ASCII).strip("-")
        return f"{self.service}-{self.operation}-{words}"[:110]


@dataclass(frozen=True)
class Service:
    """Writes rows of one service."""

    name: str

    def refuses(self, operation: str, parameters: Mapping[str, Any], code: str, why: str, **more: Any) -> Row:
        """AWS refuses the call with this error code."""
        return Row(self.name, operation, parameters, why, code, **_tuples(more))

    def accepts(self, operation: str, parameters: Mapping[str, Any], why: str, **more: Any) -> Row:
        """AWS takes the call; `shows` is what its answer holds, `then` what is read after it."""
        return Row(self.name, operation, parameters, why, ACCEPTED, **_tuples(more))

    def step(self, operation: str, parameters: Mapping[str, Any] | None = None, /, **more: Any) -> Step:
        """A call of this service, for `given` and `then`."""
        return Step(self.name, operation, parameters or {}, **more)


def _tuples(more: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if name in ("given", "then") else value for name, value in more.items()}


def rows() -> list[Row]:
    """The whole table, a service after another."""
    from tests.fidelity import rows as package

    found: list[Row] = []
    for module in sorted(iter_modules(package.__path__), key=lambda one: one.name):
        found += import_module(f"tests.fidelity.rows.{module.name}").ROWS
    return found


@dataclass
class Came:
    """What a call came to: an error code and message, or the answer, and what of it was not as AWS has it."""

    code: str
    message: str = ""
    wrong: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return "; ".join(self.wrong) if self.wrong else f"{self.code}: {self.message}".rstrip(": ")


Client = Callable[[str], Any]
Control = Callable[..., Any]


class Asker:
    """Asks rows of a world: `client` makes clients by service name, `control` is the world's own operations."""

    def __init__(self, client: Client, control: Control, account: str, region: str) -> None:
        self._client = client
        self._control = control
        self._values: dict[str, Any] = {"account": account, "region": region}

    def ask(self, row: Row) -> Came:
        """The call, after what was given. Raises AssertionError for a step of `given` that failed: the row is wrong."""
        for step in row.given:
            self._given(step)
        try:
            answer = self._call(row.service, row.operation, row.parameters)
        except ClientError as error:
            return Came(error.response["Error"]["Code"], error.response["Error"].get("Message", ""))
        came = Came(ACCEPTED)
        came.wrong += self._compared(answer, row.shows)
        for step in row.then:
            came.wrong += self._after(step)
        return came

    def _given(self, step: Step) -> None:
        try:
            answer = self._call(step.service, step.operation, step.parameters)
        except ClientError as error:
            raise AssertionError(f"given {step.service} {step.operation}: {error}") from error
        self._save(step, answer)
        assert not (wrong := self._compared(answer, step.shows)), f"given {step.operation}: {wrong}"

    def _after(self, step: Step) -> list[str]:
        try:
            answer = self._call(step.service, step.operation, step.parameters)
        except ClientError as error:
            return [f"then {step.operation}: {error}"]
        self._save(step, answer)
        return self._compared(answer, step.shows)

    def _call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        given = self._filled(parameters)
        if service == "world":
            return self._control(operation, **given)
        return getattr(self._client(service), xform_name(operation))(**given)

    def _save(self, step: Step, answer: Any) -> None:
        for name, path in step.saves.items():
            self._values[name] = jmespath.search(path, answer)
            assert self._values[name] is not None, f"{step.operation} has no {path}"

    def _compared(self, answer: Any, shows: Mapping[str, Any]) -> list[str]:
        found = {path: jmespath.search(path, answer) for path in shows}
        return [
            f"{path} is {found[path]!r}, not {wanted!r}"
            for path, wanted in self._filled(shows).items()
            if found[path] != wanted
        ]

    def _filled(self, value: Any) -> Any:
        """`value` with "<name>" replaced by what was saved under that name; other such texts stay."""
        if isinstance(value, Mapping):
            return {self._filled(key): self._filled(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._filled(one) for one in value]
        if not isinstance(value, str):
            return value
        whole = NAMED.fullmatch(value)
        if whole and whole[1] in self._values:
            return self._values[whole[1]]
        return NAMED.sub(lambda found: str(self._values.get(found[1], found[0])), value)


def agrees(row: Row, came: Came) -> bool:
    """Whether what the world did is what AWS does."""
    if came.code != row.aws or came.wrong:
        return False
    return not row.says or re.search(row.says, came.message, re.IGNORECASE) is not None


def document(table: list[Row], right: Collection[str]) -> str:
    """docs/fidelity.md: how much agrees, what does not and why, what moto has right by itself, and the whole table."""
    apart = [row for row in table if row.differs]
    services = list(dict.fromkeys(row.service for row in table))
    lines = [
        "# How true the embedded AWS is",
        "",
        "<!-- Written by `make fidelity` from tests/fidelity/rows: edit those. -->",
        "",
        f"**{len(table) - len(apart)} of {len(table)} rows agree with AWS; moto alone has {len(right)} right.** "
        "Each row is one call, made for real through boto3 over HTTP by `tests/fidelity/test_table.py` (what moto "
        "breaks on, and a sample of the rest, through the AWS CLI, too); a row that stops agreeing, or begins to, "
        "fails a test, and so does one that moto alone has right by now.",
        "",
        "| service | rows | refused | accepted | agree | moto alone |",
        "|---|---|---|---|---|---|",
    ]
    for name in services:
        mine = [row for row in table if row.service == name]
        refused = sum(row.aws != ACCEPTED for row in mine)
        agree = sum(not row.differs for row in mine)
        alone = sum(row.name in right for row in mine)
        lines.append(f"| {name} | {len(mine)} | {refused} | {len(mine) - refused} | {agree} | {alone} |")
    lines += ["", "## What does not agree", ""]
    if not apart:
        lines.append("Nothing that is known.")
    for row in apart:
        lines.append(f"- **{row.service} {row.operation}**: {row.why}. AWS: {_does(row)}. Ours: {row.differs}")
    lines += ["", "## What moto is known to break, lack or take", "", "| moto | rows that show that ours does not |"]
    lines += ["|---|---|", *(f"| {_cell(gap.words)} | {_cell('; '.join(gap.rows))} |" for gap in _gaps())]
    for name in services:
        lines += ["", f"## {name}", "", "| call | what is asked | AWS | moto | source |", "|---|---|---|---|---|"]
        lines += [_line(row, row.name in right) for row in table if row.service == name]
    return "\n".join(lines) + "\n"


def _gaps() -> list[Any]:
    from tests.fidelity import gaps

    return [*gaps.BREAKS, *gaps.TAKES]


def _line(row: Row, moto: bool) -> str:
    call = f"{row.operation} ✗" if row.differs else row.operation
    return f"| {call} | {_cell(row.why)} | {_cell(_does(row))} | {'✓' if moto else '–'} | {_source(row)} |"


def _does(row: Row) -> str:
    return "takes it" if row.aws == ACCEPTED else f"`{row.aws}`" + (f" “{_plain(row.says)}”" if row.says else "")


def _plain(pattern: str) -> str:
    """A pattern as a person reads it: most are plain words."""
    return re.sub(r"\.[*+]\??", " … ", pattern.replace("\\", "")).strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _source(row: Row) -> str:
    return f"[source]({row.source})" if row.source.startswith("https://") else _cell(row.source)


def written() -> Path:
    """Where the document stands."""
    return Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"


def sample_for_the_cli(table: list[Row]) -> Iterator[Row]:
    """All that moto breaks on, and of each service the first refused and the first accepted row: what the CLI itself
    lets through."""
    broken = {name for gap in _gaps() for name in gap.rows if gap.breaks}
    seen: set[tuple[str, bool]] = set()
    for row in table:
        kind = (row.service, row.aws == ACCEPTED)
        if (kind not in seen or row.name in broken) and not row.differs and _passes_the_client(row):
            seen.add(kind)
            yield row


def _passes_the_client(row: Row) -> bool:
    """Whether the CLI would send it: its own checks pass, and it needs nothing that a file of JSON cannot hold."""
    if row.operation == "ExecuteCommand":  # the CLI hands its answer to a program of its own
        return False
    from botocore.validate import ParamValidator

    from fargrade.emulator.services import service_model

    shape = service_model(row.service).operation_model(row.operation).input_shape
    if shape is None:
        return True
    return not ParamValidator().validate(dict(row.parameters), shape).has_errors() and not _has_bytes(row.parameters)


def _has_bytes(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_bytes, value.values()))
    return any(map(_has_bytes, value)) if isinstance(value, list | tuple) else isinstance(value, bytes)
