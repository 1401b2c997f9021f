"""2.4: an Application Load Balancer."""

import boto3


def create_load_balancer(
    name: str, vpc_id: str, subnets: list[str], security_group: str, port: int, health_path: str
) -> dict[str, str]:
    """A load balancer, its target group and its listener; returns once it is active."""
    elb = boto3.client("elbv2")
    [group] = elb.create_target_group(
        Name=f"{name}-tg"[:32],
        VpcId=vpc_id,
        TargetType="ip",
        Protocol="HTTP",
        Port=80,
        HealthCheckProtocol="HTTP",
        HealthCheckPort="traffic-port",
        HealthCheckPath=health_path,
    )["TargetGroups"]
    [balancer] = elb.create_load_balancer(
        Name=name, SubnetMappings=[{"SubnetId": subnet} for subnet in subnets], SecurityGroups=[security_group]
    )["LoadBalancers"]
    arn = group["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn, "Weight": 1}]}}],
    )
    waiter = elb.get_waiter("load_balancer_available")
    waiter.wait(Names=[name])
    return {"target_group_arn": arn, "dns_name": balancer["DNSName"]}
