"""What CodePipeline refuses of a structure, and what its ECS actions make of their files."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fargrade.semantics.pipeline import (
    AppSpecError,
    ImageFileError,
    ImageName,
    StructureError,
    UnresolvedVariable,
    app_spec,
    image_definitions,
    image_detail,
    refuse_bad_structure,
    registration,
    rendered_template,
    resolved,
)


def action(name: str, category: str, provider: str, configuration: dict[str, str], **artifacts: Any) -> dict[str, Any]:
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration,
        "inputArtifacts": [{"name": one} for one in artifacts.get("takes", ())],
        "outputArtifacts": [{"name": one} for one in artifacts.get("gives", ())],
    }


SOURCE = action(
    "Source",
    "Source",
    "CodeStarSourceConnection",
    {"ConnectionArn": "arn:x", "FullRepositoryId": "acme/shop", "BranchName": "main"},
    gives=["Code"],
)
BUILD = action("Build", "Build", "CodeBuild", {"ProjectName": "shop"}, takes=["Code"], gives=["Image"])
DEPLOY = action("Deploy", "Deploy", "ECS", {"ClusterName": "c", "ServiceName": "s"}, takes=["Image"])
RIGHT: dict[str, Any] = {
    "artifactStore": {"type": "S3", "location": "b"},
    "stages": [
        {"name": "Source", "actions": [SOURCE]},
        {"name": "Build", "actions": [BUILD]},
        {"name": "Deploy", "actions": [DEPLOY]},
    ],
}


def changed(**change: Any) -> dict[str, Any]:
    """The right pipeline with one thing changed: `stage` and `action` say where."""
    made = copy.deepcopy(RIGHT)
    made["stages"][change["stage"]]["actions"][0].update(change["action"])
    return made


def test_a_right_structure_passes() -> None:
    refuse_bad_structure(RIGHT, "eu-central-1")


@pytest.mark.parametrize(
    ("pipeline", "code", "said"),
    [
        ({**RIGHT, "stages": RIGHT["stages"][:1]}, "InvalidStructureException", "only 1 stage(s)"),
        ({**RIGHT, "stages": RIGHT["stages"][1:]}, "InvalidStructureException", "only source actions"),
        ({**RIGHT, "stages": [*RIGHT["stages"], RIGHT["stages"][0]]}, "InvalidStructureException", "more than once"),
        (changed(stage=2, action={"inputArtifacts": [{"name": "Ghost"}]}), "InvalidStructureException", "Ghost"),
        (changed(stage=1, action={"outputArtifacts": [{"name": "Code"}]}), "InvalidStructureException", "unique"),
        (changed(stage=2, action={"inputArtifacts": []}), "InvalidStructureException", "0 input artifact"),
        (
            changed(stage=2, action={"configuration": {"ClusterName": "c"}}),
            "InvalidActionDeclarationException",
            "missing required configuration 'ServiceName'",
        ),
        (
            changed(stage=1, action={"configuration": {"ProjectName": "p", "Project": "p"}}),
            "InvalidActionDeclarationException",
            "unknown configuration 'Project'",
        ),
        (
            changed(stage=2, action={"actionTypeId": {**DEPLOY["actionTypeId"], "provider": "Fargate"}}),
            "InvalidActionDeclarationException",
            "Provider: 'Fargate'",
        ),
        ({"stages": RIGHT["stages"]}, "InvalidStructureException", "artifactStore"),
    ],
)
def test_a_wrong_structure_is_refused(pipeline: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(StructureError) as found:
        refuse_bad_structure(pipeline, "eu-central-1")
    assert found.value.code == code
    assert said in found.value.message


def test_artifacts_follow_run_order() -> None:
    together = copy.deepcopy(RIGHT)
    together["stages"][1:] = [{"name": "All", "actions": [BUILD, DEPLOY]}]
    with pytest.raises(StructureError):
        refuse_bad_structure(together, "eu-central-1")
    together["stages"][1]["actions"][1] = {**DEPLOY, "runOrder": 2}
    refuse_bad_structure(together, "eu-central-1")


def test_image_definitions() -> None:
    assert image_definitions(b'[{"name": "web", "imageUri": "r/web:1"}]') == [ImageName("web", "r/web:1")]
    for wrong in (b"", b"{}", b"[]", b'{"name": "web"}', b'[{"name": "web"}]', b'[{"name":"web","imageUri":""}]'):
        with pytest.raises(ImageFileError, match="Invalid action configuration"):
            image_definitions(wrong)
    assert image_detail(b'{"ImageURI": "r/web@sha256:1"}') == "r/web@sha256:1"


def test_a_new_revision_keeps_all_but_the_image() -> None:
    described = {
        "taskDefinitionArn": "arn",
        "revision": 3,
        "status": "ACTIVE",
        "family": "web",
        "cpu": "256",
        "containerDefinitions": [{"name": "web", "image": "old", "cpu": 0}, {"name": "side", "image": "x"}],
    }
    made = registration(described, [ImageName("web", "new")])
    assert [one["image"] for one in made["containerDefinitions"]] == ["new", "x"]
    assert "revision" not in made
    assert made["cpu"] == "256"
    with pytest.raises(ImageFileError, match="The AWS ECS container app does not exist"):
        registration(described, [ImageName("app", "new")])


def test_variables() -> None:
    assert resolved("v-#{Source.CommitId}", {"Source": {"CommitId": "4f1c"}}) == "v-4f1c"
    with pytest.raises(UnresolvedVariable, match="Branch not found"):
        resolved("#{Source.Branch}", {"Source": {}})


SPEC = """
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo: {ContainerName: web, ContainerPort: 8080}
Hooks:
  - AfterAllowTestTraffic: check
"""


def test_app_spec() -> None:
    spec = app_spec(rendered_template(SPEC, {}, "arn:td:4"))
    assert (spec.task_definition, spec.container, spec.port) == ("arn:td:4", "web", 8080)
    assert spec.hooks == {"AfterAllowTestTraffic": "check"}
    assert rendered_template('{"image": "<IMAGE1_NAME>"}', {"IMAGE1_NAME": "r:1"}) == '{"image": "r:1"}'


@pytest.mark.parametrize(
    "wrong",
    [
        SPEC.replace("0.0", "1.0"),
        SPEC.replace("AWS::ECS::Service", "AWS::Lambda::Function"),
        SPEC.replace("ContainerPort: 8080", "ContainerPort: http"),
        SPEC.replace("AfterAllowTestTraffic", "AfterTest"),
        "os: linux\nversion: 0.0\nfiles: []",
        "- a",
        "{",
    ],
)
def test_a_wrong_app_spec_is_refused(wrong: str) -> None:
    with pytest.raises(AppSpecError):
        app_spec(wrong)
