"""2.4 load balancer: what clients get from the learner's load balancer, asked of the network and of time."""

from types import SimpleNamespace

import pytest

from fargrade.given import network as given
from fargrade.grading import check, expect, fail, t
from fargrade.semantics.network import entries

FILE = "load_balancer.py"
SERVICES = ("ec2", "elbv2")
GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"
LONG = 3600  # seconds: any sensible health check has come to its end
SOON = 120
THEIRS = "somebody-elses"


@pytest.fixture(scope="module")
def place(world, rng):
    """Given: a VPC, a group that lets anybody in on port 80, and one for containers that lets in only the first."""
    vpc = given.vpc(world, second=rng.randrange(10, 250), zones=3)
    port = rng.randrange(3000, 9000)
    front = given.security_group(world, vpc.id, "front", [(80, "0.0.0.0/0")])
    inside = given.security_group(world, vpc.id, "containers", [(port, front)])
    given.load_balancer(world, THEIRS, vpc.public, [front])
    client = given.interface(world, vpc.private[0], [given.security_group(world, vpc.id, "clients")])
    return SimpleNamespace(
        vpc=vpc,
        port=port,
        path=f"/{rng.choice(('health', 'status', 'ping'))}-{rng.randrange(1000)}",
        name=f"web-{rng.randrange(10**5)}",
        front=front,
        inside=inside,
        client=client["NetworkInterfaceId"],
    )


@pytest.fixture(scope="module")
def made(world, learner, place):
    """When: the learner's function has run. The load balancer as it was at that moment, and what was returned."""
    claimed = learner.call(
        FILE,
        "create_load_balancer",
        place.name,
        place.vpc.id,
        list(place.vpc.public),
        place.front,
        place.port,
        place.path,
    )
    found = [one for one in balancers(world) if one["LoadBalancerName"] == place.name]
    if not found:
        fail(t("there is no load balancer called {name}", name=place.name))
    state = found[0]["State"]["Code"]
    world.advance(LONG)
    return SimpleNamespace(claimed=claimed, balancer=found[0], state=state)


def balancers(world):
    return world.client("elbv2").describe_load_balancers()["LoadBalancers"]


@pytest.fixture(scope="module")
def group(world, made):
    """The target group: the one behind the load balancer, if any is."""
    groups = world.client("elbv2").describe_target_groups()["TargetGroups"]
    if not groups:
        fail(t("there is no target group"))
    behind = [one for one in groups if made.balancer["LoadBalancerArn"] in one["LoadBalancerArns"]]
    return (behind or groups)[0]


@pytest.fixture
def container(world, place, group):
    """Starts containers as ECS would: an interface in a private subnet, registered with the container's own port."""
    elb = world.client("elbv2")
    started = []

    def start(name, answers=None):
        interface = given.interface(world, place.vpc.private[len(started) % 2], [place.inside])
        world.stand_in(interface["NetworkInterfaceId"], place.port, answers=answers or {}, name=name)
        target = {"Id": interface["PrivateIpAddress"], "Port": place.port}
        try:
            elb.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[target])
        except elb.exceptions.ClientError as error:
            fail(
                t("ECS cannot register a container's address: {error}", error=error.response["Error"]["Message"]),
                expected=t("a target group that takes addresses"),
                found=t("one whose targets are of type {kind}", kind=group["TargetType"]),
                hint=t('a Fargate task is a target of type "ip"'),
            )
        started.append(target)
        return interface["NetworkInterfaceId"], target

    yield start
    elb.deregister_targets(TargetGroupArn=group["TargetGroupArn"], Targets=started)
    world.advance(LONG)


def health(world, group, target):
    said = world.client("elbv2").describe_target_health(TargetGroupArn=group["TargetGroupArn"], Targets=[target])
    return said["TargetHealthDescriptions"][0]["TargetHealth"]


def why(path):
    """Where a path stops, in words."""
    return t(path.stopped.why, **path.stopped.values) if path.stopped else t("it gets through")


@check(points=2, evidence="state", docs=GUIDE + "application-load-balancers.html#availability-zones")
def test_in_two_zones(world, made, place):
    """It is an Application Load Balancer, with a node in each of the zones"""
    subnets = sorted(one["SubnetId"] for one in made.balancer["AvailabilityZones"])
    expect(
        made.balancer["Type"] == "application" and subnets == sorted(place.vpc.public),
        expected=t("an application load balancer in all of {subnets}", subnets=", ".join(sorted(place.vpc.public))),
        found=t("type {kind}, in {subnets}", kind=made.balancer["Type"], subnets=", ".join(subnets)),
        on_aws=t("a zone without a node serves nobody when the others fail"),
        hint=t("Type and Subnets of create_load_balancer"),
    )
    expect(
        any(one["LoadBalancerName"] == THEIRS for one in balancers(world)),
        expected=t("the load balancer {name}, which was there before, is still there", name=THEIRS),
        found=t("it is gone"),
        on_aws=t("its address is gone with it, and whoever used it is told nothing"),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "load-balancer-update-security-groups.html")
def test_open_to_the_internet(world, made, place):
    """Anybody on the internet reaches it on port 80, in every zone"""
    network = world.network()
    listening = {one["Port"] for one in network.listeners if one["LoadBalancerArn"] == made.balancer["LoadBalancerArn"]}
    for node, path in entries(network, network.find(made.balancer["LoadBalancerArn"]), 80):
        expect(
            path.open,
            expected=t("a connection from the internet reaches port 80 in {subnet}", subnet=node.subnet),
            found=why(path),
            on_aws=t("the browser waits, and gives up"),
            hint=t("the scheme, the security group and the subnets of the load balancer"),
        )
    expect(
        80 in listening,
        expected=t("a listener on port 80"),
        found=t("listeners on {ports}", ports=", ".join(map(str, sorted(listening))) or "–"),
        on_aws=t("nothing listens where browsers ask"),
        hint=t("Port of create_listener is the client's side; the container's port is the target's"),
    )
    for port in (22, place.port):
        for node, path in entries(network, network.find(made.balancer["LoadBalancerArn"]), port):
            expect(
                not path.open,
                expected=t("its groups let nobody in on port {port} in {subnet}", port=port, subnet=node.subnet),
                found=why(path),
                on_aws=t("what is open is found within the hour, and tried"),
                hint=t("the group that was given is enough, as it is"),
            )


@check(points=3, evidence="behaviour", docs=GUIDE + "load-balancer-listeners.html")
def test_forwards_to_the_containers(world, made, place, container):
    """A request is handed to a container, on the container's port"""
    for name in ("first", "second"):
        container(name)
    world.advance(LONG)
    url = f"http://{made.balancer['DNSName']}/cart?item=7"
    served = [world.request(url, source=place.client) for _ in range(8)]
    answered = {one.by.get("name") for one in served}
    stopped = next((one for one in served if not one.answered), served[0])
    expect(
        answered == {"first", "second"},
        expected=t("eight requests are answered by both containers, in turn"),
        found=t("status {status}; {why}", status=stopped.status, why=why(stopped.path))
        if not stopped.answered
        else t("answers from {names}", names=", ".join(sorted(filter(None, answered)))),
        on_aws=t("the client is told 502, 503 or 504, or nothing at all"),
        hint=t("the listener's action, the target group's type"),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "target-group-health-checks.html")
def test_health_is_the_path_given(world, place, group, container):
    """A container is healthy if its health path answers 200, and only then"""
    cases = [
        (container("well", {"/": 404}), "healthy", t("200 at {path}, 404 elsewhere", path=place.path)),
        (container("sick", {place.path: 404}), "unhealthy", t("404 at {path}, 200 elsewhere", path=place.path)),
        (container("moved", {place.path: 302}), "unhealthy", t("302 at {path}, 200 elsewhere", path=place.path)),
    ]
    world.advance(LONG)
    for (_, target), right, answers in cases:
        found = health(world, group, target)
        expect(
            found["State"] == right,
            expected=t("a container that answers {answers} is {state}", answers=answers, state=right),
            found=f"{found['State']} {found.get('Reason', '')}".strip(),
            on_aws=t("sick containers get requests, or well ones are stopped again and again"),
            hint=t("HealthCheckPath, HealthCheckPort and Matcher of the target group"),
        )


@check(points=2, evidence="behaviour", docs=GUIDE + "target-group-health-checks.html")
def test_sickness_is_noticed_in_time(world, place, group, container):
    """A container that falls sick is taken out within two minutes"""
    interface, target = container("once well")
    world.advance(LONG)
    before = health(world, group, target)
    world.stand_in(interface, place.port, answers={place.path: 503}, name="once well")
    world.advance(SOON)
    after = health(world, group, target)
    expect(
        before["State"] == "healthy" and after["State"] == "unhealthy",
        expected=t("healthy first, unhealthy two minutes after its health path began to answer 503"),
        found=t("{before} first, {after} after two minutes", before=before["State"], after=after["State"]),
        on_aws=t("every other client gets errors as long as nobody notices"),
        hint=t("HealthCheckIntervalSeconds times UnhealthyThresholdCount"),
    )


@check(points=1, evidence="state", docs=GUIDE + "create-application-load-balancer.html")
def test_returns_when_it_is_ready(made, group):
    """It returns when the load balancer is active, with its name and its target group"""
    right = {"dns_name": made.balancer["DNSName"], "target_group_arn": group["TargetGroupArn"]}
    expect(
        made.state == "active",
        expected=t("the load balancer is active when the function returns"),
        found=t("it was {state}", state=made.state),
        on_aws=t("the name does not answer yet, and what comes next fails"),
        hint=t("the waiter load_balancer_available"),
    )
    expect(
        made.claimed == right,
        expected=str(right),
        found=repr(made.claimed)[:300],
        hint=t("DNSName of the load balancer, TargetGroupArn of the target group"),
    )
