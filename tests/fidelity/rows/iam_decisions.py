"""IAM's decisions, asked by simulation: conditions, complements, wildcards, boundaries, resource policies."""

from __future__ import annotations

import json
from typing import Any

from tests.fidelity.rows.iam import API, APP, GUIDE, iam, inline, policy
from tests.fidelity.table import Row

BUCKET = "arn:aws:s3:::reports"
ELEMENTS = GUIDE.format("reference_policies_elements_{}")
LOGIC = GUIDE.format("reference_policies_evaluation-logic")
ALLOWED, IMPLICIT, EXPLICIT = "allowed", "implicitDeny", "explicitDeny"


def statement(effect: str = "Allow", **elements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, **elements}]})


def decided(why: str, decision: str, policies: list[str], action: str, resource: str, source: str, **more: Any) -> Row:
    return iam.accepts(
        "SimulateCustomPolicy",
        {"PolicyInputList": policies, "ActionNames": [action], "ResourceArns": [resource], **more},
        why, shows={"EvaluationResults[*].EvalDecision": [decision]}, source=source,
    )  # fmt: skip


def with_key(name: str, value: str, kind: str = "string") -> dict[str, Any]:
    return {"ContextEntries": [{"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}]}


def on_condition(**condition: Any) -> list[str]:
    return [policy("s3:GetObject", f"{BUCKET}/*", Condition=condition)]


def read(why: str, decision: str, policies: list[str], source: str, resource: str = f"{BUCKET}/a", **more: Any) -> Row:
    return decided(why, decision, policies, "s3:GetObject", resource, source, **more)


CONDITIONS = ELEMENTS.format("condition_operators")
TAGGED = on_condition(StringEquals={"aws:PrincipalTag/team": "shop"})
LIKE = on_condition(StringLike={"aws:PrincipalTag/team": "shop-*"})
NOT = on_condition(StringNotEquals={"aws:PrincipalTag/team": "shop"})
IF_EXISTS = on_condition(StringEqualsIfExists={"aws:PrincipalTag/team": "shop"})
NEAR = on_condition(IpAddress={"aws:SourceIp": "10.0.0.0/8"})
SECURE = [statement("Deny", Action="*", Resource="*", Condition={"Bool": {"aws:SecureTransport": "false"}})]
READS = policy("s3:Get*", f"{BUCKET}/*")
MINE = "aws:PrincipalTag/team"
ROWS = [
    read("a condition that is met", ALLOWED, TAGGED, CONDITIONS, **with_key(MINE, "shop")),
    read("a condition that is not met", IMPLICIT, TAGGED, CONDITIONS, **with_key(MINE, "billing")),
    read("a condition on a key that the request has not", IMPLICIT, TAGGED, CONDITIONS),
    read("a negated condition on a key that the request has not", ALLOWED, NOT, CONDITIONS),
    read("a condition if the key exists, and it does not", ALLOWED, IF_EXISTS, CONDITIONS),
    read("a condition like a pattern", ALLOWED, LIKE, CONDITIONS, **with_key(MINE, "shop-1")),
    read("a condition on an address", ALLOWED, NEAR, CONDITIONS, **with_key("aws:SourceIp", "10.1.2.3", "ip")),
    read("a condition on an address that is another", IMPLICIT, NEAR, CONDITIONS,
         **with_key("aws:SourceIp", "192.168.0.1", "ip")),
    read("a deny on a condition that is met", EXPLICIT, [READS, *SECURE], CONDITIONS,
         **with_key("aws:SecureTransport", "false", "boolean")),
    read("everything but one bucket: the bucket", IMPLICIT,
         [statement(Action="s3:*", NotResource=[BUCKET, f"{BUCKET}/*"])], ELEMENTS.format("notresource")),
    read("everything but one bucket: another", ALLOWED,
         [statement(Action="s3:*", NotResource=[BUCKET, f"{BUCKET}/*"])], ELEMENTS.format("notresource"),
         "arn:aws:s3:::other/a"),
    read("every action but one: that one", IMPLICIT, [statement(NotAction="s3:GetObject", Resource="*")],
         ELEMENTS.format("notaction")),
    read("a question mark is one character", ALLOWED, [policy("s3:GetObject", f"{BUCKET}/?")],
         ELEMENTS.format("resource")),
    read("a question mark is not two characters", IMPLICIT, [policy("s3:GetObject", f"{BUCKET}/?")],
         ELEMENTS.format("resource"), f"{BUCKET}/ab"),
    read("an action in other letters", ALLOWED, [policy("S3:getobject", f"{BUCKET}/*")], ELEMENTS.format("action")),
    read("a resource in other letters", IMPLICIT, [policy("s3:GetObject", f"{BUCKET}/*")], ELEMENTS.format("resource"),
         "arn:aws:s3:::Reports/a"),
    read("a star in a bucket's name takes in its neighbour", ALLOWED, [policy("s3:GetObject", f"{BUCKET}*")],
         ELEMENTS.format("resource"), "arn:aws:s3:::reports-evil/a"),
    decided("the bucket's own ARN is not its objects'", IMPLICIT, [policy("s3:GetObject", BUCKET)], "s3:GetObject",
            f"{BUCKET}/a", GUIDE.format("reference_policies_elements_resource")),
    decided("reading one repository", ALLOWED,
            [policy("ecr:BatchGetImage", "arn:aws:ecr:us-east-1:123456789012:repository/shop")], "ecr:BatchGetImage",
            "arn:aws:ecr:us-east-1:123456789012:repository/shop",
            "https://docs.aws.amazon.com/AmazonECR/latest/userguide/security_iam_id-based-policy-examples.html"),
    decided("a login with a right on a repository alone", IMPLICIT,
            [policy("ecr:GetAuthorizationToken", "arn:aws:ecr:us-east-1:123456789012:repository/shop")],
            "ecr:GetAuthorizationToken", "*",
            "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html"),
    read("a boundary that does not allow it", IMPLICIT, [READS], LOGIC,
         PermissionsBoundaryPolicyInputList=[policy("ecr:*")]),
    read("a boundary that allows it, too", ALLOWED, [READS], LOGIC,
         PermissionsBoundaryPolicyInputList=[policy("s3:*")]),
    read("a bucket's policy denies what a role's allows", EXPLICIT, [READS], LOGIC,
         ResourcePolicy=statement("Deny", Principal="*", Action="s3:GetObject", Resource=f"{BUCKET}/*"),
         CallerArn="arn:aws:iam::123456789012:user/ada", ResourceOwner="arn:aws:iam::123456789012:root"),
    iam.accepts(
        "SimulatePrincipalPolicy",
        {"PolicySourceArn": "<role>", "ActionNames": ["s3:GetObject"], "ResourceArns": [f"{BUCKET}/a"]},
        "a role whose boundary does not allow it",
        given=[
            APP, iam.step("PutRolePolicy", inline(READS)),
            iam.step("CreatePolicy", {"PolicyName": "edge", "PolicyDocument": policy("ecr:*")},
                     saves={"edge": "Policy.Arn"}),
            iam.step("PutRolePermissionsBoundary", {"RoleName": "app", "PermissionsBoundary": "<edge>"}),
        ],
        shows={"EvaluationResults[*].EvalDecision": [IMPLICIT]}, source=API.format("SimulatePrincipalPolicy"),
    ),
]  # fmt: skip
