"""moto's answers are the same, however quickly they are found; once moto is as quick, ours can go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from moto.core import serialize

from fargrade.emulator import picking

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, '
    '"Action": "sts:AssumeRole"}]}'
)


def asked(client: Callable[[str], Any]) -> dict[str, Any]:
    """Answers of several protocols and shapes, about what a new account and a few calls hold."""
    ec2, elb, iam = client("ec2"), client("elbv2"), client("iam")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"][:2]]
    if not elb.describe_load_balancers()["LoadBalancers"]:
        balancer = elb.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
        arn = group["TargetGroups"][0]["TargetGroupArn"]
        elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )  # fmt: skip
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    reads = (
        *(ec2.describe_vpcs, ec2.describe_subnets, ec2.describe_route_tables, ec2.describe_security_groups),
        *(ec2.describe_network_interfaces, ec2.describe_network_acls, ec2.describe_availability_zones),
        *(elb.describe_load_balancers, elb.describe_target_groups, iam.list_roles),
    )
    found = {}
    for read in reads:
        found[read.__name__] = {name: one for name, one in read().items() if name != "ResponseMetadata"}
    found["listeners"] = elb.describe_listeners(
        LoadBalancerArn=elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    )["Listeners"]
    return found


def test_the_answers_are_motos_own(client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    quick = asked(client)
    again = asked(client)
    monkeypatch.setattr(serialize.XFormedAttributePicker, "__call__", picking.plainly)
    assert quick == again == asked(client)


def test_moto_thinks_names_out_for_each_object_still() -> None:
    """Its picker asks every provider anew: when this fails, moto has a cache, and emulator/picking.py can go."""
    tried: list[str] = []

    class Counting(serialize.NoAlias):
        def has_alias(self, key: str) -> bool:
            tried.append(key)
            return super().has_alias(key)

    picker = serialize.XFormedAttributePicker([Counting])
    shape: Any = None
    for _ in range(2):
        picking.plainly(picker, serialize.AttributePickerContext({"Name": 1}, "Name", shape))
    assert tried == ["Name", "Name"]


def test_what_a_call_leaves_out_another_has(client: Callable[[str], Any]) -> None:
    """moto's own tests of key pairs found a cache that kept the first call's choice."""
    ec2 = client("ec2")
    ec2.create_key_pair(KeyName="deploy")
    has = [
        "PublicKey" in ec2.describe_key_pairs(IncludePublicKey=asked)["KeyPairs"][0] for asked in (False, True, False)
    ]
    assert has == [False, True, False]
