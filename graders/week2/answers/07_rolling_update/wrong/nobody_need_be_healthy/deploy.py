"""2.7: a new image, rolled out with the circuit breaker; a bad one rolls back by itself."""

import time

import boto3

# What describe_task_definition adds to what register_task_definition takes.
ADDED = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
)


def deploy(cluster: str, service: str, container: str, image: str) -> bool:
    """Roll the image out; True when it serves, False when the service went back to the one before."""
    ecs = boto3.client("ecs")
    running = ecs.describe_services(cluster=cluster, services=[service])["services"][0]["taskDefinition"]
    definition = revision(ecs, running, container, image)
    ecs.update_service(
        cluster=cluster,
        service=service,
        taskDefinition=definition,
        deploymentConfiguration={
            "minimumHealthyPercent": 0,
            "maximumPercent": 100,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
    )
    while True:
        now = ecs.describe_services(cluster=cluster, services=[service])["services"][0]
        primary = next(one for one in now["deployments"] if one["status"] == "PRIMARY")
        if primary["rolloutState"] == "COMPLETED" and len(now["deployments"]) == 1:
            return primary["taskDefinition"] == definition
        time.sleep(10)


def revision(ecs, running: str, container: str, image: str) -> str:
    """A new revision of the running definition, with this container's image and nothing else changed; its ARN."""
    given = ecs.describe_task_definition(taskDefinition=running, include=["TAGS"])
    definition = {key: value for key, value in given["taskDefinition"].items() if key not in ADDED}
    for one in definition["containerDefinitions"]:
        if one["name"] == container:
            one["image"] = image
    if given.get("tags"):
        definition["tags"] = given["tags"]
    return ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
