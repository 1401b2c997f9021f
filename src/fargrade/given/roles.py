"""Roles that are there before the learner begins: execution and task roles, a deployer, those of EC2 and others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fargrade.backends.world import World

EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
INSTANCE_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
LOAD_BALANCER_POLICY = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
CODE_DEPLOY_POLICY = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS"
# docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonECSTaskExecutionRolePolicy.html
EQUIVALENT: Mapping[str, Sequence[Mapping[str, Any]]] = {
    EXECUTION_POLICY: [
        {
            "Action": [
                *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"),
                *("ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents"),
            ],
            "Resource": "*",
        }
    ]
}
ECS_TASKS = "ecs-tasks.amazonaws.com"


def role(
    world: World,
    name: str,
    trusts: str | Mapping[str, Any] = ECS_TASKS,
    *,
    managed: Sequence[str] = (),
    statements: Sequence[Mapping[str, Any]] = (),
) -> str:
    """A role that the service `trusts` (or whoever such a trust policy says) may assume; returns its ARN.

    `managed` names policies by ARN; `statements` make up its one inline policy.
    """
    iam = world.client("iam")
    name = world.named(name)
    trust = trusts if isinstance(trusts, Mapping) else trust_policy(trusts)
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    statements = [*statements, *(one for policy in managed for one in _attached(iam, name, policy))]
    if statements:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document))
    return arn


def _attached(iam: Any, name: str, policy: str) -> Sequence[Mapping[str, Any]]:
    """Attach AWS's own policy; the statements to give in its place where a backend does not know it."""
    try:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    except iam.exceptions.NoSuchEntityException:
        if policy not in EQUIVALENT:
            raise
        return EQUIVALENT[policy]
    return ()


def trust_policy(service: str) -> dict[str, Any]:
    """The trust policy of a role for one AWS service."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def execution_role(world: World, name: str = "ecsTaskExecutionRole") -> str:
    """The task execution role as the console makes it: pulls images, writes logs."""
    return role(world, name, managed=[EXECUTION_POLICY])


def task_role(world: World, name: str = "app-task-role", statements: Sequence[Mapping[str, Any]] = ()) -> str:
    """A role for the application in the container, with these rights."""
    return role(world, name, statements=statements)


def instance_role(world: World, name: str = "ecsInstanceRole") -> str:
    """The role of an EC2 container instance, with its instance profile of the same name; returns the role's ARN."""
    arn = role(world, name, "ec2.amazonaws.com", managed=[INSTANCE_POLICY])
    iam = world.client("iam")
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return arn


def load_balancer_role(world: World, name: str = "ecsInfrastructureRole") -> str:
    """The role with which ECS shifts a load balancer's traffic in its own blue/green deployments."""
    return role(world, name, "ecs.amazonaws.com", managed=[LOAD_BALANCER_POLICY])


def code_deploy_role(world: World, name: str = "ecsCodeDeployRole") -> str:
    """The role with which CodeDeploy deploys to ECS."""
    return role(world, name, "codedeploy.amazonaws.com", managed=[CODE_DEPLOY_POLICY])


def deployer(world: World, passes: Sequence[str] = (), name: str = "deployer") -> str:
    """A role for whoever deploys: all of ECS, and passing the roles `passes` (ARNs) to tasks."""
    statements: list[dict[str, Any]] = [{"Action": "ecs:*", "Resource": "*"}]
    if passes:
        passed = {"StringEquals": {"iam:PassedToService": ECS_TASKS}}
        statements.append({"Action": "iam:PassRole", "Resource": list(passes), "Condition": passed})
    trust = trust_policy("")
    trust["Statement"][0]["Principal"] = {"AWS": f"arn:aws:iam::{world.account}:root"}
    return role(world, name, trust, statements=statements)
