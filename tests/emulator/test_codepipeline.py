"""CodePipeline, CodeBuild and CodeConnections: what is refused, and executions that run by rights and files."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import roles

SPEC = b"version: 0.2\nenv: {exported-variables: [TAG]}\nphases: {build: {commands: [make]}}\nartifacts: {files: [x]}\n"
RIGHTS = {
    "pipe": ["s3:*", "codebuild:*", "ecs:*", "codestar-connections:UseConnection", "iam:PassRole"],
    "build": ["s3:*", "logs:*", "ssm:GetParameters"],
}


def refused(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as found:
        call(**arguments)
    error = found.value.response["Error"]
    return error["Code"], error["Message"]


def action(name: str, category: str, provider: str, given: dict[str, str], takes: str = "", gives: str = "") -> Any:
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": given,
        "inputArtifacts": [{"name": takes}] if takes else [],
        "outputArtifacts": [{"name": gives}] if gives else [],
    }


class Shop:
    """A world with a repository, a bucket, roles, a project and the declaration of a pipeline into a bucket."""

    def __init__(self, world: EmbeddedWorld, **rights: list[str]) -> None:
        self.world = world
        world.client("s3").create_bucket(Bucket="artifacts")
        world.client("s3").create_bucket(Bucket="site")
        wanted = {**RIGHTS, **rights}
        self.role = {
            name: roles.role(
                world,
                name,
                "codepipeline.amazonaws.com" if name == "pipe" else "codebuild.amazonaws.com",
                statements=[{"Action": wanted[name], "Resource": "*"}],
            )
            for name in ("pipe", "build")
        }
        self.connection = world.control("seed_connection", name="github", region=world.region)
        self.project = {
            "name": "shop",
            "source": {"type": "CODEPIPELINE"},
            "artifacts": {"type": "CODEPIPELINE"},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            "serviceRole": self.role["build"],
        }
        source = {"ConnectionArn": self.connection, "FullRepositoryId": "acme/shop", "BranchName": "main"}
        self.pipeline = {
            "name": "shop",
            "roleArn": self.role["pipe"],
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [
                {
                    "name": "Source",
                    "actions": [action("Git", "Source", "CodeStarSourceConnection", source, "", "Code")],
                },
                {
                    "name": "Build",
                    "actions": [action("Make", "Build", "CodeBuild", {"ProjectName": "shop"}, "Code", "Out")],
                },
                {
                    "name": "Deploy",
                    "actions": [action("Copy", "Deploy", "S3", {"BucketName": "site", "Extract": "true"}, "Out")],
                },
            ],
        }

    def create(self) -> None:
        self.world.client("codebuild").create_project(**self.project)
        self.world.client("codepipeline").create_pipeline(pipeline=self.pipeline)
        self.world.advance(60)  # a new pipeline runs at once

    def push(self, files: dict[str, bytes] | None = None, branch: str = "main") -> None:
        self.world.control("push_commit", repository="acme/shop", branch=branch, files=files or {"buildspec.yml": SPEC})
        self.world.advance(60)

    def build(self, *, succeeded: bool = True, files: dict[str, bytes] | None = None) -> dict[str, Any]:
        """End the build that waits; returns its job."""
        (job,) = self.world.control("waiting_builds")
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in (files or {"x": b"built"}).items():
                archive.writestr(name, content)
        report = {"succeeded": succeeded, "phases": [], "exported": {"TAG": "7"}, "problem": "BUILD: no"}
        self.world.control("finish_build", build=job["id"], report=report, zips={"": made.getvalue()})
        self.world.advance(60)
        return dict(job)

    def last(self) -> dict[str, Any]:
        return dict(self.world.control("pipeline_executions", region=self.world.region)[-1])

    def message(self) -> str:
        return "".join(one["message"] for one in self.last()["actions"] if one["status"] == "Failed")


@pytest.fixture
def shop(world: EmbeddedWorld) -> Shop:
    return Shop(world)


def test_a_commit_goes_all_the_way(shop: Shop) -> None:
    shop.push()
    shop.create()
    job = shop.build()
    assert job["environment"]["CODEBUILD_RESOLVED_SOURCE_VERSION"] == shop.last()["commit"]
    assert job["environment"]["CODEBUILD_INITIATOR"] == "codepipeline/shop"
    assert not job["privileged"]
    assert shop.last()["status"] == "Succeeded"
    assert shop.world.client("s3").get_object(Bucket="site", Key="x")["Body"].read() == b"built"
    pipeline = shop.world.client("codepipeline")
    state = pipeline.get_pipeline_state(name="shop")["stageStates"]
    assert [one["latestExecution"]["status"] for one in state] == ["Succeeded"] * 3
    detail = pipeline.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    assert [one["actionName"] for one in detail] == ["Copy", "Make", "Git"]
    assert detail[1]["output"]["outputVariables"] == {"TAG": "7"}
    build = shop.world.client("codebuild").batch_get_builds(ids=[job["id"]])["builds"][0]
    assert (build["buildStatus"], build["currentPhase"]) == ("SUCCEEDED", "COMPLETED")


def test_a_failed_build_ends_the_execution(shop: Shop) -> None:
    shop.create()
    shop.push()
    shop.build(succeeded=False)
    assert shop.last()["status"] == "Failed"
    assert [one["action"] for one in shop.last()["actions"]] == ["Git", "Make"]
    assert "Build terminated with state: FAILED" in shop.message()
    assert "Contents" not in shop.world.client("s3").list_objects_v2(Bucket="site")


def test_only_the_branch_it_listens_to_starts_it(shop: Shop) -> None:
    shop.create()
    shop.world.advance(60)
    before = len(shop.world.control("pipeline_executions", region=shop.world.region))
    shop.push(branch="feature")
    assert len(shop.world.control("pipeline_executions", region=shop.world.region)) == before


@pytest.mark.parametrize(
    ("who", "without", "said"),
    [
        ("pipe", "codestar-connections:UseConnection", "Unable to use Connection"),
        ("pipe", "codebuild:*", "not authorized to perform: codebuild:StartBuild"),
        ("pipe", "s3:*", "not authorized to perform: s3:PutObject"),
        ("build", "logs:*", "does not allow AWS CodeBuild to create Amazon CloudWatch Logs"),
        ("build", "s3:*", "not authorized to perform: s3:GetObject"),
    ],
)
def test_a_role_without_a_right_fails_the_action(world: EmbeddedWorld, who: str, without: str, said: str) -> None:
    shop = Shop(world, **{who: [one for one in RIGHTS[who] if one != without]})
    shop.create()
    shop.push()
    assert shop.last()["status"] == "Failed"
    assert said in shop.message()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a": b""}, "buildspec.yml: no such file or directory"),
        ({"buildspec.yml": b"version: 0.2\nphases: {deploy: {commands: [a]}}"}, "invalid buildspec phase name found"),
        (
            {"buildspec.yml": b"version: 0.2\nenv: {parameter-store: {A: /a}}\nphases: {build: {commands: [a]}}"},
            "parameter does not exist: /a",
        ),
    ],
)
def test_a_build_that_cannot_begin_fails(shop: Shop, files: dict[str, bytes], said: str) -> None:
    shop.create()
    shop.push(files)
    assert said in shop.message()


def test_variables_reach_the_build(shop: Shop) -> None:
    shop.world.client("ssm").put_parameter(Name="/shop/who", Value="acme", Type="String")
    shop.project["environment"]["environmentVariables"] = [
        {"name": "WHO", "value": "/shop/who", "type": "PARAMETER_STORE"},
        {"name": "REPO", "value": "project"},
    ]
    git, make = shop.pipeline["stages"][0]["actions"][0], shop.pipeline["stages"][1]["actions"][0]
    git["namespace"] = "Git"
    make["configuration"]["EnvironmentVariables"] = json.dumps([{"name": "COMMIT", "value": "#{Git.CommitId}"}])
    spec = b"version: 0.2\nenv: {variables: {REPO: spec, ONLY: here}}\nphases: {build: {commands: [a]}}\n"
    shop.create()
    shop.push({"buildspec.yml": spec})
    given = shop.build()["environment"]
    assert (given["WHO"], given["REPO"], given["ONLY"]) == ("acme", "project", "here")
    assert given["COMMIT"] == shop.last()["commit"]


def test_an_approval_waits(shop: Shop) -> None:
    shop.pipeline["stages"].insert(1, {"name": "Ask", "actions": [action("Boss", "Approval", "Manual", {})]})
    shop.create()
    shop.push()
    client = shop.world.client("codepipeline")
    waiting = client.get_pipeline_state(name="shop")["stageStates"][1]["actionStates"][0]["latestExecution"]
    assert waiting["status"] == "InProgress"
    result = {"summary": "no", "status": "Rejected"}
    client.put_approval_result(
        pipelineName="shop", stageName="Ask", actionName="Boss", token=waiting["token"], result=result
    )
    assert shop.last()["status"] == "Failed"


def changed_pipeline(shop: Shop, **change: Any) -> dict[str, Any]:
    return {**copy.deepcopy(shop.pipeline), **change}


def test_what_create_pipeline_refuses(shop: Shop) -> None:
    create = shop.world.client("codepipeline").create_pipeline
    ghost = f"arn:aws:iam::{shop.world.account}:role/ghost"
    for change, code, said in (
        ({"roleArn": ghost}, "InvalidStructureException", "not authorized to perform AssumeRole on role"),
        ({"roleArn": shop.role["build"]}, "InvalidStructureException", "AssumeRole"),
        ({"artifactStore": {"type": "S3", "location": "ghost"}}, "InvalidStructureException", "ghost"),
        ({"stages": shop.pipeline["stages"][1:]}, "InvalidStructureException", "source"),
    ):
        assert refused(create, pipeline=changed_pipeline(shop, **change))[0] == code
        assert said in refused(create, pipeline=changed_pipeline(shop, **change))[1]
    lost = changed_pipeline(shop)
    lost["stages"][0]["actions"][0]["configuration"]["ConnectionArn"] += "x"
    assert refused(create, pipeline=lost)[0] == "InvalidActionDeclarationException"
    shop.create()
    assert refused(create, pipeline=shop.pipeline)[0] == "PipelineNameInUseException"
    get = shop.world.client("codepipeline").get_pipeline
    assert refused(get, name="none")[0] == "PipelineNotFoundException"


def test_what_create_project_refuses(shop: Shop) -> None:
    create = shop.world.client("codebuild").create_project
    for change, said in (
        ({"serviceRole": shop.role["pipe"]}, "not authorized to perform: sts:AssumeRole"),
        ({"artifacts": {"type": "NO_ARTIFACTS"}}, "CODEPIPELINE"),
        ({"source": {"type": "NO_SOURCE"}, "artifacts": {"type": "NO_ARTIFACTS"}}, "buildspec is required"),
        ({"source": {"type": "S3"}, "artifacts": {"type": "NO_ARTIFACTS"}}, "location must not be empty"),
    ):
        code, message = refused(create, **{**shop.project, **change})
        assert (code, said in message) == ("InvalidInputException", True)
    create(**shop.project)
    assert refused(create, **shop.project)[0] == "ResourceAlreadyExistsException"
    start = shop.world.client("codebuild").start_build
    assert refused(start, projectName="shop")[0] == "InvalidInputException"
    assert refused(start, projectName="ghost")[0] == "ResourceNotFoundException"


def test_a_build_without_a_pipeline(shop: Shop) -> None:
    client = shop.world.client("codebuild")
    inline = "version: 0.2\nphases:\n  build:\n    commands: [make]\n"
    source = {"type": "NO_SOURCE", "buildspec": inline}
    client.create_project(**{**shop.project, "source": source, "artifacts": {"type": "NO_ARTIFACTS"}})
    begun = client.start_build(projectName="shop")["build"]
    assert begun["buildStatus"] == "IN_PROGRESS"
    shop.build()
    assert client.batch_get_builds(ids=[begun["id"]])["builds"][0]["buildStatus"] == "SUCCEEDED"
    assert client.list_builds_for_project(projectName="shop")["ids"] == [begun["id"]]


def test_a_connection_is_pending_until_somebody_completes_it(shop: Shop) -> None:
    client = shop.world.client("codestar-connections")
    arn = client.create_connection(ProviderType="GitHub", ConnectionName="mine")["ConnectionArn"]
    found = shop.world.client("codeconnections").get_connection(ConnectionArn=arn)["Connection"]
    assert found["ConnectionStatus"] == "PENDING"
    shop.pipeline["stages"][0]["actions"][0]["configuration"]["ConnectionArn"] = arn
    shop.create()
    shop.world.advance(60)
    assert "is not available" in shop.message()
    assert refused(client.get_connection, ConnectionArn=arn + "0")[0] == "ResourceNotFoundException"
