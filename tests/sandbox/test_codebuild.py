"""The CodeBuild driver in the sandbox: one shell, phases, finally, retries, exported variables and artifacts."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from fargrade.sandbox import Command, Job, Sandbox, open_sandbox
from fargrade.sandbox.confinement import INSIDE
from fargrade.semantics.buildspec import parse, plan


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox(lambda _: 4566, warm=())
    yield opened
    opened.close()


def build(sandbox: Sandbox, text: str) -> tuple[dict[str, Any], str, dict[str, list[str]]]:
    """(report, output, names in each artifact) of the buildspec, run on a small source."""
    files = {"src/app.py": b"1", "src/dist/a.txt": b"2", "src/dist/deep/b.txt": b"3"}
    outcome = sandbox.run(
        Job(
            files={**files, "plan.json": json.dumps(plan(parse(text))).encode()},
            entry=Command(("python3", "-I", "-S", str(INSIDE / "codebuild.py"))),
            env={"GIVEN": "by CodeBuild"},
            keep=("out/report.json", "out/0.zip", "out/1.zip"),
        )
    )
    assert outcome.kind == "exited", outcome
    packed = {
        name: zipfile.ZipFile(io.BytesIO(content)).namelist()
        for name, content in outcome.files.items()
        if name.endswith(".zip")
    }
    return json.loads(outcome.files["out/report.json"]), outcome.stdout, packed


def test_one_shell_for_the_whole_build(sandbox: Sandbox) -> None:
    report, said, _ = build(
        sandbox,
        """
        version: 0.2
        env: {exported-variables: [TAG, GIVEN, NEVER]}
        phases:
          install: {commands: [cd dist, "say() { echo said $1; }", set -o pipefail, "list=(a 'b c')"]}
          build: {commands: [TAG=$(cat a.txt), exit 0, 'say "$TAG ${list[1]}"', 'false | true || echo piped', pwd]}
        """,
    )
    assert report["succeeded"]
    assert "said 2 b c\n" in said
    assert "piped\n" in said
    assert "/src/dist\n" in said
    assert report["exported"] == {"TAG": "2", "GIVEN": "by CodeBuild", "NEVER": ""}


def test_post_build_runs_after_a_failed_build_and_is_told(sandbox: Sandbox) -> None:
    report, said, packed = build(
        sandbox,
        """
        version: 0.2
        phases:
          build: {commands: [echo one, "false", echo never], finally: [echo finally $CODEBUILD_BUILD_SUCCEEDING]}
          post_build: {commands: [echo post $CODEBUILD_BUILD_SUCCEEDING]}
        artifacts: {files: [app.py]}
        """,
    )
    assert not report["succeeded"]
    assert "finally 0\n" in said
    assert "post 0\n" in said
    assert "\nnever" not in said
    assert packed == {"out/0.zip": ["app.py"]}  # UPLOAD_ARTIFACTS is attempted even then


@pytest.mark.parametrize(
    ("phases", "runs", "succeeded"),
    [
        ("pre_build: {commands: ['false']}\n  build: {commands: [echo built]}", False, False),
        ("pre_build: {commands: ['false'], on-failure: CONTINUE}\n  build: {commands: [echo built]}", True, True),
        ("build: {commands: ['false'], on-failure: ABORT}\n  post_build: {commands: [echo built]}", False, False),
        ("build: {commands: ['test -e x || { touch x; exit 1; }', echo built], on-failure: RETRY}", True, True),
        ("build: {commands: ['true'], finally: ['false']}\n  post_build: {commands: [echo built]}", True, False),
    ],
)
def test_what_a_failure_leads_to(sandbox: Sandbox, phases: str, runs: bool, succeeded: bool) -> None:
    report, said, _ = build(sandbox, f"version: 0.2\nphases:\n  {phases}\n")
    assert ("\nbuilt\n" in said) == runs
    assert report["succeeded"] == succeeded


def test_artifacts(sandbox: Sandbox) -> None:
    report, _, packed = build(
        sandbox,
        """
        version: 0.2
        phases: {build: {commands: ["true"]}}
        artifacts:
          files: ["**/*"]
          base-directory: dist
          secondary-artifacts:
            flat: {files: ["**/b.txt", missing.txt], discard-paths: yes}
        """,
    )
    assert report["succeeded"]
    assert packed == {"out/0.zip": ["a.txt", "deep/b.txt"], "out/1.zip": ["b.txt"]}


def test_artifacts_that_are_not_there_fail_the_build(sandbox: Sandbox) -> None:
    report, _, _ = build(
        sandbox, "version: 0.2\nphases: {build: {commands: ['true']}}\nartifacts: {files: [imagedefinitions.json]}"
    )
    assert not report["succeeded"]
    assert "no matching artifact paths found" in report["phases"][-1]["message"]
