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
    messages, more = [], {}
    while True:
        page = logs.filter_log_events(
            logGroupName=log_group,
            startTime=int((time.time() - minutes * 60) * 1000),
            filterPattern=f'"{text}"',
            **more,
        )
        messages += [event["message"] for event in page["events"]]
        if not page["events"] or "nextToken" not in page:
            return messages
        more = {"nextToken": page["nextToken"]}
