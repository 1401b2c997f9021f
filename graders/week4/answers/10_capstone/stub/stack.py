"""The whole way: from a commit to users, logged, alarmed, scaled."""

import boto3  # noqa: F401


def build(name, connection_arn, repository, branch):
    """Create everything that brings the commits of a branch to users, and return when the service is stable.

    The ECR repository, the cluster, the service and the pipeline are all called `name`.
    connection_arn      a connection to GitHub that is ready for use
    repository, branch  where the commits come from, such as "acme/shop" and "main"
    """
    raise NotImplementedError
