"""Reads a buildspec, with CodeBuild's own complaints about what is none.

Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html and, for the words of the errors,
https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

PHASE_NAMES = ("install", "pre_build", "build", "post_build")
SHELLS = ("sh", "bash", "powershell.exe", "cmd.exe")
TOP = {"version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"}
ON_FAILURE = re.compile(r"(ABORT|CONTINUE|RETRY)(?:-(\d{1,3}))?(?:-(.+))?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BuildspecError(Exception):
    """CodeBuild would end the build in DOWNLOAD_SOURCE with YAML_FILE_ERROR; the message is what it says."""


@dataclass(frozen=True)
class OnFailure:
    """What a failed phase leads to: `action` is ABORT, CONTINUE or RETRY, up to `times`, where `pattern` matches."""

    action: str
    times: int = 3
    pattern: str = ".*"


@dataclass(frozen=True)
class Phase:
    """A phase's commands; `at_the_end` (finally) runs whether they fail or not."""

    name: str
    commands: tuple[str, ...] = ()
    at_the_end: tuple[str, ...] = ()
    on_failure: OnFailure | None = None


@dataclass(frozen=True)
class Artifacts:
    """Which files leave the build, from where, and whether their folders are kept."""

    files: tuple[str, ...]
    base_directory: str = ""
    discard_paths: bool = False
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Buildspec:
    """A buildspec. `parameters` and `secrets` name what CodeBuild fetches before the first command."""

    version: str
    phases: tuple[Phase, ...]
    shell: str = "sh"
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    artifacts: Artifacts | None = None
    secondary_artifacts: Mapping[str, Artifacts] = field(default_factory=dict)

    def phase(self, name: str) -> Phase:
        """The phase of that name; an empty one where the buildspec has none."""
        return next((one for one in self.phases if one.name == name), Phase(name))


def parse(text: str) -> Buildspec:
    """The buildspec in `text`. Raises BuildspecError."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BuildspecError(f"YAML_FILE_ERROR: {_one_line(error)}") from None
    if not isinstance(document, dict):
        raise BuildspecError("YAML_FILE_ERROR: wrong number of container tags, expected 1")
    version = _version(document.get("version"))
    unknown = [str(name) for name in document if name not in TOP]
    if unknown:
        raise BuildspecError(f"YAML_FILE_ERROR: unknown key {unknown[0]} at the top level of the buildspec")
    env = _mapping(document.get("env"), "env")
    artifacts = _mapping(document.get("artifacts"), "artifacts")
    return Buildspec(
        version=version,
        phases=_phases(document.get("phases")),
        shell=_shell(env.get("shell")),
        variables=_texts(env.get("variables"), "env/variables"),
        parameters=_texts(env.get("parameter-store"), "env/parameter-store"),
        secrets=_texts(env.get("secrets-manager"), "env/secrets-manager"),
        exported=_lines(env.get("exported-variables"), "env/exported-variables"),
        artifacts=_artifacts(artifacts, "artifacts") if "files" in artifacts else None,
        secondary_artifacts={
            str(name): _artifacts(_mapping(one, "secondary-artifacts"), f"secondary-artifacts/{name}")
            for name, one in _mapping(artifacts.get("secondary-artifacts"), "secondary-artifacts").items()
        },
    )


def _one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"yaml: line {mark.line + 1}: {problem}" if mark else f"yaml: {' '.join(str(problem).split())}"


def _version(value: Any) -> str:
    if str(value) not in ("0.1", "0.2"):
        raise BuildspecError(f"YAML_FILE_ERROR: invalid buildspec version {value}: expected 0.1 or 0.2")
    return str(value)


def _shell(value: Any) -> str:
    if value is None:
        return "sh"
    if value not in SHELLS:
        raise BuildspecError(f"YAML_FILE_ERROR: {value} is not a supported shell: expected {', '.join(SHELLS)}")
    return str(value)


def _phases(value: Any) -> tuple[Phase, ...]:
    given = _mapping(value, "phases")
    if not given:
        raise BuildspecError("YAML_FILE_ERROR: the buildspec has no phases")
    for name in given:
        if name not in PHASE_NAMES:
            expecting = "pre_build,build,post_build,install"
            raise BuildspecError(f"YAML_FILE_ERROR: invalid buildspec phase name found: {name}. Expecting: {expecting}")
    return tuple(_phase(name, given[name]) for name in PHASE_NAMES if name in given)


def _phase(name: str, value: Any) -> Phase:
    given = _mapping(value, name)
    if "commands" not in given and "runtime-versions" not in given:
        raise BuildspecError(f"YAML_FILE_ERROR: the phase {name} has no commands")
    return Phase(
        name,
        _lines(given.get("commands"), "commands"),
        _lines(given.get("finally"), "finally"),
        _on_failure(given.get("on-failure")),
    )


def _on_failure(value: Any) -> OnFailure | None:
    if value is None:
        return None
    found = ON_FAILURE.fullmatch(str(value))
    if found is None or (found[1] != "RETRY" and (found[2] or found[3])):
        raise BuildspecError(f"YAML_FILE_ERROR: invalid on-failure value {value}: expected ABORT, CONTINUE or RETRY")
    return OnFailure(found[1], int(found[2] or 3), found[3] or ".*")


def _artifacts(given: Mapping[str, Any], where: str) -> Artifacts:
    files = _lines(given.get("files"), f"{where}/files")
    if not files:
        raise BuildspecError(f"YAML_FILE_ERROR: {where} lists no files")
    return Artifacts(
        files,
        str(given.get("base-directory") or ""),
        str(given.get("discard-paths", "no")).lower() in ("yes", "true"),
        _lines(given.get("exclude-paths"), f"{where}/exclude-paths"),
    )


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BuildspecError(f"YAML_FILE_ERROR: expected {where} to be a mapping")
    return {str(name): one for name, one in value.items()}


def _lines(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str) and where.rpartition("/")[2] != "commands":
        # AWS's own tutorial writes `files: imagedefinitions.json`:
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/ecs-cd-pipeline.html
        return (value,)
    if not isinstance(value, list):
        raise BuildspecError(f"YAML_FILE_ERROR: expected {where} to be a list of strings")
    for number, one in enumerate(value):
        if isinstance(one, dict | list):
            # A command with a colon and a space in it, not quoted, is a mapping to YAML.
            raise BuildspecError(
                f"YAML_FILE_ERROR: Expected {where.capitalize()}[{number}] to be of string type: found subkeys instead"
            )
    return tuple(_text(one) for one in value if one is not None)


def _texts(value: Any, where: str) -> Mapping[str, str]:
    given = _mapping(value, where)
    for name, one in given.items():
        if not VARIABLE.fullmatch(name) or isinstance(one, dict | list):
            raise BuildspecError(f"YAML_FILE_ERROR: {where}/{name} is not a variable with a text")
    return {name: _text(one) for name, one in given.items()}


def _text(value: Any) -> str:
    """A scalar as it stood in the file, as far as YAML lets one tell."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
