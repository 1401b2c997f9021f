"""Targets are checked over the world's clock, by the network's own rules and by what listens there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import network as given


@dataclass
class Shop:
    """A load balancer before one interface that listens on 8080."""

    world: EmbeddedWorld
    vpc: given.Vpc
    front: str
    inside: str
    balancer: dict[str, Any]
    group: str
    interface: dict[str, Any]

    @property
    def address(self) -> str:
        return str(self.interface["PrivateIpAddress"])

    @property
    def url(self) -> str:
        return f"http://{self.balancer['DNSName']}/"

    def register(self) -> None:
        self.world.client("elbv2").register_targets(TargetGroupArn=self.group, Targets=[{"Id": self.address}])

    def health(self) -> tuple[str, str]:
        said = self.world.client("elbv2").describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return (said[0]["TargetHealth"]["State"], said[0]["TargetHealth"].get("Reason", "")) if said else ("", "")


@pytest.fixture(scope="module")
def opened() -> Iterator[EmbeddedWorld]:
    world = EmbeddedWorld.start(["ec2", "elbv2"])
    yield world
    world.close()


@pytest.fixture
def shop(opened: EmbeddedWorld) -> Shop:
    opened.reset(4)
    vpc = given.vpc(opened)
    front = given.security_group(opened, vpc.id, "alb", [(80, "0.0.0.0/0")])
    inside = given.security_group(opened, vpc.id, "task", [(8080, front)])
    balancer = given.load_balancer(opened, "web", vpc.public, [front])
    group = given.target_group(opened, "web", vpc.id, port=8080, health_path="/health")
    given.listener(opened, balancer["LoadBalancerArn"], 80, group)
    interface = given.interface(opened, vpc.private[0], [inside])
    return Shop(opened, vpc, front, inside, balancer, group, interface)


def test_one_check_makes_it_healthy_and_requests_reach_it(shop: Shop) -> None:
    shop.world.stand_in(shop.interface["NetworkInterfaceId"], 8080, name="nginx")
    shop.register()
    assert shop.health() == ("initial", "Elb.RegistrationInProgress")
    shop.world.advance(10)
    assert shop.health() == ("healthy", "")
    served = shop.world.request(shop.url)
    assert (served.status, served.by["name"], served.answered) == (200, "nginx", True)
    assert served.path.hops[-1].kind == "target"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [({"/health": 404}, "Target.ResponseCodeMismatch"), ({"/health": 0}, "Target.Timeout")],
)
def test_a_wrong_answer_is_unhealthy_with_its_reason(shop: Shop, answers: dict[str, int], reason: str) -> None:
    shop.world.stand_in(shop.interface["NetworkInterfaceId"], 8080, answers=answers)
    shop.register()
    shop.world.advance(120)
    assert shop.health() == ("unhealthy", reason)
    assert shop.world.request(shop.url).status == 200  # fail-open: there is no other target


def test_nothing_listening_fails_and_a_closed_group_times_out(shop: Shop) -> None:
    shop.register()
    shop.world.advance(120)
    assert shop.health() == ("unhealthy", "Target.FailedHealthChecks")
    assert shop.world.request(shop.url).status == 502
    shop.world.stand_in(shop.interface["NetworkInterfaceId"], 8080)
    shop.world.advance(600)
    assert shop.health() == ("healthy", "")
    ec2 = shop.world.client("ec2")
    rules = ec2.describe_security_groups(GroupIds=[shop.inside])["SecurityGroups"][0]["IpPermissions"]
    ec2.revoke_security_group_ingress(GroupId=shop.inside, IpPermissions=rules)
    shop.world.advance(25)
    assert shop.health() == ("healthy", "")  # one failed check is not enough
    shop.world.advance(120)
    assert shop.health() == ("unhealthy", "Target.Timeout")
    served = shop.world.request(shop.url)
    assert (served.status, served.path.stopped.kind if served.path.stopped else "") == (504, "security group")


def test_it_drains_for_the_delay_and_is_gone(shop: Shop) -> None:
    elb = shop.world.client("elbv2")
    shop.world.stand_in(shop.interface["NetworkInterfaceId"], 8080)
    shop.register()
    shop.world.advance(60)
    elb.modify_target_group_attributes(
        TargetGroupArn=shop.group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "90"}]
    )
    elb.deregister_targets(TargetGroupArn=shop.group, Targets=[{"Id": shop.address}])
    assert shop.health() == ("draining", "Target.DeregistrationInProgress")
    assert shop.world.request(shop.url).status == 503
    shop.world.advance(91)
    assert shop.health() == ("", "")
    asked = elb.describe_target_health(TargetGroupArn=shop.group, Targets=[{"Id": shop.address, "Port": 8080}])
    assert asked["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_a_group_behind_no_listener_is_not_in_use(shop: Shop) -> None:
    other = given.target_group(shop.world, "other", shop.vpc.id, port=8080)
    elb = shop.world.client("elbv2")
    elb.register_targets(TargetGroupArn=other, Targets=[{"Id": shop.address}])
    said = elb.describe_target_health(TargetGroupArn=other)["TargetHealthDescriptions"][0]["TargetHealth"]
    assert (said["State"], said["Reason"]) == ("unused", "Target.NotInUse")
    assert elb.describe_target_groups(TargetGroupArns=[other])["TargetGroups"][0]["LoadBalancerArns"] == []
    given.listener(shop.world, shop.balancer["LoadBalancerArn"], 81, other)
    said = elb.describe_target_health(TargetGroupArn=other)["TargetHealthDescriptions"][0]["TargetHealth"]
    assert said["State"] == "initial"
    assert elb.describe_target_groups(TargetGroupArns=[other])["TargetGroups"][0]["LoadBalancerArns"] == [
        shop.balancer["LoadBalancerArn"]
    ]


def test_weights_share_the_requests(shop: Shop) -> None:
    elb = shop.world.client("elbv2")
    green = given.target_group(shop.world, "green", shop.vpc.id, port=8080)
    second = given.interface(shop.world, shop.vpc.private[1], [shop.inside])
    listener = elb.describe_listeners(LoadBalancerArn=shop.balancer["LoadBalancerArn"])["Listeners"][0]["ListenerArn"]
    pairs = [{"TargetGroupArn": shop.group, "Weight": 90}, {"TargetGroupArn": green, "Weight": 10}]
    elb.modify_listener(
        ListenerArn=listener, DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": pairs}}]
    )
    shop.world.stand_in(shop.interface["NetworkInterfaceId"], 8080, name="blue")
    shop.world.stand_in(second["NetworkInterfaceId"], 8080, name="green")
    shop.register()
    elb.register_targets(TargetGroupArn=green, Targets=[{"Id": second["PrivateIpAddress"]}])
    shop.world.advance(60)
    got = [shop.world.request(shop.url).by["name"] for _ in range(100)]
    assert 85 <= got.count("blue") <= 95


def test_the_waiters_end(shop: Shop) -> None:
    elb = shop.world.client("elbv2")
    shop.world.stand_in(shop.interface["NetworkInterfaceId"], 8080)
    shop.register()
    shop.world.advance(30)
    elb.get_waiter("target_in_service").wait(TargetGroupArn=shop.group, Targets=[{"Id": shop.address, "Port": 8080}])
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[shop.balancer["LoadBalancerArn"]])
    elb.deregister_targets(TargetGroupArn=shop.group, Targets=[{"Id": shop.address}])
    shop.world.advance(301)
    elb.get_waiter("target_deregistered").wait(TargetGroupArn=shop.group, Targets=[{"Id": shop.address}])


def test_a_new_load_balancer_is_provisioning_and_its_name_is_its_own(shop: Shop) -> None:
    elb = shop.world.client("elbv2")
    made = elb.create_load_balancer(Name="inside", Subnets=list(shop.vpc.private), Scheme="internal")["LoadBalancers"][
        0
    ]
    assert made["State"]["Code"] == "provisioning"
    assert made["DNSName"].startswith("internal-inside-")
    assert len(made["SecurityGroups"]) == 1
    shop.world.advance(200)
    again = elb.describe_load_balancers(Names=["inside"])["LoadBalancers"][0]
    assert again["State"]["Code"] == "active"
    assert shop.world.request(f"http://{again['DNSName']}/").status == 0


def test_the_default_vpc_is_on_the_internet(shop: Shop) -> None:
    network = shop.world.network()
    [default] = [one["VpcId"] for one in network.vpcs if one["IsDefault"]]
    assert network.gateway_of(default)
    assert shop.world.faults() == []
