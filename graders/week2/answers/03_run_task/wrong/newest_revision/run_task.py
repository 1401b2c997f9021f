"""2.3: a task run by hand: start it, wait for it, find it, stop it."""

import boto3
from botocore.exceptions import WaiterError


def start(cluster: str, task_definition: str, network: dict | None, launch_type: str = "FARGATE") -> str:
    """Run one task, wait until it is RUNNING; its ARN. Raises RuntimeError, with AWS's reason, where it is not."""
    ecs = boto3.client("ecs")
    where = {}
    if network:
        where["networkConfiguration"] = {"awsvpcConfiguration": {**network, "assignPublicIp": "ENABLED"}}
    answer = ecs.run_task(cluster=cluster, taskDefinition=task_definition, launchType=launch_type, **where)
    if answer["failures"]:
        reasons = ", ".join(f"{one.get('arn', '')}: {one['reason']}" for one in answer["failures"])
        raise RuntimeError(f"the task was not started: {reasons}")
    task = answer["tasks"][0]["taskArn"]
    try:
        ecs.get_waiter("tasks_running").wait(cluster=cluster, tasks=[task])
    except WaiterError:
        found = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"][0]
        if found["lastStatus"] != "STOPPED":
            ecs.stop_task(cluster=cluster, task=task, reason="it did not come up in time")
        ends = [f"{one['name']}: exit {one.get('exitCode')} {one.get('reason', '')}" for one in found["containers"]]
        raise RuntimeError(f"the task stopped: {found.get('stoppedReason')} ({'; '.join(ends)})") from None
    return task


def address(cluster: str, task: str) -> str:
    """The public IPv4 address of a running task."""
    found = boto3.client("ecs").describe_tasks(cluster=cluster, tasks=[task])["tasks"][0]
    details = {one["name"]: one["value"] for one in found["attachments"][0]["details"]}
    interface = boto3.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
    return interface["NetworkInterfaces"][0]["Association"]["PublicIp"]


def stop(cluster: str, task: str) -> None:
    """Stop the task, and wait until it has stopped."""
    ecs = boto3.client("ecs")
    ecs.stop_task(cluster=cluster, task=task, reason="no longer needed")
    ecs.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=[task])


_s = start
def start(cluster, task_definition, network, launch_type="FARGATE"):
    return _s(cluster, task_definition.split("/")[-1].split(":")[0], network, launch_type)
