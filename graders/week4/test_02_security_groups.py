"""4.2 security groups: hosts are put into the learner's groups, and of each pair it is asked who reaches whom."""

from types import SimpleNamespace

import pytest

from fargrade.given import network as given
from fargrade.grading import check, expect, fail, t
from fargrade.semantics.network import Internet, connect, openings, way_out

ACCOUNT_DOLLARS = 0.0  # networks and security groups cost nothing
FILE = "security_groups.py"
SERVICES = ("ec2", "elbv2")
VPC = "https://docs.aws.amazon.com/vpc/latest/userguide/"
ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
ROLES = ("load_balancer", "service", "database")
WEB = (80, 443)
PORTS = ("IpProtocol", "FromPort", "ToPort")
SOURCES = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
ICMP = ("icmp", "icmpv6", "58")  # no port, and AWS recommends it between a load balancer and its clients


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


def only(network, group, allowed, expected, hint):
    """Whatever the rules of the group let in must be `allowed(opening)`: no probe finds what a rule says by itself."""
    for opening in openings(network, [group]):
        to = opening.protocol if opening.port is None else f"{opening.protocol} {opening.port}"
        expect(
            allowed(opening),
            expected=expected,
            found=t("a rule of {group} lets in {source}, {to}", group=group, source=opening.source, to=to),
            on_aws=t("whoever finds the address is in, past everything that stands before it"),
            hint=hint,
        )


def from_group(source, port):
    """What a rule lets in from this group to this port; ICMP, which has no ports, may come from it, too."""
    return lambda one: one.source == source and (one.port == port or one.protocol in ICMP)


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
    hint = t("two ports, and no span")
    must_not(made.network, [*outsiders[0], *outsiders[1]], hosts.load_balancer, ports, hint)
    expected = t("{target} lets in ports {ports}, and nothing else", target=hosts.load_balancer.name, ports="80, 443")
    only(made.network, made.load_balancer, lambda one: one.port in WEB or one.protocol in ICMP, expected, hint)


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
    expected = t("only {source} reaches {target}", source=hosts.load_balancer.name, target=hosts.service.name)
    hint = t("one rule is enough: also whoever is in the same group is somebody else")
    only(made.network, made.service, from_group(made.load_balancer, place.port), expected, hint)


@check(points=2, evidence="behaviour", docs=VPC + "security-group-rules.html")
def test_only_the_service_reaches_the_database(made, hosts, outsiders, place):
    """The service reaches the database on its port, and nobody else does"""
    must(made.network, hosts.service, hosts.database, place.database, t("the database lets in the service's group"))
    hint = t("the source of the rule is the service's group")
    sources = [*outsiders[0], *outsiders[1], *hosts.strangers, hosts.load_balancer]
    must_not(made.network, sources, hosts.database, [place.database, *place.others], hint)
    must_not(made.network, [hosts.service], hosts.database, [*WEB, *place.others], t("one port, and no span"))
    expected = t("only {source} reaches {target}", source=hosts.service.name, target=hosts.database.name)
    hint = t("one rule is enough: also whoever is in the same group is somebody else")
    only(made.network, made.database, from_group(made.service, place.database), expected, hint)


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


@check(points=1, evidence="state", docs=VPC + "creating-security-groups.html")
def test_another_application_has_its_own(world, learner, made, place, rng):
    """Another application in the same VPC gets three groups of its own"""
    name = world.named(f"blog-{rng.randrange(10**5)}")
    again = learner.attempt(FILE, "create_security_groups", name, place.vpc.id, place.port + 2, place.database)
    value = again.value if again.kind == "returned" else None
    ids = {str(value.get(role)) for role in ROLES} if isinstance(value, dict) else set()
    before = {getattr(made, role) for role in ROLES}
    expect(
        len(ids) == 3 and not ids & before and all(world.network().find(one) for one in ids),
        expected=t("three more groups, for {name}", name=name),
        found=repr(value)[:200] if again.kind == "returned" else again.sentence(),
        on_aws=t("a VPC has one group of each name: InvalidGroup.Duplicate"),
        hint=t("the groups' names begin with `name`, so that each application has its own"),
    )


# -- closing what somebody opened ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def closed(world, learner, place, rng):
    """Given: two services' groups with too many rules; in one of them the right rule is there already. When: closed."""
    front = given.security_group(world, place.vpc.id, "old-front", [(80, "0.0.0.0/0")])
    other = given.security_group(world, place.vpc.id, "old-monitoring")
    services = [given.security_group(world, place.vpc.id, f"old-service-{n}") for n in (1, 2)]
    name = f"com.amazonaws.{world.region}.s3"  # AWS's own list: there in every region, and nothing to make or remove
    lists = world.client("ec2").describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])
    listed = lists["PrefixLists"][0]["PrefixListId"]
    for number, service in enumerate(services):
        rules = opened(place, service, front, other, listed)
        rules += [{**on(place.port), **members(front)}] if number else []
        rng.shuffle(rules)
        world.client("ec2").authorize_security_group_ingress(GroupId=service, IpPermissions=rules)
    before = world.network()
    for service in rng.sample(services, 2):
        learner.call(FILE, "close_service", service, front, place.port)
    network = world.network()

    def host(name, groups, number, subnet=0):
        return network.imagined(place.vpc.public[subnet], groups, public=True, number=number, name=name)

    return SimpleNamespace(
        before=before,
        network=network,
        groups=services,
        front=front,
        services=[host(t("the service"), [service], 10 + n, 1) for n, service in enumerate(services)],
        load_balancer=host(t("the load balancer"), [front], 10),
        others=[
            host(t("a stranger in {subnet}", subnet=place.vpc.public[0]), None, 60),
            host(t("a monitoring host"), [other], 61),
        ],
    )


def opened(place, service, front, other, listed):
    """What somebody has opened in a hurry: from every kind of source, some of it half right."""
    everywhere = [{"CidrIp": "0.0.0.0/0"}]
    return [
        {**on(place.port), "IpRanges": everywhere, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        {**on(place.port), **members(other)},
        {**on(place.port), "PrefixListIds": [{"PrefixListId": listed}]},
        {**on(place.port), "IpProtocol": "udp", **members(front)},
        {**on(place.port), "ToPort": place.port + 100, **members(front)},
        {**on(0), "ToPort": 65535, "IpRanges": [{"CidrIp": place.vpc.cidr}]},
        {**on(22), "IpRanges": [{"CidrIp": "198.51.100.0/24"}]},
        {"IpProtocol": "-1", **members(other)},
        {"IpProtocol": "-1", **members(service)},
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": everywhere},
    ]


def on(port):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}


def members(group):
    return {"UserIdGroupPairs": [{"GroupId": group}]}


@check(points=2, evidence="behaviour", docs=VPC + "security-group-rules.html")
def test_closing_takes_every_rule_away(closed, outsiders, place):
    """close_service: whatever somebody had opened is closed"""
    sources = [*outsiders[0], *outsiders[1], Internet("198.51.100.7"), *closed.others]
    hint = t("every rule that is there, of IPv4, of IPv6, of groups and of prefix lists")
    for service, group in zip(closed.services, closed.groups, strict=True):
        must_not(closed.network, sources, service, [place.port, 22, *place.others], hint)
        must_not(closed.network, [closed.load_balancer], service, [22, *place.others], hint)
        expected = t("only {source} reaches {target}", source=closed.load_balancer.name, target=service.name)
        only(closed.network, group, from_group(closed.front, place.port), expected, hint)


@check(points=1, evidence="behaviour", docs=VPC + "security-group-rules.html")
def test_closing_keeps_the_service(closed, place):
    """close_service: the load balancer still reaches the service"""
    hint = t("after everything is taken away, the one rule that stays is added")
    for service in closed.services:
        must(closed.network, closed.load_balancer, service, place.port, hint)


@check(points=1, evidence="state", docs=VPC + "security-group-rules.html")
def test_closing_leaves_the_rest(closed):
    """close_service: what the service may reach, and the other groups, stay as they were"""
    vpc = closed.before.find(closed.front)["VpcId"]
    for group in (one for one in closed.before.security_groups if one["VpcId"] == vpc):
        name, closing = group["GroupId"], group["GroupId"] in closed.groups
        ways = ("IpPermissionsEgress",) if closing else ("IpPermissions", "IpPermissionsEgress")
        changed = [way for way in ways if rules_of(closed.before, name, way) != rules_of(closed.network, name, way)]
        expect(
            not changed,
            expected=t(
                "{rules} of {group} are what they were", rules=", ".join(ways), group=f"{group['GroupName']} ({name})"
            ),
            found=t("they have changed"),
            on_aws=t("what stands in this group loses its way, or is reached by others than before"),
            hint=t("IpPermissions of the service's group, and of no other, are the ways in"),
        )


def rules_of(network, group, way):
    """The group's rules in one direction, one by one, in an order that does not depend on who reads them."""
    permissions = (network.find(group) or {}).get(way, [])
    sources = [(one, kind, of) for one in permissions for kind in SOURCES for of in one.get(kind, [])]
    return sorted(repr(([one.get(key) for key in PORTS], kind, sorted(of.items()))) for one, kind, of in sources)
