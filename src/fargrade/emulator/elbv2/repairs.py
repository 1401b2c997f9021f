"""Where moto's load balancing is not AWS's: mended in its own classes, one place a repair.

- A load balancer is provisioning until it is active, by the clock and not by being looked at. (Upstream: no, a clock
  is this emulator's own.)
- Its DNS name has a number of its own, "internal-" in front where it is internal, and the VPC's default security
  group where none was named. (Upstream: yes.)
- A target group names the load balancers that forward to it now, not all that ever did. (Upstream: yes.)
- What is made a second time with the same name and settings is the same, not another or a duplicate. (Upstream: yes.)
- The longest deregistration delay is an hour, not a second less. (Upstream: yes.)
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
    _made_once(models)
    _drains_for_an_hour(models)


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
        held = next((one for one in self.load_balancers.values() if one.name == kwargs.get("name")), None)
        if held is not None:
            return held  # of the same settings: others were refused
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


def _made_once(models: Any) -> None:
    make_group, make_listener = models.ELBv2Backend.create_target_group, models.ELBv2Backend.create_listener

    def group(self: Any, name: str, **kwargs: Any) -> Any:
        held = next((one for one in self.target_groups.values() if one.name == name), None)
        return held or make_group(self, name, **kwargs)

    def listener(self: Any, load_balancer_arn: str, protocol: str, port: Any, *args: Any, **kwargs: Any) -> Any:
        held = self.load_balancers[load_balancer_arn].listeners if load_balancer_arn in self.load_balancers else {}
        found = next((one for one in held.values() if port is not None and int(one.port or 0) == int(port)), None)
        return found or make_listener(self, load_balancer_arn, protocol, port, *args, **kwargs)

    models.ELBv2Backend.create_target_group = group
    models.ELBv2Backend.create_listener = listener


def _drains_for_an_hour(models: Any) -> None:
    modify = models.ELBv2Backend.modify_target_group_attributes
    delay = "deregistration_delay.timeout_seconds"

    def modified(self: Any, target_group_arn: str, attributes: dict[str, Any]) -> None:
        longest = str(attributes.get(delay)) == "3600"
        modify(self, target_group_arn, {k: v for k, v in attributes.items() if not (longest and k == delay)})
        if longest:
            self.target_groups[target_group_arn].attributes[delay] = "3600"

    models.ELBv2Backend.modify_target_group_attributes = modified
