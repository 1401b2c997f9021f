"""How ECS services bring out versions: what their deployments may be told, and what is told of them."""

from __future__ import annotations

from typing import Any

from tests.fidelity.rows.ecs import API, CONTAINER, GIVEN, GUIDE, RUN, SERVICE, changed, container, ecs, on_ec2, without
from tests.fidelity.rows.ecs_alive import WEB_SERVICE, later, role
from tests.fidelity.rows.ecs_services import BALANCED, behind
from tests.fidelity.table import Row, Service

cloudwatch = Service("cloudwatch")
REFUSED = "InvalidParameterException"
CREATE, UPDATE = API + "API_CreateService.html", API + "API_UpdateService.html"
SETTINGS = API + "API_DeploymentConfiguration.html"
BREAKER = GUIDE + "deployment-circuit-breaker.html"
ALARMS = {"alarmNames": ["errors"], "enable": True, "rollback": True}
ALARM = cloudwatch.step("PutMetricAlarm", {
    "AlarmName": "errors", "Namespace": "shop", "MetricName": "errors", "Statistic": "Sum", "Period": 60,
    "EvaluationPeriods": 2, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "ignore",
})  # fmt: skip


def state(value: str) -> Any:
    return cloudwatch.step("SetAlarmState", {"AlarmName": "errors", "StateValue": value, "StateReason": "a rehearsal"})


def rolled(**settings: Any) -> dict[str, Any]:
    """The service with these deployment settings."""
    return {**SERVICE, "deploymentConfiguration": settings}


def breaker(**more: Any) -> dict[str, Any]:
    return rolled(deploymentCircuitBreaker={"enable": True, "rollback": True, **more})


def kept(kind: str, value: int) -> dict[str, Any]:
    return breaker(thresholdConfiguration={"type": kind, "value": value})


def out_of_range(settings: dict[str, Any], why: str, says: str, source: str) -> Row:
    return ecs.refuses("CreateService", rolled(**settings), REFUSED, why, given=GIVEN, says=says, source=source)


def again(*before: Any) -> list[Any]:
    """A service, and a deployment of it that alarms look at."""
    update = ecs.step("UpdateService", {"cluster": "shop", "service": "web", "forceNewDeployment": True})
    return [*GIVEN, ALARM, ecs.step("CreateService", rolled(alarms=ALARMS)), later(), *before, update]


THE_DEPLOYMENT = ecs.step("ListServiceDeployments", {"cluster": "shop", "service": "web"},
                          saves={"deployment": "serviceDeployments[0].serviceDeploymentArn"})  # fmt: skip
OF_IT = {"serviceDeploymentArns": ["<deployment>"]}
IN_PROGRESS = {"serviceDeployments[0].alarms.status": "MONITORING", "serviceDeployments[0].status": "IN_PROGRESS"}
PROVIDERS = [*GIVEN, ecs.step("PutClusterCapacityProviders", {
    "cluster": "shop", "capacityProviders": ["FARGATE", "FARGATE_SPOT"], "defaultCapacityProviderStrategy": [],
})]  # fmt: skip
SPOT = {"cluster": "shop", "service": "web",
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}  # fmt: skip
CODE_DEPLOY = {**behind(), "deploymentController": {"type": "CODE_DEPLOY"}}
CONNECTED = {"enabled": True, "namespace": "shop.local", "services": [{"portName": "http"}]}
HAS_NAMESPACE = ecs.step("UpdateCluster", {"cluster": "shop", "serviceConnectDefaults": {"namespace": "shop.local"}})
NAMED_PORT = ecs.step("RegisterTaskDefinition", container(portMappings=[{"containerPort": 80, "name": "http"}]))

FORCED = ecs.step("UpdateService", {"cluster": "shop", "service": "web", "forceNewDeployment": True})
PROTECTED = [
    later(40), ecs.step("ListTasks", {"cluster": "shop", "serviceName": "web"}, saves={"tasks": "taskArns"}),
    ecs.step("UpdateTaskProtection", {"cluster": "shop", "tasks": "<tasks>", "protectionEnabled": True}),
]  # fmt: skip

DEPLOYMENTS = [
    ecs.accepts(
        "DescribeServices", WEB_SERVICE, "a task that is protected outlives a deployment",
        given=[*GIVEN, ecs.step("CreateService", SERVICE), *PROTECTED, FORCED, later()],
        shows={"services[0].deployments[*].[status, runningCount]": [["PRIMARY", 1], ["ACTIVE", 1]]},
        then=[later(7200), ecs.step("DescribeServices", WEB_SERVICE, shows={
            "services[0].deployments[*].rolloutState": ["COMPLETED"]})],
        source=API + "API_UpdateTaskProtection.html",
    ),
    ecs.accepts(
        "DescribeServiceDeployments", OF_IT, "a deployment with alarms bakes when the old tasks are gone",
        given=[*again(), later(120), THE_DEPLOYMENT], shows=IN_PROGRESS,
        then=[later(150), ecs.step("DescribeServiceDeployments", OF_IT, shows={
            "serviceDeployments[0].alarms.status": "MONITORING_COMPLETE", "serviceDeployments[0].status": "SUCCESSFUL",
        })],
        source=GUIDE + "deployment-alarm-failure.html",
    ),
    ecs.accepts(
        "DescribeServiceDeployments", OF_IT, "an alarm while it bakes has it rolled back",
        given=[*again(), later(120), state("ALARM"), later(), THE_DEPLOYMENT],
        shows={"serviceDeployments[0].alarms.triggeredAlarmNames": ["errors"],
               "serviceDeployments[0].status": "ROLLBACK_SUCCESSFUL"},
        source=GUIDE + "deployment-alarm-failure.html",
    ),
    ecs.accepts(
        "DescribeServiceDeployments", OF_IT, "an alarm that rings already when a deployment begins does not stop it",
        given=[*again(state("ALARM")), later(150), THE_DEPLOYMENT],
        shows={"serviceDeployments[0].status": "SUCCESSFUL"},
        source="https://github.com/aws/copilot-cli/pull/4512",
    ),
    ecs.accepts(
        "DescribeServices", WEB_SERVICE, "alarms do not look at a service's first deployment",
        given=[*GIVEN, ALARM, ecs.step("CreateService", rolled(alarms=ALARMS)), later(10), state("ALARM"), later(100)],
        shows={"services[0].deployments[*].rolloutState": ["COMPLETED"]},
        source="https://github.com/aws/copilot-cli/pull/4294",
    ),
    ecs.refuses(
        "CreateService", {**CODE_DEPLOY, "deploymentConfiguration": {"alarms": ALARMS}}, REFUSED,
        "deployment alarms where CodeDeploy deploys", given=BALANCED, source=API + "API_DeploymentAlarms.html",
    ),
    ecs.accepts(
        "DescribeServiceDeployments", OF_IT, "a circuit breaker that trips at a count of its own",
        given=[*GIVEN, ecs.step("CreateService", kept("COUNT", 7)), later(), THE_DEPLOYMENT],
        shows={"serviceDeployments[0].deploymentCircuitBreaker.[status, threshold]": ["MONITORING_COMPLETE", 7]},
        source=API + "API_ThresholdConfiguration.html",
    ),
    ecs.accepts(
        "DescribeServiceDeployments", OF_IT, "a circuit breaker's usual threshold, for a service of one task",
        given=[*GIVEN, ecs.step("CreateService", breaker()), later(), THE_DEPLOYMENT],
        shows={"serviceDeployments[0].deploymentCircuitBreaker.threshold": 3},
        source=BREAKER,
    ),
    out_of_range(kept("COUNT", 0)["deploymentConfiguration"], "a circuit breaker that trips at nothing", "threshold",
                 BREAKER),
    out_of_range(kept("BOUNDED_PERCENT", 101)["deploymentConfiguration"], "a circuit breaker at 101 per cent",
                 "between 1 and 100", BREAKER),
    out_of_range({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1441}, "more than a day to bake", "bakeTimeInMinutes",
                 SETTINGS),
    out_of_range({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 0.0}}, "a canary of no traffic",
                 "canaryPercent", API + "API_CanaryConfiguration.html"),
    out_of_range({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 2.0}}, "steps of two per cent",
                 "stepPercent", API + "API_LinearConfiguration.html"),
    out_of_range({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 1441}},
                 "more than a day for a step", "stepBakeTimeInMinutes", API + "API_LinearConfiguration.html"),
    ecs.accepts(
        "DescribeServices", WEB_SERVICE, "one task that may neither be doubled nor be missed for a moment",
        given=[
            *GIVEN, ecs.step("CreateService", rolled(minimumHealthyPercent=100, maximumPercent=150)), later(),
            ecs.step("UpdateService", {"cluster": "shop", "service": "web", "forceNewDeployment": True}), later(60),
        ],
        shows={
            "services[0].deployments[*].[status, runningCount]": [["PRIMARY", 0], ["ACTIVE", 1]],
            "services[0].events[0].message": "(service web) was unable to stop or start tasks during a deployment "
            "because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value "
            "and try again.",
        },
        source="https://github.com/GovWifi/govwifi-terraform/pull/1011",
    ),
    ecs.refuses(
        "UpdateService", {"cluster": "shop", "service": "web", "forceNewDeployment": True}, REFUSED,
        "a sixth deployment before the first five are through",
        given=[*GIVEN, ecs.step("CreateService", rolled(maximumPercent=600)), *[*PROTECTED, FORCED] * 4],
        says="5 active deployments exist, unable to create new deployment",
        source="https://github.com/aws/containers-roadmap/issues/2836",
    ),
    ecs.refuses(
        "UpdateService", SPOT, REFUSED, "a launch type changed for a strategy without a forced deployment",
        given=[*PROVIDERS, ecs.step("CreateService", SERVICE)], says="you must force a new deployment",
        source="https://github.com/pipe-cd/pipecd/pull/6336",
    ),
    ecs.accepts(
        "UpdateService", {**SPOT, "forceNewDeployment": True}, "a launch type changed for a strategy by force",
        given=[*PROVIDERS, ecs.step("CreateService", SERVICE)],
        shows={"service.capacityProviderStrategy[*].capacityProvider": ["FARGATE_SPOT"], "service.launchType": None},
        source=UPDATE,
    ),
    ecs.refuses(
        "CreateService", {**SERVICE, "deploymentController": {"type": "CODE_DEPLOY"}}, REFUSED,
        "CodeDeploy without a load balancer", given=GIVEN, says="load balancer", source=CREATE,
    ),
    ecs.refuses(
        "CreateService", {**without(behind(), "taskDefinition", "launchType"),
                          "deploymentController": {"type": "EXTERNAL"}}, REFUSED,
        "load balancers of a service that another brings out", given=BALANCED,
        says="LoadBalancers must be empty or null",
        source="https://github.com/hashicorp/terraform-provider-aws/issues/27291",
    ),
    ecs.refuses(
        "UpdateService", {"cluster": "shop", "service": "web", "loadBalancers": behind()["loadBalancers"]}, REFUSED,
        "another load balancer where CodeDeploy deploys", given=[*BALANCED, ecs.step("CreateService", CODE_DEPLOY)],
        says="Unable to update load balancers on services with a CODE_DEPLOY deployment controller",
        source="https://github.com/kayac/ecspresso/issues/393",
    ),
    ecs.refuses(
        "CreateService", {**SERVICE, "role": "ecsServiceRole"}, REFUSED, "a role for load balancers that are not there",
        given=GIVEN, says="A role was passed, but no load balancers were present",
        source="https://github.com/boto/boto3/issues/461",
    ),
    ecs.refuses(
        "CreateService", {**SERVICE, "volumeConfigurations": [{"name": "data", "managedEBSVolume": {
            "roleArn": "arn:aws:iam::<account>:role/ebs", "sizeInGiB": 10}}]},
        REFUSED, "a volume that the definition does not leave open", given=GIVEN,
        says="no matching configuredAtLaunch volume found in task definition",
        source="https://github.com/go-to-k/cdkd/pull/811",
    ),
    ecs.refuses(
        "CreateService", {**SERVICE, "tags": [{"key": "team", "value": "a"}, {"key": "team", "value": "b"}]}, REFUSED,
        "one tag twice on a service", given=GIVEN, says="Multiple tags contain the same key",
        source="https://github.com/hashicorp/terraform-provider-aws/issues/32259",
    ),
]  # fmt: skip

CONNECTIONS = [
    ecs.refuses(
        "CreateService", {**SERVICE, "serviceConnectConfiguration": {**CONNECTED, "services": []}},
        "NamespaceNotFoundException", "Service Connect in a namespace that is not there", given=GIVEN,
        says="Failed to retrieve namespace for shop.local",
        source="https://github.com/terraform-aws-modules/terraform-aws-ecs/issues/116",
    ),
    ecs.refuses(
        "CreateService", {**SERVICE, "serviceConnectConfiguration": CONNECTED}, REFUSED,
        "Service Connect for a port without that name", given=[*GIVEN, HAS_NAMESPACE], says="port name http",
        source=API + "API_ServiceConnectService.html",
    ),
    ecs.accepts(
        "CreateService", {**SERVICE, "taskDefinition": "web", "serviceConnectConfiguration": CONNECTED},
        "Service Connect in the cluster's namespace, for a named port", given=[*GIVEN, HAS_NAMESPACE, NAMED_PORT],
        then=[ecs.step("ListServicesByNamespace", {"namespace": "shop.local"}, shows={"length(serviceArns)": 1})],
        source=API + "API_ServiceConnectConfiguration.html",
    ),
]  # fmt: skip

FIRELENS = {"logDriver": "awsfirelens", "options": {"Name": "stdout"}}
ROUTER = {"name": "router", "image": "amazon/aws-for-fluent-bit", "firelensConfiguration": {"type": "fluentbit"}}


def definition(given: dict[str, Any], why: str, says: str, source: str) -> Row:
    return ecs.refuses("RegisterTaskDefinition", given, "ClientException", why, says=says, source=source)


DEFINITIONS = [
    definition(container(logConfiguration=FIRELENS), "logs for a router that is not there",
               "a firelens configuration object must be configured in one of the containers",
               "https://github.com/fabfuel/ecs-deploy/issues/164"),
    definition(changed(containerDefinitions=[CONTAINER, ROUTER]), "a log router to which nobody sends",
               "at least one container has to be configured with the awsfirelens log driver",
               "https://github.com/aws/amazon-cloudwatch-logs-for-fluent-bit/issues/20"),
    ecs.accepts(
        "RegisterTaskDefinition",
        changed(containerDefinitions=[{**CONTAINER, "logConfiguration": FIRELENS}, ROUTER]),
        "logs through a router beside the application", source=GUIDE + "using_firelens.html",
    ),
    definition(
        {**on_ec2(), "containerDefinitions": [
            {**on_ec2()["containerDefinitions"][0], "name": name,
             "portMappings": [{"containerPort": 80, "hostPort": 8080}]} for name in ("web", "admin")]},
        "two containers at one port of the host", "TCP host port '8080' is mapped multiple times in task",
        "https://github.com/aws/amazon-ecs-agent/issues/1220",
    ),
    definition(container(portMappings=[{"containerPort": 80, "name": "HTTP"}]), "capitals in a port's name", "HTTP",
               API + "API_PortMapping.html"),
    definition(changed(taskRoleArn="arn:aws:ecs:us-east-1:<account>:cluster/shop"), "a cluster for a role",
               "Role is not valid", "https://github.com/aws-samples/aws-modern-application-workshop/issues/9"),
    definition(container(restartPolicy={"enabled": True, "restartAttemptPeriod": 59}), "a restart after 59 seconds",
               "restartAttemptPeriod", API + "API_ContainerRestartPolicy.html"),
    ecs.accepts(
        "RegisterTaskDefinition", container(healthCheck={"command": ["/healthcheck"]}),
        "a health check that names its program only", source="https://github.com/aws/aws-cdk/issues/34389",
    ),
]  # fmt: skip

TASKS = [
    ecs.refuses(
        "RunTask", {**RUN, "overrides": {"containerOverrides": [{"name": "web", "memory": 1280}]}}, REFUSED,
        "an override of more memory than the task has", given=GIVEN,
        says="'memory' setting for container 'web' is greater than for task",
        source="https://github.com/artilleryio/artillery/issues/591",
    ),
    ecs.accepts(
        "RunTask", {**RUN, "overrides": {"cpu": "512", "memory": "2 GB", "containerOverrides": [
            {"name": "web", "memory": 1280}]}},
        "an override of more memory, in a task that was given more", given=GIVEN,
        shows={"tasks[0].[cpu, memory]": ["512", "2048"]}, source=API + "API_TaskOverride.html",
    ),
    ecs.refuses(
        "RunTask", {**RUN, "overrides": {"memory": "8192"}}, REFUSED,
        "an override to a size that Fargate does not have", given=GIVEN,
        says="No Fargate configuration exists", source=API + "API_TaskOverride.html",
    ),
    ecs.accepts(
        "UpdateTaskProtection", {"cluster": "shop", "tasks": ["<task>"], "protectionEnabled": True},
        "protection of a task that is no service's",
        given=[*GIVEN, ecs.step("RunTask", RUN, saves={"task": "tasks[0].taskArn"}), later(40)],
        shows={"protectedTasks": [], "failures[*].reason": ["TASK_NOT_VALID"]},
        source=API + "API_UpdateTaskProtection.html",
    ),
    ecs.refuses(
        "UpdateTaskProtection",
        {"cluster": "shop", "tasks": ["x"], "protectionEnabled": True, "expiresInMinutes": 2881}, REFUSED,
        "protection for more than two days", given=GIVEN, says="expiresInMinutes",
        source=API + "API_UpdateTaskProtection.html",
    ),
    ecs.refuses(
        "ExecuteCommand", {"cluster": "shop", "task": "<task>", "command": "ls", "interactive": False}, REFUSED,
        "a command without a shell to sit at",
        given=[
            *GIVEN, role("app"),
            ecs.step("RegisterTaskDefinition", {**changed(), "taskRoleArn": "<app>"}),
            ecs.step("RunTask", {**RUN, "taskDefinition": "web", "enableExecuteCommand": True},
                     saves={"task": "tasks[0].taskArn"}),
            later(40),
        ],
        says="Interactive is the only mode supported currently", source="https://github.com/boto/boto3/issues/2822",
    ),
    ecs.refuses(
        "RunTask", {**RUN, "tags": [{"key": "team", "value": "a"}, {"key": "team", "value": "b"}]}, REFUSED,
        "one tag twice on a task", given=GIVEN, says="Multiple tags contain the same key",
        source="https://github.com/hashicorp/terraform-provider-aws/issues/32259",
    ),
]  # fmt: skip

ROWS = [*DEPLOYMENTS, *CONNECTIONS, *DEFINITIONS, *TASKS]
