"""2.6 launch types: the learner's two services, asked over the load balancer, and looked at where they run."""

from types import SimpleNamespace

import pytest

from fargrade.given import containers, network, roles
from fargrade.grading import check, expect, t

FILE = "launch_types.py"
SERVICES = ("ecs", "ec2", "elbv2", "ecr", "iam", "ssm")
GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
LONG = 900
NEEDS = 96  # MiB of the program
SETTLED = (7, 13, 27)  # seconds after the function has returned


@pytest.fixture(scope="module")
def place(world, rng):
    """Given: a cluster with one instance, a load balancer whose two paths lead to a target group of each type."""
    cluster = f"shop-{rng.randrange(10**6)}"
    world.client("ecs").create_cluster(clusterName=cluster)
    vpc = network.vpc(world, second=rng.randrange(10, 250), private=False)
    front = network.security_group(world, vpc.id, "front", [(80, "0.0.0.0/0")])
    inside = network.security_group(world, vpc.id, "inside", [(80, front)])
    machine = network.security_group(world, vpc.id, "machine")
    world.client("ec2").authorize_security_group_ingress(
        GroupId=machine,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 32768, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": front}]},
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": front}]},
        ],
    )
    roles.instance_role(world)
    instance = containers.instance(world, cluster, vpc.public[0], [machine])
    balancer = network.load_balancer(world, cluster, vpc.public, [front])
    groups = {
        kind: network.target_group(world, f"{cluster}-{kind}", vpc.id, target_type=kind) for kind in ("ip", "instance")
    }
    listener = network.listener(world, balancer["LoadBalancerArn"], 80, groups["ip"])
    world.client("elbv2").create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "host-header", "Values": ["ec2.shop.example"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": groups["instance"]}],
    )
    image = containers.image(world, f"{cluster}/web", "v1", ports=[80], memory=NEEDS)
    return SimpleNamespace(
        cluster=cluster,
        vpc=vpc,
        inside=inside,
        instance=instance,
        url=f"http://{balancer['DNSName']}/",
        groups=groups,
        image=image,
        execution=roles.execution_role(world),
        copies=rng.randrange(3, 6),
        names={"FARGATE": f"web-f-{rng.randrange(1000)}", "EC2": f"web-e-{rng.randrange(1000)}"},
    )


def looked_at(world, place, launch_type, outcome):
    """The service and its tasks as they were when the learner's function ended."""
    name = place.names[launch_type]
    ecs = world.client("ecs")
    found = ecs.describe_services(cluster=place.cluster, services=[name])["services"]
    then = found[0].get("runningCount", 0) if found else 0
    for seconds in SETTLED if found else ():  # tasks that fall over and are started again run now and then, too
        world.advance(seconds)
        again = ecs.describe_services(cluster=place.cluster, services=[name])["services"][0]
        then = min(then, again["runningCount"])
    world.advance(LONG)
    found = ecs.describe_services(cluster=place.cluster, services=[name])["services"]
    tasks = [one for one in containers.tasks(world, place.cluster) if one["group"] == f"service:{name}"]
    running = [one for one in tasks if one["lastStatus"] == "RUNNING"]
    return SimpleNamespace(
        outcome=outcome, then=then, service=found[0] if found else {}, tasks=running, launch_type=launch_type, name=name
    )


@pytest.fixture(scope="module")
def fargate(world, learner, place):
    """When: the Fargate service has been made."""
    outcome = called(
        learner, "on_fargate", place, "FARGATE", place.groups["ip"], list(place.vpc.public), place.inside, place.copies
    )
    return looked_at(world, place, "FARGATE", outcome)


@pytest.fixture(scope="module")
def ec2(world, learner, place):
    """When: the EC2 service has been made."""
    outcome = called(learner, "on_ec2", place, "EC2", place.groups["instance"], place.copies)
    return looked_at(world, place, "EC2", outcome)


def called(learner, function, place, launch_type, *rest):
    given = (place.cluster, place.names[launch_type], place.image, place.execution, *rest)
    outcome = learner.attempt(FILE, function, *given)
    if outcome.error and outcome.error.type == "NotImplementedError":
        learner.call(FILE, function, *given)
    return outcome


def why(found):
    """Why fewer tasks run than shall: what the code or the service itself says."""
    if not found.service:
        return found.outcome.sentence()
    events = found.service.get("events", [])
    return events[0]["message"] if events else t("the service says nothing")


def runs(place, found):
    right = [one for one in found.tasks if one["launchType"] == found.launch_type]
    expect(
        len(right) == place.copies,
        expected=t(
            "{count} tasks of the service {name} run on {kind}",
            count=place.copies,
            name=found.name,
            kind=found.launch_type,
        ),
        found=t("{count}: {why}", count=len(right), why=why(found)),
        on_aws=t("the service keeps trying, and its events say what it lacks"),
        hint=t("the table in the brief: network mode, sizes, ports, target type"),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "launch-type-fargate.html")
def test_it_runs_on_fargate(place, fargate):
    """All copies of the Fargate service run, each with an address of its own"""
    runs(place, fargate)
    addresses = {
        one["value"] for task in fargate.tasks for held in task["attachments"] for one in held["details"]
        if one["name"] == "privateIPv4Address"
    }  # fmt: skip
    expect(
        len(addresses) == place.copies,
        expected=t("{count} addresses", count=place.copies),
        found=t("{count} addresses", count=len(addresses)),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "launch-type-ec2.html")
def test_it_runs_on_ec2(world, place, ec2):
    """All copies of the EC2 service run on the cluster's instance"""
    runs(place, ec2)
    held = world.client("ec2").describe_instances(Filters=[{"Name": "vpc-id", "Values": [place.vpc.id]}])
    machines = [one for reservation in held["Reservations"] for one in reservation["Instances"]]
    others = [one["InstanceId"] for one in machines if one["State"]["Name"] in ("pending", "running")]
    expect(
        others == [place.instance],
        expected=t("the one instance that was there"),
        found=t("{count} instances", count=len(others)),
        on_aws=t("an instance is paid for, whether it is full or empty"),
        hint=t("what a copy reserves decides how many fit"),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "alb.html")
def test_fargate_answers(world, place, fargate):
    """Requests through the load balancer reach the Fargate tasks, by their addresses"""
    answers(world, place, fargate, {}, place.groups["ip"])


@check(points=2, evidence="behaviour", docs=GUIDE + "alb.html")
def test_ec2_answers(world, place, ec2):
    """Requests through the load balancer reach every copy on the instance, each by a port of its own"""
    answers(world, place, ec2, {"Host": "ec2.shop.example"}, place.groups["instance"])


def answers(world, place, found, headers, group):
    url = place.url
    served = [world.request(url, headers=headers) for _ in range(place.copies * 3)]
    by = {one.by.get("task") for one in served if one.status == 200 and one.by.get("service") == found.name}
    stopped = next((one for one in served if one.status != 200), None)
    expect(
        len(by) == place.copies and stopped is None,
        expected=t("requests are answered by {count} tasks of {name}", count=place.copies, name=found.name),
        found=t(
            "{count} tasks answered; a request came to {status}: {why}",
            count=len(by),
            status=stopped.status,
            why=where(stopped),
        )
        if stopped
        else t("{count} tasks answered", count=len(by)),
        on_aws=t("the client is told 502, 503 or 504"),
        hint=t("loadBalancers of create_service: the target group, the container and its port"),
    )
    targets = world.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    live = [one for one in targets if one["TargetHealth"]["State"] != "draining"]
    expect(
        len(live) == place.copies,
        expected=t("{count} targets, registered by ECS", count=place.copies),
        found=t("{count} targets", count=len(live)),
        on_aws=t("a target that somebody registered by hand stays when its task is gone"),
        hint=t("leave registering to ECS"),
    )


def where(served):
    stopped = served.path.stopped
    return t(stopped.why, **stopped.values) if stopped else t("it gets through")


@check(points=1, evidence="behaviour", docs=GUIDE + "service_definition_parameters.html")
def test_it_waits_until_it_is_stable(place, fargate, ec2):
    """Both functions return when their service runs all of its copies"""
    for found in (fargate, ec2):
        expect(
            found.outcome.ok and found.then == place.copies,
            expected=t("{count} tasks of {name} run when the function returns", count=place.copies, name=found.name),
            found=t("{count}", count=found.then) if found.outcome.ok else found.outcome.sentence(),
            hint=t('get_waiter("services_stable")'),
        )


@check(points=2, evidence="behaviour", docs=GUIDE + "task-placement.html")
def test_another_one_fits(world, place, ec2):
    """The instance has room for one more copy: what a deployment needs"""
    wanted = place.copies + 1
    ecs = world.client("ecs")
    if ec2.service:
        ecs.update_service(cluster=place.cluster, service=ec2.name, desiredCount=wanted)
        world.advance(LONG)
        found = ecs.describe_services(cluster=place.cluster, services=[ec2.name])["services"][0]
        ec2.service = found
    running = ec2.service.get("runningCount", 0)
    placed = ec2.service.get("launchType") == "EC2"
    expect(
        running == wanted and placed,
        expected=t("{count} tasks of {name} run on {kind}", count=wanted, name=ec2.name, kind="EC2"),
        found=t("{count}: {why}", count=running, why=why(ec2)),
        on_aws=t("a rolling update starts the new task before the old one goes: without room it waits for ever"),
        hint=t("what a task reserves (cpu, memory), and the host port, decide how many fit"),
    )
