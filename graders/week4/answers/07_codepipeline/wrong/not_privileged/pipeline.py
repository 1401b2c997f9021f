"""Create a pipeline that brings every commit of a branch to an ECS service."""

import json

import boto3


def create_role(name, service, statements):
    """A role for an AWS service, with these rights; returns its ARN."""
    iam = boto3.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(policy))
    return arn


def create_pipeline(
    name, connection_arn, repository, branch, bucket, image_repository, cluster, service, container, task_roles
):
    """Create the CodeBuild project and the pipeline, both called `name`, with a role for each."""
    images = boto3.client("ecr").describe_repositories(repositoryNames=[image_repository])["repositories"][0]
    artifacts = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/*"}

    build_role = create_role(
        f"{name}-build",
        "codebuild.amazonaws.com",
        [
            artifacts,
            {"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"},
            {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {
                "Action": [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:InitiateLayerUpload",
                    "ecr:UploadLayerPart",
                    "ecr:CompleteLayerUpload",
                    "ecr:PutImage",
                    "ecr:BatchGetImage",
                ],
                "Resource": images["repositoryArn"],
            },
        ],
    )
    project = boto3.client("codebuild").create_project(
        name=name,
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "computeType": "BUILD_GENERAL1_SMALL",
            "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "environmentVariables": [
                {"name": "REPOSITORY_URI", "value": images["repositoryUri"]},
                {"name": "CONTAINER", "value": container},
            ],
        },
        serviceRole=build_role,
    )["project"]

    pipeline_role = create_role(
        f"{name}-pipeline",
        "codepipeline.amazonaws.com",
        [
            artifacts,
            {"Action": "codestar-connections:UseConnection", "Resource": connection_arn},
            {"Action": ["codebuild:StartBuild", "codebuild:BatchGetBuilds"], "Resource": project["arn"]},
            {
                "Action": [
                    "ecs:DescribeServices",
                    "ecs:DescribeTaskDefinition",
                    "ecs:DescribeTasks",
                    "ecs:ListTasks",
                    "ecs:RegisterTaskDefinition",
                    "ecs:TagResource",
                    "ecs:UpdateService",
                ],
                "Resource": "*",
            },
            {
                "Action": "iam:PassRole",
                "Resource": task_roles,
                "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            },
        ],
    )
    boto3.client("codepipeline").create_pipeline(
        pipeline={
            "name": name,
            "roleArn": pipeline_role,
            "pipelineType": "V2",
            "artifactStore": {"type": "S3", "location": bucket},
            "stages": [
                stage(
                    "Source",
                    "CodeStarSourceConnection",
                    {"ConnectionArn": connection_arn, "FullRepositoryId": repository, "BranchName": branch},
                    gives="Source",
                ),
                stage("Build", "CodeBuild", {"ProjectName": name}, takes="Source", gives="Image"),
                stage("Deploy", "ECS", {"ClusterName": cluster, "ServiceName": service}, takes="Image"),
            ],
        }
    )


def stage(category, provider, configuration, takes=None, gives=None):
    """A stage with one action."""
    return {
        "name": category,
        "actions": [
            {
                "name": category,
                "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
                "configuration": configuration,
                "inputArtifacts": [{"name": takes}] if takes else [],
                "outputArtifacts": [{"name": gives}] if gives else [],
            }
        ],
    }
