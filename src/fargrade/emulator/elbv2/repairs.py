"""Where moto's load balancing is not AWS's: mended in its own classes, one place a repair.

- A load balancer is provisioning until it is active, by the clock and not by being looked at. (Upstream: no, a clock
  is this emulator's own.)
- Its DNS name has a number of its own, "internal-" in front where it is internal, and the VPC's default security
  group where none was named. (Upstream: yes.)
- A target group names the load balancers that forward to it now, not all that ever did. (Upstream: yes.)
- A default rule's ARN does not follow from where Python keeps it. (Upstream: yes.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fargrade.emulator import clock, serving
from fargrade.emulator.elbv2 import store
from fargrade.emulator.extensions import on_load
from fargrade.emulator.rules import Call, follower

PROVISIONING = 120.0  # seconds; AWS takes one to three minutes


@on_load("elbv2", "ecs")
@lru_cache(maxsize=1)
def mend() -> None:
    """Put the repairs into moto's classes, once."""
    from moto.elbv2 import models

    _provisioned_by_the_clock(models)
    _named_as_aws_names(models)
    _in_use_by_who_forwards(models)
    _rules_with_ids(models)


def _provisioned_by_the_clock(models: Any) -> None:
    models.FakeLoadBalancer.activate = lambda _self: None


@follower("elbv2", "CreateLoadBalancer")
def _provision(call: Call) -> None:
    for balancer in store.backend(call.region).load_balancers.values():
        if balancer.state == "provisioning" and not hasattr(balancer, "fargrade_due"):
            balancer.fargrade_due = clock.after(PROVISIONING, lambda balancer=balancer: _active(balancer))  # type: ignore[misc]


def _active(balancer: Any) -> None:
    balancer.state = "active"
    serving.changed()


def _named_as_aws_names(models: Any) -> None:
    create = models.ELBv2Backend.create_load_balancer

    def created(self: Any, *args: Any, **kwargs: Any) -> Any:
        balancer = create(self, *args, **kwargs)
        balancer.scheme = balancer.scheme or "internet-facing"
        number = models.mock_random.randrange(10**8, 10**9 * 3)
        inside = "internal-" if balancer.scheme == "internal" else ""
        balancer.dns_name = f"{inside}{balancer.name}-{number}.{self.region_name}.elb.amazonaws.com"
        if balancer.type == "application" and not balancer.security_groups:
            default = self.ec2_backend.get_default_security_group(balancer.vpc_id)
            balancer.security_groups = [default.id] if default else []
        return balancer

    models.ELBv2Backend.create_load_balancer = created


def _in_use_by_who_forwards(models: Any) -> None:
    def load_balancer_arns(self: Any) -> list[str]:
        return [balancer.arn for balancer in store.balancers_of(self.region_name, self.arn)]

    # moto sets the list where it makes a group, and appends to what it reads: both go nowhere.
    models.FakeTargetGroup.load_balancer_arns = property(load_balancer_arns, lambda _self, _value: None)


def _rules_with_ids(models: Any) -> None:
    make = models.FakeListener.__init__

    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        number = models.mock_random.get_random_hex(16)
        self._default_rule[0].arn = f"{self.arn.replace(':listener/', ':listener-rule/')}/{number}"

    models.FakeListener.__init__ = made
