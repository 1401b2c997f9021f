"""Roles are assumed by whom they trust, and what is signed with a session's key is decided by its role."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import roles as given

Clients = Callable[..., Any]
BUCKET = "reports"
READS = [
    {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"},
    {"Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
]


def _trusts(world: EmbeddedWorld, **condition: Any) -> dict[str, Any]:
    trust = given.trust_policy("ecs-tasks.amazonaws.com")
    trust["Statement"][0]["Principal"] = {"AWS": world.account}
    if condition:
        trust["Statement"][0]["Condition"] = condition
    return trust


def _refused(call: Any, code: str, *words: str) -> None:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    assert error["Code"] == code
    for said in words:
        assert said in error["Message"]


def test_the_learner_is_an_administrator(world: EmbeddedWorld, learner_client: Clients) -> None:
    me = learner_client("sts").get_caller_identity()
    assert me["Account"] == world.account
    assert me["Arn"] == f"arn:aws:iam::{world.account}:user/learner"
    learner_client("s3").create_bucket(Bucket=BUCKET)


def test_a_role_is_assumed_by_whom_it_trusts(world: EmbeddedWorld, learner_client: Clients) -> None:
    sts = learner_client("sts")
    mine = given.role(world, "mine", _trusts(world))
    tasks = given.task_role(world)
    session = sts.assume_role(RoleArn=mine, RoleSessionName="me")
    arn = f"arn:aws:sts::{world.account}:assumed-role/mine/me"
    assert session["AssumedRoleUser"]["Arn"] == arn
    assert learner_client("sts", session["Credentials"]).get_caller_identity()["Arn"] == arn

    said = (
        f"arn:aws:iam::{world.account}:user/learner is not authorized to perform: sts:AssumeRole on resource: {tasks}"
    )
    _refused(lambda: sts.assume_role(RoleArn=tasks, RoleSessionName="me"), "AccessDenied", said)
    none = f"arn:aws:iam::{world.account}:role/none"
    _refused(lambda: sts.assume_role(RoleArn=none, RoleSessionName="me"), "AccessDenied", none)
    _refused(
        lambda: sts.assume_role(RoleArn="just-a-name-of-a-role", RoleSessionName="me"), "ValidationError", "invalid"
    )
    _refused(
        lambda: sts.assume_role(RoleArn=mine, RoleSessionName="me", DurationSeconds=7200),
        "ValidationError",
        "MaxSessionDuration",
    )


def test_an_external_id_must_agree(world: EmbeddedWorld, learner_client: Clients) -> None:
    sts = learner_client("sts")
    arn = given.role(world, "partner", _trusts(world, StringEquals={"sts:ExternalId": "42"}))
    _refused(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="me"), "AccessDenied")
    _refused(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="41"), "AccessDenied")
    sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="42")


@pytest.fixture
def reader(world: EmbeddedWorld, learner_client: Clients) -> Clients:
    """Clients of a session that may read one bucket."""
    s3 = world.client("s3")
    for bucket in (BUCKET, f"{BUCKET}-evil"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="2026/a.txt", Body=b"hello")
    arn = given.role(world, "reader", _trusts(world), statements=READS)
    credentials = learner_client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    return lambda service: learner_client(service, credentials)


def test_s3_by_a_reader(world: EmbeddedWorld, reader: Clients) -> None:
    s3 = reader("s3")
    assert s3.get_object(Bucket=BUCKET, Key="2026/a.txt")["Body"].read() == b"hello"
    assert s3.head_object(Bucket=BUCKET, Key="2026/a.txt")["ContentLength"] == 5
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    s3.head_bucket(Bucket=BUCKET)
    _refused(lambda: s3.get_object(Bucket=BUCKET, Key="none"), "NoSuchKey")
    me = f"User: arn:aws:sts::{world.account}:assumed-role/reader/me is not authorized to perform: "
    _refused(
        lambda: s3.get_object(Bucket=f"{BUCKET}-evil", Key="2026/a.txt"),
        "AccessDenied",
        f'{me}s3:GetObject on resource: "arn:aws:s3:::{BUCKET}-evil/2026/a.txt" because no identity-based',
    )
    _refused(lambda: s3.head_object(Bucket=f"{BUCKET}-evil", Key="2026/a.txt"), "403")
    _refused(lambda: s3.put_object(Bucket=BUCKET, Key="b", Body=b""), "AccessDenied", "s3:PutObject")
    _refused(lambda: s3.delete_object(Bucket=BUCKET, Key="2026/a.txt"), "AccessDenied", "s3:DeleteObject")
    _refused(s3.list_buckets, "AccessDenied", "s3:ListAllMyBuckets")
    assert world.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def test_every_protocol_denies_in_its_own_way(reader: Clients) -> None:
    _refused(reader("ecs").list_clusters, "AccessDeniedException", "ecs:ListClusters on resource: *")
    _refused(reader("iam").list_roles, "AccessDenied", "iam:ListRoles")
    _refused(reader("ec2").describe_vpcs, "UnauthorizedOperation", "ec2:DescribeVpcs")
    _refused(reader("logs").describe_log_groups, "AccessDeniedException", "logs:DescribeLogGroups")
    _refused(reader("elbv2").describe_load_balancers, "AccessDenied", "elasticloadbalancing:DescribeLoadBalancers")
    _refused(lambda: reader("ssm").get_parameter(Name="/a/b"), "AccessDeniedException", ":parameter/a/b")
    _refused(reader("cloudwatch").list_metrics, "AccessDenied", "cloudwatch:ListMetrics")


def test_a_missing_key_is_hidden_from_who_may_not_list(world: EmbeddedWorld, learner_client: Clients) -> None:
    world.client("s3").create_bucket(Bucket=BUCKET)
    arn = given.role(world, "reader", _trusts(world), statements=READS[:1])
    credentials = learner_client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    s3 = learner_client("s3", credentials)
    _refused(lambda: s3.get_object(Bucket=BUCKET, Key="none"), "AccessDenied", "s3:ListBucket")


def test_a_secret_and_a_revision_by_their_own_arns(world: EmbeddedWorld, learner_client: Clients) -> None:
    """Policies name the whole ARN, calls only the name: AWS finds one from the other."""
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString="x")["ARN"]
    arn = given.role(
        world, "app", _trusts(world), statements=[{"Action": "secretsmanager:GetSecretValue", "Resource": secret}]
    )
    credentials = learner_client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    secrets = learner_client("secretsmanager", credentials)
    assert secrets.get_secret_value(SecretId="db")["SecretString"] == "x"
    assert secrets.get_secret_value(SecretId=secret)["SecretString"] == "x"
    _refused(
        lambda: secrets.get_secret_value(SecretId="other"), "AccessDeniedException", "secretsmanager:GetSecretValue"
    )


def test_credentials_that_are_none(world: EmbeddedWorld, learner_client: Clients) -> None:
    arn = given.role(world, "mine", _trusts(world))
    session = learner_client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    # Copied without the token, as one does by hand.
    half = {**session, "SessionToken": None}
    _refused(learner_client("sts", half).get_caller_identity, "InvalidClientTokenId", "security token")
    made_up = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}
    _refused(learner_client("sts", made_up).get_caller_identity, "InvalidClientTokenId", "security token")
    _refused(learner_client("ecs", made_up).list_clusters, "UnrecognizedClientException", "security token")
    _refused(learner_client("ec2", made_up).describe_vpcs, "AuthFailure", "access credentials")
    _refused(learner_client("s3", made_up).list_buckets, "InvalidAccessKeyId", "does not exist in our records")
    world.advance(3601)
    _refused(learner_client("sts", session).get_caller_identity, "ExpiredToken", "expired")


@pytest.mark.parametrize("version", [{"Version": "2012-10-17"}, {}])
def test_session_policies_narrow(world: EmbeddedWorld, learner_client: Clients, version: dict[str, str]) -> None:
    world.client("s3").create_bucket(Bucket=BUCKET)
    arn = given.role(world, "reader", _trusts(world), statements=READS)
    narrow = json.dumps({**version, "Statement": [{"Effect": "Allow", **READS[0]}]})
    session = learner_client("sts").assume_role(RoleArn=arn, RoleSessionName="me", Policy=narrow)["Credentials"]
    s3 = learner_client("s3", session)
    _refused(lambda: s3.list_objects_v2(Bucket=BUCKET), "AccessDenied", "no session policy allows")


def test_a_user_has_the_rights_of_its_policies(world: EmbeddedWorld, learner_client: Clients) -> None:
    iam = world.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = learner_client("ecs", {**key, "SessionToken": None})
    _refused(ann.list_clusters, "AccessDeniedException", f"User: arn:aws:iam::{world.account}:user/ann")
    iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AmazonECS_FullAccess")
    ann.list_clusters()


def test_passing_a_role_takes_a_right(world: EmbeddedWorld, learner_client: Clients) -> None:
    task, execution = given.task_role(world), given.execution_role(world)
    arn = given.deployer(world, [execution])
    ecs = learner_client("ecs", learner_client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"])
    definition: dict[str, Any] = {
        "family": "web",
        "executionRoleArn": execution,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "essential": True}],
    }
    ecs.register_task_definition(**definition)
    _refused(
        lambda: ecs.register_task_definition(**definition, taskRoleArn=task),
        "AccessDeniedException",
        f"iam:PassRole on resource: {task}",
    )


def test_a_container_gets_the_task_roles_credentials(world: EmbeddedWorld, endpoint: str) -> None:
    """boto3, with nothing in its environment but where to ask, acts as the task's role."""
    world.client("s3").create_bucket(Bucket=BUCKET)
    world.client("s3").put_object(Bucket=BUCKET, Key="a", Body=b"hello")
    arn = given.task_role(world, statements=READS)
    environment = {k: v.replace("{endpoint}", endpoint) for k, v in world.task_environment(arn).items()}
    assert not [name for name in environment if "KEY" in name or "TOKEN" in name]
    code = (
        "import boto3; print(boto3.client('sts').get_caller_identity()['Arn']);"
        "print(boto3.client('s3').get_object(Bucket='reports', Key='a')['Body'].read())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere", "AWS_ENDPOINT_URL": endpoint, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "assumed-role/app-task-role/" in ran.stdout
    assert "hello" in ran.stdout
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(f"{endpoint}/v2/credentials?id=guessed")


def test_a_role_that_ecs_cannot_assume_has_no_task(world: EmbeddedWorld) -> None:
    ours = given.role(world, "mine", _trusts(world))
    _refused(lambda: world.task_environment(ours), "ClientException", "unable to assume the role")


GITHUB = "https://token.actions.githubusercontent.com"


def test_github_assumes_by_its_token(world: EmbeddedWorld, learner_client: Clients) -> None:
    sts = learner_client("sts")
    provider = f"arn:aws:iam::{world.account}:oidc-provider/token.actions.githubusercontent.com"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                    "StringLike": {"token.actions.githubusercontent.com:sub": "repo:shop/web:*"},
                },
            }
        ],
    }
    arn = given.role(world, "github", trust)

    def assume(token: str) -> Any:
        return lambda: sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ci", WebIdentityToken=token)

    good = world.identity_token(GITHUB, "repo:shop/web:ref:refs/heads/main")
    _refused(assume(good), "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {GITHUB}")
    world.client("iam").create_open_id_connect_provider(Url=GITHUB, ClientIDList=["sts.amazonaws.com"])
    said = assume(good)()
    assert said["AssumedRoleUser"]["Arn"].endswith("assumed-role/github/ci")
    assert said["SubjectFromWebIdentityToken"] == "repo:shop/web:ref:refs/heads/main"
    _refused(
        assume(world.identity_token(GITHUB, "repo:evil/web:ref:refs/heads/main")),
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    )
    _refused(assume(world.identity_token(GITHUB, "x", "elsewhere")), "InvalidIdentityToken", "Incorrect token audience")
    _refused(assume(good[:-4] + "AAAA"), "InvalidIdentityToken", "verification key")
    _refused(assume("nonsense"), "InvalidIdentityToken", "not a valid JWT")
    world.advance(600)
    _refused(assume(good), "ExpiredTokenException", "expiration")
