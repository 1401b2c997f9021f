"""3.6: a service that follows its load. The task is in README.md beside this file."""

import boto3


def enable_scaling(cluster: str, service: str, minimum: int, maximum: int, cpu: float) -> None:
    """From now on the service runs as many tasks as it takes to keep their average CPU about `cpu` per cent."""
    # TODO: your code
    raise NotImplementedError


def scaling_history(cluster: str, service: str) -> list[int]:
    """The task counts that scaling has set, oldest first."""
    # TODO: your code
    raise NotImplementedError
