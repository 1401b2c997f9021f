"""Reads a workflow file. YAML 1.2, as GitHub reads it: `on` is a word, not a truth value.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

# A new repository's GITHUB_TOKEN may read, and nothing asks for an OIDC token by default:
# https://docs.github.com/en/actions/tutorials/authenticate-with-github_token
DEFAULT_PERMISSIONS = {"contents": "read", "packages": "read", "metadata": "read"}
SCOPES = (
    *("actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models"),
    *("packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses"),
)


class WorkflowError(Exception):
    """GitHub does not run this file; the message says why."""


class _Loader(yaml.SafeLoader):
    """Only true and false are truth values."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


@dataclass(frozen=True)
class Job:
    """One job. `permissions` are what its token may do, whoever says so: the job, the workflow or GitHub."""

    identity: str
    needs: tuple[str, ...]
    permissions: Mapping[str, str]
    environment: str
    steps: tuple[Mapping[str, Any], ...]
    raw: Mapping[str, Any]

    @property
    def uses(self) -> tuple[str, ...]:
        """The actions that its steps use, as OWNER/NAME@REF."""
        return tuple(str(one["uses"]) for one in self.steps if "uses" in one)


@dataclass(frozen=True)
class Workflow:
    """A workflow. `events` maps each event's name to its filters."""

    name: str
    events: Mapping[str, Mapping[str, Any]]
    jobs: Mapping[str, Job]
    raw: Mapping[str, Any] = field(default_factory=dict)


def parse(text: str) -> Workflow:
    """The workflow in `text`. Raises WorkflowError."""
    try:
        document = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise WorkflowError(f"{where}{getattr(error, 'problem', None) or error}") from None
    if not isinstance(document, dict):
        raise WorkflowError("the file is no mapping with on and jobs")
    jobs = document.get("jobs")
    if not isinstance(jobs, dict) or not jobs:
        raise WorkflowError("there are no jobs")
    given = document.get("permissions")
    made = {str(name): _job(str(name), one, given) for name, one in jobs.items()}
    for job in made.values():
        for needed in job.needs:
            if needed not in made:
                raise WorkflowError(f"the job {job.identity} needs {needed}, which is no job")
    return Workflow(str(document.get("name", "")), _events(document.get("on")), made, document)


def _events(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, list):
        return {str(one): {} for one in value}
    if isinstance(value, dict):
        return {str(name): one if isinstance(one, dict) else {} for name, one in value.items()}
    raise WorkflowError("on names no event")


def _job(name: str, value: Any, of_workflow: Any) -> Job:
    if not isinstance(value, dict):
        raise WorkflowError(f"the job {name} is no mapping")
    steps = value.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(one, dict) for one in steps):
        raise WorkflowError(f"the steps of {name} are no list of steps")
    needs = value.get("needs", [])
    environment = value.get("environment", "")
    return Job(
        name,
        (needs,) if isinstance(needs, str) else tuple(map(str, needs)),
        _permissions(value.get("permissions", of_workflow)),
        str(environment.get("name", "") if isinstance(environment, dict) else environment or ""),
        tuple(steps),
        value,
    )


def _permissions(value: Any) -> Mapping[str, str]:
    """Each scope's level; a scope that a given mapping leaves out is none."""
    if value is None:
        return DEFAULT_PERMISSIONS
    if value == "write-all":
        return dict.fromkeys(SCOPES, "write")
    if value == "read-all":
        return {scope: "read" for scope in SCOPES if scope != "id-token"}
    if not isinstance(value, dict):
        raise WorkflowError("permissions must be read-all, write-all or a mapping")
    return {str(scope): str(level) for scope, level in value.items()}


def rendered(workflow: Workflow, environments: Mapping[str, Mapping[str, str]]) -> str:
    """The workflow as text again, each job with the environment that GitHub's runner would give it."""
    raw = dict(workflow.raw)
    jobs = {}
    for name, job in workflow.jobs.items():
        given = job.raw.get("env")
        own = given if isinstance(given, dict) else {}
        jobs[name] = {**job.raw, "env": {**own, **environments.get(name, {})}}
    return yaml.safe_dump({**raw, "jobs": jobs}, sort_keys=False, width=1000)
