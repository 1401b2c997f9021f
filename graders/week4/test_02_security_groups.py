"""4.2 security groups: hosts are put into the learner's groups, and of each pair it is asked who reaches whom."""

from types import SimpleNamespace

import pytest

from fargrade.given import network as given
from fargrade.grading import check, expect, fail, t
from fargrade.semantics.network import Internet, connect, way_out

ACCOUNT_DOLLARS = 0.0  # networks and security groups cost nothing
FILE = "security_groups.py"
SERVICES = ("ec2", "elbv2")
VPC = "https://docs.aws.amazon.com/vpc/latest/userguide/"
ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
ROLES = ("load_balancer", "service", "database")
WEB = (80, 443)


@pytest.fixture(scope="module")
def place(world, rng):
    """Given: a VPC with IPv4 and IPv6; everything in it is on the internet, so that only groups decide."""
    vpc = given.vpc(world, second=rng.randrange(10, 250), private=False, ipv6=True)
    port, database = rng.sample(range(3000, 9000), 2)
    others = [22, 8080, 9090, port + 1, port - 1, database + 1, rng.randrange(10_000, 60_000)]
    return SimpleNamespace(
        vpc=vpc, port=port, database=database, others=[n for n in others if n not in (port, database)]
    )


@pytest.fixture(scope="module")
def made(world, learner, place, rng):
    """When: the groups are made."""
    name = world.named(f"shop-{rng.randrange(10**5)}")
    claimed = learner.call(FILE, "create_security_groups", name, place.vpc.id, place.port, place.database)
    if not isinstance(claimed, dict) or any(role not in claimed for role in ROLES):
        fail(
            t("create_security_groups returned {value}", value=repr(claimed)[:200]),
            expected=t("a dict with {keys}", keys=", ".join(ROLES)),
        )
    network = world.network()
    for role in ROLES:
        group = network.find(str(claimed[role]))
        if group is None or group["VpcId"] != place.vpc.id:
            fail(
                t("{role}: there is no security group {name} in {vpc}", role=role, name=claimed[role], vpc=place.vpc.id)
            )
    return SimpleNamespace(network=network, **{role: claimed[role] for role in ROLES})


@pytest.fixture(scope="module")
def hosts(made, place):
    """A host in each of the groups, and strangers in the same subnets; all of them have public addresses."""

    def host(name, groups, subnet=0, number=10):
        return made.network.imagined(place.vpc.public[subnet], groups, public=True, number=number, name=name)

    def stranger(number, subnet):
        return host(t("a stranger in {subnet}", subnet=subnet), None, number, 50)

    return SimpleNamespace(
        load_balancer=host(t("the load balancer"), [made.load_balancer]),
        service=host(t("the service"), [made.service], subnet=1),
        database=host(t("the database"), [made.database], subnet=1, number=30),
        strangers=[
            host(t("a stranger in {subnet}", subnet=name), None, n, 50) for n, name in enumerate(place.vpc.public)
        ],
    )


@pytest.fixture(scope="module")
def outsiders(rng):
    """Somebody on the internet, over IPv4 and over IPv6."""
    v4 = [Internet(f"{rng.choice((11, 52, 91, 203))}.{rng.randrange(255)}.{rng.randrange(255)}.9") for _ in range(3)]
    return v4, [Internet(f"2600:{rng.randrange(1, 0xFFFF):x}::9"), Internet("2a02:6b8::2")]


def must(network, source, target, port, hint=""):
    """The connection must get through; where it stops is told."""
    path = connect(network, source, target, port)
    expect(
        path.open,
        expected=t("{source} reaches {target} on port {port}", source=name_of(source), target=target.name, port=port),
        found=t(path.stopped.why, **path.stopped.values) if path.stopped else "",
        on_aws=t("the connection waits until it times out"),
        hint=hint,
    )


def must_not(network, sources, target, ports, hint=""):
    """None of the connections may get through; the rule that lets one in is told."""
    for source in sources:
        for port in ports:
            path = connect(network, source, target, port)
            values = {"source": name_of(source), "target": target.name, "port": port}
            expect(
                not path.open,
                expected=t("{source} does not reach {target} on port {port}", **values),
                found=t(path.hops[-1].why, **path.hops[-1].values),
                on_aws=t("whoever finds the address is in, past everything that stands before it"),
                hint=hint,
            )


def name_of(party):
    return t("the internet ({address})", address=party.address) if isinstance(party, Internet) else party.name


@check(points=2, evidence="behaviour", docs=ELB + "load-balancer-update-security-groups.html")
def test_everybody_reaches_the_load_balancer(made, hosts, outsiders):
    """Everybody reaches the load balancer on ports 80 and 443"""
    for port in WEB:
        for source in outsiders[0]:
            must(made.network, source, hosts.load_balancer, port, t("0.0.0.0/0 is everybody on IPv4"))


@check(points=1, evidence="behaviour", docs=VPC + "security-group-rules.html")
def test_over_ipv6_too(made, hosts, outsiders):
    """So does everybody whose provider gives them IPv6"""
    for port in WEB:
        for source in outsiders[1]:
            must(made.network, source, hosts.load_balancer, port, t("::/0 is everybody on IPv6, and a rule of its own"))


@check(points=1, evidence="behaviour", docs=VPC + "security-group-rules.html")
def test_nothing_but_the_web(made, hosts, outsiders, place):
    """The load balancer lets nobody in on any other port"""
    ports = [*place.others, place.port, place.database]
    must_not(made.network, [*outsiders[0], *outsiders[1]], hosts.load_balancer, ports, t("two ports, and no span"))


@check(points=3, evidence="behaviour", docs=ECS + "security-network.html")
def test_the_load_balancer_reaches_the_service(made, hosts, place):
    """The load balancer reaches the service on the container's port"""
    must(
        made.network,
        hosts.load_balancer,
        hosts.service,
        place.port,
        t("the service lets in the load balancer's group, on the port that the container listens on"),
    )


@check(points=3, evidence="behaviour", docs=ECS + "security-network.html")
def test_nobody_else_reaches_the_service(made, hosts, outsiders, place):
    """Nobody else reaches the service, and the load balancer on no other port"""
    hint = t("the source of the rule is the load balancer's group, not a block of addresses")
    sources = [*outsiders[0], *outsiders[1], *hosts.strangers, hosts.database]
    must_not(made.network, sources, hosts.service, [place.port, *place.others], hint)
    hint = t("FromPort and ToPort are both the container's port")
    must_not(made.network, [hosts.load_balancer], hosts.service, [*WEB, *place.others], hint)


@check(points=2, evidence="behaviour", docs=VPC + "security-group-rules.html")
def test_only_the_service_reaches_the_database(made, hosts, outsiders, place):
    """The service reaches the database on its port, and nobody else does"""
    must(made.network, hosts.service, hosts.database, place.database, t("the database lets in the service's group"))
    hint = t("the source of the rule is the service's group")
    sources = [*outsiders[0], *outsiders[1], *hosts.strangers, hosts.load_balancer]
    must_not(made.network, sources, hosts.database, [place.database, *place.others], hint)
    must_not(made.network, [hosts.service], hosts.database, [*WEB, *place.others], t("one port, and no span"))


@check(points=1, evidence="behaviour", docs=ECS + "fargate-task-networking.html")
def test_the_service_gets_out(made, hosts):
    """The service reaches AWS and the internet on port 443"""
    path = way_out(made.network, hosts.service)
    expect(
        path.open,
        expected=t("the service reaches the internet on port 443"),
        found=t(path.stopped.why, **path.stopped.values) if path.stopped else "",
        on_aws=t("no image can be pulled: CannotPullContainerError"),
        hint=t("the outbound rule that every new group has lets everything out"),
    )


# -- closing what somebody opened ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def closed(world, learner, place, rng):
    """Given: a service's group with too many rules. When: it is closed."""
    front = given.security_group(world, place.vpc.id, "old-front", [(80, "0.0.0.0/0")])
    other = given.security_group(world, place.vpc.id, "old-monitoring")
    rules = [
        {"IpProtocol": "tcp", "FromPort": place.port, "ToPort": place.port, **everybody()},
        {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{"CidrIp": place.vpc.cidr}]},
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}]},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]},
    ]
    if rng.random() < 0.5:  # the right rule may be there already
        rules.append({"IpProtocol": "tcp", "FromPort": place.port, "ToPort": place.port, **members(front)})
    rng.shuffle(rules)
    service = given.security_group(world, place.vpc.id, "old-service")
    world.client("ec2").authorize_security_group_ingress(GroupId=service, IpPermissions=rules)
    learner.call(FILE, "close_service", service, front, place.port)
    network = world.network()

    def host(name, groups, number):
        return network.imagined(place.vpc.public[0], groups, public=True, number=number, name=name)

    return SimpleNamespace(
        network=network,
        service=network.imagined(place.vpc.public[1], [service], public=True, name=t("the service")),
        load_balancer=host(t("the load balancer"), [front], 10),
        others=[
            host(t("a stranger in {subnet}", subnet=place.vpc.public[0]), None, 60),
            host(t("a monitoring host"), [other], 61),
        ],
    )


def everybody():
    return {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}


def members(group):
    return {"UserIdGroupPairs": [{"GroupId": group}]}


@check(points=2, evidence="behaviour", docs=VPC + "security-group-rules.html")
def test_closing_takes_every_rule_away(closed, outsiders, place):
    """close_service: whatever somebody had opened is closed"""
    sources = [*outsiders[0], *outsiders[1], Internet("198.51.100.7"), *closed.others]
    hint = t("every rule that is there, of IPv4, of IPv6 and of groups")
    must_not(closed.network, sources, closed.service, [place.port, 22, *place.others], hint)
    must_not(closed.network, [closed.load_balancer], closed.service, [22, *place.others], hint)


@check(points=1, evidence="behaviour", docs=VPC + "security-group-rules.html")
def test_closing_keeps_the_service(closed, place):
    """close_service: the load balancer still reaches the service"""
    hint = t("after everything is taken away, the one rule that stays is added")
    must(closed.network, closed.load_balancer, closed.service, place.port, hint)
