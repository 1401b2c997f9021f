import json
import boto3

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def execution_role(name):
    iam = boto3.client("iam")
    role_name = f"{name}-execution"
    role = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.attach_role_policy(RoleName=role_name, PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
    return role["Arn"]


def deploy(cluster, name, repository, tag, architecture, count, subnets):
    ecs = boto3.client("ecs")
    account = boto3.client("sts").get_caller_identity()["Account"]
    region = boto3.session.Session().region_name
    image = f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}:{tag}"
    boto3.client("logs").create_log_group(logGroupName=f"/ecs/{name}")
    role = execution_role(name)
    definition = ecs.register_task_definition(
        family=name,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
        runtimePlatform={"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"},
        containerDefinitions=[
            {
                "name": "app",
                "image": image,
                "essential": True,
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": f"/ecs/{name}", "awslogs-region": region, "awslogs-stream-prefix": "app"},
                },
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    ec2 = boto3.client("ec2")
    first = subnets["isolated"][0]
    vpc = ec2.describe_subnets(SubnetIds=[first])["Subnets"][0]
    block = ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]["CidrBlock"]
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["endpoints"]}])["SecurityGroups"]
    if not found:
        group = ec2.create_security_group(GroupName="endpoints", Description="endpoints", VpcId=vpc["VpcId"])["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp=block)
        tables = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": subnets["isolated"]}])["RouteTables"]
        ec2.create_vpc_endpoint(VpcEndpointType="Gateway", VpcId=vpc["VpcId"], ServiceName=f"com.amazonaws.{region}.s3", RouteTableIds=[t["RouteTableId"] for t in tables])
        for service in ("ecr.api", "ecr.dkr", "logs"):
            ec2.create_vpc_endpoint(VpcEndpointType="Interface", VpcId=vpc["VpcId"], ServiceName=f"com.amazonaws.{region}.{service}", SubnetIds=subnets["isolated"], SecurityGroupIds=[group], PrivateDnsEnabled=True)
    service = ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=definition,
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets["isolated"], "assignPublicIp": "DISABLED"}},
    )["service"]["serviceArn"]
    ecs.get_waiter("services_stable").wait(cluster=cluster, services=[name])
    return service
