"""The AWS managed policies that the course speaks of, as they stand (read in November 2026).

Source: AWS Managed Policy Reference, https://docs.aws.amazon.com/aws-managed-policy/latest/reference/NAME.html
"""

from __future__ import annotations

from typing import Any

from fargrade.semantics.iam.document import Policy, parse_policy

_READ = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:ListTagsForResource",
    "ecr:DescribeImageScanFindings",
]


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}


MANAGED_POLICIES: dict[str, dict[str, Any]] = {
    "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly": _document({"Action": _READ, "Resource": "*"}),
    "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser": _document(
        {
            "Action": [
                *_READ,
                "ecr:InitiateLayerUpload",
                "ecr:UploadLayerPart",
                "ecr:CompleteLayerUpload",
                "ecr:PutImage",
            ],
            "Resource": "*",
        }
    ),
    "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly": _document(
        {
            "Action": [
                "ecr:GetAuthorizationToken",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchImportUpstreamImage",
            ],
            "Resource": "*",
        }
    ),
    "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryFullAccess": _document(
        {"Action": ["ecr:*", "cloudtrail:LookupEvents"], "Resource": "*"},
        {
            "Action": ["iam:CreateServiceLinkedRole"],
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:AWSServiceName": ["replication.ecr.amazonaws.com"]}},
        },
    ),
    "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy": _document(
        {
            "Action": [
                "ecr:GetAuthorizationToken",
                "ecr:BatchCheckLayerAvailability",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchGetImage",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
            ],
            "Resource": "*",
        }
    ),
}


def managed_policy(arn: str) -> Policy:
    """The managed policy `arn`. Raises KeyError for one that is not kept here."""
    return parse_policy(MANAGED_POLICIES[arn], name=arn.rsplit("/", 1)[-1])
