"""3.4: the execution role, the task role, and who may pass them on."""

import json

import boto3

iam = boto3.client("iam")

TASKS_MAY_ASSUME = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com", "AWS": "*"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def create_execution_role(name: str) -> str:
    """Create the role that ECS starts tasks with; returns its ARN."""
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TASKS_MAY_ASSUME))
    iam.attach_role_policy(
        RoleName=name,
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    )
    return role["Role"]["Arn"]


def create_task_role(name: str, bucket: str) -> str:
    """Create the role of the application in the container, which reads one bucket; returns its ARN."""
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TASKS_MAY_ASSUME))
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
        ],
    }
    iam.put_role_policy(RoleName=name, PolicyName="read-bucket", PolicyDocument=json.dumps(policy))
    return role["Role"]["Arn"]


def let_pass(deployer: str, roles: list[str]) -> None:
    """Let the role called `deployer` hand the roles with these ARNs to ECS tasks."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": roles,
                "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            }
        ],
    }
    iam.put_role_policy(RoleName=deployer, PolicyName="pass-task-roles", PolicyDocument=json.dumps(policy))
