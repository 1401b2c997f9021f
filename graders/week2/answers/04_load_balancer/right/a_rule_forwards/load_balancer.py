"""2.4: an Application Load Balancer."""

import time

import boto3

elb = boto3.client("elbv2")


def create_load_balancer(name, vpc_id, subnets, security_group, port, health_path):
    balancer = elb.create_load_balancer(
        Name=name, Subnets=subnets, SecurityGroups=[security_group], Scheme="internet-facing", IpAddressType="ipv4"
    )["LoadBalancers"][0]
    while state(balancer["LoadBalancerArn"]) == "provisioning":
        time.sleep(10)
    group = elb.create_target_group(
        Name=name[:28] + "-ip",
        VpcId=vpc_id,
        TargetType="ip",
        Protocol="HTTP",
        Port=port,
        HealthCheckPath=health_path,
        HealthCheckIntervalSeconds=10,
        HealthCheckTimeoutSeconds=4,
        HealthyThresholdCount=3,
        UnhealthyThresholdCount=4,
        Matcher={"HttpCode": "200"},
    )["TargetGroups"][0]["TargetGroupArn"]
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "not here"},
            }
        ],
    )["Listeners"][0]["ListenerArn"]
    elb.create_rule(
        ListenerArn=listener,
        Priority=10,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return {"dns_name": balancer["DNSName"], "target_group_arn": group}


def state(arn):
    return elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["State"]["Code"]
