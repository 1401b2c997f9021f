"""backend=aws on a stand-in account: who may, what it makes, what it costs, and that nothing of it stays."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests_account import ACCOUNT, REGION, Fault, StandIn

from fargrade.backends.costs import Meter, dollars


def grade(
    root: Path, tmp_path: Path, stand_in: StandIn, *options: str, **named: str
) -> tuple[dict[str, Any], str, int]:
    """grade.json, what was printed, and the exit status of a grading of the solutions on the stand-in."""
    result = tmp_path / "grade.json"
    done = subprocess.run(
        command(root, tmp_path, *options, **named),
        env=stand_in.environment(tmp_path / "state"),
        cwd=root,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    graded = json.loads(result.read_text()) if result.is_file() else {}
    return graded, done.stdout + done.stderr, done.returncode


def command(root: Path, tmp_path: Path, *options: str, **named: str) -> list[str]:
    given = {"account": ACCOUNT, "region": REGION, "item": "1.2", "submission": str(root / "solutions"), **named}
    return [
        *(sys.executable, "-m", "fargrade.cli", "grade", "--backend=aws", f"--json={tmp_path / 'grade.json'}"),
        *(f"--reports={tmp_path}", *(f"--{name}={value}" for name, value in given.items()), *options),
    ]


def client(account: StandIn, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=account.url,
        region_name="us-east-1" if service == "iam" else REGION,
        aws_access_key_id="AKIAIOSFODNN7SOMEONE",
        aws_secret_access_key="x",
    )


def everything(account: StandIn) -> list[str]:
    """What is in the account, by the lists that a person would look at."""
    repositories = client(account, "ecr").describe_repositories()["repositories"]
    roles = client(account, "iam").list_roles()["Roles"]
    return [one["repositoryName"] for one in repositories] + [one["RoleName"] for one in roles]


def sweep(root: Path, tmp_path: Path, account: StandIn) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "fargrade.cli", "sweep"],
        env=account.environment(tmp_path / "state"),
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr, done.returncode


def journals(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "state").glob("*.jsonl"))


def test_an_item_is_judged_and_nothing_of_it_stays(root: Path, tmp_path: Path, account: StandIn) -> None:
    client(account, "ecr").create_repository(repositoryName="production/api")
    graded, printed, status = grade(root, tmp_path, account)
    assert status == 0, printed
    assert {check["status"] for check in graded["items"][0]["checks"]} == {"passed"}
    assert everything(account) == ["production/api"]
    assert "Nothing of the run" in printed
    assert journals(tmp_path) == []
    assert graded["backend"]["account"] == ACCOUNT


def test_all_it_makes_is_named_and_tagged_and_the_learner_has_a_session(
    root: Path, tmp_path: Path, account: StandIn
) -> None:
    seen: dict[str, list[dict[str, str]]] = {}

    def look(operation: str) -> None:
        if operation == "PutImage" and not seen:
            seen["looking"] = []
            ecr = client(account, "ecr")
            for one in ecr.describe_repositories()["repositories"]:
                arn = one["repositoryArn"]
                seen[one["repositoryName"]] = ecr.list_tags_for_resource(resourceArn=arn)["tags"]
            del seen["looking"]

    account.on_call = look
    graded, printed, _ = grade(root, tmp_path, account)
    run = graded["backend"]["run"]
    assert seen, printed
    assert all(name.startswith(f"fargrade-{run}-") for name in seen)
    assert all({"Key": "fargrade:run", "Value": run} in tags for tags in seen.values())
    creators = {key for operation, key in account.calls if operation == "CreateRepository"}
    assert len(creators) == 2  # the grader's own key, and the session that AssumeRole gave for the learner
    assert "AKIAIOSFODNN7OWNER00" in creators


@pytest.mark.parametrize(
    ("named", "identity", "said"),
    [
        ({"account": "999988887777"}, "", "you named 999988887777"),
        ({"account": ""}, "", "only by name"),
        ({"region": ""}, "", "only by name"),
        ({"account": "12"}, "", "twelve digits"),
        ({}, f"arn:aws:iam::{ACCOUNT}:root", "root user's credentials"),
        ({"ceiling": "0.001"}, "", "more than the ceiling"),
        ({"ceiling": "much"}, "", "The ceiling is"),
    ],
)
def test_what_must_not_begin_does_not(
    root: Path, tmp_path: Path, account: StandIn, named: dict[str, str], identity: str, said: str
) -> None:
    account.identity = identity
    graded, printed, status = grade(root, tmp_path, account, **named)
    assert (graded, status) == ({}, 2)
    assert said in printed
    assert len(printed.strip().splitlines()) == 1
    assert not any(operation.startswith("Create") for operation, _ in account.calls)


def test_no_credentials_is_one_sentence(root: Path, tmp_path: Path, account: StandIn) -> None:
    environment = account.environment(tmp_path / "state")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del environment[name]
    environment |= {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        command(root, tmp_path), env=environment, cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "no AWS credentials" in done.stderr


def test_what_makes_no_sense_there_is_not_judged(root: Path, tmp_path: Path, account: StandIn) -> None:
    graded, printed, status = grade(root, tmp_path, account, item="1.5")
    assert {check["status"] for check in graded["items"][0]["checks"]} == {"not_judged"}, printed
    assert status == 3


ATTACK = """
import boto3

def create_repository(name, tags, key=None):
    said = []
    for region in ("{region}", "us-east-1"):
        ecr, iam, ec2 = (boto3.client(one, region_name=region) for one in ("ecr", "iam", "ec2"))
        for call in (
            lambda: ecr.delete_repository(repositoryName="production/api", force=True),
            lambda: ecr.create_repository(repositoryName="mine"),
            lambda: ecr.create_repository(repositoryName=name + "-elsewhere") if region != "{region}" else 1 / 0,
            lambda: iam.create_role(RoleName="admin", AssumeRolePolicyDocument="{{}}"),
            lambda: ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=9),
        ):
            try:
                call()
                said.append("went through")
            except Exception as error:
                said.append(type(error).__name__)
    import os
    return [said, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]]
"""


def test_the_learners_code_reaches_nothing_else_and_holds_no_key(root: Path, tmp_path: Path, account: StandIn) -> None:
    client(account, "ecr").create_repository(repositoryName="production/api")
    submission = tmp_path / "submission" / "week1" / "02_repository"
    submission.mkdir(parents=True)
    (submission / "repository.py").write_text(ATTACK.format(region=REGION))
    _, printed, _ = grade(root, tmp_path, account, submission=str(tmp_path / "submission"))
    assert "went through" not in printed
    assert "owner" not in printed
    assert everything(account) == ["production/api"]
    reached = [operation for operation, key in account.calls if key.startswith("ASIA")]
    assert not {"DeleteRepository", "CreateRepository", "CreateRole", "RunInstances"} & set(reached), reached


def test_a_throttling_and_forgetful_account_still_judges_right(root: Path, tmp_path: Path, account: StandIn) -> None:
    account.faults = [
        Fault("CreateRepository", "ThrottlingException", times=2),
        Fault("AssumeRole", "AccessDenied", 403, times=2),
        Fault("DescribeRepositories", "RepositoryNotFoundException", times=2, after=1),
        Fault("DeleteRepository", "ThrottlingException", times=3),
        Fault("DeleteRole", "DeleteConflict", 409, times=1),
    ]
    graded, printed, status = grade(root, tmp_path, account)
    assert status == 0, printed
    assert {check["status"] for check in graded["items"][0]["checks"]} == {"passed"}
    assert everything(account) == []


def test_what_cannot_be_removed_is_told_with_its_commands(root: Path, tmp_path: Path, account: StandIn) -> None:
    account.faults = [Fault("DeleteRepository", "AccessDeniedException", times=10**6)]
    _, printed, _ = grade(root, tmp_path, account)
    assert "something is left" in printed
    commands = [line for line in printed.splitlines() if "aws ecr delete-repository --force --repository-name" in line]
    assert commands
    assert all(f"--region {REGION}" in line for line in commands)
    assert len(journals(tmp_path)) == 1
    account.faults.clear()
    said, status = sweep(root, tmp_path, account)
    assert status == 0, said
    assert everything(account) == []
    assert journals(tmp_path) == []


def test_a_list_that_fails_proves_nothing(root: Path, tmp_path: Path, account: StandIn) -> None:
    account.faults = [Fault("ListRoles", "AccessDenied", 403, times=10**6)]
    _, printed, _ = grade(root, tmp_path, account)
    assert "something is left" in printed
    assert len(journals(tmp_path)) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_grading_that_is_ended_in_the_middle_leaves_nothing_behind(
    root: Path, tmp_path: Path, account: StandIn, how: signal.Signals
) -> None:
    client(account, "ecr").create_repository(repositoryName="production/api")
    grader: subprocess.Popen[str] | None = None
    ended = False

    def end(operation: str) -> None:
        nonlocal ended
        if operation == "PutImage" and not ended and grader:
            ended = True
            grader.send_signal(how)

    account.on_call = end
    grader = subprocess.Popen(
        command(root, tmp_path),
        env=account.environment(tmp_path / "state"),
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed, _ = grader.communicate(timeout=120)
    assert ended
    time.sleep(0.2)
    if how != signal.SIGINT:
        assert journals(tmp_path), printed
        assert len(everything(account)) > 1
        said, status = sweep(root, tmp_path, account)
        assert status == 0, said
    assert everything(account) == ["production/api"], printed
    assert journals(tmp_path) == []


def test_sweeping_another_account_is_refused(root: Path, tmp_path: Path, account: StandIn) -> None:
    account.faults = [Fault("DeleteRepository", "AccessDeniedException", times=10**6)]
    grade(root, tmp_path, account)
    account.faults.clear()
    account.identity = "arn:aws:iam::999988887777:user/somebody"
    said, status = sweep(root, tmp_path, account)
    assert status == 2
    assert "999988887777" in said
    assert len(everything(account)) > 0


def test_nothing_to_sweep_is_said(root: Path, tmp_path: Path, account: StandIn) -> None:
    said, status = sweep(root, tmp_path, account)
    assert status == 0
    assert "Nothing to sweep" in said


def test_the_meter_stops_at_the_ceiling() -> None:
    meter = Meter(0.10)
    assert meter.allow("ec2", "CreateNatGateway", {})
    assert meter.allow("ecr", "CreateRepository", {})
    assert meter.allow("ec2", "CreateNatGateway", {})
    assert not meter.allow("ec2", "CreateNatGateway", {})
    assert not meter.allow("ec2", "RunInstances", {})
    assert not meter.allow("ecs", "CreateService", {"desiredCount": 500})
    assert dollars("ecs", "RunTask", {"count": 3}) == pytest.approx(3 * dollars("ecs", "RunTask", {}))
