"""Who reaches whom, on AWS's documented examples and on properties that hold for every network."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fargrade.semantics.iam import Request
from fargrade.semantics.network import (
    Asked,
    Host,
    Internet,
    Need,
    Network,
    connect,
    entry,
    public_subnet,
    pull_needs,
    reaches,
    route,
    way_out,
    way_out_ipv6,
    way_to_service,
)
from fargrade.semantics.network.firewall import acl_lets, openings

ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]
EVERYTHING = {"IpProtocol": "-1", "IpRanges": ANYWHERE, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
LOCAL = [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}]
ALLOW_ALL = [
    {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": out, "CidrBlock": "0.0.0.0/0"}
    for out in (False, True)
] + [
    {"RuleNumber": 101, "Protocol": "-1", "RuleAction": "allow", "Egress": out, "Ipv6CidrBlock": "::/0"}
    for out in (False, True)
]


def group(name: str, *rules: dict[str, Any], out: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "GroupId": name,
        "GroupName": name.removeprefix("sg-"),
        "VpcId": "vpc-1",
        "IpPermissions": list(rules),
        "IpPermissionsEgress": [EVERYTHING] if out is None else out,
    }


def tcp(low: int, *, cidr: str = "", named: str = "", high: int | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": low, "ToPort": high or low}
    if cidr:
        rule["IpRanges"] = [{"CidrIp": cidr}]
    if named:
        rule["UserIdGroupPairs"] = [{"GroupId": named}]
    return rule


def table(name: str, *routes: dict[str, Any], subnets: tuple[str, ...] = (), main: bool = False) -> dict[str, Any]:
    associations: list[dict[str, Any]] = [{"SubnetId": one, "Main": False} for one in subnets]
    if main:
        associations.append({"Main": True})
    return {"RouteTableId": name, "VpcId": "vpc-1", "Routes": [*LOCAL, *routes], "Associations": associations}


def to(target: str, cidr: str = "0.0.0.0/0", **more: Any) -> dict[str, Any]:
    kind = {"nat-": "NatGatewayId", "eni-": "NetworkInterfaceId", "eigw-": "EgressOnlyInternetGatewayId"}
    key = next((value for prefix, value in kind.items() if target.startswith(prefix)), "GatewayId")
    where = "DestinationIpv6CidrBlock" if ":" in cidr else "DestinationCidrBlock"
    return {where: cidr, key: target, "State": "active", **more}


def subnet(name: str, number: int, zone: str) -> dict[str, Any]:
    return {
        "SubnetId": name,
        "VpcId": "vpc-1",
        "CidrBlock": f"10.0.{number}.0/24",
        "AvailabilityZone": zone,
        "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": f"2001:db8:1:{number:x}::/64"}],
    }


def shop() -> Network:
    """AWS's usual picture: an ALB in two public subnets, a container in two private ones behind NAT."""
    return Network(
        "us-east-1",
        vpcs=[{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
        subnets=[
            subnet("subnet-pub-a", 0, "us-east-1a"),
            subnet("subnet-pub-b", 1, "us-east-1b"),
            subnet("subnet-priv-a", 100, "us-east-1a"),
            subnet("subnet-priv-b", 101, "us-east-1b"),
        ],
        route_tables=[
            table("rtb-main", main=True),
            table("rtb-pub", to("igw-1"), to("igw-1", "::/0"), subnets=("subnet-pub-a", "subnet-pub-b")),
            table("rtb-priv", to("nat-1"), to("eigw-1", "::/0"), subnets=("subnet-priv-a", "subnet-priv-b")),
        ],
        internet_gateways=[{"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}],
        egress_only_gateways=[{"EgressOnlyInternetGatewayId": "eigw-1", "Attachments": [{"VpcId": "vpc-1"}]}],
        nat_gateways=[{"NatGatewayId": "nat-1", "SubnetId": "subnet-pub-a", "State": "available"}],
        security_groups=[
            group("sg-default", {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-default"}]}),
            group("sg-alb", tcp(80, cidr="0.0.0.0/0")),
            group("sg-task", tcp(8080, named="sg-alb")),
        ],
        network_acls=[{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Entries": ALLOW_ALL}],
        interfaces=[
            {
                "NetworkInterfaceId": "eni-1",
                "SubnetId": "subnet-priv-a",
                "VpcId": "vpc-1",
                "PrivateIpAddress": "10.0.100.7",
                "Groups": [{"GroupId": "sg-task"}],
            }
        ],
        load_balancers=[
            {
                "LoadBalancerArn": "arn:lb",
                "LoadBalancerName": "web",
                "DNSName": "web-1.us-east-1.elb.amazonaws.com",
                "Scheme": "internet-facing",
                "State": {"Code": "active"},
                "SecurityGroups": ["sg-alb"],
                "AvailabilityZones": [{"SubnetId": "subnet-pub-a"}, {"SubnetId": "subnet-pub-b"}],
            }
        ],
        listeners=[{"ListenerArn": "arn:li", "LoadBalancerArn": "arn:lb", "Port": 80, "Protocol": "HTTP"}],
        rules={"arn:li": [rule("default", forward("arn:tg"))]},
        target_groups=[{"TargetGroupArn": "arn:tg", "TargetGroupName": "web", "VpcId": "vpc-1", "Port": 8080}],
        target_health={"arn:tg": [healthy("10.0.100.7", 8080)]},
        dns={"vpc-1": (True, True)},
    )


def rule(priority: str, *actions: dict[str, Any], conditions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "RuleArn": f"arn:rule/{priority}",
        "Priority": priority,
        "IsDefault": priority == "default",
        "Conditions": conditions or [],
        "Actions": list(actions),
    }


def forward(*groups: str, weights: tuple[int, ...] = ()) -> dict[str, Any]:
    if weights:
        pairs = [{"TargetGroupArn": one, "Weight": weight} for one, weight in zip(groups, weights, strict=True)]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": pairs}}
    return {"Type": "forward", "TargetGroupArn": groups[0]}


def healthy(address: str, port: int, state: str = "healthy") -> dict[str, Any]:
    return {"Target": {"Id": address, "Port": port}, "TargetHealth": {"State": state}}


def task(network: Network, name: str = "subnet-priv-a", *, public: bool = False) -> Host:
    return network.imagined(name, ["sg-task"], public=public)


def asked(url: str = "http://web-1.us-east-1.elb.amazonaws.com/", **more: Any) -> Asked:
    return Asked.of(url, **more)


def ends(network: Network, url: str = "http://web-1.us-east-1.elb.amazonaws.com/", **more: Any) -> list[Any]:
    return reaches(network, asked(url, **more))


def stopped_at(network: Network) -> str:
    [(_, path)] = ends(network)
    assert path.stopped is not None, path.lines()
    return path.stopped.kind


# -- requests to a load balancer ---------------------------------------------------------------------------


def test_a_request_reaches_the_container() -> None:
    [(target, path)] = ends(shop())
    assert path.open, path.lines()
    assert target.name == "10.0.100.7:8080"
    assert [hop.kind for hop in path.hops][-1] == "target"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"internet_gateways": []}, "gateway"),
        ({"route_tables": [table("rtb-main", main=True)]}, "route"),
        ({"route_tables": [table("rtb-main", to("nat-1"), main=True)]}, "route"),
        ({"route_tables": [table("rtb-main", to("igw-1", State="blackhole"), main=True)]}, "route"),
        ({"security_groups": [group("sg-alb"), group("sg-task", tcp(8080, named="sg-alb"))]}, "security group"),
        ({"security_groups": [group("sg-alb", tcp(80, cidr="0.0.0.0/0")), group("sg-task")]}, "security group"),
        ({"listeners": []}, "listener"),
        ({"target_health": {}}, "target group"),
        ({"target_health": {"arn:tg": [healthy("10.0.100.7", 8080, "draining")]}}, "target group"),
        ({"target_health": {"arn:tg": [healthy("10.0.100.99", 8080)]}}, "target"),
        ({"target_health": {"arn:tg": [healthy("10.0.100.7", 80)]}}, "security group"),
        (
            {"network_acls": [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Entries": []}]},
            "network acl",
        ),
    ],
)
def test_it_stops_where_something_is_missing(change: dict[str, Any], kind: str) -> None:
    assert stopped_at(replace(shop(), **change)) == kind


def test_an_internal_load_balancer_is_not_reached_from_the_internet_but_from_the_vpc() -> None:
    network = shop()
    internal = replace(network, load_balancers=[{**network.load_balancers[0], "Scheme": "internal"}])
    assert stopped_at(internal) == "load balancer"
    balancer = internal.load_balancers[0]
    assert entry(internal, balancer, 80, internal.imagined("subnet-priv-b")).open


def test_one_closed_zone_is_enough_to_lose_requests() -> None:
    """An ALB with a node in a private subnet answers only every other client."""
    network = shop()
    balancer = {
        **network.load_balancers[0],
        "AvailabilityZones": [{"SubnetId": "subnet-pub-a"}, {"SubnetId": "subnet-priv-b"}],
    }
    assert stopped_at(replace(network, load_balancers=[balancer])) == "route"


def test_unhealthy_targets_get_requests_when_there_are_no_others() -> None:
    network = replace(shop(), target_health={"arn:tg": [healthy("10.0.100.7", 8080, "unhealthy")]})
    assert ends(network)[0][1].open


def test_rules_go_by_priority_and_weights_of_zero_get_nothing() -> None:
    paths = [{"Field": "path-pattern", "Values": ["/api/*"]}]
    rules = [
        rule("default", forward("arn:tg")),
        rule("20", forward("arn:other"), conditions=paths),
        rule("9", forward("arn:tg", "arn:other", weights=(0, 10)), conditions=paths),
    ]
    network = replace(shop(), rules={"arn:li": rules})
    [(target, path)] = ends(network, "http://web-1.us-east-1.elb.amazonaws.com/api/cart")
    assert target is None
    assert [hop.decided_by["Priority"] for hop in path.hops if hop.kind == "rule" and hop.decided_by] == ["9"]
    assert ends(network, "http://web-1.us-east-1.elb.amazonaws.com/API/cart")[0][0].name == "10.0.100.7:8080"


@pytest.mark.parametrize(
    ("condition", "url", "more", "holds"),
    [
        ({"Field": "host-header", "Values": ["*.Shop.example"]}, "http://www.shop.EXAMPLE/", {}, True),
        ({"Field": "host-header", "Values": ["shop.example"]}, "http://www.shop.example/", {}, False),
        ({"Field": "path-pattern", "Values": ["/img/?.png"]}, "http://x/img/a.png", {}, True),
        ({"Field": "path-pattern", "Values": ["/img/?.png"]}, "http://x/img/ab.png", {}, False),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Key", "Values": ["s3cret*"]}},
            "http://x/",
            {"headers": {"x-key": "S3CRET-1"}},
            True,
        ),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Key", "Values": ["*"]}},
            "http://x/",
            {},
            False,
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
            "http://x/",
            {"method": "POST"},
            False,
        ),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2*"}]}},
            "http://x/?V=21",
            {},
            True,
        ),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "beta"}]}},
            "http://x/?a=alpha",
            {},
            False,
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["198.51.100.0/24"]}},
            "http://x/",
            {"source": "198.51.100.9"},
            True,
        ),
    ],
)
def test_conditions(condition: dict[str, Any], url: str, more: dict[str, Any], holds: bool) -> None:
    from fargrade.semantics.network.requests import holds as asks

    assert asks(condition, asked(url, **more)) is holds


def test_a_redirect_ends_at_the_rule_and_keeps_what_it_does_not_name() -> None:
    from fargrade.semantics.network import decision

    config = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    network = replace(shop(), rules={"arn:li": [rule("default", {"Type": "redirect", "RedirectConfig": config})]})
    url = "http://web-1.us-east-1.elb.amazonaws.com/a/b?c=d"
    _, done = decision(network, network.load_balancers[0], asked(url))
    assert done is not None
    assert (done.status, done.location) == (301, "https://web-1.us-east-1.elb.amazonaws.com:443/a/b?c=d")
    assert ends(network, url)[0][0] is None


# -- ways out ----------------------------------------------------------------------------------------------


def test_nat_public_address_and_ipv6_are_ways_out() -> None:
    network = shop()
    assert way_out(network, task(network)).open
    assert way_out(network, task(network, "subnet-pub-a", public=True)).open
    assert way_out_ipv6(network, task(network)).open
    assert way_out_ipv6(network, task(network, "subnet-pub-a")).open


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"nat_gateways": [{"NatGatewayId": "nat-1", "SubnetId": "subnet-priv-a", "State": "available"}]}, "route"),
        ({"nat_gateways": [{"NatGatewayId": "nat-1", "SubnetId": "subnet-pub-a", "State": "deleted"}]}, "nat gateway"),
        ({"nat_gateways": []}, "nat gateway"),
        (
            {"nat_gateways": [{"NatGatewayId": "nat-1", "SubnetId": "subnet-pub-a", "ConnectivityType": "private"}]},
            "nat gateway",
        ),
        ({"route_tables": [table("rtb-main", main=True)]}, "route"),
        ({"security_groups": [group("sg-task", out=[])]}, "security group"),
        ({"security_groups": [group("sg-task", out=[tcp(443, cidr="10.0.0.0/16")])]}, "security group"),
    ],
)
def test_a_way_out_stops(change: dict[str, Any], kind: str) -> None:
    network = replace(shop(), **change)
    path = way_out(network, task(network))
    assert path.stopped is not None
    assert path.stopped.kind == kind


def test_an_internet_gateway_passes_nothing_without_a_public_address() -> None:
    network = shop()
    path = way_out(network, task(network, "subnet-pub-a"))
    assert path.stopped is not None
    assert path.stopped.kind == "public address"


def test_a_nat_instance_must_not_check_source_and_destination() -> None:
    network = shop()
    instance = {
        "NetworkInterfaceId": "eni-nat",
        "SubnetId": "subnet-pub-a",
        "VpcId": "vpc-1",
        "PrivateIpAddress": "10.0.0.9",
        "Association": {"PublicIp": "203.0.113.9"},
        "Groups": [{"GroupId": "sg-nat"}],
        "SourceDestCheck": False,
    }
    groups = [*network.security_groups, group("sg-nat", {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]})]
    tables = [network.route_tables[1], table("rtb-main", to("eni-nat"), main=True)]
    routed = replace(network, interfaces=[instance], security_groups=groups, route_tables=tables)
    assert way_out(routed, task(routed)).open
    checking = replace(routed, interfaces=[{**instance, "SourceDestCheck": True}])
    assert not way_out(checking, task(checking)).open


def private() -> Network:
    """The shop without NAT: endpoints or nothing."""
    network = shop()
    return replace(network, nat_gateways=[], route_tables=[network.route_tables[1], table("rtb-priv", main=True)])


def interface(service: str, **more: Any) -> dict[str, Any]:
    return {
        "VpcEndpointId": f"vpce-{service}",
        "VpcEndpointType": "Interface",
        "VpcId": "vpc-1",
        "ServiceName": f"com.amazonaws.us-east-1.{service}",
        "State": "available",
        "SubnetIds": ["subnet-priv-a"],
        "Groups": [{"GroupId": "sg-endpoint"}],
        "PrivateDnsEnabled": True,
        **more,
    }


def gateway(service: str = "s3", tables: tuple[str, ...] = ("rtb-priv",), **more: Any) -> dict[str, Any]:
    return {
        "VpcEndpointId": f"vpce-{service}",
        "VpcEndpointType": "Gateway",
        "VpcId": "vpc-1",
        "ServiceName": f"com.amazonaws.us-east-1.{service}",
        "State": "available",
        "RouteTableIds": list(tables),
        **more,
    }


def with_endpoints(
    *endpoints: dict[str, Any], rules: tuple[dict[str, Any], ...] = (tcp(443, cidr="10.0.0.0/16"),)
) -> Network:
    network = private()
    return replace(
        network, endpoints=list(endpoints), security_groups=[*network.security_groups, group("sg-endpoint", *rules)]
    )


def test_ecr_takes_its_api_its_registry_and_the_s3_gateway() -> None:
    network = with_endpoints(interface("ecr.api"), interface("ecr.dkr"), gateway())
    needs = pull_needs("us-east-1", "123456789012", "shop", "arn:aws:iam::123456789012:role/execution")
    assert all(way_to_service(network, task(network), need).open for need in needs)
    without = with_endpoints(interface("ecr.api"), interface("ecr.dkr"))
    said = [way_to_service(without, task(without), need).open for need in needs]
    assert said == [True, True, False]


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        (with_endpoints(interface("logs", PrivateDnsEnabled=False)), "endpoint"),
        (with_endpoints(interface("logs"), rules=()), "security group"),
        (with_endpoints(interface("logs"), rules=(tcp(80, cidr="10.0.0.0/16"),)), "security group"),
        (replace(with_endpoints(interface("logs")), dns={"vpc-1": (True, False)}), "endpoint"),
        (replace(with_endpoints(interface("logs")), dns={"vpc-1": (False, False)}), "dns"),
        (with_endpoints(interface("logs", SubnetIds=[])), "endpoint"),
        (with_endpoints(interface("monitoring")), "route"),
    ],
)
def test_an_interface_endpoint_that_does_not_serve(network: Network, kind: str) -> None:
    path = way_to_service(network, task(network), Need("logs"))
    assert path.stopped is not None
    assert path.stopped.kind == kind


def test_a_closed_endpoint_stops_traffic_that_nat_would_carry() -> None:
    """With private DNS on, the service's name leads to the endpoint, whatever else there is."""
    network = shop()
    closed = [*network.security_groups, group("sg-endpoint")]
    with_endpoint = replace(network, endpoints=[interface("ecr.api")], security_groups=closed)
    assert way_to_service(network, task(network), Need("ecr.api")).open
    assert not way_to_service(with_endpoint, task(with_endpoint), Need("ecr.api")).open


def test_a_gateway_endpoint_serves_only_its_route_tables() -> None:
    there, elsewhere = with_endpoints(gateway()), with_endpoints(gateway(tables=("rtb-pub",)))
    assert way_to_service(there, task(there), Need("s3")).open
    assert not way_to_service(elsewhere, task(elsewhere), Need("s3")).open


def test_an_endpoint_policy_decides() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::mine/*"}
    one_bucket = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    network = with_endpoints(gateway(PolicyDocument=one_bucket))
    role = "arn:aws:iam::123456789012:role/execution"
    mine = Need("s3", (Request(role, "s3:GetObject", "arn:aws:s3:::mine/key"),))
    layers = pull_needs("us-east-1", "123456789012", "shop", role)[2]
    assert way_to_service(network, task(network), mine).open
    path = way_to_service(network, task(network), layers)
    assert path.stopped is not None
    assert path.stopped.values["action"] == "s3:GetObject"


# -- groups, ACLs, routes ----------------------------------------------------------------------------------


def test_only_the_load_balancers_group_reaches_the_task() -> None:
    network = shop()
    target = network.host(network.interfaces[0])
    assert connect(network, network.imagined("subnet-pub-a", ["sg-alb"]), target, 8080).open
    assert not connect(network, network.imagined("subnet-pub-a"), target, 8080).open
    assert not connect(network, network.imagined("subnet-pub-a", ["sg-alb"]), target, 8081).open
    assert not connect(network, Internet(), target, 8080).open


def test_within_a_subnet_no_acl_is_crossed() -> None:
    network = replace(
        shop(), network_acls=[{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Entries": []}]
    )
    source = network.imagined("subnet-priv-a", ["sg-alb"])
    assert connect(network, source, network.host(network.interfaces[0]), 8080).open


def test_the_answer_needs_a_rule_of_the_acl_too() -> None:
    inbound = {"RuleNumber": 100, "Protocol": "6", "RuleAction": "allow", "Egress": False, "CidrBlock": "0.0.0.0/0"}
    entries = [{**inbound, "PortRange": {"From": 80, "To": 80}}]
    closed = [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Entries": entries}]
    network = replace(shop(), network_acls=closed)
    path = connect(network, Internet(), network.imagined("subnet-pub-a", ["sg-alb"], public=True), 80)
    assert path.stopped is not None
    assert (path.stopped.kind, path.stopped.values["ports"]) == ("network acl", "1024–65535")


def test_a_prefix_list_in_a_rule_counts() -> None:
    listed = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    network = replace(shop(), security_groups=[group("sg-alb", listed)], prefix_lists={"pl-1": ["203.0.113.0/24"]})
    node = network.imagined("subnet-pub-a", ["sg-alb"], public=True)
    assert connect(network, Internet("203.0.113.80"), node, 80).open
    assert not connect(network, Internet("198.51.100.1"), node, 80).open


addresses = st.ip_addresses(v=4).map(str)


@given(address=addresses, prefixes=st.lists(st.integers(0, 32), min_size=1, max_size=6, unique=True))
@settings(max_examples=60, deadline=None)
def test_the_longest_prefix_wins(address: str, prefixes: list[int]) -> None:
    from ipaddress import ip_network

    routes = [to(f"igw-{bits}", str(ip_network(f"{address}/{bits}", strict=False))) for bits in prefixes]
    described = {**table("rtb-1", main=True), "Routes": routes}
    network = replace(shop(), route_tables=[described])
    assert route(network, "subnet-pub-a", address).target == f"igw-{max(prefixes)}"


ports = st.integers(0, 65535)
spans = st.tuples(ports, ports).map(lambda pair: (min(pair), max(pair)))


@given(entries=st.lists(st.tuples(st.booleans(), spans), max_size=6), span=spans)
@settings(max_examples=120, deadline=None)
def test_an_acl_over_a_span_agrees_with_it_port_by_port(
    entries: list[tuple[bool, tuple[int, int]]], span: tuple[int, int]
) -> None:
    described = [
        {
            "RuleNumber": number,
            "Protocol": "6",
            "RuleAction": "allow" if allows else "deny",
            "Egress": False,
            "CidrBlock": "0.0.0.0/0",
            "PortRange": {"From": low, "To": high},
        }
        for number, (allows, (low, high)) in enumerate(entries, 1)
    ]
    acl = {"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Entries": described}
    network = replace(shop(), network_acls=[acl])
    edges = {span[0], span[1]} | {edge for _, pair in entries for low in pair for edge in (low - 1, low, low + 1)}
    single = [
        acl_lets(network, "subnet-pub-a", "203.0.113.1", (port, port), egress=False).passed
        for port in edges
        if span[0] <= port <= span[1]
    ]
    assert acl_lets(network, "subnet-pub-a", "203.0.113.1", span, egress=False).passed is all(single)


@given(extra=st.lists(st.tuples(ports, addresses), max_size=5), port=ports)
@settings(max_examples=60, deadline=None)
def test_more_rules_never_close_a_security_group(extra: list[tuple[int, str]], port: int) -> None:
    network = shop()
    source = network.imagined("subnet-pub-a", ["sg-alb"])
    target = network.host(network.interfaces[0])
    before = connect(network, source, target, port).open
    groups = copy.deepcopy(list(network.security_groups))
    groups[2]["IpPermissions"] += [tcp(number, cidr=f"{address}/32") for number, address in extra]  # type: ignore[index]
    after = connect(replace(network, security_groups=groups), source, target, port).open
    assert after or not before


def test_public_is_a_matter_of_the_route() -> None:
    network = shop()
    assert public_subnet(network, "subnet-pub-a").open
    assert not public_subnet(network, "subnet-priv-a").open


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (tcp(80, cidr="0.0.0.0/0"), [("0.0.0.0/0", "tcp", 80)]),
        ({**tcp(80, named="sg-alb"), "ToPort": 443}, [("sg-alb", "tcp", port) for port in (80, 81, 443)]),
        (
            {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
            [("::/0", protocol, port) for protocol in ("tcp", "udp") for port in (0, 65535)],
        ),
        (
            {"IpProtocol": "1", "FromPort": -1, "ToPort": -1, "PrefixListIds": [{"PrefixListId": "pl-1"}]},
            [("pl-1", "icmp", None)],
        ),
    ],
)
def test_what_a_rule_opens(rule: dict[str, Any], found: list[tuple[str, str, int | None]]) -> None:
    network = Network("us-east-1", security_groups=[group("sg-web", rule)])
    assert [(one.source, one.protocol, one.port) for one in openings(network, ["sg-web", "sg-gone"])] == found
