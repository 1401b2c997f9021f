"""2.5: a service behind the load balancer, brought up from nothing."""

import boto3


class Service:
    def __init__(self, cluster, name):
        self.ecs, self.cluster, self.name = boto3.client("ecs"), cluster, name

    def make(self, definition, balancing, subnets, group):
        self.ecs.create_service(
            cluster=self.cluster,
            serviceName=self.name,
            taskDefinition=definition,
            desiredCount=0,
            launchType="FARGATE",
            schedulingStrategy="REPLICA",
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group], "assignPublicIp": "ENABLED"}
            },
            loadBalancers=[balancing],
            healthCheckGracePeriodSeconds=180,
        )

    def scale(self, count):
        self.ecs.update_service(cluster=self.cluster, service=self.name, desiredCount=count)
        self.ecs.get_waiter("services_stable").wait(
            cluster=self.cluster, services=[self.name], WaiterConfig={"Delay": 5, "MaxAttempts": 200}
        )


def create_service(
    cluster: str,
    name: str,
    task_definition: str,
    count: int,
    target_group_arn: str,
    vpc_id: str,
    subnets: list[str],
    load_balancer_group: str,
) -> str:
    service = Service(cluster, name)
    definition = service.ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
    container, port = None, None
    for one in definition["containerDefinitions"]:
        for mapping in one.get("portMappings", []):
            container, port = one["name"], mapping["containerPort"]
    vpc = boto3.resource("ec2").Vpc(vpc_id)
    group = vpc.create_security_group(GroupName=f"sg of {name}".replace("sg ", "group "), Description="tasks")
    group.authorize_ingress(
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "UserIdGroupPairs": [{"GroupId": load_balancer_group}],
            }
        ]
    )
    balancing = {"targetGroupArn": target_group_arn, "containerName": container, "containerPort": port}
    service.make(definition["taskDefinitionArn"], balancing, subnets, group.id)
    service.scale(count)
    elb = boto3.client("elbv2")
    elb.get_waiter("target_in_service").wait(TargetGroupArn=target_group_arn)
    [group] = elb.describe_target_groups(TargetGroupArns=[target_group_arn])["TargetGroups"]
    [balancer] = elb.describe_load_balancers(LoadBalancerArns=group["LoadBalancerArns"])["LoadBalancers"]
    return "http://" + balancer["DNSName"]
