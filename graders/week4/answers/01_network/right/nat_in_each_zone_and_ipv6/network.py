"""4.1: a network for containers: NAT in each zone for IPv4, an egress-only gateway for IPv6."""

import ipaddress

import boto3

ec2 = boto3.client("ec2")


def create_network(name: str, cidr: str, zones: list[str]) -> dict:
    vpc = ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    held = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    blocks = zip(ipaddress.ip_network(cidr).subnets(new_prefix=22), ipaddress.ip_network(held).subnets(new_prefix=64))
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    outward = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    network = {"vpc_id": vpc, "public_subnets": [], "private_subnets": []}
    for zone in zones:
        shown = subnet(vpc, zone, *next(blocks))
        route(shown, vpc, {"GatewayId": gateway}, {"GatewayId": gateway})
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = ec2.create_nat_gateway(SubnetId=shown, AllocationId=address)["NatGateway"]["NatGatewayId"]
        hidden = subnet(vpc, zone, *next(blocks))
        only = {"EgressOnlyInternetGatewayId": outward["EgressOnlyInternetGatewayId"]}
        route(hidden, vpc, {"NatGatewayId": nat}, only)
        network["public_subnets"].append(shown)
        network["private_subnets"].append(hidden)
    return network


def subnet(vpc, zone, block, block6):
    made = ec2.create_subnet(VpcId=vpc, AvailabilityZone=zone, CidrBlock=str(block), Ipv6CidrBlock=str(block6))
    name = made["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=name, AssignIpv6AddressOnCreation={"Value": True})
    return name


def route(subnet_id, vpc, target, target6):
    """A table for this subnet alone."""
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(SubnetId=subnet_id, RouteTableId=table)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
    ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0", **target6)


def task_network(network: dict, security_group: str) -> dict:
    return {
        "subnets": list(reversed(network["private_subnets"])),
        "securityGroups": [security_group],
        "assignPublicIp": "DISABLED",
    }
