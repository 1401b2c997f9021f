"""The principals that a policy names have to exist: IAM refuses it otherwise, and so finds the misspelt ones."""

from __future__ import annotations

import re
from functools import lru_cache

from fargrade.emulator.errors import Refused
from fargrade.emulator.roles import backend
from fargrade.emulator.rules import account
from fargrade.emulator.services import known_region
from fargrade.semantics.iam import Policy

SERVICE = re.compile(r"([a-z0-9.-]+?)\.amazonaws\.com(?:\.cn)?")
OURS = re.compile(r"arn:aws:iam::(\d{12}):(root|user/.+|role/.+)")
PROVIDER = re.compile(r"arn:aws:iam::(\d{12}):oidc-provider/.+")
# Services that assume roles under names that neither their endpoints nor AWS's managed policies show.
MORE_SERVICES = frozenset(
    ("dlm", "edgelambda", "eks-fargate-pods", "vpc-flow-logs", "resource-groups", "ops.apigateway", "logging.s3")
)


def refuse_unknown(policy: Policy) -> None:
    """Raises Refused, MalformedPolicyDocument, for a principal that is not there.

    The words are known from issue threads: aws-samples/aws-cdk-examples 801 ("SERVICE":"amazonaws.com").
    """
    for statement in policy.statements:
        for kind, names in statement.principals.by_kind if statement.principals else ():
            for name in names:
                if not _known(kind, name):
                    raise Refused("MalformedPolicyDocument", f'Invalid principal in policy: "{kind.upper()}":"{name}"')


def _known(kind: str, name: str) -> bool:
    if kind == "Service":
        return known_service(name)
    if kind == "AWS" and (found := OURS.fullmatch(name)) and found[1] == account():
        held = [*backend().roles.values(), *backend().users.values()]
        return found[2] == "root" or any(one.arn == name for one in held)
    # An identity provider is not looked up: a trust policy may name one that is made later.
    return True


def known_service(principal: str) -> bool:
    """Whether AWS has a service with this principal name, such as `ecs-tasks.amazonaws.com`, also a region's own."""
    found = SERVICE.fullmatch(principal)
    if found is None:
        return False
    name, _, region = found[1].rpartition(".")
    return found[1] in _services() or (known_region(region) and name in _services())


@lru_cache(maxsize=1)
def _services() -> frozenset[str]:
    """The names that botocore knows services and their endpoints by, and those that AWS's managed policies speak of."""
    from botocore.loaders import Loader
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    loader = Loader()
    endpoints = {name for one in loader.load_data("endpoints")["partitions"] for name in one["services"]}
    named = set(re.findall(r'"([a-z0-9.-]+?)\.amazonaws\.com(?:\.cn)?"', aws_managed_policies_data))
    return frozenset(endpoints | named | set(loader.list_available_services("service-2")) | MORE_SERVICES)
