import time
import boto3

logs = boto3.Session().client("logs")


def create_log_group(name: str, days: int) -> None:
    found = [g for p in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name) for g in p["logGroups"]]
    if name not in {g["logGroupName"] for g in found}:
        logs.create_log_group(logGroupName=name, logGroupClass="STANDARD", tags={"app": "shop"})
    logs.put_retention_policy(logGroupName=name, retentionInDays=days)


def find_lines(log_group: str, text: str, minutes: int) -> list[str]:
    now = int(time.time())
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    query = logs.start_query(logGroupNames=[log_group], startTime=now - minutes * 60, endTime=now + 60, limit=10000,
                             queryString=f'fields @timestamp, @message\n| filter strcontains(@message, "{quoted}")\n| sort @timestamp asc')["queryId"]
    while (answer := logs.get_query_results(queryId=query))["status"] in ("Scheduled", "Running"):
        time.sleep(0.5)
    return [next(f["value"] for f in row if f["field"] == "@message").rstrip("\n") for row in answer["results"]]
