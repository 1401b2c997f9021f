import boto3
from botocore.exceptions import ClientError


def anywhere(port):
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
    }


def from_group(group, port):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": group}]}


def create_security_groups(name, vpc_id, port, database_port):
    ec2 = boto3.client("ec2")
    made = {
        kind: ec2.create_security_group(GroupName=f"{name}-{kind}", Description=f"{kind} of {name}", VpcId=vpc_id)["GroupId"]
        for kind in ("load_balancer", "service", "database")
    }
    lb, service, database = made["load_balancer"], made["service"], made["database"]
    ec2.authorize_security_group_ingress(GroupId=lb, IpPermissions=[anywhere(80), anywhere(443)])
    ec2.authorize_security_group_ingress(GroupId=service, IpPermissions=[from_group(lb, port), from_group(service, port)])
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[from_group(service, database_port)])
    return made


def close_service(service, load_balancer, port):
    ec2 = boto3.client("ec2")
    group = ec2.describe_security_groups(GroupIds=[service])["SecurityGroups"][0]
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=service, IpPermissions=group["IpPermissions"])
    ec2.authorize_security_group_ingress(GroupId=service, IpPermissions=[from_group(load_balancer, port)])
