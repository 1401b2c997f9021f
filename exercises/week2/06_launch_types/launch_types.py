"""2.6: the same application on EC2 and on Fargate. The task is in README.md beside this file."""

import boto3


def on_fargate(
    cluster: str,
    name: str,
    image: str,
    execution_role: str,
    target_group: str,
    subnets: list[str],
    security_group: str,
    copies: int,
) -> None:
    """A service called `name` that runs `copies` of the image on Fargate, behind the target group (type ip)."""
    # TODO: your code
    raise NotImplementedError


def on_ec2(cluster: str, name: str, image: str, execution_role: str, target_group: str, copies: int) -> None:
    """A service called `name` that runs `copies` of the image on the cluster's instances, behind the target group."""
    # TODO: your code
    raise NotImplementedError
