"""The action types that a pipeline may use: their configuration, and how many artifacts each takes and gives.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html (one page an action)
and, for the numbers of artifacts, https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ActionType:
    """One provider in one category. `known` is False where AWS has it and its configuration is not checked here."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    inputs: tuple[int, int] = (0, 0)
    outputs: tuple[int, int] = (0, 0)
    patterns: tuple[str, ...] = ()
    known: bool = True

    def takes(self, key: str) -> bool:
        """Whether `key` is one of the action's configuration."""
        listed = key in self.required or key in self.optional
        return not self.known or listed or any(re.fullmatch(one, key) for one in self.patterns)


def _type(
    required: str, optional: str = "", inputs: tuple[int, int] = (0, 0), outputs: tuple[int, int] = (0, 0)
) -> ActionType:
    return ActionType(frozenset(required.split()), frozenset(optional.split()), inputs, outputs)


_OTHERS = ActionType(inputs=(0, 10), outputs=(0, 10), known=False)
_CODEBUILD = _type("ProjectName", "PrimarySource EnvironmentVariables BatchEnabled CombineArtifacts", (1, 5), (0, 5))
_TO_ECS = ActionType(
    frozenset(("ApplicationName", "DeploymentGroupName", "TaskDefinitionTemplateArtifact", "AppSpecTemplateArtifact")),
    frozenset(("AppSpecTemplatePath", "TaskDefinitionTemplatePath")),
    (1, 5),
    (0, 0),
    (r"Image[1-4]ArtifactName", r"Image[1-4]ContainerName"),
)
ACTION_TYPES: dict[tuple[str, str, str], ActionType] = {
    ("Source", "AWS", "CodeStarSourceConnection"): _type(
        "ConnectionArn FullRepositoryId BranchName", "OutputArtifactFormat DetectChanges", (0, 0), (1, 1)
    ),
    ("Source", "AWS", "CodeCommit"): _type(
        "RepositoryName BranchName", "PollForSourceChanges OutputArtifactFormat", (0, 0), (1, 1)
    ),
    ("Source", "AWS", "S3"): _type(
        "S3Bucket S3ObjectKey", "PollForSourceChanges AllowOverrideForS3ObjectKey", (0, 0), (1, 1)
    ),
    ("Source", "AWS", "ECR"): _type("RepositoryName", "ImageTag", (0, 0), (1, 1)),
    ("Source", "ThirdParty", "GitHub"): _type("Owner Repo Branch OAuthToken", "PollForSourceChanges", (0, 0), (1, 1)),
    ("Build", "AWS", "CodeBuild"): _CODEBUILD,
    ("Test", "AWS", "CodeBuild"): _CODEBUILD,
    ("Build", "AWS", "ECRBuildAndPublish"): _type(
        "ECRRepositoryName", "DockerFilePath ImageTags RegistryType", (1, 1), (0, 0)
    ),
    ("Compute", "AWS", "Commands"): ActionType(inputs=(0, 10), outputs=(0, 1), known=False),
    ("Deploy", "AWS", "ECS"): _type("ClusterName ServiceName", "FileName DeploymentTimeout", (1, 1), (0, 0)),
    ("Deploy", "AWS", "CodeDeployToECS"): _TO_ECS,
    ("Deploy", "AWS", "S3"): _type(
        "BucketName Extract", "ObjectKey KMSEncryptionKeyARN CannedACL CacheControl", (1, 1), (0, 0)
    ),
    ("Deploy", "AWS", "CodeDeploy"): _type("ApplicationName DeploymentGroupName", "", (1, 1), (0, 0)),
    ("Approval", "AWS", "Manual"): _type("", "NotificationArn CustomData ExternalEntityLink"),
    ("Invoke", "AWS", "Lambda"): _type("FunctionName", "UserParameters", (0, 5), (0, 5)),
    **{
        ("Deploy", "AWS", name): _OTHERS
        for name in (
            *("CloudFormation", "CloudFormationStackSet", "CloudFormationStackInstances", "ElasticBeanstalk", "EKS"),
            *("EC2", "AppConfig", "ServiceCatalog", "OpsWorks", "Lambda"),
        )
    },
    ("Invoke", "AWS", "StepFunctions"): _OTHERS,
    ("Invoke", "AWS", "InspectorScan"): _OTHERS,
    ("Invoke", "AWS", "CodePipeline"): _OTHERS,
    ("Test", "AWS", "DeviceFarm"): _OTHERS,
    ("Build", "Custom", "Jenkins"): _OTHERS,
}


def action_type(type_id: dict[str, str]) -> ActionType | None:
    """The type that an actionTypeId names; None where AWS has none."""
    found = ACTION_TYPES.get((type_id.get("category", ""), type_id.get("owner", ""), type_id.get("provider", "")))
    return found if found and (type_id.get("version", "1") == "1" or not found.known) else None
