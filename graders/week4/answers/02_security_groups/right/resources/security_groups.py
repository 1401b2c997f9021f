"""4.2: security groups, through boto3 resources."""

import boto3

ec2 = boto3.resource("ec2")


def create_security_groups(name, vpc_id, port, database_port):
    vpc = ec2.Vpc(vpc_id)
    chain = [vpc.create_security_group(GroupName=f"{name} {n}", Description="link") for n in (1, 2, 3)]
    chain[0].authorize_ingress(
        IpPermissions=[
            {
                "IpProtocol": "6",
                "FromPort": number,
                "ToPort": number,
                "IpRanges": [{"CidrIp": "0.0.0.0/1"}, {"CidrIp": "128.0.0.0/1"}],
                "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "everybody"}],
            }
            for number in (80, 443)
        ]
    )
    for before, after, number in zip(chain, chain[1:], (port, database_port)):
        after.authorize_ingress(IpPermissions=[only(before.id, number)])
    return dict(zip(("load_balancer", "service", "database"), (group.id for group in chain)))


def only(group, number):
    return {
        "IpProtocol": "tcp",
        "FromPort": number,
        "ToPort": number,
        "UserIdGroupPairs": [{"GroupId": group}],
    }


def close_service(service, load_balancer, port):
    group = ec2.SecurityGroup(service)
    kept = False
    for permission in group.ip_permissions:
        pairs = permission["UserIdGroupPairs"]
        if permission.get("FromPort") == permission.get("ToPort") == port and len(pairs) == 1:
            if pairs[0]["GroupId"] == load_balancer and permission["IpProtocol"] == "tcp":
                kept = True
                rest = {**permission, "UserIdGroupPairs": []}
                if not (rest["IpRanges"] or rest["Ipv6Ranges"] or rest["PrefixListIds"]):
                    continue
                permission = rest
        group.revoke_ingress(IpPermissions=[permission])
    if not kept:
        group.authorize_ingress(IpPermissions=[only(load_balancer, port)])
