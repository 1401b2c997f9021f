"""Networks to start from: a VPC in two zones, ways out, security groups, a load balancer with its target group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fargrade.backends.world import World

WayOut = Literal["none", "nat", "endpoints"]
# What a task needs to be pulled, to log and to read its secrets, with no way to the internet.
INTERFACE_SERVICES = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm")


@dataclass(frozen=True)
class Vpc:
    """A VPC that was made: ids. `public` and `private` hold a subnet per zone each (none if not asked for)."""

    id: str
    cidr: str
    zones: tuple[str, ...]
    public: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    gateway: str = ""
    public_table: str = ""
    private_table: str = ""
    nat: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)

    @property
    def subnets(self) -> tuple[str, ...]:
        return (*self.public, *self.private)


def vpc(
    world: World,
    *,
    second: int = 20,
    zones: int = 2,
    public: bool = True,
    private: bool = True,
    way_out: WayOut = "none",
    ipv6: bool = False,
    endpoint_services: Sequence[str] = INTERFACE_SERVICES,
) -> Vpc:
    """Make 10.`second`.0.0/16 with DNS on, a public subnet (route to an internet gateway) and a private one per zone.

    The private subnets' way out: a NAT gateway in the first public one, or endpoints (these services' and S3's).
    """
    ec2 = world.client("ec2")
    cidr = f"10.{second}.0.0/16"
    made = ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=made, **{attribute: {"Value": True}})
    names = zone_names(world)[:zones]
    v6 = ec2.describe_vpcs(VpcIds=[made])["Vpcs"][0].get("Ipv6CidrBlockAssociationSet", [])
    prefix = v6[0]["Ipv6CidrBlock"].split("::")[0] if v6 else ""

    def subnets(first: int) -> tuple[str, ...]:
        return tuple(
            subnet(world, made, f"10.{second}.{first + n}.0/24", zone, ipv6=_slice(prefix, first + n))
            for n, zone in enumerate(names)
        )

    open_ones = subnets(0) if public else ()
    closed_ones = subnets(100) if private else ()
    gateway = internet_gateway(world, made) if public else ""
    public_table = route_table(world, made, open_ones, [("0.0.0.0/0", gateway)]) if public else ""
    if public and prefix:
        ec2.create_route(RouteTableId=public_table, DestinationIpv6CidrBlock="::/0", GatewayId=gateway)
    nat = nat_gateway(world, open_ones[0]) if way_out == "nat" else ""
    private_table = route_table(world, made, closed_ones, [("0.0.0.0/0", nat)] if nat else []) if private else ""
    endpoints = {}
    if way_out == "endpoints":
        inside = security_group(world, made, "endpoints", [(443, cidr)])
        for service in endpoint_services:
            endpoints[service] = interface_endpoint(world, made, service, closed_ones, [inside])
        endpoints["s3"] = gateway_endpoint(world, made, "s3", [private_table])
    return Vpc(made, cidr, tuple(names), open_ones, closed_ones, gateway, public_table, private_table, nat, endpoints)


def _slice(prefix: str, number: int) -> str:
    """The /64 of that number (below 256) of an Amazon-provided /56; "" where there is none."""
    if not prefix:
        return ""
    parts = prefix.split(":")
    fourth = int(parts[3], 16) if len(parts) > 3 and parts[3] else 0
    return f"{':'.join(parts[:3])}:{(fourth & 0xFF00) | number:x}::/64"


def zone_names(world: World) -> list[str]:
    """The region's availability zones."""
    zones = world.client("ec2").describe_availability_zones()["AvailabilityZones"]
    return sorted(one["ZoneName"] for one in zones if one.get("ZoneType", "availability-zone") == "availability-zone")


def subnet(world: World, vpc_id: str, cidr: str, zone: str, *, ipv6: str = "", public_addresses: bool = False) -> str:
    """Make a subnet; its id."""
    more = {"Ipv6CidrBlock": ipv6} if ipv6 else {}
    ec2 = world.client("ec2")
    made: str = ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone, **more)["Subnet"]["SubnetId"]
    if public_addresses:
        ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
    return made


def internet_gateway(world: World, vpc_id: str) -> str:
    """Make an internet gateway and attach it; its id."""
    ec2 = world.client("ec2")
    made: str = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc_id)
    return made


def nat_gateway(world: World, subnet_id: str) -> str:
    """Make a public NAT gateway in the subnet and wait until it is available; its id."""
    ec2 = world.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made: str = ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address)["NatGateway"]["NatGatewayId"]
    world.advance(90)
    return made


def route_table(world: World, vpc_id: str, subnets: Iterable[str], routes: Iterable[tuple[str, str]] = ()) -> str:
    """Make a route table of these routes (an IPv4 block, a gateway's id) for the subnets; its id."""
    ec2 = world.client("ec2")
    made: str = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    for cidr, target in routes:
        kind = "NatGatewayId" if target.startswith("nat-") else "GatewayId"
        ec2.create_route(RouteTableId=made, DestinationCidrBlock=cidr, **{kind: target})
    for one in subnets:
        ec2.associate_route_table(RouteTableId=made, SubnetId=one)
    return made


def security_group(
    world: World, vpc_id: str, name: str, ingress: Iterable[tuple[int, str]] = (), *, closed_out: bool = False
) -> str:
    """Make a security group that lets TCP in on each port from its source (a block or a group's id); its id."""
    ec2 = world.client("ec2")
    made: str = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"]
    for port, source in ingress:
        let_in(world, made, port, source)
    if closed_out:
        everything = ec2.describe_security_groups(GroupIds=[made])["SecurityGroups"][0]["IpPermissionsEgress"]
        ec2.revoke_security_group_egress(GroupId=made, IpPermissions=everything)
    return made


def let_in(world: World, group: str, port: int, source: str) -> None:
    """Add a rule: TCP on the port from the source (a block or a group's id)."""
    rule: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    if source.startswith("sg-"):
        rule["UserIdGroupPairs"] = [{"GroupId": source}]
    elif ":" in source:
        rule["Ipv6Ranges"] = [{"CidrIpv6": source}]
    else:
        rule["IpRanges"] = [{"CidrIp": source}]
    world.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def interface_endpoint(
    world: World, vpc_id: str, service: str, subnets: Sequence[str], groups: Sequence[str], *, private_dns: bool = True
) -> str:
    """Make an interface endpoint of the service (`ecr.api`) in the subnets; its id."""
    made: str = world.client("ec2").create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=vpc_id,
        ServiceName=f"com.amazonaws.{world.region}.{service}",
        SubnetIds=list(subnets),
        SecurityGroupIds=list(groups),
        PrivateDnsEnabled=private_dns,
    )["VpcEndpoint"]["VpcEndpointId"]
    return made


def gateway_endpoint(world: World, vpc_id: str, service: str, tables: Sequence[str]) -> str:
    """Make a gateway endpoint of S3 or DynamoDB in the route tables; its id."""
    made: str = world.client("ec2").create_vpc_endpoint(
        VpcEndpointType="Gateway",
        VpcId=vpc_id,
        ServiceName=f"com.amazonaws.{world.region}.{service}",
        RouteTableIds=list(tables),
    )["VpcEndpoint"]["VpcEndpointId"]
    return made


def interface(world: World, subnet_id: str, groups: Sequence[str]) -> dict[str, Any]:
    """Make a network interface in the subnet, as a task's; as described."""
    ec2 = world.client("ec2")
    made: dict[str, Any] = ec2.create_network_interface(SubnetId=subnet_id, Groups=list(groups))["NetworkInterface"]
    return made


def load_balancer(
    world: World, name: str, subnets: Sequence[str], groups: Sequence[str], *, scheme: str = "internet-facing"
) -> dict[str, Any]:
    """Make an Application Load Balancer and wait until it is active; as described."""
    elb = world.client("elbv2")
    made = elb.create_load_balancer(
        Name=name, Subnets=list(subnets), SecurityGroups=list(groups), Scheme=scheme, Type="application"
    )["LoadBalancers"][0]
    world.advance(300)
    found: dict[str, Any] = elb.describe_load_balancers(LoadBalancerArns=[made["LoadBalancerArn"]])["LoadBalancers"][0]
    return found


def target_group(
    world: World,
    name: str,
    vpc_id: str,
    *,
    port: int = 80,
    target_type: str = "ip",
    health_path: str = "/",
    **settings: Any,
) -> str:
    """Make a target group of HTTP; its ARN. `settings` are more of CreateTargetGroup's."""
    made: str = world.client("elbv2").create_target_group(
        Name=name,
        VpcId=vpc_id,
        Protocol="HTTP",
        Port=port,
        TargetType=target_type,
        HealthCheckPath=health_path,
        **settings,
    )["TargetGroups"][0]["TargetGroupArn"]
    return made


def listener(world: World, balancer: str, port: int, group: str) -> str:
    """Make a listener of HTTP that forwards everything to the target group; its ARN."""
    made: str = world.client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    return made
