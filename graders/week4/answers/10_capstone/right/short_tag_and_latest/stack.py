"""The whole way: from a commit to users, logged, alarmed, scaled."""

import json

import boto3

PORT = 80
FIRST_IMAGE = "public.ecr.aws/nginx/nginx:latest"  # until the first commit has been built


def build(name, connection_arn, repository, branch):
    """Create everything that brings the branch's commits to users. All of it is called `name`."""
    account = boto3.client("sts").get_caller_identity()["Account"]
    images = boto3.client("ecr").create_repository(
        repositoryName=name,
        imageTagMutability="MUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
    )["repository"]
    network = create_network(name)
    target_group = create_load_balancer(name, network)
    task_roles = [create_execution_role(name), create_role(f"{name}-task", "ecs-tasks.amazonaws.com", [])]
    create_service(name, network, target_group, task_roles)
    watch_and_scale(name)
    create_pipeline(name, connection_arn, repository, branch, images, task_roles, account)


def create_network(name):
    """A VPC with a public subnet in two zones; who reaches whom."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnets = []
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    for number, zone in enumerate(zones[:2]):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone["ZoneName"])
        subnets.append(subnet["Subnet"]["SubnetId"])
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[-1])
    outside = security_group(name + "-alb", vpc, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})
    inside = security_group(name + "-tasks", vpc, {"UserIdGroupPairs": [{"GroupId": outside}]})
    return {"vpc": vpc, "subnets": subnets, "outside": outside, "inside": inside}


def security_group(name, vpc, source):
    """A security group that lets the port in from one source."""
    ec2 = boto3.client("ec2")
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, **source}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    return group


def create_load_balancer(name, network):
    """An internet-facing load balancer with its listener; returns the target group for the service."""
    elb = boto3.client("elbv2")
    balancer = elb.create_load_balancer(
        Name=name, Subnets=network["subnets"], SecurityGroups=[network["outside"]], Scheme="internet-facing"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name=name, Protocol="HTTP", Port=PORT, VpcId=network["vpc"], TargetType="ip", HealthCheckPath="/"
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return group


def create_role(name, service, statements):
    """A role for an AWS service with these rights; returns its ARN."""
    iam = boto3.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    if statements:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(policy))
    return arn


def create_execution_role(name):
    """The role that pulls the image and writes the logs."""
    arn = create_role(f"{name}-execution", "ecs-tasks.amazonaws.com", [])
    boto3.client("iam").attach_role_policy(
        RoleName=f"{name}-execution",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    )
    return arn


def create_service(name, network, target_group, task_roles):
    """The log group, the cluster, the first task definition and the service."""
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=f"/ecs/{name}")
    logs.put_retention_policy(logGroupName=f"/ecs/{name}", retentionInDays=14)
    ecs = boto3.client("ecs")
    ecs.create_cluster(clusterName=name)
    execution_role, task_role = task_roles
    ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=execution_role,
        taskRoleArn=task_role,
        containerDefinitions=[
            {
                "name": "web",
                "image": FIRST_IMAGE,
                "essential": True,
                "portMappings": [{"containerPort": PORT}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": f"/ecs/{name}",
                        "awslogs-region": boto3.session.Session().region_name,
                        "awslogs-stream-prefix": "web",
                    },
                },
            }
        ],
    )
    ecs.create_service(
        cluster=name,
        serviceName=name,
        taskDefinition=name,
        desiredCount=2,
        launchType="FARGATE",
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": network["subnets"],
                "securityGroups": [network["inside"]],
                "assignPublicIp": "ENABLED",
            }
        },
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "web", "containerPort": PORT}],
    )
    ecs.get_waiter("services_stable").wait(cluster=name, services=[name])


def watch_and_scale(name):
    """An alarm above 80 % CPU; two to six tasks that hold it at 70 %."""
    service = [{"Name": "ClusterName", "Value": name}, {"Name": "ServiceName", "Value": name}]
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{name}-cpu",
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=service,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=3,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[f"arn:aws:sns:{boto3.session.Session().region_name}:123456789012:on-call"],
    )
    scaling = boto3.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{name}/{name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=6)
    scaling.put_scaling_policy(
        **target,
        PolicyName=f"{name}-cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    )


def create_pipeline(name, connection_arn, repository, branch, images, task_roles, account):
    """The bucket, the build project and the pipeline, with a role for each."""
    bucket = f"{name}-artifacts-{account}"
    region = boto3.session.Session().region_name
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    boto3.client("s3").create_bucket(Bucket=bucket, **place)
    artifacts = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/*"}
    push = [
        *("ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"),
        *("ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage"),
    ]
    build_role = create_role(
        f"{name}-build",
        "codebuild.amazonaws.com",
        [
            artifacts,
            {"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"},
            {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {"Action": push, "Resource": images["repositoryArn"]},
        ],
    )
    project = boto3.client("codebuild").create_project(
        name=name,
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "computeType": "BUILD_GENERAL1_SMALL",
            "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "privilegedMode": True,
            "environmentVariables": [{"name": "REPOSITORY_URI", "value": images["repositoryUri"]}],
        },
        serviceRole=build_role,
    )["project"]
    passed = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    pipeline_role = create_role(
        f"{name}-pipeline",
        "codepipeline.amazonaws.com",
        [
            artifacts,
            {"Action": "codestar-connections:UseConnection", "Resource": connection_arn},
            {"Action": ["codebuild:StartBuild", "codebuild:BatchGetBuilds"], "Resource": project["arn"]},
            {"Action": ["ecs:Describe*", "ecs:List*", "ecs:RegisterTaskDefinition"], "Resource": "*"},
            {"Action": ["ecs:UpdateService", "ecs:TagResource"], "Resource": "*"},
            {"Action": "iam:PassRole", "Resource": task_roles, "Condition": passed},
        ],
    )
    source = {"ConnectionArn": connection_arn, "FullRepositoryId": repository, "BranchName": branch}
    boto3.client("codepipeline").create_pipeline(
        pipeline={
            "name": name,
            "roleArn": pipeline_role,
            "pipelineType": "V2",
            "artifactStore": {"type": "S3", "location": bucket},
            "stages": [
                stage("Source", "CodeStarSourceConnection", source, gives="Source"),
                stage("Build", "CodeBuild", {"ProjectName": name}, takes="Source", gives="Image"),
                stage("Deploy", "ECS", {"ClusterName": name, "ServiceName": name}, takes="Image"),
            ],
        }
    )


def stage(category, provider, configuration, takes=None, gives=None):
    """A stage with one action."""
    return {
        "name": category,
        "actions": [
            {
                "name": category,
                "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
                "configuration": configuration,
                "inputArtifacts": [{"name": takes}] if takes else [],
                "outputArtifacts": [{"name": gives}] if gives else [],
            }
        ],
    }
