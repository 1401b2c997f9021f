import time
import boto3

GONE = ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy", "deregisteredAt")


def new_revision(ecs, current, container, image):
    found = ecs.describe_task_definition(taskDefinition=current, include=["TAGS"])
    definition = {k: v for k, v in found["taskDefinition"].items() if k not in GONE}
    for one in definition["containerDefinitions"]:
        if one["name"] == container:
            one["image"] = image
    if found.get("tags"):
        definition["tags"] = found["tags"]
    definition = {k: definition[k] for k in ("family", "networkMode", "containerDefinitions", "requiresCompatibilities", "cpu", "memory", "executionRoleArn", "tags") if k in definition}
    return ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]


def deploy(cluster, service, container, image):
    ecs = boto3.client("ecs")
    now = ecs.describe_services(cluster=cluster, services=[service])["services"][0]
    revision = new_revision(ecs, now["taskDefinition"], container, image)
    updated = ecs.update_service(
        cluster=cluster,
        service=service,
        taskDefinition=revision,
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
        },
    )["service"]
    mine = next(d["id"] for d in updated["deployments"] if d["status"] == "PRIMARY")
    while True:
        time.sleep(10)
        found = ecs.describe_services(cluster=cluster, services=[service])["services"][0]
        for one in found["deployments"]:
            if one["id"] == mine and one["rolloutState"] != "IN_PROGRESS":
                if one["rolloutState"] == "COMPLETED":
                    return True
        if not any(one["id"] == mine for one in found["deployments"]) or found["taskDefinition"] != revision:
            ecs.get_waiter("services_stable").wait(cluster=cluster, services=[service])
            return False
