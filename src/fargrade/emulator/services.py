"""The services of the course: how each is named in signatures, models, moto and addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from botocore.loaders import Loader
from botocore.model import ServiceModel


@dataclass(frozen=True)
class Service:
    """`scope` is the name in the SigV4 credential scope, `model` botocore's, `host` the first part of the
    address moto listens to. `in_moto` is False for what only this emulator answers; `ours` is the module of this
    package with our answers, where it is imported only when the service is used. A `partition_wide` service has one
    address for all regions: AWS's endpoint rules sign its calls for `only_region` whatever the client's region is, and
    a client that was given an address of its own (AWS_ENDPOINT_URL) signs them for its own region."""

    scope: str
    model: str
    host: str = ""
    in_moto: bool = True
    only_region: str = ""
    partition_wide: bool = False
    ours: str = ""

    def url(self, region: str) -> str:
        """The service's address as moto's url patterns know it."""
        host = (self.host or self.model).format(region=region)
        return f"https://{host}.amazonaws.com" if "{region}" in self.host else f"https://{host}.{region}.amazonaws.com"


SERVICES = {
    service.scope: service
    for service in (
        Service("ecr", "ecr", "api.ecr"),
        # ECR Public's API is in us-east-1 (and us-west-2) only: docs.aws.amazon.com/general/latest/gr/ecr-public.html
        Service("ecr-public", "ecr-public", in_moto=False, only_region="us-east-1"),
        Service("sts", "sts"),
        Service("iam", "iam", only_region="us-east-1", partition_wide=True),
        Service("ecs", "ecs"),
        Service("ec2", "ec2"),
        Service("elasticloadbalancing", "elbv2", "elasticloadbalancing"),
        Service("application-autoscaling", "application-autoscaling", ours="scaling"),
        Service("monitoring", "cloudwatch", "monitoring", ours="cloudwatch"),
        Service("logs", "logs", ours="logs"),
        Service("xray", "xray", ours="xray"),
        Service("s3", "s3", ours="s3"),
        Service("codebuild", "codebuild", in_moto=False, ours="codebuild"),
        Service("codepipeline", "codepipeline", in_moto=False, ours="codepipeline"),
        Service("codedeploy", "codedeploy", in_moto=False, ours="codedeploy"),
        # One service under two names: docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
        Service("codeconnections", "codeconnections", in_moto=False, ours="codeconnections"),
        Service("codestar-connections", "codestar-connections", in_moto=False, ours="codeconnections"),
        Service("events", "events", ours="events"),
        Service("ssm", "ssm", ours="ssm"),
        Service("secretsmanager", "secretsmanager", ours="secretsmanager"),
    )
}
BY_MODEL = {service.model: service for service in SERVICES.values()}
_loader = Loader()
REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[1-9]")


@lru_cache(maxsize=64)
def service_model(name: str) -> ServiceModel:
    """botocore's model of the service."""
    return ServiceModel(_loader.load_service_model(name, "service-2"), name)


def known_region(name: str) -> bool:
    """Whether the name is one of a region of AWS's commercial partition, as botocore's endpoint rules have it."""
    return REGION.fullmatch(name) is not None and name in _regions()


@lru_cache(maxsize=1)
def _regions() -> frozenset[str]:
    partitions = _loader.load_data("endpoints")["partitions"]
    return frozenset(region for one in partitions if one["partition"] == "aws" for region in one["regions"])
