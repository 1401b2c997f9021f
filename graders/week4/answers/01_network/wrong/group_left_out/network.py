"""4.1: a network for containers."""

from ipaddress import ip_network

import boto3


def create_network(name: str, cidr: str, zones: list[str]) -> dict:
    """A VPC with a public and a private subnet in each zone: vpc_id, public_subnets, private_subnets."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=cidr, TagSpecifications=tagged("vpc", name))["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    blocks = ip_network(cidr).subnets(new_prefix=24)

    def subnet(zone: str) -> str:
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=str(next(blocks)), AvailabilityZone=zone)
        return made["Subnet"]["SubnetId"]

    public = [subnet(zone) for zone in zones]
    private = [subnet(zone) for zone in zones]

    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = route_table(ec2, vpc, public)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat])
    table = route_table(ec2, vpc, private)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    return {"vpc_id": vpc, "public_subnets": public, "private_subnets": private}


def route_table(ec2, vpc: str, subnets: list[str]) -> str:
    """A route table of its own for the subnets."""
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def tagged(kind: str, name: str) -> list[dict]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def task_network(network: dict, security_group: str) -> dict:
    """The awsvpcConfiguration of a service: subnets, securityGroups, assignPublicIp."""
    return {
        "subnets": network["private_subnets"],
        "assignPublicIp": "DISABLED",
    }
