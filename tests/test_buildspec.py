"""Buildspecs as CodeBuild reads them, and the order of what runs after what fails."""

from __future__ import annotations

import json

import pytest

from fargrade.semantics.buildspec import BuildspecError, parse, phase_after, plan
from fargrade.semantics.buildspec.document import OnFailure

WHOLE = """
version: 0.2
env:
  shell: bash
  variables: {COUNT: 3, FLAG: true}
  parameter-store: {TOKEN: /shop/token}
  secrets-manager: {KEY: "shop:key"}
  exported-variables: [TAG]
phases:
  install: {runtime-versions: {python: 3.12}}
  build: {commands: [make, 7], finally: [echo done], on-failure: RETRY-2-.*429.*}
artifacts: {files: ["**/*"], base-directory: out, discard-paths: yes, secondary-artifacts: {docs: {files: [d.txt]}}}
"""


def test_a_whole_buildspec_is_read() -> None:
    spec = parse(WHOLE)
    assert (spec.shell, spec.exported, dict(spec.parameters)) == ("bash", ("TAG",), {"TOKEN": "/shop/token"})
    assert dict(spec.variables) == {"COUNT": "3", "FLAG": "true"}
    assert spec.phase("build").commands == ("make", "7")
    assert spec.phase("build").on_failure == OnFailure("RETRY", 2, ".*429.*")
    assert spec.artifacts
    assert spec.artifacts.discard_paths
    assert spec.artifacts.base_directory == "out"
    assert spec.secondary_artifacts["docs"].files == ("d.txt",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "wrong number of container tags"),
        ("version: 0.2\n\tphases:", "yaml: line 2"),
        ("version: 1\nphases: {build: {commands: [a]}}", "invalid buildspec version 1"),
        ("version: 0.2", "no phases"),
        ("version: 0.2\nphases: {deploy: {commands: [a]}}", "invalid buildspec phase name found: deploy"),
        ("version: 0.2\nphases: {build: {commands: ['a', {echo: b}]}}", "Commands[1] to be of string type"),
        ("version: 0.2\nphases: {build: {commands: make}}", "list of strings"),
        ("version: 0.2\nphases: {build: {}}", "no commands"),
        ("version: 0.2\nphases: {build: {commands: [a], on-failure: STOP}}", "invalid on-failure value STOP"),
        ("version: 0.2\nphases: {build: {commands: [a]}}\nartifacts: {files: []}", "lists no files"),
        ("version: 0.2\nphases: {build: {commands: [a]}}\nenv: {shell: zsh}", "zsh is not a supported shell"),
        ("version: 0.2\nphase: {build: {commands: [a]}}", "unknown key phase"),
    ],
)
def test_what_codebuild_cannot_read_is_a_yaml_file_error(text: str, said: str) -> None:
    with pytest.raises(BuildspecError, match="YAML_FILE_ERROR") as found:
        parse(text)
    assert said in str(found.value)


@pytest.mark.parametrize(
    ("phase", "failed", "on_failure", "then"),
    [
        ("install", False, None, "pre_build"),
        ("install", True, None, ""),
        ("pre_build", True, None, ""),
        ("build", False, None, "post_build"),
        ("build", True, None, "post_build"),  # the trap: post_build follows a failed build
        ("build", True, "ABORT", ""),
        ("pre_build", True, "CONTINUE", "build"),
        ("post_build", True, None, "upload_artifacts"),
        ("post_build", True, "ABORT", ""),
    ],
)
def test_what_follows_a_phase(phase: str, failed: bool, on_failure: str | None, then: str) -> None:
    assert phase_after(phase, failed=failed, on_failure=OnFailure(on_failure) if on_failure else None) == then


def test_the_plan_is_data() -> None:
    made = plan(parse(WHOLE))
    assert json.loads(json.dumps(made)) == made
    build = made["phases"][2]
    assert (build["name"], build["retries"], build["retry_on"], build["finally"]) == (
        "build",
        2,
        ".*429.*",
        ["echo done"],
    )


def test_a_single_file_may_stand_without_a_list() -> None:
    """As AWS's own tutorial has it (codepipeline/latest/userguide/ecs-cd-pipeline.html); commands may not."""
    spec = parse("version: 0.2\nphases: {build: {commands: [ls]}}\nartifacts: {files: imagedefinitions.json}\n")
    assert spec.artifacts is not None
    assert spec.artifacts.files == ("imagedefinitions.json",)
    with pytest.raises(BuildspecError, match="list of strings"):
        parse("version: 0.2\nphases: {build: {commands: ls}}\n")
