"""4.1 network: the learner's VPC is asked, hop by hop, who reaches whom and what its tasks reach."""

from types import SimpleNamespace

import pytest

from fargrade.given import network as given
from fargrade.given import roles
from fargrade.grading import check, expect, fail, t
from fargrade.semantics.network import (
    Internet,
    Need,
    connect,
    entries,
    nodes,
    public_subnet,
    pull_needs,
    way_to_service,
)

FILE = "network.py"
SERVICES = ("ec2", "elbv2", "ecs", "ecr", "iam")
VPC = "https://docs.aws.amazon.com/vpc/latest/userguide/"
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
TASKS = 3


@pytest.fixture(scope="module")
def made(world, learner, rng):
    """When: the network is made. What was returned, checked to be there at all."""
    zones = rng.sample(given.zone_names(world), 2)
    cidr = f"10.{rng.randrange(1, 255)}.0.0/16"
    claimed = learner.call(FILE, "create_network", f"shop-{rng.randrange(10**5)}", cidr, zones)
    world.advance(600)
    network = world.network()
    keys = ("vpc_id", "public_subnets", "private_subnets")
    if not isinstance(claimed, dict) or any(key not in claimed for key in keys):
        fail(
            t("create_network returned {value}", value=repr(claimed)[:200]), expected=t("a dict with {keys}", keys=keys)
        )
    if claimed["vpc_id"] not in {one["VpcId"] for one in network.vpcs}:
        fail(t("there is no VPC {name}", name=claimed["vpc_id"]))
    for name in [*claimed["public_subnets"], *claimed["private_subnets"]]:
        if network.find(name) is None or network.vpc_of(name) != claimed["vpc_id"]:
            fail(t("there is no subnet {name} in {vpc}", name=name, vpc=claimed["vpc_id"]))
    return SimpleNamespace(claimed=claimed, zones=zones, cidr=cidr, **claimed)


@pytest.fixture(scope="module")
def group(world, made):
    """Given: a security group that lets everything in and out, so that only the network decides."""
    name = given.security_group(world, made.vpc_id, "open")
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    world.client("ec2").authorize_security_group_ingress(GroupId=name, IpPermissions=[everything])
    return name


@pytest.fixture(scope="module")
def tasks(learner, made, group):
    """The awsvpcConfiguration that the learner starts tasks with."""
    claimed = learner.call(FILE, "task_network", made.claimed, group)
    if not isinstance(claimed, dict) or not claimed.get("subnets") or not isinstance(claimed["subnets"], list):
        fail(t("task_network returned {value}", value=repr(claimed)[:200]), expected=t("a dict with subnets"))
    return claimed


def why(path):
    """Where a path stops, in words."""
    return t(path.stopped.why, **path.stopped.values) if path.stopped else t("it gets through")


def hosts(network, tasks):
    """A task in each of the subnets it may start in, as its configuration has it."""
    groups = tasks.get("securityGroups") or None
    public = tasks.get("assignPublicIp", "DISABLED") == "ENABLED"
    for name in tasks["subnets"]:
        if network.find(name) is None:
            fail(t("there is no subnet {name}", name=name))
        yield name, network.imagined(name, groups, public=public, name=t("a task in {subnet}", subnet=name))


@check(points=2, evidence="state", docs=VPC + "configure-subnets.html")
def test_a_pair_in_each_zone(world, made):
    """There is a VPC with the block given, and in each zone a public and a private subnet"""
    network = world.network()
    block = network.find(made.vpc_id)["CidrBlock"]
    expect(
        block == made.cidr,
        expected=t("a VPC with the block {cidr}", cidr=made.cidr),
        found=block,
        hint=t("CidrBlock of create_vpc"),
    )
    for zone in made.zones:
        here = [
            one["SubnetId"]
            for one in network.subnets
            if one["VpcId"] == made.vpc_id and one["AvailabilityZone"] == zone
        ]
        count = [len(set(here) & set(listed)) for listed in (made.public_subnets, made.private_subnets)]
        expect(
            all(count) and not set(made.public_subnets) & set(made.private_subnets),
            expected=t("a public and a private subnet in {zone}", zone=zone),
            found=t("{public} public and {private} private ones there", public=count[0], private=count[1]),
            on_aws=t("a load balancer needs two zones, and a zone that burns down takes its tasks with it"),
            hint=t("AvailabilityZone of create_subnet"),
        )


@check(points=2, evidence="behaviour", docs=VPC + "VPC_Internet_Gateway.html")
def test_public_subnets_are_public(world, made, group, rng):
    """A load balancer in the public subnets is reached from the internet, in both zones"""
    network = world.network()
    chosen = [next((one for one in made.public_subnets if network.zone_of(one) == zone), None) for zone in made.zones]
    elb = world.client("elbv2")
    try:
        given.load_balancer(world, f"front-{rng.randrange(10**5)}", [one for one in chosen if one], [group])
    except elb.exceptions.ClientError as error:
        fail(
            t("AWS refuses a load balancer here: {error}", error=error.response["Error"]["Message"]),
            hint=t("an internet gateway that is attached, and public subnets in two zones"),
        )
    network = world.network()
    for node, path in entries(network, network.load_balancers[-1], 80):
        expect(
            path.open,
            expected=t("a connection from the internet reaches the load balancer in {subnet}", subnet=node.subnet),
            found=why(path),
            on_aws=t("half of the visitors wait for an answer that never comes"),
            hint=t("each public subnet's own route table, and its route for 0.0.0.0/0"),
        )


@check(points=2, evidence="behaviour", docs=VPC + "VPC_Route_Tables.html")
def test_private_subnets_are_private(world, made, group):
    """Nothing in a private subnet is reached from the internet, whatever its security group says"""
    network = world.network()
    for name in made.private_subnets:
        host = network.imagined(name, [group], public=True)
        expect(
            not connect(network, Internet(), host, 443).open and not public_subnet(network, name).open,
            expected=t("no route from the internet into {subnet}", subnet=name),
            found=t("{table} routes it to the internet gateway", table=network.route_table_of(name)["RouteTableId"]),
            on_aws=t("a database put there is one wrong rule away from the whole world"),
            hint=t("a subnet that is associated with no table follows the VPC's main one"),
        )


@check(points=3, evidence="behaviour", docs=ECS + "fargate-task-networking.html")
def test_tasks_have_a_way_out(world, tasks):
    """A task reaches ECR, S3 and CloudWatch Logs from each subnet it may start in"""
    network = world.network()
    role = f"arn:aws:sts::{world.account}:assumed-role/execution/task"
    needs = (*pull_needs(world.region, world.account, "shop", role), Need("logs"))
    for name, host in hosts(network, tasks):
        for need in needs:
            path = way_to_service(network, host, need)
            expect(
                path.open,
                expected=t("a task in {subnet} reaches {service}", subnet=name, service=need.service),
                found=why(path),
                on_aws=t("the task stops before it ran: CannotPullContainerError or ResourceInitializationError"),
                hint=t(
                    "NAT behind a private subnet, a public address in a public one, or endpoints (a gateway for S3)"
                ),
            )


@check(points=2, evidence="behaviour", docs=ECS + "fargate-task-networking.html")
def test_both_zones_take_tasks(world, made, tasks, group):
    """Tasks start in both zones, and a load balancer in the public subnets reaches them"""
    network = world.network()
    zones = {network.zone_of(name) for name, _ in hosts(network, tasks)}
    expect(
        zones == set(made.zones),
        expected=t("tasks in both of {zones}", zones=", ".join(sorted(made.zones))),
        found=t("tasks in {zones}", zones=", ".join(sorted(zones))),
        on_aws=t("one zone burns down, and the service with it"),
        hint=t("subnets of task_network"),
    )
    front = {"LoadBalancerName": "front", "SecurityGroups": [group]}
    zoned = [{"SubnetId": name} for name in made.public_subnets]
    for node in nodes(network, {**front, "AvailabilityZones": zoned}):
        for name, host in hosts(network, tasks):
            path = connect(network, node, host, 8080)
            expect(
                path.open,
                expected=t("a load balancer in {front} reaches a task in {subnet}", front=node.subnet, subnet=name),
                found=why(path),
                on_aws=t("its health checks time out, and ECS stops the task"),
                hint=t("securityGroups of task_network, and what network ACLs let through"),
            )


@check(points=1, evidence="behaviour", docs=ECS + "task-networking-awsvpc.html")
def test_each_task_has_an_interface(world, tasks):
    """ECS takes the configuration, and each task gets an interface and an address of its own"""
    seen = interfaces_of_tasks(world, tasks)
    wrong = [one for one in seen.values() if one["SubnetId"] not in tasks["subnets"]]
    addresses = sorted({one["PrivateIpAddress"] for one in seen.values()})
    expect(
        len(seen) == TASKS and len(addresses) == TASKS and not wrong,
        expected=t("{count} tasks with {count} interfaces, in the subnets named", count=TASKS),
        found=t("{count} interfaces: {addresses}", count=len(seen), addresses=", ".join(sorted(addresses))),
        on_aws=t("in the network mode awsvpc a task is a host of its own"),
    )


def interfaces_of_tasks(world, tasks):
    """Run tasks with the configuration and watch their interfaces come: {id: as described}."""
    ecs, ec2 = world.client("ecs"), world.client("ec2")
    world.client("ecr").create_repository(repositoryName="shop")
    world.push_image("shop", ["v1"])
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="shop",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=roles.execution_role(world),
        containerDefinitions=[{"name": "shop", "image": f"{world.registry}/shop:v1", "memory": 256}],
    )
    try:
        run = ecs.run_task(
            cluster="shop",
            taskDefinition="shop",
            launchType="FARGATE",
            count=TASKS,
            networkConfiguration={"awsvpcConfiguration": tasks},
        )
    except Exception as error:  # of botocore's own check of the shape, or of ECS: either is AWS's word on it
        fail(t("ECS refuses the configuration: {error}", error=str(error)[:300]))
    arns = [one["taskArn"] for one in run["tasks"]]
    seen = {}
    for _ in range(12):
        for task in ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]:
            for name in attached(task):
                described = ec2.describe_network_interfaces(
                    Filters=[{"Name": "network-interface-id", "Values": [name]}]
                )
                for one in described["NetworkInterfaces"]:
                    seen.setdefault(name, one)
        if len(seen) == TASKS:
            break
        world.advance(5)
    return seen


def attached(task):
    """The ids of the interfaces that are attached to the task."""
    return [
        detail["value"]
        for attachment in task.get("attachments", [])
        for detail in attachment.get("details", [])
        if detail.get("name") == "networkInterfaceId"
    ]
