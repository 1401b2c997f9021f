"""What a call of an SDK asks of IAM, by the Service Authorization Reference."""

from __future__ import annotations

from typing import Any

import pytest

from fargrade.semantics.iam import Made, Role, asks, parse_policy, role_may

A, R = "111122223333", "eu-central-1"


def made(service: str, operation: str, given: dict[str, Any]) -> list[tuple[str, str]]:
    """(action, first spelling of the resource) of each right that the call needs."""
    return [
        (ask.action, ask.resources[0] if ask.resources else "?") for ask in asks(Made(service, operation, given, R, A))
    ]


@pytest.mark.parametrize(
    ("service", "operation", "given", "asked"),
    [
        ("s3", "ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("s3", "HeadBucket", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k/x"}, [("s3:GetObject", "arn:aws:s3:::b/k/x")]),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"},
         [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]),
        ("s3", "UploadPart", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
        (
            "s3",
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "a/x?versionId=1"},
            [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:GetObject", "arn:aws:s3:::a/x")],
        ),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "1"}, {"Key": "2"}]}},
            [("s3:DeleteObject", "arn:aws:s3:::b/1"), ("s3:DeleteObject", "arn:aws:s3:::b/2")],
        ),
        ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
        ("s3", "PutPublicAccessBlock", {"Bucket": "b"}, [("s3:PutBucketPublicAccessBlock", "arn:aws:s3:::b")]),
        ("ecr", "GetAuthorizationToken", {}, [("ecr:GetAuthorizationToken", "*")]),
        ("ecr", "PutImage", {"repositoryName": "shop/web"},
         [("ecr:PutImage", f"arn:aws:ecr:{R}:{A}:repository/shop/web")]),
        ("ecs", "ListClusters", {}, [("ecs:ListClusters", "*")]),
        (
            "ecs",
            "UpdateService",
            {"cluster": f"arn:aws:ecs:{R}:{A}:cluster/shop", "service": "web"},
            [("ecs:UpdateService", f"arn:aws:ecs:{R}:{A}:service/shop/web")],
        ),
        ("ecs", "StopTask", {"task": "abc"}, [("ecs:StopTask", f"arn:aws:ecs:{R}:{A}:task/default/abc")]),
        ("ecs", "RunTask", {"taskDefinition": "web:3"},
         [("ecs:RunTask", f"arn:aws:ecs:{R}:{A}:task-definition/web:3")]),
        (
            "ecs",
            "RegisterTaskDefinition",
            {"family": "web", "taskRoleArn": "app", "executionRoleArn": f"arn:aws:iam::{A}:role/service-role/exec"},
            [
                ("ecs:RegisterTaskDefinition", "*"),
                ("iam:PassRole", f"arn:aws:iam::{A}:role/app"),
                ("iam:PassRole", f"arn:aws:iam::{A}:role/service-role/exec"),
            ],
        ),
        ("elbv2", "DescribeLoadBalancers", {}, [("elasticloadbalancing:DescribeLoadBalancers", "*")]),
        ("elbv2", "DeleteListener", {"ListenerArn": "arn:l"}, [("elasticloadbalancing:DeleteListener", "arn:l")]),
        ("logs", "PutLogEvents", {"logGroupName": "/ecs/web", "logStreamName": "s"},
         [("logs:PutLogEvents", f"arn:aws:logs:{R}:{A}:log-group:/ecs/web:log-stream:s")]),
        ("ssm", "GetParameters", {"Names": ["/a/b", "c"]},
         [("ssm:GetParameters", f"arn:aws:ssm:{R}:{A}:parameter/a/b"),
          ("ssm:GetParameters", f"arn:aws:ssm:{R}:{A}:parameter/c")]),
        ("secretsmanager", "GetSecretValue", {"SecretId": "db"},
         [("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{R}:{A}:secret:db-AbCdEf")]),
        ("iam", "AttachRolePolicy", {"RoleName": "app", "PolicyArn": "arn:p"},
         [("iam:AttachRolePolicy", f"arn:aws:iam::{A}:role/app")]),
        ("sts", "GetCallerIdentity", {}, []),
        ("xray", "PutTraceSegments", {}, [("xray:PutTraceSegments", "*")]),
        ("codepipeline", "StartPipelineExecution", {"name": "ship"},
         [("codepipeline:StartPipelineExecution", f"arn:aws:codepipeline:{R}:{A}:ship")]),
        ("codebuild", "BatchGetBuilds", {"ids": ["web:1234"]},
         [("codebuild:BatchGetBuilds", f"arn:aws:codebuild:{R}:{A}:project/web")]),
        ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}, [("ec2:CreateVpc", "?")]),
    ],
)  # fmt: skip
def test_what_a_call_asks(service: str, operation: str, given: dict[str, Any], asked: list[tuple[str, str]]) -> None:
    assert made(service, operation, given) == asked


def role(*statements: dict[str, Any]) -> Role:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    trusts = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = parse_policy({"Version": "2012-10-17", "Statement": trusts}, "trust")
    return Role(f"arn:aws:iam::{A}:role/app", trust, (parse_policy(document),))


def allowed(role: Role, service: str, operation: str, **given: Any) -> bool:
    return all(
        ask.decided(lambda action, resource, context: role_may(role, action, resource, context), role.identity).allowed
        for ask in asks(Made(service, operation, given, R, A))
    )


@pytest.mark.parametrize("form", ["log-group:/ecs/web", "log-group:/ecs/web:*", "log-group:/ecs/*"])
def test_a_log_group_is_named_in_either_form(form: str) -> None:
    writer = role({"Action": "logs:CreateLogStream", "Resource": f"arn:aws:logs:{R}:{A}:{form}"})
    assert allowed(writer, "logs", "CreateLogStream", logGroupName="/ecs/web", logStreamName="s")
    assert not allowed(writer, "logs", "CreateLogStream", logGroupName="/other/api", logStreamName="s")


def test_where_the_resource_is_not_known_any_that_is_allowed_will_do() -> None:
    network = role({"Action": "ec2:CreateSubnet", "Resource": f"arn:aws:ec2:{R}:{A}:vpc/vpc-1"})
    assert allowed(network, "ec2", "CreateSubnet", VpcId="vpc-1", CidrBlock="10.0.0.0/24")
    assert not allowed(network, "ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    denied = role({"Action": "ec2:*", "Resource": "*"}, {"Action": "ec2:CreateVpc", "Resource": "*", "Effect": "Deny"})
    assert not allowed(denied, "ec2", "CreateVpc", CidrBlock="10.0.0.0/16")


def test_the_cluster_is_a_condition_key() -> None:
    runner = role(
        {
            "Action": "ecs:RunTask",
            "Resource": f"arn:aws:ecs:{R}:{A}:task-definition/web:*",
            "Condition": {"ArnEquals": {"ecs:cluster": f"arn:aws:ecs:{R}:{A}:cluster/shop"}},
        }
    )
    assert allowed(runner, "ecs", "RunTask", cluster="shop", taskDefinition="web:3")
    assert not allowed(runner, "ecs", "RunTask", cluster="other", taskDefinition="web:3")
    assert not allowed(runner, "ecs", "RunTask", cluster="shop", taskDefinition="api:3")


def test_listing_under_a_prefix() -> None:
    lister = role(
        {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b", "Condition": {"StringLike": {"s3:prefix": "in/*"}}}
    )
    assert allowed(lister, "s3", "ListObjectsV2", Bucket="b", Prefix="in/2026")
    assert not allowed(lister, "s3", "ListObjectsV2", Bucket="b", Prefix="")
