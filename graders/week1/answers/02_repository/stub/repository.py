"""1.2: a private repository. The task is in README.md beside this file."""

import boto3


def create_repository(name: str, tags: dict[str, str], kms_key: str | None = None) -> str:
    """Make sure that the private repository exists as it should be; return its URI."""
    ecr = boto3.client("ecr")
    # TODO: your code
    raise NotImplementedError
