"""What moto's tests leave out and AWS asks for first, made good here so that the rest of each test proves something.

A role that a service may assume, a bucket for artifacts, a document that AWS has signed, a second zone: none of moto's
tests make these, and nearly none is about them. Each refusal that is lifted here has rows of its own in tests/fidelity.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from fargrade.emulator import moto_backend, roles, rules
from fargrade.emulator.errors import Refused
from fargrade.emulator.services import SERVICES

# (service, operation): what is not refused here, of what is said in the refusal
LIFTED = {
    ("elbv2", "CreateLoadBalancer"): r"One or more security groups are invalid|has no internet gateway|"
    r"At least two subnets in two different|multiple subnets in the same Availability Zone",
    ("elbv2", "CreateListener"): r"A certificate must be specified|at least one action|Exactly one action of type",
    ("elbv2", "CreateRule"): r"A rule must have at least one condition|Exactly one action of type",
    ("elbv2", "RegisterTargets"): r"not valid instances of the VPC",
    ("elbv2", "SetSecurityGroups"): r"One or more security groups are invalid",
    ("elbv2", "SetSubnets"): r"At least two subnets in two different",
}


def lift() -> None:
    """Make it good, in this process."""
    for service in SERVICES.values():
        moto_backend.load_ours(service)
    for key, said in LIFTED.items():
        rules._refusals[key] = [_but(refuse, re.compile(said)) for refuse in rules._refusals[key]]
    _roles_are_trusted()
    from fargrade.emulator.codepipeline import pipelines

    pipelines.bucket_exists = lambda *_: True
    rules._answers["ecs", "RegisterContainerInstance"] = _register


def _but(refuse: Callable[[Any], None], said: re.Pattern[str]) -> Callable[[Any], None]:
    def asked(call: Any) -> None:
        try:
            refuse(call)
        except Refused as refused:
            if not said.search(refused.message):
                raise

    return asked


def _roles_are_trusted() -> None:
    """Any role may be assumed by CodeBuild, CodePipeline and CodeDeploy."""
    from fargrade.emulator.codebuild import projects
    from fargrade.emulator.codedeploy import groups
    from fargrade.emulator.codepipeline import pipelines

    trusting = SimpleNamespace(**{**vars(roles), "assumable": lambda *_, **__: SimpleNamespace(allowed=True)})
    for module in (projects, groups, pipelines):
        module.roles = trusting  # type: ignore[attr-defined]


def _register(call: Any) -> dict[str, Any]:
    """The agent's call, with a document that nobody signed."""
    from fargrade.emulator.ecs import instances, store

    named = json.loads(call.parameters["instanceIdentityDocument"])["instanceId"]
    instance = instances._instance(call.region, named)
    joined = instances.register(store.cluster(call), instance)
    joined.cpu, joined.memory = 4096, 7482  # what moto gives to each, whatever its type
    return {"containerInstance": instances.described(joined)}
