"""The `pipelines` fixture: pushes commits, runs the builds that wait in the sandbox, and lets the world go on.

The world holds CodePipeline and CodeBuild; it cannot run a learner's buildspec. Here it is run, in the sandbox that
all of the learner's code runs in, and what it left behind is handed back. What the build says of itself is a claim: a
grader looks at what arrived in the registry, in the bucket, at the service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fargrade.backends.world import World
from fargrade.course.language import translate as t
from fargrade.grading import NotJudged
from fargrade.sandbox import Command, Job, Limits, Outcome, Sandbox
from fargrade.sandbox.confinement import INSIDE

DRIVER = ("python3", "-I", "-S", str(INSIDE / "codebuild.py"))
STEP_SECONDS = 15.0
MOST_ARTIFACTS = 10
BUILD_LIMITS = Limits(wall_seconds=60.0, cpu_seconds=60, processes=128)


@dataclass(frozen=True)
class Action:
    """An action of an execution, and how it ended."""

    stage: str
    name: str
    category: str
    provider: str
    status: str
    message: str


@dataclass(frozen=True)
class Execution:
    """An execution of a pipeline, as the world has it."""

    pipeline: str
    identity: str
    status: str
    commit: str
    actions: tuple[Action, ...]

    @property
    def succeeded(self) -> bool:
        return self.status == "Succeeded"

    @property
    def failure(self) -> Action | None:
        """The action that failed, None where none did."""
        return next((one for one in self.actions if one.status == "Failed"), None)

    def sentence(self) -> str:
        """How it ended, for the learner."""
        if self.failure:
            return t(
                "{stage}/{action} failed: {message}",
                stage=self.failure.stage,
                action=self.failure.name,
                message=self.failure.message[:600],
            )
        steps = ", ".join(f"{one.stage}/{one.name} {one.status}" for one in self.actions)
        return t("the execution is {status} ({steps})", status=self.status, steps=steps or "–")


@dataclass(frozen=True)
class BuildRun:
    """A build as it was run in the sandbox."""

    identity: str
    project: str
    succeeded: bool
    outcome: Outcome


class Pipelines:
    """The learner's pipelines at work. `builds` are the builds that were run, in order."""

    def __init__(self, sandbox: Sandbox, world: World) -> None:
        self._sandbox = sandbox
        self._world = world
        self.builds: list[BuildRun] = []

    def connect(self, name: str) -> str:
        """A connection to GitHub that somebody has completed; returns its ARN."""
        arn: str = self._world.control("seed_connection", name=name, region=self._world.region)
        return arn

    def commit(self, repository: str, branch: str, files: Mapping[str, bytes], message: str = "") -> str:
        """Push a commit and start nothing yet; returns its id. As a repository is before anybody listens to it."""
        return self._push(repository, branch, files, message, quietly=True)

    def push(
        self, repository: str, branch: str, files: Mapping[str, bytes], message: str = "", minutes: float = 60
    ) -> list[Execution]:
        """Push a commit and let everything that it starts come to its end; returns those executions."""
        before = {one.identity for one in self.executions()}
        self._push(repository, branch, files, message)
        self.settle(minutes)
        return [one for one in self.executions() if one.identity not in before]

    def _push(
        self, repository: str, branch: str, files: Mapping[str, bytes], message: str, *, quietly: bool = False
    ) -> str:
        pushed = self._world.control(
            "push_commit", repository=repository, branch=branch, files=dict(files), message=message, quietly=quietly
        )
        return str(pushed["commit"])

    def settle(self, minutes: float = 60) -> None:
        """Run the builds that wait and move the clock, until nothing is in progress or `minutes` have passed."""
        for _ in range(int(minutes * 60 / STEP_SECONDS)):
            self._world.advance(STEP_SECONDS)
            self.run_builds()
            if all(one.status != "InProgress" for one in self.executions()):
                break
        self._refuse_to_judge_what_we_lack()

    def executions(self) -> list[Execution]:
        """Every execution in the world's region, oldest first."""
        return [
            Execution(
                one["pipeline"],
                one["id"],
                one["status"],
                one["commit"],
                tuple(Action(**_named(a)) for a in one["actions"]),
            )
            for one in self._world.control("pipeline_executions", region=self._world.region)
        ]

    def run_builds(self) -> list[BuildRun]:
        """Run every build that waits, whoever started it."""
        ran = [self._run(job) for job in self._world.control("waiting_builds")]
        self.builds += ran
        return ran

    def _run(self, job: Mapping[str, Any]) -> BuildRun:
        files = {f"src/{name}": content for name, content in job["files"].items()}
        names = ["", *job["plan"]["secondary_artifacts"]][:MOST_ARTIFACTS]
        self._world.control("docker_daemon", running=job["privileged"], fresh=True)
        try:
            outcome = self._sandbox.run(
                Job(
                    files={**files, "plan.json": json.dumps(job["plan"]).encode()},
                    entry=Command(DRIVER),
                    env=job["environment"],
                    limits=BUILD_LIMITS,
                    keep=("out/report.json", *(f"out/{number}.zip" for number in range(len(names)))),
                )
            )
        finally:
            self._world.control("docker_daemon", running=True, fresh=True)
        report = _report(outcome)
        zips = {
            name: outcome.files[f"out/{number}.zip"]
            for number, name in enumerate(names)
            if f"out/{number}.zip" in outcome.files
        }
        printed = outcome.stdout + outcome.stderr
        self._world.control("finish_build", build=job["id"], report=report, zips=zips, printed=printed)
        return BuildRun(job["id"], job["project"], bool(report["succeeded"]), outcome)

    def _refuse_to_judge_what_we_lack(self) -> None:
        for execution in self.executions():
            if execution.failure and execution.failure.message.startswith("EmulatorFault"):
                raise NotJudged(execution.failure.message.removeprefix("EmulatorFault: "))


def _named(action: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in action.items() if key != "action"}, "name": action["action"]}


def _report(outcome: Outcome) -> dict[str, Any]:
    """What the driver wrote, as far as it makes sense; a build whose driver did not end is a failed one."""
    try:
        told = json.loads(outcome.files.get("out/report.json", b""))
        phases = [
            {"phase": str(one["phase"]), "failed": one["failed"] is True, "message": str(one["message"])[:4000]}
            for one in told["phases"]
        ]
        exported = {str(name): str(value)[:4000] for name, value in told["exported"].items()}
        return {"succeeded": told["succeeded"] is True, "phases": phases, "exported": exported}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"succeeded": False, "phases": [], "exported": {}, "problem": f"BUILD_ERROR: {outcome.sentence()}"}
