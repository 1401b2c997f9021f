"""4.3: what the container said."""

import time
from contextlib import suppress

import boto3


def create_log_group(name: str, days: int) -> None:
    """A log group that keeps what is written to it for so many days; it may be there already."""
    logs = boto3.client("logs")
    with suppress(logs.exceptions.ResourceNotFoundException):
        logs.delete_log_group(logGroupName=name)
    logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=days)


def find_lines(log_group: str, text: str, minutes: int) -> list[str]:
    """All lines of the last minutes that contain the text, oldest first."""
    pages = boto3.client("logs").get_paginator("filter_log_events")
    found = [
        event
        for page in pages.paginate(
            logGroupName=log_group,
            startTime=int((time.time() - minutes * 60) * 1000),
            filterPattern=f'"{text}"',
        )
        for event in page["events"]
    ]
    return [event["message"] for event in sorted(found, key=lambda event: event["timestamp"])]
