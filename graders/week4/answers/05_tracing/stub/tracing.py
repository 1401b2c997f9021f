"""4.5: a trace of each order. The task is in README.md beside this file."""

import time

import boto3


def work(step: dict) -> None:
    """The work of a step. It is given: leave it as it is."""
    time.sleep(step["seconds"])
    if step["fails"]:
        raise RuntimeError(f"{step['name']} failed")


def allow_tracing(task_role: str, execution_role: str) -> None:
    """Give the role that needs it the right to send traces."""
    # TODO: your code
    raise NotImplementedError


def handle_order(order_id: str, steps: list[dict]) -> None:
    """Do the steps in their order, and send one trace of it."""
    # TODO: your code
    raise NotImplementedError
