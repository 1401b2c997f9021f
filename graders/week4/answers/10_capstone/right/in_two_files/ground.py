"""The ground that the stack stands on: network and load balancer."""

import boto3

PORT = 80


def create_network(name):
    """A VPC with a public subnet in two zones; who reaches whom."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnets = []
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    for number, zone in enumerate(zones[:2]):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone["ZoneName"])
        subnets.append(subnet["Subnet"]["SubnetId"])
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[-1])
    outside = security_group(name + "-alb", vpc, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})
    inside = security_group(name + "-tasks", vpc, {"UserIdGroupPairs": [{"GroupId": outside}]})
    return {"vpc": vpc, "subnets": subnets, "outside": outside, "inside": inside}


def security_group(name, vpc, source):
    """A security group that lets the port in from one source."""
    ec2 = boto3.client("ec2")
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, **source}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    return group


def create_load_balancer(name, network):
    """An internet-facing load balancer with its listener; returns the target group for the service."""
    elb = boto3.client("elbv2")
    balancer = elb.create_load_balancer(
        Name=name, Subnets=network["subnets"], SecurityGroups=[network["outside"]], Scheme="internet-facing"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name=name, Protocol="HTTP", Port=PORT, VpcId=network["vpc"], TargetType="ip", HealthCheckPath="/"
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return group
