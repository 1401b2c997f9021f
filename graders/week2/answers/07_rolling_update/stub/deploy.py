"""2.7: a new image, rolled out. The task is in README.md beside this file."""

import boto3


def deploy(cluster: str, service: str, container: str, image: str) -> bool:
    """Roll the image out; True when it serves, False when the service went back to the one before."""
    # TODO: your code
    raise NotImplementedError
