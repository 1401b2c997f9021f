"""The ways out of a subnet: to the internet, and to an AWS service, for one network interface.

A way is an internet gateway with a public address, a NAT gateway whose own subnet has one, a NAT instance, a VPC
endpoint, or over IPv6 an (egress-only) internet gateway. Where an interface endpoint answers for a service's name,
that is the way the traffic takes, even if there is another that would work.
Sources: VPC User Guide, "NAT gateways" and "Egress-only internet gateways"; PrivateLink Guide, "Access an AWS service
using an interface VPC endpoint" (private DNS needs both DNS attributes), "Gateway endpoints" (the prefix list's route
is more specific than a default one); ECR User Guide, "Amazon ECR interface VPC endpoints" (vpc-endpoints).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fargrade.semantics.iam import MalformedPolicy, Request, decide, parse_policy
from fargrade.semantics.network.firewall import crossing, let_in, let_out
from fargrade.semantics.network.path import Hop, Path, walk
from fargrade.semantics.network.reach import connect
from fargrade.semantics.network.routing import Routed, attached, route, route_hop, to_gateway
from fargrade.semantics.network.snapshot import Described, Host, Internet, Network
from fargrade.semantics.texts import t

HTTPS = 443
# Addresses that stand for AWS's public ones (ip-ranges.json: AMAZON, S3) and their IPv6 like.
SOMEWHERE = Internet("52.94.10.10")
SOMEWHERE_IPV6 = Internet("2600:1f18::10")
S3 = Internet("52.216.10.10")
GATEWAY_SERVICES = {"s3": S3, "dynamodb": Internet("52.119.228.10")}
GONE = ("deleted", "deleting")
EVERYTHING = parse_policy({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@dataclass(frozen=True)
class Need:
    """An AWS service that must be reached: its name in endpoints (`ecr.api`), and the requests made of it."""

    service: str
    requests: Sequence[Request] = ()


def way_out(network: Network, host: Host, port: int = HTTPS) -> Path:
    """The way to the internet, by the family of addresses that the host has (IPv4 if both)."""
    there = SOMEWHERE if host.address else SOMEWHERE_IPV6
    return walk(_to_internet(network, host, there, port))


def way_out_ipv6(network: Network, host: Host, port: int = HTTPS) -> Path:
    """The way to the internet over IPv6."""
    return walk(_to_internet(network, host, SOMEWHERE_IPV6, port))


def way_to_service(network: Network, host: Host, need: Need) -> Path:
    """The way to an AWS service of the network's region, over HTTPS."""
    vpc = network.vpc_of(host.subnet)
    dns = _resolves(network, vpc, need.service)
    if not dns.passed:
        return Path((dns,))
    interface, idle = _interface_endpoint(network, vpc, need.service)
    if interface:
        return Path((dns,)) + walk(_to_interface(network, host, interface, need))
    gateway = _gateway_endpoint(network, host.subnet, need.service)
    if gateway:
        return Path((dns,)) + walk(_to_gateway_endpoint(network, host, gateway, need))
    there = GATEWAY_SERVICES.get(need.service, SOMEWHERE) if host.address else SOMEWHERE_IPV6
    out = Path((dns,)) + walk(_to_internet(network, host, there, HTTPS))
    return Path((dns, idle)) if idle and not out.open else out


def pull_needs(region: str, account: str, repository: str, principal: str) -> tuple[Need, Need, Need]:
    """What pulling an image from a private ECR repository takes: its API, its registry, and S3 for the layers.

    Source: ECR User Guide, "Considerations for Amazon ECR VPC endpoints", and "Minimum Amazon S3 bucket permissions".
    """
    held = f"arn:aws:ecr:{region}:{account}:repository/{repository}"
    layers = f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*"
    pull = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
    login = Request(principal, "ecr:GetAuthorizationToken")
    return (
        Need("ecr.api", (login, *(Request(principal, action, held) for action in pull))),
        Need("ecr.dkr", tuple(Request(principal, action, held) for action in pull[1:])),
        Need("s3", (Request(principal, "s3:GetObject", layers),)),
    )


# -- the internet ------------------------------------------------------------------------------------------


def _to_internet(network: Network, host: Host, there: Internet, port: int) -> Iterator[Hop]:
    yield Hop("source", host.name, True, t("a connection from {source}"), {"source": host.name})
    if not host.addressed(there.address):
        yield Hop("source", host.name, False, t("{source} has no address of this kind"), {"source": host.name})
        return
    yield let_out(network, host, there, port)
    yield from crossing(network, host.subnet, there.address, port, inbound=False)
    routed = route(network, host.subnet, there.address)
    yield route_hop(routed, host.subnet, there.address)
    yield from _beyond(network, host, there, port, routed)


def _beyond(network: Network, host: Host, there: Internet, port: int, routed: Routed) -> Iterator[Hop]:
    """From the route's target on."""
    if routed.target.startswith("igw-"):
        yield from attached(network, host.subnet, routed.target)
        if ":" not in there.address and not host.public:
            why = t("{host} has no public IP address: an internet gateway passes nothing on for it")
            yield Hop("public address", host.name, False, why, {"host": host.name})
    elif routed.target.startswith("nat-"):
        yield from _through_nat(network, host, there, port, routed.target)
    elif routed.target.startswith("eigw-"):
        yield _egress_only(network, host, routed.target)
    elif routed.target.startswith(("eni-", "i-")):
        yield from _through_instance(network, host, there, port, routed.target)
    else:
        why = t("{target} leads into a network that is not described here")
        yield Hop("gateway", routed.target, None, why, {"target": routed.target}, routed.route)


def _through_nat(network: Network, host: Host, there: Internet, port: int, name: str) -> Iterator[Hop]:
    gateway = network.find(name)
    state = gateway.get("State", "available") if gateway else "deleted"
    if gateway is None or state != "available":
        yield Hop("nat gateway", name, False, t("{nat} is {state}"), {"nat": name, "state": state}, gateway)
        return
    if ":" in there.address:
        why = t("{nat} carries IPv4: IPv6 goes out by an (egress-only) internet gateway")
        yield Hop("nat gateway", name, False, why, {"nat": name}, gateway)
        return
    if gateway.get("ConnectivityType", "public") != "public":
        why = t("{nat} is a private NAT gateway: it leads to other networks, not to the internet")
        yield Hop("nat gateway", name, False, why, {"nat": name}, gateway)
        return
    values = {"nat": name, "subnet": gateway["SubnetId"]}
    yield Hop("nat gateway", name, True, t("{nat} stands in {subnet}"), values, gateway)
    if gateway["SubnetId"] != host.subnet:
        yield from crossing(network, gateway["SubnetId"], host.addressed(there.address), port, inbound=True)
    yield from to_gateway(network, gateway["SubnetId"], there.address)
    yield from crossing(network, gateway["SubnetId"], there.address, port, inbound=False)


def _egress_only(network: Network, host: Host, name: str) -> Hop:
    gateway = network.find(name)
    vpc = network.vpc_of(host.subnet)
    holds = gateway is not None and any(one.get("VpcId") == vpc for one in gateway.get("Attachments", []))
    why = t("{gateway} is attached to {vpc}") if holds else t("{gateway} is not attached to {vpc}")
    return Hop("gateway", name, holds, why, {"gateway": name, "vpc": vpc}, gateway)


def _through_instance(network: Network, host: Host, there: Internet, port: int, name: str) -> Iterator[Hop]:
    """A NAT instance: VPC User Guide, "NAT instances" (source/destination check off, a public address, rules)."""
    interface = network.find(name)
    if interface is not None and "InstanceId" in interface and "NetworkInterfaceId" not in interface:
        own = [one.get("NetworkInterfaceId") for one in interface.get("NetworkInterfaces", [])]
        interface = network.find(str(own[0])) if own else None
    if interface is None:
        yield Hop("nat gateway", name, False, t("{nat} is {state}"), {"nat": name, "state": "gone"})
        return
    if interface.get("SourceDestCheck", True):
        why = t("{nat} checks source and destination: it passes on nothing that is not its own")
        yield Hop("nat gateway", name, False, why, {"nat": name}, interface)
        return
    through = network.host(interface)
    yield Hop("nat gateway", name, True, t("{nat} stands in {subnet}"), {"nat": name, "subnet": through.subnet})
    yield let_in(network, through, host, port)
    yield from _to_internet(network, through, there, port)


# -- services ----------------------------------------------------------------------------------------------


def _resolves(network: Network, vpc: str, service: str) -> Hop:
    support, _ = network.dns.get(vpc, (True, False))
    values = {"vpc": vpc, "service": service}
    if not support:
        return Hop("dns", vpc, False, t("DNS support is off in {vpc}: the name of {service} does not resolve"), values)
    return Hop("dns", vpc, True, t("the name of {service} resolves in {vpc}"), values)


def _interface_endpoint(network: Network, vpc: str, service: str) -> tuple[Described | None, Hop | None]:
    """The interface endpoint that answers for the service's name; and the hop of one that is there but does not."""
    idle: Hop | None = None
    for endpoint in network.endpoints:
        if (
            endpoint.get("VpcEndpointType") != "Interface"
            or endpoint["VpcId"] != vpc
            or str(endpoint.get("State", "")).lower() in GONE
            or endpoint["ServiceName"] != f"com.amazonaws.{network.region}.{service}"
        ):
            continue
        name = endpoint["VpcEndpointId"]
        values = {"endpoint": name, "service": service, "vpc": vpc, "state": str(endpoint.get("State", "")).lower()}
        _, hostnames = network.dns.get(vpc, (True, True))
        if not endpoint.get("PrivateDnsEnabled"):
            why = t("{endpoint} has private DNS off: the name of {service} leads past it, to the internet")
        elif not hostnames:
            why = t("DNS hostnames are off in {vpc}: private DNS of {endpoint} does not work")
        elif values["state"] not in ("available", "pending", ""):
            why = t("{endpoint} is {state}")
        else:
            return endpoint, None
        idle = Hop("endpoint", name, False, why, values, endpoint)
    return None, idle


def _to_interface(network: Network, host: Host, endpoint: Described, need: Need) -> Iterator[Hop]:
    subnets = [subnet for subnet in endpoint.get("SubnetIds", []) if network.find(subnet)]
    name = endpoint["VpcEndpointId"]
    values = {"endpoint": name, "service": need.service}
    if not subnets:
        yield Hop("endpoint", name, False, t("{endpoint} is in no subnet"), values, endpoint)
        return
    zone = network.zone_of(host.subnet)
    nearest = next((subnet for subnet in subnets if network.zone_of(subnet) == zone), subnets[0])
    groups = tuple(one["GroupId"] for one in endpoint.get("Groups", []) if one.get("GroupId"))
    there = network.imagined(nearest, groups, name=name)
    yield from connect(network, host, there, HTTPS).hops
    yield Hop("endpoint", name, True, t("{endpoint} answers for {service}"), values, endpoint)
    yield from _policy(endpoint, need)


def _gateway_endpoint(network: Network, subnet: str, service: str) -> Described | None:
    table = network.route_table_of(subnet)
    for endpoint in network.endpoints:
        if (
            endpoint.get("VpcEndpointType", "Gateway") == "Gateway"
            and endpoint["VpcId"] == network.vpc_of(subnet)
            and str(endpoint.get("State", "")).lower() not in GONE
            and endpoint["ServiceName"] == f"com.amazonaws.{network.region}.{service}"
            and table is not None
            and table["RouteTableId"] in endpoint.get("RouteTableIds", [])
        ):
            return endpoint
    return None


def _to_gateway_endpoint(network: Network, host: Host, endpoint: Described, need: Need) -> Iterator[Hop]:
    there = GATEWAY_SERVICES.get(need.service, SOMEWHERE)
    wanted = f"com.amazonaws.{network.region}.{need.service}"
    listed = next((name for name, title in network.prefix_list_names.items() if title == wanted), "")
    yield Hop("source", host.name, True, t("a connection from {source}"), {"source": host.name})
    yield let_out(network, host, there, HTTPS, prefix_list=listed)
    yield from crossing(network, host.subnet, there.address, HTTPS, inbound=False)
    name = endpoint["VpcEndpointId"]
    values = {"endpoint": name, "service": need.service}
    yield Hop("endpoint", name, True, t("{endpoint} answers for {service}"), values, endpoint)
    yield from _policy(endpoint, need)


def _policy(endpoint: Described, need: Need) -> Iterator[Hop]:
    """The endpoint's policy must allow every request: PrivateLink Guide, "Control access using endpoint policies"."""
    document = endpoint.get("PolicyDocument")
    if not document:
        return
    name = endpoint["VpcEndpointId"]
    try:
        policy = parse_policy(document, "resource", name)
    except MalformedPolicy as error:
        values = {"endpoint": name, "error": error.message}
        yield Hop("endpoint", name, None, t("the policy of {endpoint} cannot be read: {error}"), values, endpoint)
        return
    for request in need.requests:
        if not decide(request, (EVERYTHING,), session=(policy,)).allowed:
            values = {"endpoint": name, "action": request.action, "resource": request.resource}
            why = t("the policy of {endpoint} does not allow {action} on {resource}")
            yield Hop("endpoint", name, False, why, values, endpoint)
            return
