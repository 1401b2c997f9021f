import json
import boto3

session = boto3.Session()
iam = session.resource("iam")


def _trust(account):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:*:{account}:*"}}}]})


def _account():
    return session.client("sts").get_caller_identity()["Account"]


def create_execution_role(name):
    account, region = _account(), session.region_name
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust(account), Description="pulls and logs", MaxSessionDuration=3600)
    policy = iam.create_policy(PolicyName=f"{name}-policy", Path="/ecs/", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"], "Resource": f"arn:aws:ecr:{region}:{account}:repository/*"},
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"arn:aws:logs:{region}:{account}:log-group:*:log-stream:*"}]}))
    role.attach_policy(PolicyArn=policy.arn)
    return role.arn


def create_task_role(name, bucket):
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust(_account()))
    iam.RolePolicy(name, "s3").put(PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject*", "s3:List*"], "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}))
    return role.arn


def let_pass(deployer, roles):
    iam.Role(deployer).Policy("pass").put(PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["iam:GetRole", "iam:PassRole"], "Resource": [arn], "Condition": {"StringLike": {"iam:PassedToService": "ecs*"}}} for arn in roles]}))
