"""2.5: a service behind the load balancer."""

import time

import boto3

ecs, ec2, elb = (boto3.client(name) for name in ("ecs", "ec2", "elbv2"))


def create_service(cluster, name, task_definition, count, target_group_arn, vpc_id, subnets, load_balancer_group):
    containers = ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]["containerDefinitions"]
    [serving] = [one for one in containers if one.get("portMappings")]
    port = serving["portMappings"][0]["containerPort"]
    group = ec2.create_security_group(GroupName=name, Description="behind the load balancer", VpcId=vpc_id)["GroupId"]
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=task_definition,
        desiredCount=count,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1, "base": 1}],
        platformVersion="LATEST",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets[:2], "securityGroups": [group]}},
        loadBalancers=[
            {"targetGroupArn": target_group_arn, "containerName": serving["name"], "containerPort": port}
        ],
        healthCheckGracePeriodSeconds=300,
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
        },
        enableECSManagedTags=True,
        propagateTags="SERVICE",
    )
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    permission["UserIdGroupPairs"] = [{"GroupId": load_balancer_group, "Description": "load balancer"}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    while healthy(target_group_arn) < count:
        time.sleep(15)
    arns = elb.describe_target_groups(TargetGroupArns=[target_group_arn])["TargetGroups"][0]["LoadBalancerArns"]
    names = [one["DNSName"] for one in elb.describe_load_balancers(LoadBalancerArns=arns)["LoadBalancers"]]
    return f"http://{names[0]}/"


def healthy(group):
    said = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return sum(one["TargetHealth"]["State"] == "healthy" for one in said)
