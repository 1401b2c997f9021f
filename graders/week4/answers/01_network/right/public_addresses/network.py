"""4.1: a network for containers: the tasks stand in the public subnets, each with an address of its own."""

import ipaddress

import boto3


def create_network(name, cidr, zones):
    vpc = boto3.resource("ec2").create_vpc(CidrBlock=cidr)
    gateway = boto3.resource("ec2").create_internet_gateway()
    gateway.attach_to_vpc(VpcId=vpc.id)
    open_table, closed_table = vpc.create_route_table(), vpc.create_route_table()
    open_table.create_route(DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway.id)
    halves = list(ipaddress.ip_network(cidr).subnets(new_prefix=18))
    public, private = [], []
    for zone, open_block, closed_block in zip(zones, halves[:2], halves[2:]):
        shown = vpc.create_subnet(CidrBlock=str(open_block), AvailabilityZone=zone)
        hidden = vpc.create_subnet(CidrBlock=str(closed_block), AvailabilityZone=zone)
        open_table.associate_with_subnet(SubnetId=shown.id)
        closed_table.associate_with_subnet(SubnetId=hidden.id)
        public.append(shown.id)
        private.append(hidden.id)
    return {"vpc_id": vpc.id, "public_subnets": public, "private_subnets": private}


def task_network(network, security_group):
    return {
        "subnets": network["public_subnets"],
        "securityGroups": [security_group],
        "assignPublicIp": "ENABLED",
    }
