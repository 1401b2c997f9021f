"""backend=localstack: through testcontainers, with images that are compatible with LocalStack, and what they lack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fargrade.backends.lacking import BackendProblem, Lacking
from fargrade.backends.localstack import IMAGE_VARIABLE, TOKEN_VARIABLE, LocalStackWorld, takes_token
from fargrade.containers import Engine, Ownership, build

pytestmark = pytest.mark.docker
REFUSED_SOON = 10.0
# A repository, what scans it, and what LocalStack's like have not: each is graded twice there, the solution first.
SOME = ("--week=1", "--", "-k", "02_repository or 05_scanning or 08_public")


@pytest.fixture(scope="module")
def emulator_image(engine: Engine, image: Callable[[str], str], root: Path) -> Iterator[str]:
    """Our own emulator's image, as docker/emulator/Dockerfile makes it, on a base made of packages."""
    base = image("emulator-base")
    owner = Ownership(engine)
    names = ["requirements/course.lock", "pyproject.toml", "README.md", "docker/emulator/Dockerfile"]
    paths = [root / name for name in names] + [
        path for path in (root / "src/fargrade").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    files = {str(path.relative_to(root)): path.read_bytes() for path in paths}
    yield build(
        owner, files, bases=[base], dockerfile="docker/emulator/Dockerfile", options=["--build-arg", f"BASE={base}"]
    )
    owner.close()


def grade(root: Path, tmp_path: Path, image: str, *options: str) -> tuple[dict[str, Any], str, float]:
    """grade.json, what was printed, and the seconds of a grading of the solutions with backend=localstack."""
    result = tmp_path / "grade.json"
    environment = {**os.environ, IMAGE_VARIABLE: image}
    environment.pop(TOKEN_VARIABLE, None)
    begun = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fargrade.cli", "grade", "--backend=localstack", f"--json={result}"),
            *(f"--reports={tmp_path}", f"--submission={root / 'solutions'}", *options),
        ],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    seconds = time.monotonic() - begun
    graded = json.loads(result.read_text()) if result.is_file() else {}
    return graded, done.stdout + done.stderr, seconds


def statuses(graded: dict[str, Any]) -> dict[str, str]:
    return {f"{item['id']} {check['id']}": check["status"] for item in graded["items"] for check in item["checks"]}


def test_our_own_image_poses_as_localstack(root: Path, tmp_path: Path, emulator_image: str) -> None:
    graded, printed, _ = grade(root, tmp_path, emulator_image, *SOME)
    found = statuses(graded)
    assert "failed" not in found.values(), printed
    assert found["1.2 a_tag_cannot_be_moved"] == "passed"
    assert sum(1 for one in found.values() if one == "passed") > 8
    assert graded["backend"]["edition"] == "fargrade"


def test_a_backend_that_lacks_half_judges_what_it_can_and_fails_nobody(
    root: Path, tmp_path: Path, image: Callable[[str], str]
) -> None:
    graded, printed, _ = grade(root, tmp_path, image("ministack"), *SOME)
    found = statuses(graded)
    assert "failed" not in found.values(), printed
    assert "passed" in found.values()
    reasons = {
        check["reason"] for item in graded["items"] for check in item["checks"] if check["status"] == "not_judged"
    }
    assert all(reasons)
    assert any("ecr-public" in reason for reason in reasons), reasons


def test_a_wrong_answer_still_fails_there(root: Path, tmp_path: Path, image: Callable[[str], str]) -> None:
    folder = root / "graders/week1/answers/02_repository/wrong/tags_move"
    submission = tmp_path / "submission" / "week1" / "02_repository"
    submission.mkdir(parents=True)
    for file in filter(Path.is_file, (root / "solutions/week1/02_repository").iterdir()):
        (submission / file.name).write_bytes(file.read_bytes())
    for file in folder.iterdir():
        (submission / file.name).write_bytes(file.read_bytes())
    graded, printed, _ = grade(
        root, tmp_path, image("ministack"), "--item=1.2", f"--submission={tmp_path / 'submission'}"
    )
    assert statuses(graded)["1.2 a_tag_cannot_be_moved"] == "failed", printed


@pytest.mark.parametrize(
    ("image_name", "said"),
    [
        ("localstack/localstack:latest", TOKEN_VARIABLE),
        ("localstack/localstack-pro:3.0.0", TOKEN_VARIABLE),
        ("nobody.invalid/localstack:1", "cannot be pulled here"),
    ],
)
def test_what_is_missing_is_one_sentence_at_once(root: Path, tmp_path: Path, image_name: str, said: str) -> None:
    graded, printed, seconds = grade(root, tmp_path, image_name, "--item=1.2")
    assert graded == {}
    assert said in printed
    assert len(printed.strip().splitlines()) == 1
    assert seconds < REFUSED_SOON


def test_a_container_that_ends_at_once_does_not_cost_a_minute(root: Path, tmp_path: Path, owner: Ownership) -> None:
    ending = build(
        owner,
        {"Dockerfile": b'FROM python:3.12-slim\nCMD ["sh", "-c", "echo The license activation failed; exit 55"]\n'},
        bases=["python:3.12-slim"],
    )
    _, printed, seconds = grade(root, tmp_path, ending, "--item=1.2")
    assert "does not start" in printed
    assert "The license activation failed" in printed
    assert seconds < REFUSED_SOON


def test_no_engine_is_one_sentence_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    begun = time.monotonic()
    with pytest.raises(BackendProblem, match="does not answer"):
        LocalStackWorld.start([], region="us-east-1", environment={IMAGE_VARIABLE: "fargrade-test/ministack"})
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("localstack/localstack", True),
        ("localstack/localstack:latest", True),
        ("docker.io/localstack/localstack:2026.03.1", True),
        ("localstack/localstack:4.14.0", False),
        ("localstack/localstack:3.8", False),
        ("localstack/localstack:4.15.0", True),
        ("localstack/localstack-pro:4.1", True),
        ("floci/floci", False),
        ("ministackorg/ministack:latest", False),
    ],
)
def test_which_images_take_a_token(name: str, takes: bool) -> None:
    assert takes_token(name) is takes


def test_the_container_is_on_loopback_and_ends_with_the_world(engine: Engine, image: Callable[[str], str]) -> None:
    world = LocalStackWorld.start(
        ["ecr", "codepipeline"], region="eu-central-1", environment={IMAGE_VARIABLE: image("ministack")}
    )
    label = {"label": f"fargrade.run={world._owner.run}"}
    (running,) = engine.client.containers.list(filters=label)
    ports = running.attrs["NetworkSettings"]["Ports"]["4566/tcp"]
    assert [one["HostIp"] for one in ports] == ["127.0.0.1"]
    assert world.client("ecr").describe_repositories()["repositories"] == []
    with pytest.raises(Lacking, match=r"codepipeline.*Ultimate"):
        world.client("codepipeline")
    world.close()
    assert (
        engine.client.containers.list(all=True, filters={"label": f"fargrade.run={running.labels['fargrade.run']}"})
        == []
    )
