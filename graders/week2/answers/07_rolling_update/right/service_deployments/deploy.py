import time
import boto3

def deploy(cluster: str, service: str, container: str, image: str) -> bool:
    ecs = boto3.client("ecs")
    now = ecs.describe_services(cluster=cluster, services=[service])["services"][0]
    td = ecs.describe_task_definition(taskDefinition=now["taskDefinition"], include=["TAGS"])
    model = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    new = {k: v for k, v in td["taskDefinition"].items() if k in model}
    new["containerDefinitions"] = [dict(c, image=image) if c["name"] == container else c for c in new["containerDefinitions"]]
    if td.get("tags"): new["tags"] = td["tags"]
    arn = ecs.register_task_definition(**new)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=cluster, service=service, taskDefinition=arn, deploymentConfiguration={
        "minimumHealthyPercent": 100, "maximumPercent": 150, "deploymentCircuitBreaker": {"enable": True, "rollback": True}})
    time.sleep(1)
    while True:
        got = ecs.list_service_deployments(cluster=cluster, service=service)["serviceDeployments"]
        last = max(got, key=lambda x: x["createdAt"])
        if last["status"] == "SUCCESSFUL": return True
        if last["status"] in ("ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED"): return False
        time.sleep(10)
