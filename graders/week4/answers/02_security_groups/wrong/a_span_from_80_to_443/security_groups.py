"""4.2: security groups."""

import boto3


def create_security_groups(name: str, vpc_id: str, port: int, database_port: int) -> dict[str, str]:
    """Three groups in a chain: load_balancer, service, database; returns their ids."""
    ec2 = boto3.client("ec2")
    groups = {
        role: ec2.create_security_group(GroupName=f"{name}-{role}", Description=f"{role} of {name}", VpcId=vpc_id)[
            "GroupId"
        ]
        for role in ("load_balancer", "service", "database")
    }
    everybody = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    let_in(ec2, groups["load_balancer"], {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 443, **everybody})
    let_in(ec2, groups["service"], tcp(port, **members(groups["load_balancer"])))
    let_in(ec2, groups["database"], tcp(database_port, **members(groups["service"])))
    return groups


def close_service(service: str, load_balancer: str, port: int) -> None:
    """Leave the load balancer's way to the service's port, and take away every other way in."""
    ec2 = boto3.client("ec2")
    rules = ec2.describe_security_groups(GroupIds=[service])["SecurityGroups"][0]["IpPermissions"]
    if rules:
        ec2.revoke_security_group_ingress(GroupId=service, IpPermissions=rules)
    let_in(ec2, service, tcp(port, **members(load_balancer)))


def let_in(ec2, group: str, *rules: dict) -> None:
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(rules))


def tcp(port: int, **source) -> dict:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}


def members(group: str) -> dict:
    """Whoever is in the group."""
    return {"UserIdGroupPairs": [{"GroupId": group}]}
