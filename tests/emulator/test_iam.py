"""IAM refuses what AWS refuses, in AWS's words, and takes what AWS takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import roles as given

ECS = {"Service": "ecs-tasks.amazonaws.com"}


def trust(principal: Any = ECS, action: Any = "sts:AssumeRole", version: str = "2012-10-17", **more: Any) -> str:
    return json.dumps(
        {
            "Version": version,
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": action, **more}],
        }
    )


def policy(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}
    )


# (what is wrong, trust policy, code, words)
BAD_TRUSTS = [
    ("empty object", "{}", "MalformedPolicyDocument", "Syntax errors in policy."),
    ("no JSON", "hello", "MalformedPolicyDocument", "invalid Json"),
    ("a file name", "file://trust.json", "MalformedPolicyDocument", "invalid Json"),
    ("no principal", policy("sts:AssumeRole").replace(', "Resource": "*"', ""), "MalformedPolicyDocument", "Principal"),
    ("a resource", trust(Resource="*"), "MalformedPolicyDocument", "Has prohibited field Resource"),
    (
        "misspelt service",
        trust({"Service": "ecs-task.amazonaws.com"}),
        "MalformedPolicyDocument",
        'Invalid principal in policy: "SERVICE":"ecs-task.amazonaws.com"',
    ),
    ("no domain", trust({"Service": "ecs-tasks"}), "MalformedPolicyDocument", "Invalid principal in policy"),
    ("a URL", trust({"Service": "https://ecs-tasks.amazonaws.com"}), "MalformedPolicyDocument", "Invalid principal"),
    (
        "a role that is not there",
        trust({"AWS": "arn:aws:iam::ACCOUNT:role/nobody"}),
        "MalformedPolicyDocument",
        'Invalid principal in policy: "AWS":"arn:aws:iam::',
    ),
    ("other actions", trust(action="s3:GetObject"), "MalformedPolicyDocument", "STS AssumeRole actions"),
    ("too long", trust(Condition={"StringEquals": {"a:b": "x" * 2100}}), "LimitExceeded", "ACLSizePerRole: 2048"),
    ("misspelt kind", trust({"service": "ecs-tasks.amazonaws.com"}), "MalformedPolicyDocument", "Invalid principal"),
]


@pytest.mark.parametrize(("document", "code", "words"), [row[1:] for row in BAD_TRUSTS], ids=[r[0] for r in BAD_TRUSTS])
def test_trust_policies_that_are_refused(world: EmbeddedWorld, document: str, code: str, words: str) -> None:
    iam = world.client("iam")
    document = document.replace("ACCOUNT", world.account)
    with pytest.raises(ClientError) as refused:
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)
    assert refused.value.response["Error"]["Code"] == code
    assert words in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="app")


GOOD_TRUSTS = [
    trust(),
    trust(version="2008-10-17"),
    trust({"Service": ["ecs-tasks.amazonaws.com", "codedeploy.us-east-1.amazonaws.com", "ec2.amazonaws.com"]}),
    trust({"AWS": "*"}),
    trust({"AWS": "111122223333"}),
    trust({"AWS": "arn:aws:iam::111122223333:role/theirs"}),
    trust(ECS, ["sts:AssumeRole", "sts:TagSession"]),
    trust(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*:*:*"}}),
    trust(
        {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
        "sts:AssumeRoleWithWebIdentity",
        Condition={"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:*"}},
    ),
]


@pytest.mark.parametrize("document", GOOD_TRUSTS)
def test_trust_policies_that_are_taken(world: EmbeddedWorld, document: str) -> None:
    iam = world.client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)
    iam.update_assume_role_policy(RoleName="app", PolicyDocument=document)
    assert iam.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"] == json.loads(document)


def _refused(call: Any, code: str, words: str = "") -> None:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    assert error["Code"] == code
    assert words in error["Message"]


def test_policies_that_are_refused(world: EmbeddedWorld) -> None:
    iam = world.client("iam")
    given.role(world, "app")

    def put(document: str) -> Any:
        return lambda: iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=document)

    malformed = "MalformedPolicyDocument"
    _refused(put("{"), malformed, "invalid Json")
    _refused(put(policy().replace("2012-10-17", "2008-10-17")), malformed, "must be version 2012-10-17 or greater")
    _refused(put(policy(Principal="*")), malformed, "should not specify a principal")
    _refused(put(policy("GetObject")), malformed, "must be prefaced by a vendor")
    _refused(put(policy(resource="reports")), malformed, "must be in ARN format")
    _refused(put(policy(Condition={"StringEqual": {"a:b": "c"}})), malformed, "Invalid Condition type : StringEqual")
    _refused(put(policy(resource=["arn:aws:s3:::" + "x" * 10_300])), "LimitExceeded", "10240")
    long = policy(resource=["arn:aws:s3:::" + "x" * 6_200])
    _refused(lambda: iam.create_policy(PolicyName="long", PolicyDocument=long), "LimitExceeded", "PolicySize: 6144")
    put(long)()
    # White space does not count, and all inline policies together do.
    put(long.replace(" ", " " * 2_000))()
    _refused(
        lambda: iam.put_role_policy(RoleName="app", PolicyName="q", PolicyDocument=long),
        "LimitExceeded",
        "for role app",
    )


def test_what_is_not_there(world: EmbeddedWorld) -> None:
    iam = world.client("iam")
    gone = "NoSuchEntity"
    _refused(lambda: iam.get_role(RoleName="app"), gone, "The role with name app cannot be found.")
    _refused(lambda: iam.create_access_key(UserName="ann"), gone, "The user with name ann cannot be found.")
    given.role(world, "app")
    _refused(lambda: iam.get_role_policy(RoleName="app", PolicyName="p"), gone, "The role policy with name p cannot be")
    attach = iam.attach_role_policy
    arn = f"arn:aws:iam::{world.account}:policy/none"
    _refused(lambda: attach(RoleName="app", PolicyArn=arn), gone, f"Policy {arn} does not exist or is not attachable.")
    wrong = "arn:aws:iam::aws:policy/AmazonECSTaskExecutionRolePolicy"  # it has the path service-role/
    _refused(lambda: attach(RoleName="app", PolicyArn=wrong), gone, "is not attachable")
    _refused(lambda: attach(RoleName="app", PolicyArn="AmazonS3ReadOnlyAccess"), "InvalidInput", "is not valid")
    _refused(lambda: iam.detach_role_policy(RoleName="app", PolicyArn=arn), gone, "was not found")
    _refused(lambda: iam.put_role_permissions_boundary(RoleName="app", PermissionsBoundary=arn), gone, "Scope ARN")
    _refused(lambda: iam.get_instance_profile(InstanceProfileName="p"), gone, "Instance Profile p cannot be found.")


def test_names_are_taken_once(world: EmbeddedWorld) -> None:
    iam = world.client("iam")
    given.role(world, "App")
    _refused(
        lambda: iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust()),
        "EntityAlreadyExists",
        "Role with name app already exists.",
    )
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    _refused(
        lambda: iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com"),
        "InvalidInput",
        "has been taken in this account",
    )
    url = "https://token.actions.githubusercontent.com"
    iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])
    _refused(lambda: iam.create_open_id_connect_provider(Url=url), "EntityAlreadyExists", f"Provider with url {url}")
    _refused(lambda: iam.create_open_id_connect_provider(Url="http://a.example"), "ValidationError", "Invalid Open ID")


def test_deleting_what_is_in_use(world: EmbeddedWorld) -> None:
    iam = world.client("iam")
    arn = iam.create_policy(PolicyName="read", PolicyDocument=policy())["Policy"]["Arn"]
    given.role(world, "app")
    iam.attach_role_policy(RoleName="app", PolicyArn=arn)
    iam.attach_role_policy(RoleName="app", PolicyArn=arn)  # twice is once
    _refused(lambda: iam.delete_role(RoleName="app"), "DeleteConflict", "must detach all policies first")
    _refused(lambda: iam.delete_policy(PolicyArn=arn), "DeleteConflict", "attached to entities")
    iam.detach_role_policy(RoleName="app", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(), SetAsDefault=True)
    _refused(lambda: iam.delete_policy(PolicyArn=arn), "DeleteConflict", "more than one version")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    iam.delete_role(RoleName="app")


def test_a_role_carries_ten_managed_policies(world: EmbeddedWorld) -> None:
    iam = world.client("iam")
    given.role(world, "app")
    for number in range(11):
        arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=policy())["Policy"]["Arn"]
        if number < 10:
            iam.attach_role_policy(RoleName="app", PolicyArn=arn)
    _refused(
        lambda: iam.attach_role_policy(RoleName="app", PolicyArn=arn), "LimitExceeded", "quota for PoliciesPerRole: 10"
    )


def test_simulation_says_what_would_be_decided(world: EmbeddedWorld) -> None:
    iam = world.client("iam")
    bucket = "arn:aws:s3:::reports"
    arn = given.role(world, "app", statements=[{"Action": "s3:GetObject", "Resource": f"{bucket}/*"}])
    iam.put_role_policy(
        RoleName="app", PolicyName="not", PolicyDocument=policy("s3:*", f"{bucket}/secret/*").replace("Allow", "Deny")
    )
    found = iam.simulate_principal_policy(
        PolicySourceArn=arn,
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=[f"{bucket}/a", f"{bucket}/secret/a"],
    )["EvaluationResults"]
    assert [one["EvalDecision"] for one in found] == ["allowed", "explicitDeny", "implicitDeny", "explicitDeny"]
    custom = iam.simulate_custom_policy(
        PolicyInputList=[policy("ecs:RunTask", Condition={"StringEquals": {"ecs:cluster": "c"}})],
        ActionNames=["ecs:RunTask"],
        ContextEntries=[{"ContextKeyName": "ecs:cluster", "ContextKeyType": "string", "ContextKeyValues": ["c"]}],
    )["EvaluationResults"]
    assert custom[0]["EvalDecision"] == "allowed"
    _refused(
        lambda: iam.simulate_principal_policy(PolicySourceArn=arn + "x", ActionNames=["s3:GetObject"]), "NoSuchEntity"
    )


def test_aws_policies_are_listed_when_asked_for(world: EmbeddedWorld) -> None:
    iam = world.client("iam")
    assert iam.list_policies(Scope="Local")["Policies"] == []
    listed = [
        one["Arn"] for page in iam.get_paginator("list_policies").paginate(Scope="AWS") for one in page["Policies"]
    ]
    assert given.EXECUTION_POLICY in listed
    assert len(listed) > 1000
    assert iam.get_policy(PolicyArn=given.EXECUTION_POLICY)["Policy"]["DefaultVersionId"] == "v1"


def test_our_own_managed_policies_are_those_of_aws(world: EmbeddedWorld) -> None:
    """What semantics keeps for its own use says what moto read from AWS."""
    from fargrade.semantics.iam import MANAGED_POLICIES, parse_policy

    iam = world.client("iam")
    for arn, document in MANAGED_POLICIES.items():
        held = iam.get_policy(PolicyArn=arn)["Policy"]
        theirs = iam.get_policy_version(PolicyArn=arn, VersionId=held["DefaultVersionId"])["PolicyVersion"]["Document"]
        assert _sorted(parse_policy(theirs)) == _sorted(parse_policy(document)), arn


def _sorted(parsed: Any) -> list[Any]:
    return sorted((one.allows, sorted(one.actions), one.resources, one.conditions) for one in parsed.statements)
