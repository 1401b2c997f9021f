"""What is a run's own on a real account: by name, by tag, and by the policy of the learner's session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from fargrade.backends.belongings import TAG
from fargrade.emulator.guard import Incoming
from fargrade.emulator.services import service_model

READS = re.compile(r"(Describe|List|Get|BatchGet|BatchCheck|Head|Lookup|Filter|Search|Test|Validate|Simulate)")
# GetAuthorizationToken and its like are reads; AssumeRole is none, and passes by its role's name.
NAMES = (
    *("repositoryName", "clusterName", "cluster", "family", "serviceName", "service", "name", "Name", "RoleName"),
    *("PolicyName", "InstanceProfileName", "logGroupName", "AlarmName", "Bucket", "GroupName", "applicationName"),
    *("LoadBalancerName", "pipelineName", "projectName", "Rule", "SecretId", "deploymentGroupName"),
)
# Names below something whose own name says whose it is.
BELOW = {"PolicyName": "RoleName", "deploymentGroupName": "applicationName", "serviceName": "cluster", "name": ""}
ARNS = ("RoleArn", "PolicyArn", "LoadBalancerArn", "TargetGroupArn", "taskDefinition", "resourceArn", "ResourceArn")
# What names no resource to IAM, and is held by the run's tag: docs.aws.amazon.com/service-authorization, Amazon ECS.
UNNAMED = ["ecs:CreateCluster", "ecs:RegisterTaskDefinition"]
EC2_KINDS = {
    "CreateVpc": "vpc",
    "CreateSubnet": "subnet",
    "CreateSecurityGroup": "security-group",
    "CreateInternetGateway": "internet-gateway",
    "CreateRouteTable": "route-table",
    "CreateNatGateway": "natgateway",
    "AllocateAddress": "elastic-ip",
    "CreateVpcEndpoint": "vpc-endpoint",
}
SCOPED = (
    *("ecr", "ecs", "elasticloadbalancing", "logs", "cloudwatch", "application-autoscaling", "codebuild"),
    *("codepipeline", "codedeploy", "events", "ssm", "secretsmanager", "xray"),
)


def is_read(operation: str) -> bool:
    """Whether the operation changes nothing."""
    return READS.match(operation) is not None


def created_name(parameters: Mapping[str, Any]) -> str:
    """The name of what a call is about; "" where it has none."""
    for key in NAMES:
        if isinstance(parameters.get(key), str):
            return str(parameters[key])
    for part in parameters.values():
        if isinstance(part, Mapping) and isinstance(part.get("name"), str):
            return str(part["name"])
    return ""


def foreign_name(parameters: Mapping[str, Any], prefix: str) -> str:
    """The first name or ARN in a changing call that is not the run's; "" where all are.

    A call that names nothing (CreateVpc, RunTask without a cluster) is held by its tag and the session's policy.
    """
    for key in NAMES:
        value = parameters.get(key)
        if isinstance(value, str) and not _own(value, prefix) and not _below_own(key, parameters, prefix):
            return value
    for key in ARNS:
        value = parameters.get(key)
        managed = isinstance(value, str) and value.startswith("arn:aws:iam::aws:policy/")
        if isinstance(value, str) and not managed and prefix not in value and value.startswith("arn:"):
            return value
    return ""


def _own(value: str, prefix: str) -> bool:
    return value.rsplit("/", 1)[-1].startswith(prefix) or value.lstrip("/").startswith(prefix) or f"/{prefix}" in value


def _below_own(key: str, parameters: Mapping[str, Any], prefix: str) -> bool:
    above = parameters.get(BELOW.get(key, "") or "")
    return isinstance(above, str) and _own(above, prefix)


def tagged(model: Any, parameters: Mapping[str, Any], run: str) -> dict[str, Any]:
    """The parameters to add so that what the call makes carries the run's tag; none where it takes no tags.

    `model` is botocore's OperationModel: its input says how the service writes tags.
    """
    shape = model.input_shape
    if shape is None or not re.match(r"(Create|Register|Run|Put|Allocate|Request|Start)", model.name):
        return {}
    if kind := EC2_KINDS.get(model.name):
        key = "TagSpecifications"
        given = [dict(one) for one in parameters.get(key) or ()]
        mine = {"ResourceType": kind, "Tags": [{"Key": TAG, "Value": run}]}
        same = next((one for one in given if one.get("ResourceType") == kind), None)
        if same is None:
            return {key: [*given, mine]}
        same["Tags"] = [*same.get("Tags", ()), *mine["Tags"]]
        return {key: given}
    for key in ("tags", "Tags"):
        member = shape.members.get(key)
        if member is not None and member.type_name == "map":
            return {key: {**(parameters.get(key) or {}), TAG: run}}
        if member is not None and member.type_name == "list" and member.member.type_name == "structure":
            names = list(member.member.members)
            pair = {names[0]: TAG, names[1]: run}
            return {key: [*(parameters.get(key) or ()), pair]}
    return {}


def retagged(given: Incoming, operation: str, parameters: Mapping[str, Any], run: str) -> Incoming:
    """A learner's request, written anew with the run's tag in it; itself where the call takes no tags."""
    from botocore.serialize import create_serializer

    model = service_model(given.service.model)
    added = tagged(model.operation_model(operation), parameters, run)
    if not added:
        return given
    serializer = create_serializer(model.metadata["protocol"], include_validation=False)
    written = serializer.serialize_to_request({**parameters, **added}, model.operation_model(operation))
    body, headers = written["body"], {**given.headers, **written["headers"]}
    if isinstance(body, Mapping):
        body = urlencode(body, doseq=True)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    query = written.get("query_string")
    path = written["url_path"] + (f"?{urlencode(query)}" if query else "")
    content = body.encode() if isinstance(body, str) else bytes(body or b"")
    headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return Incoming(given.service, given.region, written["method"], path, headers, content)


def learner_policy(account: str, regions: Iterable[str], prefix: str, run: str) -> dict[str, Any]:
    """What the learner's session may do: read, and change what is the run's by name or by tag, in the regions named.

    The keys are AWS's own: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html.
    """
    here = {"StringEquals": {"aws:RequestedRegion": [*regions, "us-east-1"]}}
    tagged_now = {"StringEquals": {f"aws:RequestTag/{TAG}": run}}
    tagged_before = {"StringEquals": {f"aws:ResourceTag/{TAG}": run}}
    reads = [f"{service}:{verb}*" for service in (*SCOPED, "ec2") for verb in ("Describe", "List", "Get", "BatchGet")]
    own = [f"arn:aws:{service}:*:{account}:*{prefix}*" for service in SCOPED]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": [*reads, "sts:GetCallerIdentity", "ecr:BatchCheck*"], "Resource": "*"},
            {"Effect": "Allow", "Action": [f"{one}:*" for one in SCOPED], "Resource": own, "Condition": here},
            {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{prefix}*"]},
            {"Effect": "Allow", "Action": UNNAMED, "Resource": "*", "Condition": tagged_now},
            {
                "Effect": "Allow",
                "Action": ["ec2:Create*", "ec2:Allocate*"],
                "Resource": "*",
                "Condition": tagged_now,
            },
            {"Effect": "Allow", "Action": ["ec2:*"], "Resource": "*", "Condition": tagged_before},
            # Roles are the grader's to make: who makes roles for services to assume can give itself every right.
            {"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": f"arn:aws:iam::{account}:role/{prefix}*"},
            {"Effect": "Deny", "Action": ["ec2:RunInstances"], "Resource": "*"},
        ],
    }
