"""What lives in ECS after the call: tasks and their interfaces, services that converge, targets, deployments."""

from __future__ import annotations

import json
from typing import Any

from tests.fidelity.rows.ecs import (
    API,
    BRIDGE,
    CLUSTER,
    DEFINITION,
    GIVEN,
    GUIDE,
    NETWORK,
    RUN,
    SERVICE,
    changed,
    container,
    ec2,
    ecs,
    elb,
    iam,
    on_ec2,
    without,
    world,
)
from tests.fidelity.rows.ecs_services import BALANCED, behind
from tests.fidelity.table import Service

JOINS = "#!/bin/bash\necho ECS_CLUSTER=shop >> /etc/ecs/ecs.config\n"
TRUSTED = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}


def later(seconds: int = 200) -> Any:
    return world.step("advance", {"seconds": seconds})


def role(name: str, service: str = "ecs-tasks.amazonaws.com") -> Any:
    trust = {"Version": "2012-10-17", "Statement": [{**TRUSTED, "Principal": {"Service": service}}]}
    given = {"RoleName": name, "AssumeRolePolicyDocument": json.dumps(trust)}
    return iam.step("CreateRole", given, saves={name: "Role.Arn"})


OPTIMIZED = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
FOR_INSTANCES = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
AN_INSTANCE = [
    role("join", "ec2.amazonaws.com"),
    iam.step("AttachRolePolicy", {"RoleName": "join", "PolicyArn": FOR_INSTANCES}),
    iam.step("CreateInstanceProfile", {"InstanceProfileName": "join"}),
    iam.step("AddRoleToInstanceProfile", {"InstanceProfileName": "join", "RoleName": "join"}),
    Service("ssm").step("GetParameter", {"Name": OPTIMIZED}, saves={"ami": "Parameter.Value"}),
    ec2.step("RunInstances", {
        "ImageId": "<ami>", "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1,
        "IamInstanceProfile": {"Name": "join"}, "UserData": JOINS,
    }),
    later(120),
]  # fmt: skip
WEB_SERVICE = {"cluster": "shop", "services": ["web"]}
THE_TASK = ecs.step("ListTasks", {"cluster": "shop", "serviceName": "web"}, saves={"task": "taskArns[0]"})
ITS_INTERFACE = ecs.step(
    "DescribeTasks",
    {"cluster": "shop", "tasks": ["<task>"]},
    shows={"tasks[0].lastStatus": "RUNNING"},
    saves={
        "eni": "tasks[0].attachments[0].details[?name=='networkInterfaceId'].value | [0]",
        "address": "tasks[0].attachments[0].details[?name=='privateIPv4Address'].value | [0]",
    },
)
RUNNING = ecs.step(
    "DescribeServices", WEB_SERVICE,
    shows={
        "services[0].[runningCount, pendingCount, desiredCount]": [1, 0, 1],
        "services[0].deployments[*].rolloutState": ["COMPLETED"],
    },
)  # fmt: skip
LOOKED_AT = ecs.step(
    "DescribeTasks", {"cluster": "shop", "tasks": ["<task>"]}, shows={"tasks[0].lastStatus": "RUNNING"}
)
EXEC = {"cluster": "shop", "task": "<task>", "command": "/bin/sh", "interactive": True}
WITH_ROLE = ecs.step("RegisterTaskDefinition", {**DEFINITION, "taskRoleArn": "<app>", "family": "web"})
CREATE = API + "API_CreateService.html"

TASKS = [
    ecs.accepts(
        "RunTask", RUN, "a task that is looked at again and again stays as it is",
        given=GIVEN,
        then=[later(40), ecs.step("ListTasks", {"cluster": "shop"}, saves={"task": "taskArns[0]"}), *[LOOKED_AT] * 4],
        source=GUIDE + "task-lifecycle-explanation.html",
    ),
    ecs.accepts(
        "RunTask", RUN, "a task in a VPC whose DNS hostnames are off",
        given=[*GIVEN, ec2.step("ModifyVpcAttribute", {"VpcId": "<vpc>", "EnableDnsHostnames": {"Value": False}})],
        then=[
            later(40),
            ecs.step("ListTasks", {"cluster": "shop"}, saves={"task": "taskArns[0]"}),
            ITS_INTERFACE,
        ],
        source=API + "API_RunTask.html",
    ),
    ecs.accepts(
        "RunTask", {"cluster": "shop", "taskDefinition": "bridge", "launchType": "EC2"},
        "a task that is too large for every instance: what could not be started is in the answer",
        given=[
            CLUSTER, *AN_INSTANCE, ecs.step("RegisterTaskDefinition", on_ec2(memory=500_000)),
        ],
        shows={"tasks": [], "failures[*].reason": ["RESOURCE:MEMORY"]},
        source=GUIDE + "api_failures_messages.html",
    ),
    ecs.accepts(
        "RunTask", {"cluster": "shop", "taskDefinition": "bridge", "launchType": "EC2"},
        "a task on an instance, where the definition names no network mode",
        given=[
            CLUSTER, *AN_INSTANCE, ecs.step("RegisterTaskDefinition", without(on_ec2(), "networkMode")),
        ],
        shows={"length(tasks)": 1, "tasks[0].launchType": "EC2", "tasks[0].attachments": []},
        source=GUIDE + "task_definition_parameters.html#network_mode",
    ),
    ecs.refuses(
        "RunTask", {**RUN, "taskDefinition": "web"}, "ClientException", "a task role that trusts EC2",
        given=[*GIVEN, role("app", "ec2.amazonaws.com"), WITH_ROLE],
        says="ECS was unable to assume the role .* that was provided for this task",
        source=GUIDE + "task-iam-roles.html",
    ),
    ecs.accepts(
        "ExecuteCommand", EXEC, "a shell in a task that allows it",
        given=[
            *GIVEN, role("app"), WITH_ROLE,
            ecs.step(
                "RunTask", {**RUN, "taskDefinition": "web", "enableExecuteCommand": True},
                saves={"task": "tasks[0].taskArn"},
            ),
            later(40),
        ],
        shows={"interactive": True, "containerName": "web"},
        source=API + "API_ExecuteCommand.html",
    ),
    ecs.accepts(
        "RunTask", {**RUN, "taskDefinition": "web"}, "an image that the registry fetches from another",
        given=[
            *GIVEN, role("app"),
            *(iam.step("AttachRolePolicy", {"RoleName": "app", "PolicyArn": f"arn:aws:iam::aws:policy/{name}"})
              for name in ("service-role/AmazonECSTaskExecutionRolePolicy", "AmazonEC2ContainerRegistryFullAccess")),
            Service("ecr").step("CreatePullThroughCacheRule",
                                {"ecrRepositoryPrefix": "public", "upstreamRegistryUrl": "public.ecr.aws"}),
            ecs.step("RegisterTaskDefinition", {
                **container(image="<account>.dkr.ecr.us-east-1.amazonaws.com/public/nginx/nginx:1.27"),
                "executionRoleArn": "<app>",
            }),
        ],
        then=[
            later(40), ecs.step("ListTasks", {"cluster": "shop"}, saves={"task": "taskArns[0]"}), ITS_INTERFACE,
            Service("ecr").step("DescribeImages", {"repositoryName": "public/nginx/nginx"},
                                shows={"imageDetails[*].imageTags": [["1.27"]]}),
        ],
        source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html",
    ),
    ecs.accepts(
        "RegisterTaskDefinition", container(linuxParameters={"capabilities": {"add": ["SYS_PTRACE"]}}),
        "the one capability that Fargate adds", source=GUIDE + "fargate-tasks-services.html",
    ),
    ecs.refuses(
        "RegisterTaskDefinition", on_ec2(logConfiguration={"logDriver": "cloudwatch"}), "InvalidParameterException",
        "a log driver that does not exist", says="logDriver", source=API + "API_LogConfiguration.html",
    ),
    ecs.accepts(
        "RegisterTaskDefinition", changed(ephemeralStorage={"sizeInGiB": 21}, volumes=[{"name": "scratch"}]),
        "storage of 21 GiB and a volume of the task's own", source=GUIDE + "fargate-task-storage.html",
    ),
]  # fmt: skip

SERVICES = [
    ecs.accepts(
        "CreateService", SERVICE, "a service without security groups has its VPC's default one",
        given=GIVEN,
        then=[
            later(), RUNNING, THE_TASK, ITS_INTERFACE,
            ec2.step("DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["<eni>"]},
                     shows={
                         "NetworkInterfaces[0].Groups[*].GroupName": ["default"],
                         "NetworkInterfaces[0].SubnetId": "<subnet>",
                         "NetworkInterfaces[0].PrivateIpAddress": "<address>",
                     }),
        ],
        source=API + "API_AwsVpcConfiguration.html",
    ),
    ecs.accepts(
        "CreateService", behind(), "a service registers its tasks as targets, each by its own address",
        given=BALANCED,
        then=[
            later(), RUNNING, THE_TASK, ITS_INTERFACE,
            elb.step("DescribeTargetHealth", {"TargetGroupArn": "<group>"},
                     shows={"TargetHealthDescriptions[*].[Target.Id, Target.Port, TargetHealth.State]":
                            [["<address>", 80, "healthy"]]}),
        ],
        source=GUIDE + "service-load-balancing.html",
    ),
    ecs.accepts(
        "CreateService",
        {
            **without(SERVICE, "launchType"), "enableExecuteCommand": True, "taskDefinition": "web",
            "capacityProviderStrategy": [
                {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
                {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 3},
            ],
            "propagateTags": "SERVICE", "platformVersion": "1.4.0", "availabilityZoneRebalancing": "DISABLED",
            "tags": [{"key": "team", "value": "shop"}],
        },
        "a strategy, a shell, tags and a platform version: described as they were sent",
        given=[*GIVEN[1:], role("app"), WITH_ROLE, ecs.step(
            "CreateCluster", {"clusterName": "shop", "capacityProviders": ["FARGATE", "FARGATE_SPOT"]})],
        then=[ecs.step(
            "DescribeServices", {**WEB_SERVICE, "include": ["TAGS"]},
            shows={
                "services[0].capacityProviderStrategy": [
                    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
                    {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 3},
                ],
                "services[0].[enableExecuteCommand, propagateTags, platformVersion, availabilityZoneRebalancing]":
                    [True, "SERVICE", "1.4.0", "DISABLED"],
                "services[0].tags": [{"key": "team", "value": "shop"}],
                "services[0].launchType": None,
            },
        )],
        source=CREATE,
    ),
    ecs.accepts(
        "ListTasks", {"cluster": "shop", "serviceName": "web"}, "the tasks of one service, and no other",
        given=[*GIVEN, ecs.step("CreateService", SERVICE), ecs.step("RunTask", RUN), later(60)],
        shows={"length(taskArns)": 1},
        then=[
            ecs.step("ListTasks", {"cluster": "shop"}, shows={"length(taskArns)": 2}),
            ecs.step("ListTasks", {"cluster": "shop", "family": "other"}, shows={"taskArns": []}),
        ],
        source=API + "API_ListTasks.html",
    ),
    ecs.accepts(
        "UpdateService", {"cluster": "shop", "service": "web", "taskDefinition": "web", "forceNewDeployment": True},
        "a deployment, and the revisions that it goes between",
        given=[*GIVEN, ecs.step("CreateService", SERVICE), later()],
        then=[
            ecs.step("DescribeServices", WEB_SERVICE,
                     shows={"services[0].deployments[*].[status, rolloutState]":
                            [["PRIMARY", "IN_PROGRESS"], ["ACTIVE", "COMPLETED"]]}),
            later(),
            RUNNING,
            ecs.step("ListServiceDeployments", {"cluster": "shop", "service": "web"},
                     saves={"deployment": "serviceDeployments[0].serviceDeploymentArn",
                            "revision": "serviceDeployments[0].targetServiceRevisionArn"}),
            ecs.step("DescribeServiceDeployments", {"serviceDeploymentArns": ["<deployment>"]},
                     shows={"serviceDeployments[0].[status, targetServiceRevision.arn]": ["SUCCESSFUL", "<revision>"]}),
            ecs.step("DescribeServiceRevisions", {"serviceRevisionArns": ["<revision>"]},
                     shows={"serviceRevisions[0].taskDefinition": "<web>"}),
        ],
        source=GUIDE + "service-deployment.html",
    ),
    ecs.accepts(
        "CreateService", {**behind(), "desiredCount": 2}, "a service that is scaled to nothing lets its targets drain",
        given=BALANCED,
        then=[
            later(),
            ecs.step("UpdateService", {"cluster": "shop", "service": "web", "desiredCount": 0}),
            later(5),
            elb.step("DescribeTargetHealth", {"TargetGroupArn": "<group>"},
                     shows={"TargetHealthDescriptions[*].TargetHealth.State": ["draining", "draining"]}),
            later(400),
            elb.step("DescribeTargetHealth", {"TargetGroupArn": "<group>"}, shows={"TargetHealthDescriptions": []}),
            ecs.step("DescribeServices", WEB_SERVICE, shows={"services[0].runningCount": 0}),
        ],
        source=GUIDE + "service-load-balancing.html",
    ),
    ecs.refuses(
        "CreateService",
        behind("arn:aws:elasticloadbalancing:us-east-1:<account>:targetgroup/ghost/0123456789abcdef"),
        "InvalidParameterException", "a target group that is not there", given=GIVEN,
        says="Unable to assume role and validate the specified targetGroupArn|target group", source=CREATE,
    ),
    ecs.refuses(
        "CreateService", {**SERVICE, "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        "InvalidParameterException", "a service with a launch type and a strategy", given=GIVEN,
        says="both a launch type and a capacity provider strategy|both a launch type and capacity provider strategy",
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        {**SERVICE, "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": ["<subnet>"], "securityGroups": ["sg-0123456789abcdef0"]}}},
        "InvalidParameterException", "a service with a security group that is not there", given=GIVEN,
        says="sg-0123456789abcdef0", source=API + "API_AwsVpcConfiguration.html",
    ),
    ecs.refuses(
        "CreateService", {**without(SERVICE, "launchType", "networkConfiguration"), "taskDefinition": "<bridge>",
                          "launchType": "FARGATE"},
        "InvalidParameterException", "a service on Fargate of a definition for instances", given=[*GIVEN, BRIDGE],
        says="Task definition does not support launch_type FARGATE", source=CREATE,
    ),
    ecs.refuses(
        "CreateService",
        {**without(SERVICE, "launchType"), "capacityProviderStrategy": [{"capacityProvider": "MOON", "weight": 1}]},
        "InvalidParameterException", "a service on a capacity provider that does not exist", given=GIVEN,
        source=CREATE,
    ),
    ecs.refuses(
        "CreateService", {**SERVICE, "cluster": "ghost"}, "ClusterNotFoundException",
        "a service in a cluster that is not there", given=GIVEN, says="Cluster not found", source=CREATE,
    ),
    ecs.refuses(
        "CreateService", {**SERVICE, "taskDefinition": "ghost"}, "ClientException",
        "a service of a definition that is not there", given=GIVEN, says="TaskDefinition not found",
        source=CREATE,
    ),
    *(
        ecs.accepts(
            "CreateService", {**given, "networkConfiguration": NETWORK}, why,
            given=[*GIVEN[1:], ecs.step("CreateCluster", {
                "clusterName": "shop", "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
            })],
            shows={"service.capacityProviderStrategy[*].capacityProvider": provider},
            then=[later(), RUNNING], source=CREATE,
        )
        for why, provider, given in (
            ("the cluster's default strategy", ["FARGATE_SPOT"], without(SERVICE, "launchType")),
            ("one provider in a strategy", ["FARGATE"],
             {**without(SERVICE, "launchType"), "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}),
        )
    ),
]  # fmt: skip

ROWS = [*TASKS, *SERVICES]
