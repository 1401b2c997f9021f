"""4.1: a network for containers, with no way to the internet but doors into AWS."""

import ipaddress
import os

import boto3

REGION = os.environ["AWS_REGION"]


def create_network(name: str, cidr: str, zones: list[str]) -> dict:
    ec2 = boto3.client("ec2", region_name=REGION)
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    blocks = [str(block) for block in ipaddress.ip_network(cidr).subnets(new_prefix=20)]
    public, private = [], []
    for number, zone in enumerate(zones):
        for listed, block in ((public, blocks[number]), (private, blocks[number + 8])):
            made = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)["Subnet"]
            listed.append(made["SubnetId"])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    open_table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=open_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for subnet in public:
        ec2.associate_route_table(RouteTableId=open_table, SubnetId=subnet)
    closed_table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    for subnet in private:
        ec2.associate_route_table(RouteTableId=closed_table, SubnetId=subnet)
    doors = ec2.create_security_group(GroupName="endpoints", Description="AWS services", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=doors,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": cidr}]}],
    )
    for service in ("ecr.api", "ecr.dkr", "logs"):
        ec2.create_vpc_endpoint(
            VpcId=vpc,
            ServiceName=f"com.amazonaws.{REGION}.{service}",
            VpcEndpointType="Interface",
            SubnetIds=private,
            SecurityGroupIds=[doors],
            PrivateDnsEnabled=True,
        )
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[closed_table])
    return {"vpc_id": vpc, "public_subnets": public, "private_subnets": private}


def task_network(network: dict, security_group: str) -> dict:
    return {"subnets": network["private_subnets"], "securityGroups": [security_group]}
