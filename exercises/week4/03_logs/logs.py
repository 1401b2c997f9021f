"""4.3: what the container said. The task is in README.md beside this file."""

import boto3


def create_log_group(name: str, days: int) -> None:
    """A log group that keeps what is written to it for so many days; it may be there already."""
    # TODO: your code
    raise NotImplementedError


def find_lines(log_group: str, text: str, minutes: int) -> list[str]:
    """All lines of the last minutes that contain the text, oldest first."""
    # TODO: your code
    raise NotImplementedError
