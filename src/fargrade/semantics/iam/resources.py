"""The resource that a call is about, as IAM names it, for each service of the course.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS services"
(docs.aws.amazon.com/service-authorization/latest/reference). Where AWS's own denials name a resource in another form
than the reference, both are given: a policy written for either is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANY = ("*",)
# Nothing is known of the resource: whatever a policy names is taken for it.
UNKNOWN: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A call as it was made: botocore's service and operation, what it gives, and where.

    `lookup(kind, name)` finds an ARN that cannot be composed: a role's with its path, a secret's with its suffix.
    """

    service: str
    operation: str
    given: Mapping[str, Any]
    region: str
    account: str
    lookup: Callable[[str, str], str | None] | None = None

    def arn(self, service: str, resource: str, account: str = "") -> str:
        return f"arn:aws:{service}:{self.region}:{account or self.account}:{resource}"

    def global_arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}::{self.account}:{resource}"

    @property
    def cluster(self) -> str:
        """The name of the cluster that a call of ECS is about."""
        return (self.text("cluster") or "default").rsplit("/", 1)[-1]

    def found(self, kind: str, name: str) -> str:
        """What `lookup` finds, "" where it finds nothing."""
        return (self.lookup(kind, name) if self.lookup else None) or ""

    def values(self, *names: str) -> list[str]:
        """The values of the first of these parameters that is given, as a list."""
        for name in names:
            if value := self.given.get(name):
                return list(value) if isinstance(value, list) else [str(value)]
        return []

    def text(self, name: str) -> str:
        """The parameter, "" where it is not given."""
        return str(self.given.get(name) or "")


# Each entry is one resource in all the spellings that AWS takes for it.
Resources = Sequence[tuple[str, ...]]
Finder = Callable[[Made], Resources]


def _named(value: str, arn: Callable[[str], str]) -> str:
    """`value` where it is an ARN already, else the ARN of what has this name."""
    return value if value.startswith("arn:") else arn(value)


def _s3(call: Made) -> Resources:
    bucket = call.given.get("Bucket")
    if not bucket or call.operation == "ListBuckets":
        return [ANY]
    whole = f"arn:aws:s3:::{bucket}"
    if call.operation == "DeleteObjects":
        return [(f"{whole}/{one.get('Key', '')}",) for one in call.given.get("Delete", {}).get("Objects", ())]
    return [(f"{whole}/{call.given['Key']}" if call.given.get("Key") else whole,)]


def _ecr(call: Made) -> Resources:
    if call.given.get("resourceArn"):
        return [(call.given["resourceArn"],)]
    names = call.values("repositoryName", "repositoryNames")
    if call.operation == "DescribeRepositories" and not names:
        names = ["*"]
    return [(call.arn("ecr", f"repository/{name}", call.text("registryId")),) for name in names] or [ANY]


def _ecr_public(call: Made) -> Resources:
    names = call.values("repositoryName", "repositoryNames")
    return [(call.global_arn("ecr-public", f"repository/{name}"),) for name in names] or [ANY]


ECS_WITHOUT = frozenset(
    ("CreateCluster", "DeregisterTaskDefinition", "DescribeTaskDefinition", "ListTaskDefinitions", "ListClusters")
) | {"ListTaskDefinitionFamilies", "ListAccountSettings", "PutAccountSetting", "DiscoverPollEndpoint"}


def _ecs(call: Made) -> Resources:
    cluster = call.cluster
    if call.operation in ECS_WITHOUT:
        return [ANY]
    if call.operation == "RegisterTaskDefinition":
        return [("*", call.arn("ecs", f"task-definition/{call.given.get('family', '')}:*"))]
    if call.operation in ("ListServices", "ListTasks"):
        return [("*", call.arn("ecs", f"cluster/{cluster}"))]
    if call.given.get("resourceArn"):
        return [(call.given["resourceArn"],)]
    if call.operation in ("RunTask", "StartTask"):
        wanted = call.given.get("taskDefinition", "")
        exact = call.found("task definition", wanted)
        return [(exact or _named(wanted, lambda name: call.arn("ecs", f"task-definition/{name}")),)]
    if names := call.values("service", "serviceName", "services"):
        return [(_named(one, lambda name: call.arn("ecs", f"service/{cluster}/{name}")),) for one in names]
    if names := call.values("task", "tasks"):
        return [(_named(one, lambda name: call.arn("ecs", f"task/{cluster}/{name}")),) for one in names]
    clusters = call.values("clusters") or [cluster]
    return [(call.arn("ecs", f"cluster/{one.rsplit('/', 1)[-1]}"),) for one in clusters]


def _logs(call: Made) -> Resources:
    group = call.given.get("logGroupName") or str(call.given.get("logGroupIdentifier", "")).rpartition("log-group:")[2]
    if call.given.get("resourceArn"):
        return [(call.given["resourceArn"], call.given["resourceArn"] + ":*")]
    if not group and call.operation != "DescribeLogGroups":
        return [ANY] if call.operation in ("DescribeQueries", "GetQueryResults", "StopQuery") else [UNKNOWN]
    whole = call.arn("logs", f"log-group:{group}")
    stream = call.given.get("logStreamName", "")
    # AWS's denials say …:log-group:NAME:log-stream:…; the reference has …:log-group:NAME for the group itself.
    forms = (f"{whole}:log-stream:{stream}",) if stream else (f"{whole}:log-stream:", whole, f"{whole}:*")
    return [forms if call.operation != "CreateLogStream" else (*forms, whole, f"{whole}:*")]


def _ssm(call: Made) -> Resources:
    names = call.values("Name", "Names", "Path")
    arns = [(_named(one, lambda name: call.arn("ssm", f"parameter/{name.lstrip('/')}")),) for one in names]
    return arns or [ANY]


def _secrets(call: Made) -> Resources:
    name = call.given.get("SecretId") or call.given.get("Name")
    if not name:
        return [ANY]
    # Six random characters follow the name in a secret's ARN; a policy ends with -?????? or -*.
    found = call.found("secret", name) or _named(name, lambda one: call.arn("secretsmanager", f"secret:{one}-AbCdEf"))
    return [(found,)]


def _cloudwatch(call: Made) -> Resources:
    names = call.values("AlarmName", "AlarmNames")
    if call.operation == "DescribeAlarms" and not names:
        names = ["*"]
    return [(call.arn("cloudwatch", f"alarm:{name}"),) for name in names] or [ANY]


def _elb(call: Made) -> Resources:
    if call.operation.startswith("Describe"):
        return [ANY]
    named = ("LoadBalancerArn", "TargetGroupArn", "ListenerArn", "RuleArn", "ResourceArns")
    found = [one for name in named for one in call.values(name)]
    return [(one,) for one in found[:1]] or [UNKNOWN]


def _iam(call: Made) -> Resources:
    for key, kind in (
        ("InstanceProfileName", "instance-profile"),
        ("RoleName", "role"),
        ("UserName", "user"),
        ("GroupName", "group"),
        ("PolicyName", "policy"),
    ):
        if name := call.given.get(key):
            path = str(call.given.get("Path") or "/").strip("/")
            composed = call.global_arn("iam", f"{kind}/{path}/{name}" if path else f"{kind}/{name}")
            return [(call.found(kind, name) or composed,)]
    found = call.values("PolicyArn", "PolicySourceArn", "OpenIDConnectProviderArn")
    return [(one,) for one in found] or [("*", call.global_arn("iam", "*"))]


def _codebuild(call: Made) -> Resources:
    names = call.values("projectName", "name", "names") or [one.partition(":")[0] for one in call.values("ids", "id")]
    return [(_named(one, lambda name: call.arn("codebuild", f"project/{name}")),) for one in names] or [ANY]


def _codepipeline(call: Made) -> Resources:
    name = call.given.get("pipelineName") or call.given.get("name") or call.given.get("pipeline", {})
    name = name.get("name") if isinstance(name, Mapping) else name
    return [(call.arn("codepipeline", name),)] if name else [ANY]


def _codedeploy(call: Made) -> Resources:
    application, group = call.given.get("applicationName"), call.given.get("deploymentGroupName")
    if application and group:
        return [(call.arn("codedeploy", f"deploymentgroup:{application}/{group}"),)]
    return [(call.arn("codedeploy", f"application:{application}"),)] if application else [UNKNOWN]


def _events(call: Made) -> Resources:
    name = call.given.get("Rule") or call.given.get("Name")
    return [(call.arn("events", f"rule/{name}"),)] if name else [UNKNOWN]


FINDERS: dict[str, Finder] = {
    "s3": _s3,
    "ecr": _ecr,
    "ecr-public": _ecr_public,
    "ecs": _ecs,
    "logs": _logs,
    "ssm": _ssm,
    "secretsmanager": _secrets,
    "cloudwatch": _cloudwatch,
    "elbv2": _elb,
    "iam": _iam,
    "codebuild": _codebuild,
    "codepipeline": _codepipeline,
    "codedeploy": _codedeploy,
    "events": _events,
}


def resources_of(call: Made) -> Resources:
    """The resources of a call, each in all its spellings; an empty one where nothing is known of it."""
    if call.service == "xray":
        return [ANY]
    finder = FINDERS.get(call.service)
    return finder(call) if finder else [UNKNOWN]
