"""Each repair to moto's networks and load balancing is still needed: when one of these fails, take the repair away.

Asked of plain moto, in a process in which nothing of ours is loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PLAIN = """
import json
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

KEYS = dict(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")


def refused(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


with mock_aws():
    ec2, elb = boto3.client("ec2", **KEYS), boto3.client("elbv2", **KEYS)
    from moto.ec2.models import ec2_backends

    found = {"the default VPC has no internet gateway": not ec2.describe_internet_gateways()["InternetGateways"]}
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    v6 = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    block6 = v6.replace("/56", "/64")
    left = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/28", Ipv6CidrBlock=block6, AvailabilityZone="us-east-1a")
    right = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1b")["Subnet"]["SubnetId"]
    state = left["Subnet"]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlockState"]["State"]
    left = left["Subnet"]["SubnetId"]
    found["the state of an IPv6 block is within a state"] = state != "associated"
    addresses = [
        ec2.create_network_interface(SubnetId=left)["NetworkInterface"]["PrivateIpAddress"] for _ in range(20)
    ]
    found["two interfaces have one address"] = len(set(addresses)) < len(addresses)
    some = next(iter(ec2_backends["123456789012"]["us-east-1"].enis.values()))
    found["an interface without DNS hostnames has no such attribute"] = not hasattr(some, "private_dns_name")
    ec2.modify_subnet_attribute(SubnetId=left, AssignIpv6AddressOnCreation={"Value": True})
    made = ec2.create_network_interface(SubnetId=left)["NetworkInterface"]
    found["an interface has no IPv6 address of its own accord"] = not made.get("Ipv6Addresses")
    acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    found["the default ACL has no IPv6"] = not any(one.get("Ipv6CidrBlock") for one in acls[0]["Entries"])
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    wide = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.9/8"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=wide)
    kept = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]["IpRanges"][0]
    found["a block is kept as it was sent"] = kept["CidrIp"] == "10.0.0.9/8"

    def balancer():
        return elb.create_load_balancer(Name="web", Subnets=[left, right])["LoadBalancers"][0]

    first = balancer()
    again = elb.describe_load_balancers(LoadBalancerArns=[first["LoadBalancerArn"]])["LoadBalancers"][0]
    found["a load balancer is active by being looked at"] = again["State"]["Code"] == "active"
    found["its name is the same each time"] = first["DNSName"] == "web-1.us-east-1.elb.amazonaws.com"
    found["it has no security group"] = not first.get("SecurityGroups")
    found["made twice it is two"] = balancer()["LoadBalancerArn"] != first["LoadBalancerArn"]

    def pool():
        asked = dict(Name="pool", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
        return elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"]

    arn = pool()
    found["a target group made twice is refused"] = refused(pool) == "DuplicateTargetGroupName"
    hour = [{"Key": "deregistration_delay.timeout_seconds", "Value": "3600"}]
    found["an hour of delay is refused"] = bool(
        refused(lambda: elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=hour))
    )
    listener = elb.create_listener(
        LoadBalancerArn=first["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )["Listeners"][0]["ListenerArn"]
    rule = elb.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    found["a default rule's id is an address in memory"] = rule.rsplit("/", 1)[-1].isdigit()
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.1.9", "Port": port} for port in (80, 81)])
    health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    found["two ports are one target"] = len(health) == 1
    found["a target that is not there is healthy"] = health[0]["TargetHealth"]["State"] == "healthy"
    elb.delete_listener(ListenerArn=listener)
    left_over = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0].get("LoadBalancerArns")
    found["a group remembers a listener that is gone"] = bool(left_over)
    print(json.dumps(found))
"""
REPAIRED = [
    "the default VPC has no internet gateway",
    "the state of an IPv6 block is within a state",
    "two interfaces have one address",
    "an interface without DNS hostnames has no such attribute",
    "an interface has no IPv6 address of its own accord",
    "the default ACL has no IPv6",
    "a block is kept as it was sent",
    "a load balancer is active by being looked at",
    "its name is the same each time",
    "it has no security group",
    "made twice it is two",
    "a target group made twice is refused",
    "an hour of delay is refused",
    "a default rule's id is an address in memory",
    "two ports are one target",
    "a target that is not there is healthy",
    "a group remembers a listener that is gone",
]


@pytest.fixture(scope="module")
def plain() -> dict[str, bool]:
    """What plain moto does."""
    ran = subprocess.run([sys.executable, "-c", PLAIN], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    said: dict[str, bool] = json.loads(ran.stdout)
    return said


@pytest.mark.parametrize("fault", REPAIRED)
def test_moto_still_needs_the_repair(plain: dict[str, bool], fault: str) -> None:
    assert plain[fault], f"moto has mended it: {fault} no longer; take our repair away"


def test_every_fault_that_was_asked_for_is_judged(plain: dict[str, bool]) -> None:
    assert sorted(plain) == sorted(REPAIRED)
