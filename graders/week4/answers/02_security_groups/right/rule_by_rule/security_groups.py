"""4.2: security groups, a rule at a time."""

import boto3
from botocore.exceptions import ClientError


def create_security_groups(name: str, vpc_id: str, port: int, database_port: int) -> dict[str, str]:
    ec2 = boto3.client("ec2")
    ids = {}
    for role, source, ports in (
        ("load_balancer", None, (80, 443)),
        ("service", "load_balancer", (port,)),
        ("database", "service", (database_port,)),
    ):
        ids[role] = find_or_make(ec2, f"{name}.{role}", vpc_id)
        for number in ports:
            if source:
                allow(ec2, ids[role], number, UserIdGroupPairs=[{"GroupId": ids[source]}])
            else:
                ec2.authorize_security_group_ingress(
                    GroupId=ids[role], IpProtocol="tcp", FromPort=number, ToPort=number, CidrIp="0.0.0.0/0"
                )
                allow(ec2, ids[role], number, Ipv6Ranges=[{"CidrIpv6": "::/0"}])
    return ids


def find_or_make(ec2, name, vpc_id):
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc_id]}]
    found = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    if found:
        return found[0]["GroupId"]
    return ec2.create_security_group(GroupName=name, Description="made by 4.2", VpcId=vpc_id)["GroupId"]


def allow(ec2, group, number, **source):
    rule = {"IpProtocol": "tcp", "FromPort": number, "ToPort": number, **source}
    try:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidPermission.Duplicate":
            raise


def close_service(service: str, load_balancer: str, port: int) -> None:
    ec2 = boto3.client("ec2")
    allow(ec2, service, port, UserIdGroupPairs=[{"GroupId": load_balancer}])
    right = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    for rule in ec2.describe_security_groups(GroupIds=[service])["SecurityGroups"][0]["IpPermissions"]:
        ports = {key: rule[key] for key in right if key in rule}
        for kind in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"):
            for one in rule[kind]:
                if ports == right and one.get("GroupId") == load_balancer:
                    continue
                ec2.revoke_security_group_ingress(GroupId=service, IpPermissions=[{**ports, kind: [one]}])
