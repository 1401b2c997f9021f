"""4.2: security groups. The task is in README.md beside this file."""

import boto3


def create_security_groups(name: str, vpc_id: str, port: int, database_port: int) -> dict[str, str]:
    """Three groups in a chain: load_balancer, service, database; returns their ids."""
    # TODO: your code
    raise NotImplementedError


def close_service(service: str, load_balancer: str, port: int) -> None:
    """Leave the load balancer's way to the service's port, and take away every other way in."""
    # TODO: your code
    raise NotImplementedError
