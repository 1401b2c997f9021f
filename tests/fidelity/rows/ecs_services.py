"""ECS services behind a load balancer: what CreateService and UpdateService are refused, and what they keep."""

from __future__ import annotations

from typing import Any

from tests.fidelity.rows.ecs import (
    API,
    CLUSTER,
    DEFINITION,
    GIVEN,
    GUIDE,
    RUN,
    SERVICE,
    SUBNETS,
    ecs,
    elb,
    without,
    world,
)

GROUP = elb.step(
    "CreateTargetGroup",
    {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "<vpc>", "TargetType": "ip"},
    saves={"group": "TargetGroups[0].TargetGroupArn"},
)
BY_INSTANCE = elb.step(
    "CreateTargetGroup",
    {"Name": "inst", "Protocol": "HTTP", "Port": 80, "VpcId": "<vpc>", "TargetType": "instance"},
    saves={"inst": "TargetGroups[0].TargetGroupArn"},
)
BALANCER = elb.step(
    "CreateLoadBalancer",
    {"Name": "shop", "Subnets": ["<subnet>", "<other>"]},
    saves={"balancer": "LoadBalancers[0].LoadBalancerArn"},
)
LISTENER = elb.step(
    "CreateListener",
    {
        "LoadBalancerArn": "<balancer>",
        "Protocol": "HTTP",
        "Port": 80,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": "<group>"}],
    },
    saves={"listener": "Listeners[0].ListenerArn"},
)
BALANCED = [*GIVEN, GROUP, BALANCER, LISTENER]


def behind(group: str = "<group>", name: str = "web", port: int = 80) -> dict[str, Any]:
    return {**SERVICE, "loadBalancers": [{"targetGroupArn": group, "containerName": name, "containerPort": port}]}


CREATE = API + "API_CreateService.html"
SERVICES = [
    ecs.accepts(
        "CreateService",
        {
            **behind(),
            "healthCheckGracePeriodSeconds": 30,
            "enableECSManagedTags": True,
            "deploymentConfiguration": {
                "maximumPercent": 150,
                "minimumHealthyPercent": 50,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
        },
        "everything that is sent is described",
        given=BALANCED,
        shows={
            "service.healthCheckGracePeriodSeconds": 30,
            "service.enableECSManagedTags": True,
            "service.deploymentConfiguration.maximumPercent": 150,
            "service.deploymentConfiguration.deploymentCircuitBreaker.rollback": True,
            "service.deployments[0].rolloutState": "IN_PROGRESS",
            "service.deployments[0].status": "PRIMARY",
        },
        then=[
            world.step("advance", {"seconds": 200}),
            ecs.step(
                "DescribeServices",
                {"cluster": "shop", "services": ["web"]},
                shows={"services[0].runningCount": 1, "services[0].deployments[0].rolloutState": "COMPLETED"},
            ),
            ecs.step("ListTasks", {"cluster": "shop", "serviceName": "web"}, shows={"length(taskArns)": 1}),
            ecs.step(
                "ListServiceDeployments",
                {"cluster": "shop", "service": "web"},
                shows={"serviceDeployments[0].status": "SUCCESSFUL"},
            ),
        ],
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        SERVICE,
        "InvalidParameterException",
        "a service of a name that is taken",
        given=[*GIVEN, ecs.step("CreateService", SERVICE)],
        says="Creation of service was not idempotent",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        behind("<inst>"),
        "InvalidParameterException",
        "targets by instance under awsvpc",
        given=[*BALANCED, BY_INSTANCE],
        says="target type instance, which is incompatible with the awsvpc network mode",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        behind(),
        "InvalidParameterException",
        "a target group without load balancer",
        given=[*GIVEN, GROUP],
        says="does not have an associated load balancer",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        behind(name="ghost"),
        "InvalidParameterException",
        "a container that is not defined",
        given=BALANCED,
        says="The container ghost does not exist in the task definition",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        behind(port=81),
        "InvalidParameterException",
        "a container port that is not defined",
        given=BALANCED,
        says="did not have a container port 81 defined",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        {**SERVICE, "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 100}},
        "InvalidParameterException",
        "bounds that block every deployment",
        given=GIVEN,
        source=API + "API_DeploymentConfiguration.html",
    ),
    ecs.refuses(
        "CreateService",
        without(SERVICE, "networkConfiguration"),
        "InvalidParameterException",
        "a service without network",
        given=GIVEN,
        says="Network Configuration must be provided",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        {**SERVICE, "launchType": "EC2"},
        "InvalidParameterException",
        "a public address on EC2",
        given=[
            CLUSTER,
            SUBNETS,
            ecs.step(
                "RegisterTaskDefinition",
                {**DEFINITION, "requiresCompatibilities": ["EC2"]},
                saves={"web": "taskDefinition.taskDefinitionArn"},
            ),
        ],
        says="Assign public IP is not supported for this launch type",
        source=API + "API_AwsVpcConfiguration.html",
    ),
    ecs.refuses(
        "CreateService",
        {**without(SERVICE, "launchType"), "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        "InvalidParameterException",
        "a provider that the cluster does not have",
        given=GIVEN,
        says="not associated with the cluster",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        {**SERVICE, "healthCheckGracePeriodSeconds": 30},
        "InvalidParameterException",
        "a grace period without load balancer",
        given=GIVEN,
        says="only valid for services configured to use load balancers",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        {**without(SERVICE, "desiredCount"), "schedulingStrategy": "DAEMON"},
        "InvalidParameterException",
        "a daemon on Fargate",
        given=GIVEN,
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        {**SERVICE, "enableExecuteCommand": True},
        "InvalidParameterException",
        "ECS Exec without a task role",
        given=GIVEN,
        says="taskRoleArn",
        source=GUIDE + "ecs-exec.html",
    ),
    ecs.refuses(
        "DeleteService",
        {"cluster": "shop", "service": "web"},
        "InvalidParameterException",
        "a service that is not scaled to nothing",
        given=[*GIVEN, ecs.step("CreateService", SERVICE)],
        says="The service cannot be stopped while it is scaled above 0",
        source=API + "API_DeleteService.html",
    ),
    ecs.refuses(
        "UpdateService",
        {"cluster": "shop", "service": "ghost", "desiredCount": 2},
        "ServiceNotFoundException",
        "a service that is not there",
        given=[CLUSTER],
        source=API + "API_UpdateService.html",
    ),
    ecs.accepts(
        "DescribeServices",
        {"cluster": "shop", "services": ["ghost"]},
        "a service that is not there, described",
        given=[CLUSTER],
        shows={"failures[0].reason": "MISSING"},
        source=API + "API_DescribeServices.html",
    ),
    ecs.refuses(
        "ExecuteCommand",
        {"cluster": "shop", "task": "<task>", "command": "sh", "interactive": True},
        "InvalidParameterException",
        "ECS Exec where it was not enabled",
        given=[
            *GIVEN,
            ecs.step("RunTask", RUN, saves={"task": "tasks[0].taskArn"}),
            world.step("advance", {"seconds": 40}),
        ],
        says="execute command was not enabled",
        source=GUIDE + "ecs-exec.html",
    ),
]

ROWS = [*SERVICES]
