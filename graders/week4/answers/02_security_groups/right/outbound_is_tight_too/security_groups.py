"""4.2: security groups, closed in both directions."""

import boto3

ec2 = boto3.client("ec2")
ANY4, ANY6 = [{"CidrIp": "0.0.0.0/0"}], [{"CidrIpv6": "::/0"}]


def create_security_groups(name: str, vpc_id: str, port: int, database_port: int) -> dict[str, str]:
    front, app, data = (group(f"{name}-{role}", vpc_id) for role in ("alb", "app", "db"))
    for public in (80, 443):
        rule("in", front, public, IpRanges=ANY4)
        rule("in", front, public, Ipv6Ranges=ANY6)
    for one, other, where in ((front, app, port), (app, data, database_port)):
        rule("out", one, where, UserIdGroupPairs=[{"GroupId": other, "Description": "to the next link"}])
        rule("in", other, where, UserIdGroupPairs=[{"GroupId": one, "Description": "from the link before"}])
    rule("out", app, 443, IpRanges=ANY4)
    rule("out", app, 443, Ipv6Ranges=ANY6)
    return {"load_balancer": front, "service": app, "database": data}


def group(name, vpc_id):
    """A group that lets nothing in and nothing out."""
    made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"]
    described = ec2.describe_security_groups(GroupIds=[made])["SecurityGroups"][0]
    ec2.revoke_security_group_egress(GroupId=made, IpPermissions=described["IpPermissionsEgress"])
    return made


def rule(direction, group_id, port, **source):
    call = ec2.authorize_security_group_ingress if direction == "in" else ec2.authorize_security_group_egress
    call(GroupId=group_id, IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}])


def close_service(service: str, load_balancer: str, port: int) -> None:
    filters = [{"Name": "group-id", "Values": [service]}]
    rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    for one in rules:
        if not one["IsEgress"]:
            ec2.revoke_security_group_ingress(GroupId=service, SecurityGroupRuleIds=[one["SecurityGroupRuleId"]])
    rule("in", service, port, UserIdGroupPairs=[{"GroupId": load_balancer}])
