"""4.3: what the container said."""

import time
from contextlib import suppress

import boto3


def create_log_group(name: str, days: int) -> None:
    """A log group that keeps what is written to it for so many days; it may be there already."""
    logs = boto3.client("logs")
    there = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    if not any(group["logGroupName"] == name for group in there):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=days)


def find_lines(log_group: str, text: str, minutes: int) -> list[str]:
    """All lines of the last minutes that contain the text, oldest first."""
    logs = boto3.client("logs")
    found, token = [], {}
    while True:
        page = logs.filter_log_events(
            logGroupName=log_group, startTime=int(time.time() - minutes * 60) * 1000, **token
        )
        found += [event for event in page["events"] if text in event["message"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    found.sort(key=lambda event: event["timestamp"])
    return [event["message"] for event in found]
