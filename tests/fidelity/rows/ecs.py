"""Amazon ECS: clusters, task definitions, tasks, services; each row of moto-gaps that is ECS's is here."""

from __future__ import annotations

from typing import Any

from tests.fidelity.table import Row, Service

ecs = Service("ecs")
ec2 = Service("ec2")
elb = Service("elbv2")
iam = Service("iam")
world = Service("world")

API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
PARAMETERS = GUIDE + "task_definition_parameters.html"
FARGATE = GUIDE + "fargate-tasks-services.html"
SIZES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size"

LOG = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
}
CONTAINER: dict[str, Any] = {"name": "web", "image": "nginx:1.27", "portMappings": [{"containerPort": 80}]}
DEFINITION: dict[str, Any] = {
    "family": "web",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [CONTAINER],
}
AUTO_SCALING = "arn:aws:autoscaling:us-east-1:<account>:autoScalingGroup:x:autoScalingGroupName/x"
ROLE = "arn:aws:iam::<account>:role/execution"


def changed(**more: Any) -> dict[str, Any]:
    """The right Fargate definition with these of its fields instead; None takes one away."""
    return {key: value for key, value in {**DEFINITION, **more}.items() if value is not None}


def container(**more: Any) -> dict[str, Any]:
    """The right Fargate definition with these fields of its container."""
    return changed(containerDefinitions=[{key: v for key, v in {**CONTAINER, **more}.items() if v is not None}])


def on_ec2(**more: Any) -> dict[str, Any]:
    """A definition in bridge mode for instances."""
    box = {"name": "web", "image": "nginx:1.27", "memory": 128, "portMappings": [{"containerPort": 80}], **more}
    return {"family": "bridge", "networkMode": "bridge", "containerDefinitions": [box]}


def refused_definition(given: dict[str, Any], says: str, why: str, source: str = PARAMETERS) -> Row:
    return ecs.refuses("RegisterTaskDefinition", given, "ClientException", why, says=says, source=source)


DEFINITIONS = [
    refused_definition(
        changed(cpu="300"), "No Fargate configuration exists for given values", "a cpu that is none", SIZES
    ),
    refused_definition(changed(memory="4096"), "No Fargate configuration exists", "a size that does not exist", SIZES),
    refused_definition(changed(cpu=None), "'cpu' be defined at the task level", "Fargate without cpu", FARGATE),
    refused_definition(
        changed(memory=None), "'memory' be defined at the task level", "Fargate without memory", FARGATE
    ),
    refused_definition(
        changed(networkMode="bridge"), "only supports network mode 'awsvpc'", "bridge on Fargate", FARGATE
    ),
    refused_definition(
        changed(networkMode="host"), "only supports network mode 'awsvpc'", "host mode on Fargate", FARGATE
    ),
    refused_definition(
        container(image="<account>.dkr.ecr.us-east-1.amazonaws.com/web:1"),
        "execution role ARN to support ECR images",
        "an ECR image without execution role",
        FARGATE,
    ),
    refused_definition(
        container(logConfiguration=LOG),
        "execution role ARN to support log driver awslogs",
        "awslogs without role",
        FARGATE,
    ),
    refused_definition(
        container(secrets=[{"name": "KEY", "valueFrom": "/web/key"}]),
        "execution role ARN",
        "secrets without role",
        FARGATE,
    ),
    refused_definition(
        container(portMappings=[{"containerPort": 80, "hostPort": 8080}]),
        "host ports and container ports in port mappings must match",
        "a host port that differs under awsvpc",
    ),
    refused_definition(
        {**container(logConfiguration={"logDriver": "json-file"})},
        r"json-file is not a valid log driver. Must be one of \[awslogs, splunk, awsfirelens\]",
        "json-file on Fargate",
        FARGATE,
    ),
    refused_definition(
        {
            **container(
                logConfiguration={**LOG, "options": {"awslogs-region": "us-east-1", "awslogs-stream-prefix": "w"}}
            ),
            "executionRoleArn": ROLE,
        },
        "Log driver awslogs requires options: awslogs-group",
        "awslogs without group",
    ),
    refused_definition(
        {
            **container(logConfiguration={**LOG, "options": {"awslogs-region": "us-east-1", "awslogs-group": "/w"}}),
            "executionRoleArn": ROLE,
        },
        "awslogs-stream-prefix",
        "awslogs without prefix on Fargate",
        FARGATE,
    ),
    refused_definition(container(essential=False), "doesn't have any essential container", "no essential container"),
    refused_definition(changed(containerDefinitions=[CONTAINER, CONTAINER]), "unique", "two containers of one name"),
    refused_definition(container(privileged=True), "'privileged' setting be 'false'", "privileged on Fargate", FARGATE),
    refused_definition(
        changed(volumes=[{"name": "data", "host": {"sourcePath": "/data"}}]),
        "sourcePath",
        "a host volume on Fargate",
        FARGATE,
    ),
    refused_definition(
        container(mountPoints=[{"sourceVolume": "ghost", "containerPath": "/x"}]), "ghost", "a mount of no volume"
    ),
    refused_definition(
        container(dependsOn=[{"containerName": "ghost", "condition": "START"}]), "ghost", "a dependency on no container"
    ),
    refused_definition(container(memory=1024), "memory", "a container with more memory than its task"),
    refused_definition(container(cpu=512), "cpu", "a container with more cpu than its task"),
    refused_definition(
        changed(ephemeralStorage={"sizeInGiB": 20}),
        "EphemeralStorage size should be at least 21",
        "storage below 21 GiB",
        FARGATE,
    ),
    refused_definition(changed(ephemeralStorage={"sizeInGiB": 201}), "200", "storage above 200 GiB", FARGATE),
    refused_definition(container(links=["db"]), "Links are not supported", "links under awsvpc"),
    refused_definition(
        container(extraHosts=[{"hostname": "db", "ipAddress": "10.0.0.9"}]), "extraHosts", "extra hosts under awsvpc"
    ),
    refused_definition(container(dnsServers=["10.0.0.2"]), "dnsServers", "DNS servers under awsvpc"),
    refused_definition(changed(ipcMode="host"), "ipcMode", "ipcMode on Fargate", FARGATE),
    refused_definition(changed(pidMode="host"), "pidMode", "the host's process ids on Fargate", FARGATE),
    refused_definition(
        changed(placementConstraints=[{"type": "memberOf", "expression": "attribute:x == y"}]),
        "placement constraints",
        "placement constraints on Fargate",
        FARGATE,
    ),
    refused_definition(
        container(linuxParameters={"capabilities": {"add": ["NET_ADMIN"]}}), "NET_ADMIN", "an added capability", FARGATE
    ),
    refused_definition(
        container(resourceRequirements=[{"type": "GPU", "value": "1"}]), "GPU", "a GPU on Fargate", FARGATE
    ),
    refused_definition(container(image="my image"), "invalid characters", "a blank in an image's name"),
    refused_definition(
        container(environment=[{"name": "A", "value": "1"}], secrets=[{"name": "A", "valueFrom": "/a"}])
        | {"executionRoleArn": ROLE},
        "secret name must be unique",
        "a secret with a variable's name",
        API + "API_Secret.html",
    ),
    refused_definition(
        container(healthCheck={"command": ["CMD", "true"], "interval": 3}), "interval", "an interval below 5 seconds"
    ),
    refused_definition(
        on_ec2(memory=None) | {"containerDefinitions": [{"name": "w", "image": "nginx"}]},
        "At least one of 'memory' or 'memoryReservation' must be specified",
        "no memory at all on EC2",
    ),
    refused_definition(on_ec2(memoryReservation=256), "memoryReservation", "a reservation above the limit"),
    refused_definition(changed(family="we.b"), "Family", "a point in a family's name"),
    ecs.refuses(
        "RegisterTaskDefinition",
        changed(requiresCompatibilities=["MOON"]),
        "InvalidParameterException",
        "a launch type that does not exist",
        source=API + "API_RegisterTaskDefinition.html",
    ),
    ecs.accepts(
        "RegisterTaskDefinition",
        changed(cpu=".25 vCPU", memory="0.5 GB"),
        "sizes in vCPU and GB",
        shows={"taskDefinition.cpu": "256", "taskDefinition.memory": "512"},
        source=SIZES,
    ),
    ecs.accepts(
        "RegisterTaskDefinition",
        container(memoryReservation=128, healthCheck={"command": ["CMD-SHELL", "exit 0"]}),
        "defaults of a health check and of a port mapping",
        shows={
            "taskDefinition.containerDefinitions[0].healthCheck.interval": 30,
            "taskDefinition.containerDefinitions[0].portMappings[0].hostPort": 80,
            "taskDefinition.compatibilities": ["EC2", "FARGATE"],
        },
        source=PARAMETERS,
    ),
    ecs.accepts(
        "RegisterTaskDefinition",
        on_ec2(),
        "bridge mode with a port of the instance's choice",
        shows={
            "taskDefinition.containerDefinitions[0].portMappings[0].hostPort": 0,
            "taskDefinition.compatibilities": ["EC2"],
        },
        source=PARAMETERS,
    ),
    ecs.refuses(
        "DescribeTaskDefinition",
        {"taskDefinition": "ghost"},
        "ClientException",
        "a definition that is not there",
        says="Unable to describe task definition",
        source=API + "API_DescribeTaskDefinition.html",
    ),
]

CLUSTER = ecs.step("CreateCluster", {"clusterName": "shop"}, saves={"cluster": "cluster.clusterArn"})
WEB = ecs.step("RegisterTaskDefinition", DEFINITION, saves={"web": "taskDefinition.taskDefinitionArn"})
BRIDGE = ecs.step("RegisterTaskDefinition", on_ec2(), saves={"bridge": "taskDefinition.taskDefinitionArn"})
SUBNETS = ec2.step(
    "DescribeSubnets",
    saves={"subnet": "Subnets[0].SubnetId", "other": "Subnets[1].SubnetId", "vpc": "Subnets[0].VpcId"},
)
GIVEN = [CLUSTER, WEB, SUBNETS]
NETWORK = {"awsvpcConfiguration": {"subnets": ["<subnet>"], "assignPublicIp": "ENABLED"}}
RUN: dict[str, Any] = {
    "cluster": "shop",
    "taskDefinition": "<web>",
    "launchType": "FARGATE",
    "networkConfiguration": NETWORK,
}
SERVICE = {**RUN, "serviceName": "web", "desiredCount": 1}


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in names}


RUNS = [
    ecs.accepts(
        "RunTask",
        RUN,
        "Fargate with memory at task level only, and no security groups",
        given=GIVEN,
        shows={"tasks[0].lastStatus": "PROVISIONING", "failures": []},
        then=[
            world.step("advance", {"seconds": 40}),
            ecs.step("ListTasks", {"cluster": "shop"}, saves={"task": "taskArns[0]"}),
            ecs.step(
                "DescribeTasks",
                {"cluster": "shop", "tasks": ["<task>"]},
                shows={"tasks[0].lastStatus": "RUNNING", "length(tasks[0].containers[0].networkInterfaces)": 1},
            ),
            ecs.step(
                "DescribeTasks", {"cluster": "shop", "tasks": ["<task>"]}, shows={"tasks[0].lastStatus": "RUNNING"}
            ),
        ],
        source=API + "API_RunTask.html",
    ),
    ecs.refuses(
        "RunTask",
        {**RUN, "cluster": "ghost"},
        "ClusterNotFoundException",
        "a cluster that is not there",
        given=GIVEN,
        says="Cluster not found",
        source=API + "API_RunTask.html",
    ),
    ecs.refuses(
        "RunTask",
        {**RUN, "count": 11},
        "InvalidParameterException",
        "eleven tasks at once",
        given=GIVEN,
        source=API + "API_RunTask.html",
    ),
    ecs.refuses(
        "RunTask",
        without(RUN, "networkConfiguration"),
        "InvalidParameterException",
        "awsvpc without network",
        given=GIVEN,
        says="Network Configuration must be provided when networkMode 'awsvpc' is specified",
        source=API + "API_RunTask.html",
    ),
    ecs.refuses(
        "RunTask",
        {**without(RUN, "networkConfiguration"), "taskDefinition": "<bridge>"},
        "InvalidParameterException",
        "a definition for EC2 on Fargate",
        given=[*GIVEN, BRIDGE],
        says="Task definition does not support launch_type FARGATE",
        source=API + "API_RunTask.html",
    ),
    ecs.refuses(
        "RunTask",
        {**RUN, "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        "InvalidParameterException",
        "both a launch type and a strategy",
        given=GIVEN,
        says="both a launch type and capacity provider strategy",
        source=API + "API_RunTask.html",
    ),
    ecs.refuses(
        "RunTask",
        {"cluster": "shop", "taskDefinition": "<bridge>", "launchType": "EC2"},
        "InvalidParameterException",
        "a cluster without instances",
        given=[*GIVEN, BRIDGE],
        says="No Container Instances were found in your cluster",
        source=GUIDE + "troubleshooting.html",
    ),
    ecs.refuses(
        "RunTask",
        {**RUN, "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}}},
        "InvalidParameterException",
        "a subnet that is not there",
        given=GIVEN,
        says="InvalidSubnetID.NotFound",
        source=API + "API_AwsVpcConfiguration.html",
    ),
    ecs.refuses(
        "RunTask",
        {
            **RUN,
            "networkConfiguration": {
                "awsvpcConfiguration": {"subnets": ["<subnet>"], "securityGroups": ["sg-0123456789abcdef0"]}
            },
        },
        "InvalidParameterException",
        "a security group that is not there",
        given=GIVEN,
        source=API + "API_AwsVpcConfiguration.html",
    ),
    ecs.refuses(
        "RunTask",
        {**RUN, "overrides": {"containerOverrides": [{"name": "ghost", "command": ["x"]}]}},
        "InvalidParameterException",
        "an override of no container",
        given=GIVEN,
        says="Override for container named ghost is not a container in the TaskDefinition",
        source=API + "API_ContainerOverride.html",
    ),
    ecs.refuses(
        "RunTask",
        {**RUN, "platformVersion": "9.9.9"},
        "PlatformUnknownException",
        "a platform version that is none",
        given=GIVEN,
        source=API + "API_RunTask.html",
    ),
    ecs.refuses(
        "RunTask",
        {**RUN, "placementStrategy": [{"type": "spread", "field": "instanceId"}]},
        "InvalidParameterException",
        "a placement strategy on Fargate",
        given=GIVEN,
        source=API + "API_RunTask.html",
    ),
    ecs.refuses(
        "RunTask",
        {**RUN, "taskDefinition": "ghost"},
        "ClientException",
        "a definition that is not there, to run",
        given=GIVEN,
        says="TaskDefinition not found",
        source=API + "API_RunTask.html",
    ),
    ecs.accepts(
        "DescribeTasks",
        {"cluster": "shop", "tasks": ["0123456789abcdef0123456789abcdef"]},
        "a task that is not there",
        given=[CLUSTER],
        shows={"failures[0].reason": "MISSING"},
        source=API + "API_DescribeTasks.html",
    ),
    ecs.refuses(
        "StopTask",
        {"cluster": "shop", "task": "0123456789abcdef0123456789abcdef"},
        "InvalidParameterException",
        "a task that is not there, to stop",
        given=[CLUSTER],
        source=API + "API_StopTask.html",
    ),
]

CLUSTERS = [
    ecs.refuses(
        "CreateCluster",
        {"clusterName": "shop", "capacityProviders": ["MOON"]},
        "InvalidParameterException",
        "a capacity provider that is not there",
        says="capacity provider was not found",
        source=API + "API_CreateCluster.html",
    ),
    ecs.refuses(
        "CreateCluster",
        {"clusterName": "my shop"},
        "InvalidParameterException",
        "a blank in a cluster's name",
        source=API + "API_CreateCluster.html",
    ),
    ecs.refuses(
        "CreateCluster",
        {"clusterName": "shop", "settings": [{"name": "containerInsights", "value": "on"}]},
        "InvalidParameterException",
        "a value that Container Insights does not have",
        source=API + "API_ClusterSetting.html",
    ),
    ecs.refuses(
        "PutClusterCapacityProviders",
        {
            "cluster": "shop",
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [
                {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
                {"capacityProvider": "FARGATE_SPOT", "base": 1, "weight": 1},
            ],
        },
        "InvalidParameterException",
        "two bases in a strategy",
        given=[CLUSTER],
        says="base",
        source=API + "API_CapacityProviderStrategyItem.html",
    ),
    ecs.refuses(
        "PutClusterCapacityProviders",
        {
            "cluster": "shop",
            "capacityProviders": ["FARGATE"],
            "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        },
        "InvalidParameterException",
        "a strategy of a provider outside of the cluster",
        given=[CLUSTER],
        source=API + "API_PutClusterCapacityProviders.html",
    ),
    ecs.refuses(
        "DeleteCluster",
        {"cluster": "shop"},
        "ClusterContainsServicesException",
        "a cluster with a service",
        given=[*GIVEN, ecs.step("CreateService", SERVICE)],
        source=API + "API_DeleteCluster.html",
    ),
    ecs.refuses(
        "DeleteCluster",
        {"cluster": "shop"},
        "ClusterContainsTasksException",
        "a cluster with a task",
        given=[*GIVEN, ecs.step("RunTask", RUN)],
        source=API + "API_DeleteCluster.html",
    ),
    ecs.accepts(
        "DescribeClusters",
        {"clusters": ["ghost"]},
        "a cluster that is not there, described",
        shows={"failures[0].reason": "MISSING"},
        source=API + "API_DescribeClusters.html",
    ),
    ecs.refuses(
        "CreateCapacityProvider",
        {"name": "fargate-mine", "autoScalingGroupProvider": {"autoScalingGroupArn": AUTO_SCALING}},
        "ClientException",
        "a capacity provider with a reserved name",
        source=API + "API_CreateCapacityProvider.html",
    ),
]

TASK_SETS = [
    ecs.accepts(
        "CreateTaskSet",
        {
            "cluster": "shop",
            "service": "web",
            "taskDefinition": "<web>",
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
            "tags": [{"key": "team", "value": "shop"}],
        },
        "a task set, found again by its ARN, with its tags",
        given=[
            *GIVEN,
            ecs.step(
                "CreateService",
                {
                    "cluster": "shop",
                    "serviceName": "web",
                    "desiredCount": 1,
                    "deploymentController": {"type": "EXTERNAL"},
                },
            ),
        ],
        then=[
            ecs.step(
                "DescribeTaskSets", {"cluster": "shop", "service": "web"}, saves={"set": "taskSets[0].taskSetArn"}
            ),
            ecs.step(
                "DescribeTaskSets",
                {"cluster": "shop", "service": "web", "taskSets": ["<set>", "ghost"], "include": ["TAGS"]},
                shows={
                    "taskSets[*].taskSetArn": ["<set>"],
                    "taskSets[0].tags[0].key": "team",
                    "failures[*].reason": ["MISSING"],
                },
            ),
            ecs.step("TagResource", {"resourceArn": "<set>", "tags": [{"key": "stage", "value": "test"}]}),
            ecs.step("ListTagsForResource", {"resourceArn": "<set>"}, shows={"tags[*].key": ["team", "stage"]}),
        ],
        source=API + "API_DescribeTaskSets.html",
    ),
]
DEFAULTS = [
    ecs.accepts(
        "CreateCapacityProvider",
        {"name": "mine", "autoScalingGroupProvider": {"autoScalingGroupArn": AUTO_SCALING}},
        "what managed scaling is where nothing is said, and one thing of it changed",
        then=[
            ecs.step(
                "UpdateCapacityProvider",
                {"name": "mine", "autoScalingGroupProvider": {"managedScaling": {"targetCapacity": 80}}},
            ),
            ecs.step(
                "DescribeCapacityProviders",
                {"capacityProviders": ["mine"]},
                shows={
                    "capacityProviders[0].autoScalingGroupProvider.managedScaling": {
                        "status": "DISABLED",
                        "targetCapacity": 80,
                        "minimumScalingStepSize": 1,
                        "maximumScalingStepSize": 10000,
                        "instanceWarmupPeriod": 300,
                    }
                },
            ),
        ],
        source=API + "API_ManagedScaling.html",
    ),
    ecs.accepts(
        "RegisterTaskDefinition",
        changed(volumes=[{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678"}}]),
        "a volume of EFS, its root where no directory is named",
        shows={"taskDefinition.volumes[0].efsVolumeConfiguration.rootDirectory": "/"},
        source=API + "API_EFSVolumeConfiguration.html",
    ),
]

ROWS = [*DEFINITIONS, *RUNS, *CLUSTERS, *TASK_SETS, *DEFAULTS]
