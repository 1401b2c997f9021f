"""Roles in a world: what is attached counts, as AWS would count it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import roles as given

BUCKET = "arn:aws:s3:::reports"


def _policy(effect: str, action: Any, resource: Any, **more: Any) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}
    )


def test_the_execution_role_pulls_and_writes_logs(world: EmbeddedWorld) -> None:
    arn = given.execution_role(world)
    for action in ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "logs:PutLogEvents"):
        assert world.decide(arn, action).allowed
    assert not world.decide(arn, "s3:GetObject", f"{BUCKET}/a").allowed
    assert world.control("role_assumable", role=arn, service="ecs-tasks.amazonaws.com")
    assert not world.control("role_assumable", role=arn, service="ec2.amazonaws.com")


def test_every_kind_of_policy_counts(world: EmbeddedWorld) -> None:
    iam, s3 = world.client("iam"), world.client("s3")
    given.role(world, "reader", statements=[{"Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}])
    assert world.decide("reader", "s3:GetObject", f"{BUCKET}/a").why == "identity"

    own = iam.create_policy(PolicyName="lister", PolicyDocument=_policy("Allow", "s3:ListBucket", BUCKET))["Policy"]
    iam.attach_role_policy(RoleName="reader", PolicyArn=own["Arn"])
    assert world.decide("reader", "s3:ListBucket", BUCKET).allowed

    # The default version is what counts.
    iam.create_policy_version(
        PolicyArn=own["Arn"], PolicyDocument=_policy("Allow", "s3:PutObject", f"{BUCKET}/*"), SetAsDefault=True
    )
    assert not world.decide("reader", "s3:ListBucket", BUCKET).allowed

    edge = iam.create_policy(PolicyName="edge", PolicyDocument=_policy("Allow", "s3:Get*", "*"))["Policy"]
    iam.put_role_permissions_boundary(RoleName="reader", PermissionsBoundary=edge["Arn"])
    assert world.decide("reader", "s3:GetObject", f"{BUCKET}/a").allowed
    assert world.decide("reader", "s3:PutObject", f"{BUCKET}/a").why == "no boundary"

    s3.create_bucket(Bucket="reports")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
    s3.put_bucket_policy(Bucket="reports", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert world.decide("reader", "s3:GetObject", f"{BUCKET}/a").why == "explicit deny"


def test_the_emulator_decides_as_the_grader_does(world: EmbeddedWorld) -> None:
    arn = given.role(world, "reader", statements=[{"Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}])
    for resource in (f"{BUCKET}/a", f"{BUCKET}-evil/a", BUCKET):
        theirs = world.decide(arn, "s3:GetObject", resource).allowed
        assert world.control("role_allowed", role=arn, action="s3:GetObject", resource=resource) is theirs


def test_a_role_that_is_not_there(world: EmbeddedWorld) -> None:
    missing = f"arn:aws:iam::{world.account}:role/missing"
    assert not world.control("role_allowed", role=missing, action="s3:GetObject", resource="*")
    assert not world.control("role_assumable", role=missing, service="ecs-tasks.amazonaws.com")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        world.role("missing")


def test_passing_a_role(world: EmbeddedWorld) -> None:
    task = given.task_role(world)
    deployer = given.deployer(world, [task])
    passed = {"passer": deployer, "service": "ecs-tasks.amazonaws.com"}
    assert world.control("role_may_pass", role=task, **passed)
    assert not world.control("role_may_pass", role=task, passer=deployer, service="ec2.amazonaws.com")
    assert not world.control("role_may_pass", role=given.execution_role(world), **passed)


def test_trust_with_a_source_account(world: EmbeddedWorld) -> None:
    trust = given.trust_policy("ecs-tasks.amazonaws.com")
    trust["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": world.account}}
    mine = given.role(world, "mine", trust)
    trust["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": "999988887777"}}
    theirs = given.role(world, "theirs", trust)
    assert world.control("role_assumable", role=mine, service="ecs-tasks.amazonaws.com")
    assert not world.control("role_assumable", role=theirs, service="ecs-tasks.amazonaws.com")


def test_managed_policies_of_aws(world: EmbeddedWorld) -> None:
    iam = world.client("iam")
    given.role(world, "any")
    iam.attach_role_policy(RoleName="any", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert world.decide("any", "s3:ListBucket", BUCKET).allowed
    assert not world.decide("any", "s3:PutObject", f"{BUCKET}/a").allowed
    with pytest.raises(ClientError, match="NoSuchEntity"):
        # A classic: the policy has the path service-role/.
        iam.attach_role_policy(RoleName="any", PolicyArn="arn:aws:iam::aws:policy/AmazonECSTaskExecutionRolePolicy")
