"""CI/CD for one ECS service."""
import json
import time

import boto3

session = boto3.session.Session()


def trust(service):
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": "sts:AssumeRole"}})


def doc(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [dict(zip(("Effect", "Action", "Resource"), ("Allow", a, r))) for a, r in statements]})


def create_pipeline(name, connection_arn, repository, branch, bucket, image_repository, cluster, service, container, task_roles):
    _, partition, _, region, account, _ = connection_arn.split(":", 5)
    region = session.region_name
    account = session.client("sts").get_caller_identity()["Account"]
    iam = session.resource("iam")
    artifacts = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    build = iam.create_role(RoleName=f"{name}-build", AssumeRolePolicyDocument=trust("codebuild.amazonaws.com"))
    build.Policy("build").put(PolicyDocument=doc(
        (["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:{region}:{account}:log-group:/aws/codebuild/{name}*"),
        (["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:GetBucketAcl", "s3:GetBucketLocation"], artifacts),
        ("ecr:GetAuthorizationToken", "*"),
        (["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage"],
         f"arn:aws:ecr:{region}:{account}:repository/{image_repository}"),
    ))
    pipe = iam.create_role(RoleName=f"{name}-pipeline", AssumeRolePolicyDocument=trust("codepipeline.amazonaws.com"))
    pipe.Policy("pipeline").put(PolicyDocument=doc(
        (["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:GetBucketVersioning"], artifacts),
        (["codestar-connections:UseConnection", "codeconnections:UseConnection"], connection_arn),
        (["codebuild:StartBuild", "codebuild:BatchGetBuilds"], f"arn:aws:codebuild:{region}:{account}:project/{name}"),
        (["ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks", "ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UpdateService"], "*"),
        ("iam:PassRole", [one + "*" for one in task_roles]),
    ))
    time.sleep(15)
    session.client("codebuild").create_project(
        name=name, source={"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"}, serviceRole=build.arn,
        environment={"type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0", "computeType": "BUILD_GENERAL1_SMALL", "privilegedMode": True,
            "environmentVariables": [{"name": "ACCOUNT", "value": account}, {"name": "REPO", "value": image_repository}, {"name": "CONTAINER", "value": container}]},
    )
    session.client("codepipeline").create_pipeline(pipeline={
        "name": name, "roleArn": pipe.arn, "pipelineType": "V2", "executionMode": "QUEUED",
        "artifactStore": {"type": "S3", "location": bucket},
        "stages": [
            {"name": "Source", "actions": [{"name": "GitHub", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1"},
                "configuration": {"ConnectionArn": connection_arn, "FullRepositoryId": repository, "BranchName": branch, "OutputArtifactFormat": "CODE_ZIP", "DetectChanges": "false"},
                "outputArtifacts": [{"name": "src"}]}]},
            {"name": "Build", "actions": [{"name": "Image", "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
                "configuration": {"ProjectName": name}, "inputArtifacts": [{"name": "src"}], "outputArtifacts": [{"name": "images"}]}]},
            {"name": "Deploy", "actions": [{"name": "Service", "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "ECS", "version": "1"},
                "configuration": {"ClusterName": cluster, "ServiceName": service, "FileName": "imagedefinitions.json"}, "inputArtifacts": [{"name": "images"}]}]},
        ],
        "triggers": [{"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "GitHub", "push": [{"branches": {"includes": [branch]}}]}}],
    })
