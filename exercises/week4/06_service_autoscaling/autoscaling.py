"""4.6: a service behind a load balancer that holds its CPU at 70 %. The task is in README.md beside this file."""

import boto3


def deploy(
    cluster: str, service: str, task_definition: str, target_group: str, subnets: list[str], security_group: str
) -> None:
    """The service, behind the target group, with as many tasks as its CPU takes."""
    # TODO: your code
    raise NotImplementedError
