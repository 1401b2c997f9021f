"""CodePipeline, CodeBuild, CodeDeploy and CodeConnections: what is taken, what is refused, what runs."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.fidelity.rows.ecs import ecs
from tests.fidelity.rows.ecs_services import BALANCED, behind
from tests.fidelity.table import Row, Service

pipeline = Service("codepipeline")
build = Service("codebuild")
deploy = Service("codedeploy")
connections = Service("codeconnections")
iam, s3, world = Service("iam"), Service("s3"), Service("world")
PIPELINE = "https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html"
BUILD = "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_{}.html"
DEPLOY = "https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_{}.html"
ECS_GROUP = "https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-create-ecs.html"
CONNECTIONS = "https://docs.aws.amazon.com/dtconsole/latest/userguide/connections.html"


def trusts(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(name: str, service: str) -> Any:
    document = {"RoleName": name, "AssumeRolePolicyDocument": trusts(service)}
    return iam.step("CreateRole", document, saves={name: "Role.Arn"})


PIPE_ROLE = role("pipe", "codepipeline.amazonaws.com")
BUILD_ROLE = role("build", "codebuild.amazonaws.com")
DEPLOY_ROLE = role("deploy", "codedeploy.amazonaws.com")
BUCKET = s3.step("CreateBucket", {"Bucket": "artifacts-of-the-shop"})
CONNECTION = connections.step(
    "CreateConnection", {"ProviderType": "GitHub", "ConnectionName": "mine"}, saves={"connection": "ConnectionArn"}
)
GIVEN = [PIPE_ROLE, BUCKET, CONNECTION]


def action(name: str, kind: str, given: dict[str, str], takes: str = "", gives: str = "") -> dict[str, Any]:
    category, provider = kind.split("/")
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": given,
        "inputArtifacts": [{"name": takes}] if takes else [],
        "outputArtifacts": [{"name": gives}] if gives else [],
    }


SOURCE = action(
    "Git",
    "Source/CodeStarSourceConnection",
    {"ConnectionArn": "<connection>", "FullRepositoryId": "acme/shop", "BranchName": "main"},
    gives="Code",
)
MAKE = action("Make", "Build/CodeBuild", {"ProjectName": "shop"}, "Code", "Image")
TO_ECS = action("Deploy", "Deploy/ECS", {"ClusterName": "shop", "ServiceName": "web"}, "Image")
RIGHT: dict[str, Any] = {
    "name": "shop",
    "roleArn": "<pipe>",
    "artifactStore": {"type": "S3", "location": "artifacts-of-the-shop"},
    "stages": [
        {"name": "Source", "actions": [SOURCE]},
        {"name": "Build", "actions": [MAKE]},
        {"name": "Deploy", "actions": [TO_ECS]},
    ],
}
CREATED = pipeline.step("CreatePipeline", {"pipeline": RIGHT})


def changed(stage: int = 0, **change: Any) -> dict[str, Any]:
    """The right pipeline, one action of it changed."""
    made = copy.deepcopy(RIGHT)
    made["stages"][stage]["actions"][0].update(change)
    return made


def refused(declared: dict[str, Any], code: str, why: str, says: str, given: Any = GIVEN) -> Row:
    return pipeline.refuses(
        "CreatePipeline", {"pipeline": declared}, code, why, says=says, given=given, source=PIPELINE
    )


STRUCTURE, ACTION = "InvalidStructureException", "InvalidActionDeclarationException"
PIPELINES = [
    pipeline.accepts(
        "CreatePipeline",
        {"pipeline": RIGHT},
        "source, build and deploy to ECS",
        given=GIVEN,
        shows={"pipeline.version": 1, "pipeline.stages[1].actions[0].runOrder": 1},
        source=PIPELINE,
    ),
    refused({**RIGHT, "stages": RIGHT["stages"][:1]}, STRUCTURE, "one stage", "minimum of 2 stages"),
    refused({**RIGHT, "stages": RIGHT["stages"][1:]}, STRUCTURE, "no source stage", "source"),
    refused(changed(2, inputArtifacts=[{"name": "Ghost"}]), STRUCTURE, "an artifact that nobody makes", "Ghost"),
    refused(changed(1, outputArtifacts=[{"name": "Code"}]), STRUCTURE, "an artifact that two make", "Code"),
    refused(changed(2, inputArtifacts=[]), STRUCTURE, "a deploy that takes no artifact", "input artifact"),
    refused(
        {**RIGHT, "stages": [{"name": "Source", "actions": [SOURCE, {**MAKE, "runOrder": 2}]}, *RIGHT["stages"][2:]]},
        STRUCTURE,
        "a build in the source stage",
        "[Ss]ource",
    ),
    refused(
        {**RIGHT, "stages": [*RIGHT["stages"], {"name": "Again", "actions": [SOURCE]}]},
        STRUCTURE,
        "a source in a later stage",
        "[Ss]ource",
    ),
    refused(
        {**RIGHT, "stages": [*RIGHT["stages"], RIGHT["stages"][1]]}, STRUCTURE, "a stage's name twice", "more than once"
    ),
    refused(
        changed(2, actionTypeId={**TO_ECS["actionTypeId"], "provider": "Fargate"}),
        ACTION,
        "a provider that is none",
        "is not available in region",
    ),
    refused(
        changed(2, configuration={"ClusterName": "shop"}),
        ACTION,
        "a deploy without its service",
        "missing required configuration 'ServiceName'",
    ),
    refused(
        changed(1, configuration={"ProjectName": "shop", "Project": "shop"}),
        ACTION,
        "a configuration that is none",
        "unknown configuration 'Project'",
    ),
    refused(
        {**RIGHT, "roleArn": "arn:aws:iam::<account>:role/ghost"}, STRUCTURE, "a role that is not there", "AssumeRole"
    ),
    refused(
        {**RIGHT, "roleArn": "<build>"},
        STRUCTURE,
        "a role that trusts CodeBuild",
        "not authorized to perform AssumeRole",
        given=[*GIVEN, BUILD_ROLE],
    ),
    refused(
        {**RIGHT, "artifactStore": {"type": "S3", "location": "nobodys-bucket"}}, STRUCTURE, "no such bucket", "bucket"
    ),
    refused(RIGHT, "PipelineNameInUseException", "a name that is taken", "already exists", given=[*GIVEN, CREATED]),
    pipeline.refuses(
        "GetPipeline",
        {"name": "ghost"},
        "PipelineNotFoundException",
        "a pipeline that is not there",
        says="does not have a pipeline with name 'ghost'",
        source="https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipeline.html",
    ),
    pipeline.accepts(
        "GetPipelineState",
        {"name": "shop"},
        "a pipeline runs when it is created, and says how it went",
        given=[*GIVEN, CREATED, world.step("advance", {"seconds": 60})],
        shows={"stageStates[0].latestExecution.status": "Failed", "stageStates[1].latestExecution": None},
        source="https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create.html",
    ),
]
PROJECT: dict[str, Any] = {
    "name": "shop",
    "source": {"type": "CODEPIPELINE"},
    "artifacts": {"type": "CODEPIPELINE"},
    "environment": {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
        "computeType": "BUILD_GENERAL1_SMALL",
    },
    "serviceRole": "<build>",
}
INLINE = "version: 0.2\nphases:\n  build:\n    commands: [make]\n"
ALONE = {**PROJECT, "source": {"type": "NO_SOURCE", "buildspec": INLINE}, "artifacts": {"type": "NO_ARTIFACTS"}}
TO_LOGS = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]})
ENDED = {"succeeded": True, "phases": [{"phase": "build", "failed": False, "message": ""}], "exported": {}}
BUILDS = [
    build.accepts(
        "CreateProject",
        PROJECT,
        "source and artifacts of a pipeline",
        given=[BUILD_ROLE],
        shows={"project.source.type": "CODEPIPELINE", "project.environment.privilegedMode": False},
        source=BUILD.format("CreateProject"),
    ),
    build.accepts("CreateProject", ALONE, "no source", given=[BUILD_ROLE], source=BUILD.format("ProjectSource")),
    build.accepts(
        "StartBuild",
        {"projectName": "shop"},
        "a build is in progress until it has run",
        given=[BUILD_ROLE, build.step("CreateProject", ALONE)],
        shows={"build.buildStatus": "IN_PROGRESS"},
        source=BUILD.format("StartBuild"),
    ),
    build.accepts(
        "StartBuild",
        {"projectName": "shop"},
        "a build's output is in CloudWatch Logs",
        given=[
            BUILD_ROLE,
            iam.step("PutRolePolicy", {"RoleName": "build", "PolicyName": "logs", "PolicyDocument": TO_LOGS}),
            build.step("CreateProject", ALONE),
        ],
        then=[
            world.step("advance", {"seconds": 60}),
            build.step("ListBuilds", saves={"build_id": "ids[0]"}),
            world.step("finish_build", {"build": "<build_id>", "report": ENDED, "zips": {}, "printed": "made\n"}),
            build.step(
                "BatchGetBuilds", {"ids": ["<build_id>"]}, shows={"builds[0].logs.groupName": "/aws/codebuild/shop"}
            ),
            Service("logs").step(
                "FilterLogEvents", {"logGroupName": "/aws/codebuild/shop"}, shows={"events[*].message": ["made\n"]}
            ),
        ],
        source="https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details.html",
    ),
    build.refuses(
        "CreateProject",
        {**PROJECT, "artifacts": {"type": "NO_ARTIFACTS"}},
        "InvalidInputException",
        "a pipeline's source, and no pipeline's artifacts",
        given=[BUILD_ROLE],
        source=BUILD.format("ProjectArtifacts"),
    ),
    build.refuses(
        "CreateProject",
        {**ALONE, "source": {"type": "NO_SOURCE"}},
        "InvalidInputException",
        "no source and no buildspec",
        says="buildspec",
        given=[BUILD_ROLE],
        source=BUILD.format("ProjectSource"),
    ),
    build.refuses(
        "CreateProject",
        {**PROJECT, "serviceRole": "<pipe>"},
        "InvalidInputException",
        "a role that trusts CodePipeline",
        says="CodeBuild is not authorized to perform: sts:AssumeRole",
        given=[PIPE_ROLE],
        source="observed: https://repost.aws/knowledge-center/codebuild-not-authorized-assumerole",
    ),
    build.refuses(
        "CreateProject",
        PROJECT,
        "ResourceAlreadyExistsException",
        "a name that is taken",
        says="Project already exists",
        given=[BUILD_ROLE, build.step("CreateProject", PROJECT)],
        source=BUILD.format("CreateProject"),
    ),
    build.refuses(
        "StartBuild",
        {"projectName": "ghost"},
        "ResourceNotFoundException",
        "a project that is not there",
        says="Project cannot be found",
        source=BUILD.format("StartBuild"),
    ),
    build.refuses(
        "BatchGetBuilds",
        {"ids": ["shop"]},
        "InvalidInputException",
        "an id that has no colon in it",
        source=BUILD.format("BatchGetBuilds"),
    ),
]
APPLICATION = deploy.step("CreateApplication", {"applicationName": "shop", "computePlatform": "ECS"})
GREEN = Service("elbv2").step(
    "CreateTargetGroup", {"Name": "green", "Protocol": "HTTP", "Port": 80, "VpcId": "<vpc>", "TargetType": "ip"}
)
PAIR = {
    "targetGroupPairInfoList": [
        {
            "targetGroups": [{"name": "web"}, {"name": "green"}],
            "prodTrafficRoute": {"listenerArns": ["<listener>"]},
        }
    ]
}
GROUP: dict[str, Any] = {
    "applicationName": "shop",
    "deploymentGroupName": "web",
    "serviceRoleArn": "<deploy>",
    "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
    "blueGreenDeploymentConfiguration": {
        "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
        "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5},
    },
    "ecsServices": [{"clusterName": "shop", "serviceName": "web"}],
}


def group_refused(
    change: dict[str, Any], code: str, why: str, says: str, given: Any = (DEPLOY_ROLE, APPLICATION)
) -> Row:
    return deploy.refuses(
        "CreateDeploymentGroup", {**GROUP, **change}, code, why, says=says, given=given, source=ECS_GROUP
    )


DEPLOYS = [
    deploy.refuses(
        "CreateApplication",
        {"applicationName": "shop", "computePlatform": "ECS"},
        "ApplicationAlreadyExistsException",
        "a name that is taken",
        given=[APPLICATION],
        source=DEPLOY.format("CreateApplication"),
    ),
    group_refused({}, "ApplicationDoesNotExistException", "an application that is not there", "shop", (DEPLOY_ROLE,)),
    group_refused(
        {"serviceRoleArn": "<pipe>"}, "InvalidRoleException", "a role of another", "assume", (PIPE_ROLE, APPLICATION)
    ),
    group_refused(
        {"deploymentStyle": {"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"}},
        "InvalidDeploymentStyleException",
        "in place, on ECS",
        "BLUE_GREEN",
    ),
    group_refused(
        {"blueGreenDeploymentConfiguration": {}},
        "InvalidBlueGreenDeploymentConfigurationException",
        "nothing said of the old tasks",
        "terminateBlueInstancesOnDeploymentSuccess",
    ),
    group_refused({}, "InvalidLoadBalancerInfoException", "no pair of target groups", "target group pair"),
    deploy.refuses(
        "CreateDeploymentGroup",
        {**GROUP, "loadBalancerInfo": PAIR},
        "InvalidECSServiceException",
        "a service that ECS itself deploys",
        given=[DEPLOY_ROLE, *BALANCED, GREEN, ecs.step("CreateService", behind()), APPLICATION],
        source=ECS_GROUP,
    ),
    group_refused(
        {"deploymentConfigName": "CodeDeployDefault.Nightly"},
        "DeploymentConfigDoesNotExistException",
        "a configuration that is none",
        "No Deployment Configuration found",
    ),
    deploy.accepts(
        "GetDeploymentConfig",
        {"deploymentConfigName": "CodeDeployDefault.ECSCanary10Percent5Minutes"},
        "a predefined configuration of ECS",
        shows={"deploymentConfigInfo.trafficRoutingConfig.timeBasedCanary.canaryInterval": 5},
        source="https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html",
    ),
    *(
        deploy.refuses("ListDeployments", given, code, why, source=DEPLOY.format("ListDeployments"))
        for given, code, why in (
            ({"applicationName": "shop"}, "DeploymentGroupNameRequiredException", "an application without its group"),
            ({"deploymentGroupName": "web"}, "ApplicationNameRequiredException", "a group without its application"),
            (
                {"createTimeRange": {"start": 1700000000, "end": 1600000000}},
                "InvalidTimeRangeException",
                "a span of time that ends before it begins",
            ),
        )
    ),
    deploy.refuses(
        "GetDeployment",
        {"deploymentId": "d-ABCDEF123"},
        "DeploymentDoesNotExistException",
        "a deployment that is not there",
        source=DEPLOY.format("GetDeployment"),
    ),
]
CONNECTED_ROWS = [
    connections.accepts(
        "GetConnection",
        {"ConnectionArn": "<connection>"},
        "a connection waits for somebody to complete it",
        given=[CONNECTION],
        shows={"Connection.ConnectionStatus": "PENDING", "Connection.ProviderType": "GitHub"},
        source=CONNECTIONS,
    ),
    Service("codestar-connections").accepts(
        "GetConnection",
        {"ConnectionArn": "<connection>"},
        "the same under the service's old name",
        given=[CONNECTION],
        shows={"Connection.ConnectionName": "mine"},
        source="https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html",
    ),
    connections.refuses(
        "GetConnection",
        {"ConnectionArn": "arn:aws:codeconnections:us-east-1:<account>:connection/aEXAMPLE-8aad"},
        "ResourceNotFoundException",
        "a connection that is not there",
        source="https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_GetConnection.html",
    ),
]
ROWS = [*PIPELINES, *BUILDS, *DEPLOYS, *CONNECTED_ROWS]
