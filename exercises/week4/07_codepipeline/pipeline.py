"""Create a pipeline that brings every commit of a branch to an ECS service."""

import boto3  # noqa: F401


def create_pipeline(
    name, connection_arn, repository, branch, bucket, image_repository, cluster, service, container, task_roles
):
    """Create the CodeBuild project and the pipeline, both called `name`, with a role for each.

    connection_arn    a connection to GitHub that is ready for use
    repository        the repository on GitHub, such as "acme/shop"
    branch            the branch whose commits are delivered
    bucket            an S3 bucket for the pipeline's artifacts
    image_repository  the name of the ECR repository for the images
    cluster, service  where the ECS service runs
    container         the name of its container that gets the new image
    task_roles        the ARNs of the execution role and the task role of the service's tasks
    """
    raise NotImplementedError
