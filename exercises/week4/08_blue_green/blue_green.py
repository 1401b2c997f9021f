"""A service whose new versions come up beside the old one, get the traffic when well, and give it back if not."""

import boto3  # noqa: F401


def create_service(
    name, cluster, task_definition, subnets, security_groups, target_groups, listener, test_listener, alarm, roles
):
    """Create the service `name` with two Fargate tasks, and whatever deploys it, and return when it is stable.

    task_definition   the ARN of the first version; its container is called "web" and listens on port 8080
    target_groups     the ARNs of two target groups; both listeners forward to the first
    listener          the ARN of the listener that customers use
    test_listener     the ARN of a second listener, for tests
    alarm             the name of a CloudWatch alarm: when it rings during a deployment, the traffic goes back
    roles             {"code_deploy": ARN, "ecs": ARN}: for CodeDeploy, and for ECS to shift a load balancer's traffic
    """
    raise NotImplementedError


def deploy(name, cluster, task_definition):
    """Bring out another version of the service; return True when it has all the traffic, False if it was taken back."""
    raise NotImplementedError
