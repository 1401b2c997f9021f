"""3.4: the execution role, the task role, and who may pass them on. The task is in README.md beside this file."""

import boto3


def create_execution_role(name: str) -> str:
    """Create the role that ECS starts tasks with; returns its ARN."""
    # TODO: your code
    raise NotImplementedError


def create_task_role(name: str, bucket: str) -> str:
    """Create the role of the application in the container, which reads one bucket; returns its ARN."""
    # TODO: your code
    raise NotImplementedError


def let_pass(deployer: str, roles: list[str]) -> None:
    """Let the role called `deployer` hand the roles with these ARNs to ECS tasks."""
    # TODO: your code
    raise NotImplementedError
