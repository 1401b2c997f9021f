"""The network is one, whether read through a client or from the emulator's own state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import network as given
from fargrade.semantics.network import Asked, Need, Network, reaches, way_out, way_to_service


@pytest.fixture(scope="module")
def world() -> Iterator[EmbeddedWorld]:
    opened = EmbeddedWorld.start(["ec2", "elbv2"])
    opened.reset(1)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def network(world: EmbeddedWorld) -> Network:
    vpc = given.vpc(world, way_out="endpoints", ipv6=True)
    given.vpc(world, second=21, way_out="nat")
    front = given.security_group(world, vpc.id, "alb", [(80, "0.0.0.0/0")])
    inside = given.security_group(world, vpc.id, "task", [(8080, front)])
    balancer = given.load_balancer(world, "web", vpc.public, [front])
    group = given.target_group(world, "web", vpc.id, port=8080)
    given.listener(world, balancer["LoadBalancerArn"], 80, group)
    interface = given.interface(world, vpc.private[0], [inside])
    elb = world.client("elbv2")
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": interface["PrivateIpAddress"]}])
    return world.network()


def test_what_was_made_is_what_the_questions_see(network: Network) -> None:
    [interface] = [one for one in network.interfaces if one["Groups"][0]["GroupName"] == "task"]
    host = network.host(interface)
    assert all(way_to_service(network, host, Need(name)).open for name in ("ecr.api", "ecr.dkr", "s3", "logs"))
    assert not way_out(network, host).open
    url = f"http://{network.load_balancers[0]['DNSName']}/"
    [(target, path)] = reaches(network, Asked.of(url))
    assert target is not None, path.lines()
    assert path.open, path.lines()
