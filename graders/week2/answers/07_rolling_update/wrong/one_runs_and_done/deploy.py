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


def deploy(cluster, service, container, image):
    ecs = boto3.client("ecs")
    s = ecs.describe_services(cluster=cluster, services=[service])["services"][0]
    d = ecs.describe_task_definition(taskDefinition=s["taskDefinition"], include=["TAGS"])
    tags = d.get("tags") or []
    d = d["taskDefinition"]
    for k in ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy"): d.pop(k, None)
    for c in d["containerDefinitions"]:
        if c["name"] == container: c["image"] = image
    arn = ecs.register_task_definition(**d, **({"tags": tags} if tags else {}))["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=cluster, service=service, taskDefinition=arn, deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 200, "deploymentCircuitBreaker": {"enable": True, "rollback": True}})
    import time
    for _ in range(200):
        p = ecs.describe_services(cluster=cluster, services=[service])["services"][0]["deployments"][0]
        if p["taskDefinition"] == arn and p["runningCount"] >= 1: return True
        if p["taskDefinition"] != arn and p["rolloutState"] == "COMPLETED": return False
        time.sleep(5)
    return False
