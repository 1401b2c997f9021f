"""4.3: what the container said."""

import time
from contextlib import suppress

import boto3


def create_log_group(name: str, days: int) -> None:
    """A log group that keeps what is written to it for so many days; it may be there already."""
    logs = boto3.client("logs")
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=days)


def find_lines(log_group: str, text: str, minutes: int) -> list[str]:
    """All lines of the last minutes that contain the text, oldest first."""
    logs = boto3.client("logs")
    since = int((time.time() - minutes * 60) * 1000)
    found = []
    for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=log_group):
        for stream in page["logStreams"]:
            name, token = stream["logStreamName"], None
            while True:
                more = {"nextToken": token} if token else {}
                answer = logs.get_log_events(
                    logGroupName=log_group, logStreamName=name, startTime=since, startFromHead=True, **more
                )
                found += [(event["timestamp"], event["message"]) for event in answer["events"]]
                if answer["nextForwardToken"] == token:
                    break
                token = answer["nextForwardToken"]
    return [message for _, message in sorted(found) if text in message]
