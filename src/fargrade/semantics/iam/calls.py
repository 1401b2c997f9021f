"""What a call of an SDK asks of IAM: which actions, on which resources, with which condition keys.

Source: Service Authorization Reference; for S3 also "Required permissions for Amazon S3 API operations", and "Grant a
user permissions to pass a role to an AWS service" for the roles that a call hands to a service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fargrade.semantics.iam.decision import Decision
from fargrade.semantics.iam.document import Policy
from fargrade.semantics.iam.patterns import action_matches
from fargrade.semantics.iam.resources import Made, resources_of

PREFIXES = {"elbv2": "elasticloadbalancing"}
S3_ACTIONS = {
    **dict.fromkeys(("ListObjects", "ListObjectsV2", "HeadBucket"), "ListBucket"),
    **dict.fromkeys(("HeadObject",), "GetObject"),
    **dict.fromkeys(("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "CopyObject"), "PutObject"),
    "UploadPartCopy": "PutObject",
    "DeleteObjects": "DeleteObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    **dict.fromkeys(("PutBucketEncryption", "DeleteBucketEncryption"), "PutEncryptionConfiguration"),
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    **dict.fromkeys(("PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"), "PutLifecycleConfiguration"),
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    **dict.fromkeys(("PutPublicAccessBlock", "DeletePublicAccessBlock"), "PutBucketPublicAccessBlock"),
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    **dict.fromkeys(("PutBucketReplication", "DeleteBucketReplication"), "PutReplicationConfiguration"),
    "GetBucketCors": "GetBucketCORS",
    **dict.fromkeys(("PutBucketCors", "DeleteBucketCors"), "PutBucketCORS"),
    "DeleteBucketTagging": "PutBucketTagging",
}
# STS decides on its own calls by itself: the trust policy speaks there, too.
UNASKED = {("sts", one) for one in ("GetCallerIdentity", "GetAccessKeyInfo", "AssumeRole", "AssumeRoleWithSAML")} | {
    ("sts", "AssumeRoleWithWebIdentity")
}
ECS_TASKS = "ecs-tasks.amazonaws.com"
# Where a call hands a role to a service: the parameter's path ([] for each of a list), and the service.
PASSED: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("ecs", "RegisterTaskDefinition"): (("taskRoleArn", ECS_TASKS), ("executionRoleArn", ECS_TASKS)),
    ("ecs", "RunTask"): (("overrides.taskRoleArn", ECS_TASKS), ("overrides.executionRoleArn", ECS_TASKS)),
    ("ecs", "CreateService"): (
        ("role", "ecs.amazonaws.com"),
        ("loadBalancers[].advancedConfiguration.roleArn", "ecs.amazonaws.com"),
    ),
    ("ecs", "UpdateService"): (("loadBalancers[].advancedConfiguration.roleArn", "ecs.amazonaws.com"),),
    ("codebuild", "CreateProject"): (("serviceRole", "codebuild.amazonaws.com"),),
    ("codebuild", "UpdateProject"): (("serviceRole", "codebuild.amazonaws.com"),),
    ("codepipeline", "CreatePipeline"): (("pipeline.roleArn", "codepipeline.amazonaws.com"),),
    ("codepipeline", "UpdatePipeline"): (("pipeline.roleArn", "codepipeline.amazonaws.com"),),
    ("codedeploy", "CreateDeploymentGroup"): (("serviceRoleArn", "codedeploy.amazonaws.com"),),
    ("codedeploy", "UpdateDeploymentGroup"): (("serviceRoleArn", "codedeploy.amazonaws.com"),),
    ("events", "PutTargets"): (("Targets[].RoleArn", "events.amazonaws.com"),),
    ("iam", "AddRoleToInstanceProfile"): (("RoleName", "ec2.amazonaws.com"),),
}


@dataclass(frozen=True)
class Ask:
    """One right that a call needs. `resources` are spellings of one resource: an Allow of any will do.

    None of them known (empty): whatever resource a policy allows the action on is taken for it.
    """

    action: str
    resources: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)

    def decided(
        self, decide: Callable[[str, str, Mapping[str, str]], Decision], policies: Iterable[Policy]
    ) -> Decision:
        """The decision by `decide(action, resource, context)`; `policies` name resources where none is known."""
        spellings = self.resources or _allowed_on(self.action, policies) or ("*",)
        decisions = [decide(self.action, one, self.context) for one in spellings]
        denied = next((one for one in decisions if one.why == "explicit deny"), None)
        if denied and self.resources:
            return denied
        return next((one for one in decisions if one.allowed), denied or decisions[0])


def _allowed_on(action: str, policies: Iterable[Policy]) -> tuple[str, ...]:
    """The resources that allowing statements about `action` name."""
    return tuple(
        resource
        for policy in policies
        for statement in policy.statements
        if statement.allows and any(action_matches(one, action) for one in statement.actions) != statement.not_actions
        for resource in (("*",) if statement.not_resources else statement.resources)
    )


def asks(call: Made) -> list[Ask]:
    """The rights that a call needs; all of them."""
    if (call.service, call.operation) in UNASKED:
        return []
    action = action_of(call.service, call.operation, call.given)
    context = _context(call)
    found = [Ask(action, forms, context) for forms in resources_of(call)]
    if call.operation in ("CopyObject", "UploadPartCopy") and (source := _source(call.given)):
        found.append(Ask("s3:GetObject", (f"arn:aws:s3:::{source}",)))
    return [*found, *_passes(call)]


def action_of(service: str, operation: str, given: Mapping[str, Any]) -> str:
    """The IAM action behind an operation, such as s3:ListBucket behind ListObjectsV2."""
    if service != "s3":
        return f"{PREFIXES.get(service, service)}:{operation}"
    name = S3_ACTIONS.get(operation, operation)
    return f"s3:{name}Version" if given.get("VersionId") and name in ("GetObject", "DeleteObject") else f"s3:{name}"


def _source(given: Mapping[str, Any]) -> str:
    source = given.get("CopySource", "")
    if isinstance(source, Mapping):
        return f"{source.get('Bucket')}/{source.get('Key')}"
    return str(source).lstrip("/").partition("?")[0]


def _context(call: Made) -> dict[str, str]:
    """The service's own condition keys, and the tags that are asked for."""
    service, operation = call.service, call.operation
    context = {f"aws:RequestTag/{key}": value for key, value in _tags(call.given)}
    if service == "s3" and operation.startswith("ListObject"):
        context |= {"s3:prefix": call.text("Prefix"), "s3:delimiter": call.text("Delimiter")}
    elif service == "s3" and call.text("ServerSideEncryption"):
        context["s3:x-amz-server-side-encryption"] = call.text("ServerSideEncryption")
    elif service == "ecs" and not operation.endswith(("TaskDefinition", "TaskDefinitions", "Cluster", "Clusters")):
        context["ecs:cluster"] = call.arn("ecs", f"cluster/{call.cluster}")
    elif service == "cloudwatch" and operation == "PutMetricData":
        context["cloudwatch:namespace"] = call.text("Namespace")
    elif service == "iam" and operation == "CreateServiceLinkedRole":
        context["iam:AWSServiceName"] = call.text("AWSServiceName")
    return context


def _tags(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    tags = given.get("tags") or given.get("Tags") or []
    if isinstance(tags, Mapping):
        return [(str(key), str(value)) for key, value in tags.items()]
    pairs = [
        (one.get("key") or one.get("Key"), one.get("value") or one.get("Value"))
        for one in tags
        if isinstance(one, Mapping)
    ]
    return [(str(key), str(value or "")) for key, value in pairs if key]


def _passes(call: Made) -> list[Ask]:
    passes = []
    for path, to in PASSED.get((call.service, call.operation), ()):
        for role in _at(call.given, path.split(".")):
            arn = role if role.startswith("arn:") else call.found("role", role)
            arn = arn or call.global_arn("iam", f"role/{role}")
            passes.append(Ask("iam:PassRole", (arn,), {"iam:PassedToService": to}))
    return passes


def _at(value: Any, path: list[str]) -> list[str]:
    """The texts at `path`."""
    if not path:
        return [value] if isinstance(value, str) and value else []
    if not isinstance(value, Mapping):
        return []
    name, each = path[0].removesuffix("[]"), path[0].endswith("[]")
    below = value.get(name)
    items = below if each and isinstance(below, list) else [below]
    return [found for item in items for found in _at(item, path[1:])]
