"""2.4: an Application Load Balancer."""

import boto3


class Front:
    def __init__(self, name):
        self.name = name
        self.elb = boto3.Session().client("elbv2")

    def balancer(self, subnets, security_group):
        made = self.elb.create_load_balancer(Name=self.name, Subnets=subnets[:2], Type="application")
        arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        self.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[security_group])
        self.elb.set_subnets(LoadBalancerArn=arn, Subnets=subnets)
        return arn, made["LoadBalancers"][0]["DNSName"]

    def group(self, vpc_id, port, health_path):
        made = self.elb.create_target_group(
            Name=self.name, VpcId=vpc_id, TargetType="ip", Protocol="HTTP", Port=port, ProtocolVersion="HTTP1"
        )
        arn = made["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group(
            TargetGroupArn=arn,
            HealthCheckPath=health_path,
            HealthCheckPort=str(port),
            HealthCheckIntervalSeconds=20,
            Matcher={"HttpCode": "200-200"},
        )
        self.elb.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
        )
        return arn


def create_load_balancer(
    name: str, vpc_id: str, subnets: list[str], security_group: str, port: int, health_path: str
) -> dict[str, str]:
    front = Front(name)
    arn, dns_name = front.balancer(subnets, security_group)
    group = front.group(vpc_id, port, health_path)
    sorry = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}]
    listener = front.elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=sorry)
    front.elb.modify_listener(
        ListenerArn=listener["Listeners"][0]["ListenerArn"],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group, "Order": 1}],
    )
    front.elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn])
    return {"dns_name": dns_name, "target_group_arn": group}
