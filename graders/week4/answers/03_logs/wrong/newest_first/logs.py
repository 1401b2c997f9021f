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
    now = int(time.time())
    query = logs.start_query(
        logGroupName=log_group,
        startTime=now - minutes * 60,
        endTime=now + 1,
        queryString=f'fields @message | filter @message like "{text}" | sort @timestamp desc | limit 10000',
    )["queryId"]
    answer = logs.get_query_results(queryId=query)
    while answer["status"] in ("Scheduled", "Running"):
        time.sleep(1)
        answer = logs.get_query_results(queryId=query)
    return [field["value"] for row in answer["results"] for field in row if field["field"] == "@message"]
