"""An execution of a pipeline: stage by stage, action by action, on the world's clock.

What an action does is registered per provider with `runs`. An action begins, and sooner or later succeeds or fails: at
once, when a build has been run, or when a service has become stable.
Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.codepipeline.pipelines import Held, assumable
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.ids import new_id
from fargrade.semantics.pipeline import UnresolvedVariable, resolved
from fargrade.semantics.pipeline.structure import in_order

SECONDS_BEFORE = 2.0  # what CodePipeline takes to start an action


class ActionFailed(Exception):
    """The action fails with this message."""


@dataclass(frozen=True)
class Location:
    """Where an artifact lies."""

    bucket: str
    key: str


@dataclass
class ActionRun:
    """An action, run once in an execution."""

    stage: str
    action: Mapping[str, Any]
    identity: str = field(default_factory=new_id)
    status: str = "InProgress"
    message: str = ""
    started: datetime = field(default_factory=clock.now)
    ended: datetime | None = None
    external: str = ""
    configuration: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Location] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.action["name"])

    @property
    def failed(self) -> bool:
        return self.status != "Succeeded"


@dataclass
class Execution:
    """One run of a pipeline, as it was declared then."""

    held: Held
    trigger: str
    detail: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    identity: str = field(default_factory=new_id)
    status: str = "InProgress"
    summary: str = ""
    started: datetime = field(default_factory=clock.now)
    updated: datetime = field(default_factory=clock.now)
    declared: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Location] = field(default_factory=dict)
    revisions: list[dict[str, str]] = field(default_factory=list)
    runs: list[ActionRun] = field(default_factory=list)
    at: int = 0

    @property
    def region(self) -> str:
        return self.held.region

    def role_of(self, run: ActionRun) -> str:
        """The role that an action acts in."""
        return str(run.action.get("roleArn") or self.declared["roleArn"])

    def namespaces(self) -> dict[str, Mapping[str, str]]:
        """The variables that configurations may use."""
        given: dict[str, Mapping[str, str]] = {
            "codepipeline": {"PipelineExecutionId": self.identity},
            "variables": self.variables,
        }
        for run in self.runs:
            if run.action.get("namespace") and run.status == "Succeeded":
                given[str(run.action["namespace"])] = run.variables
        return given


Runner = Callable[[Execution, ActionRun], None]
_runners: dict[tuple[str, str], Runner] = {}
_executions: dict[str, Execution] = {}


@on_reset
def _new() -> None:
    _executions.clear()


def runs(category: str, *providers: str) -> Callable[[Runner], Runner]:
    """Register what the actions of these providers do. A runner that raises ActionFailed has failed."""

    def register(function: Runner) -> Runner:
        for provider in providers:
            _runners[(category, provider)] = function
        return function

    return register


def executions_of(held: Held) -> list[Execution]:
    """The executions of a pipeline, newest first."""
    return [one for one in reversed(_executions.values()) if one.held is held]


def find(held: Held, identity: str) -> Execution:
    """The execution. Raises Refused."""
    found = _executions.get(identity)
    if found is None or found.held is not held:
        raise Refused(
            "PipelineExecutionNotFoundException",
            f"The pipeline '{held.name}' does not have an execution with the id '{identity}'",
        )
    return found


def start(held: Held, trigger: str, detail: str = "", variables: Mapping[str, str] | None = None) -> Execution:
    """Start the pipeline as it is declared now."""
    defaults = {one["name"]: one.get("defaultValue", "") for one in held.declared.get("variables", ())}
    made = Execution(held, trigger, detail, {**defaults, **(variables or {})}, declared=held.declared)
    _executions[made.identity] = made
    clock.after(SECONDS_BEFORE, lambda: _enter(made, 0))
    return made


def _enter(execution: Execution, number: int) -> None:
    """Go on with the stage of that number, or end."""
    execution.at = number
    if execution.status != "InProgress":
        return
    if number >= len(execution.declared["stages"]):
        _end(execution, "Succeeded")
    elif execution.declared["stages"][number]["name"] not in execution.held.closed:
        _go(execution, number, 0)


def resume(held: Held, stage: str) -> None:
    """The transition into a stage has been enabled: what waited before it goes on."""
    for execution in executions_of(held):
        if execution.status == "InProgress" and execution.declared["stages"][execution.at]["name"] == stage:
            _enter(execution, execution.at)


def retry(execution: Execution, stage: str) -> None:
    """Run a failed stage again."""
    number = next(n for n, one in enumerate(execution.declared["stages"]) if one["name"] == stage)
    execution.status = "InProgress"
    clock.after(SECONDS_BEFORE, lambda: _enter(execution, number))


def stop(execution: Execution, reason: str) -> None:
    """End an execution before it ends by itself."""
    for run in execution.runs:
        if run.status == "InProgress":
            run.status, run.message, run.ended = "Abandoned", reason, clock.now()
    _end(execution, "Stopped", reason)


def _go(execution: Execution, stage: int, group: int) -> None:
    """Begin the actions of one run order."""
    groups = list(in_order(execution.declared["stages"][stage]))
    if group >= len(groups):
        _enter(execution, stage + 1)
        return
    begun = [ActionRun(execution.declared["stages"][stage]["name"], action) for action in groups[group]]
    execution.runs += begun

    def when_done() -> None:
        if execution.status == "InProgress" and all(run.status != "InProgress" for run in begun):
            if any(run.failed for run in begun):
                _end(execution, "Failed")
            else:
                _go(execution, stage, group + 1)

    for run in begun:
        clock.after(SECONDS_BEFORE, lambda run=run: _begin(execution, run, when_done))  # type: ignore[misc]


_when_done: dict[str, Callable[[], None]] = {}


def _begin(execution: Execution, run: ActionRun, when_done: Callable[[], None]) -> None:
    if execution.status != "InProgress":
        return
    _when_done[run.identity] = when_done
    kind = run.action["actionTypeId"]
    runner = _runners.get((kind["category"], kind["provider"]))
    from botocore.exceptions import ClientError

    try:
        if runner is None:
            raise ActionFailed(
                f"EmulatorFault: this emulator cannot run {kind['category']} actions of {kind['provider']}"
            )
        if not assumable(execution.held):
            raise ActionFailed(
                f"CodePipeline is not authorized to perform AssumeRole on role {execution.declared['roleArn']}"
            )
        spaces = execution.namespaces()
        run.configuration = {key: resolved(str(one), spaces) for key, one in run.action["configuration"].items()}
        runner(execution, run)
    except (ActionFailed, UnresolvedVariable, ClientError) as error:
        fail(execution, run, str(error))


def succeed(execution: Execution, run: ActionRun, message: str = "") -> None:
    """The action has done what it should."""
    execution.artifacts |= run.outputs
    _finish(execution, run, "Succeeded", message)


def fail(execution: Execution, run: ActionRun, message: str) -> None:
    """The action has failed."""
    _finish(execution, run, "Failed", message)


def _finish(execution: Execution, run: ActionRun, status: str, message: str) -> None:
    if run.status != "InProgress":
        return
    run.status, run.message, run.ended = status, message, clock.now()
    execution.updated = clock.now()
    done = _when_done.pop(run.identity, None)
    if done:
        done()


def _end(execution: Execution, status: str, summary: str = "") -> None:
    execution.status, execution.summary, execution.updated = status, summary, clock.now()
