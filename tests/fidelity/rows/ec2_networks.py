"""EC2: VPCs, subnets, gateways, routes, security groups, interfaces, endpoints."""

from __future__ import annotations

from typing import Any

from tests.fidelity.table import Row, Service, Step

ec2 = Service("ec2")
elbv2 = Service("elbv2")
world = Service("world")
API = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_{}.html"
ERRORS = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
GUIDE = "https://docs.aws.amazon.com/vpc/latest/userguide/{}.html"
LINK = "https://docs.aws.amazon.com/vpc/latest/privatelink/{}.html"
NOWHERE = "0123456789abcdef0"


def vpc(name: str = "vpc", cidr: str = "10.0.0.0/16", **more: Any) -> Step:
    return ec2.step("CreateVpc", {"CidrBlock": cidr, **more}, saves={name: "Vpc.VpcId"})


def subnet(name: str, cidr: str, zone: str = "a", of: str = "vpc") -> Step:
    asked = {"VpcId": f"<{of}>", "CidrBlock": cidr, "AvailabilityZone": f"us-east-1{zone}"}
    return ec2.step("CreateSubnet", asked, saves={name: "Subnet.SubnetId"})


def group(name: str = "group", of: str = "vpc") -> Step:
    asked = {"GroupName": name, "Description": name, "VpcId": f"<{of}>"}
    return ec2.step("CreateSecurityGroup", asked, saves={name: "GroupId"})


def table(name: str = "table", of: str = "vpc") -> Step:
    return ec2.step("CreateRouteTable", {"VpcId": f"<{of}>"}, saves={name: "RouteTable.RouteTableId"})


def gateway(name: str = "gateway", of: str = "vpc") -> tuple[Step, ...]:
    made = ec2.step("CreateInternetGateway", saves={name: "InternetGateway.InternetGatewayId"})
    return (made, ec2.step("AttachInternetGateway", {"InternetGatewayId": f"<{name}>", "VpcId": f"<{of}>"}))


def tcp(port: int = 80, high: int | None = None, **source: Any) -> dict[str, Any]:
    kept = source or {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port if high is None else high, **kept}


def let_in(*permissions: dict[str, Any], name: str = "group") -> dict[str, Any]:
    return {"GroupId": f"<{name}>", "IpPermissions": list(permissions)}


def dns_on(of: str = "vpc") -> Step:
    return ec2.step("ModifyVpcAttribute", {"VpcId": f"<{of}>", "EnableDnsHostnames": {"Value": True}})


def endpoint(service: str, **more: Any) -> dict[str, Any]:
    kind = {"VpcEndpointType": "Interface", "SubnetIds": ["<inside>"]} if "RouteTableIds" not in more else {}
    return {"VpcId": "<vpc>", "ServiceName": f"com.amazonaws.us-east-1.{service}", **kind, **more}


VPC = vpc()
INSIDE = (VPC, subnet("inside", "10.0.1.0/24"))
OTHER = vpc("other", "10.9.0.0/16")
ADDRESS = ec2.step("AllocateAddress", {"Domain": "vpc"}, saves={"address": "AllocationId"})
ROUTES = (VPC, table(), *gateway())
EVERYWHERE = "0.0.0.0/0"


def _route(target: dict[str, Any], code: str, why: str, *given: Step, **more: Any) -> Row:
    asked = {"RouteTableId": "<table>", "DestinationCidrBlock": EVERYWHERE, **target}
    source = more.pop("source", API.format("CreateRoute"))
    return ec2.refuses("CreateRoute", asked, code, why, given=[*ROUTES, *given], source=source, **more)


def _rule(permission: dict[str, Any], code: str, why: str, *given: Step, **more: Any) -> Row:
    source = more.pop("source", API.format("AuthorizeSecurityGroupIngress"))
    operation = more.pop("operation", "AuthorizeSecurityGroupIngress")
    return ec2.refuses(operation, let_in(permission), code, why, given=[VPC, group(), *given], source=source, **more)


def _endpoint(asked: dict[str, Any], code: str, why: str, *given: Step, **more: Any) -> Row:
    source = more.pop("source", API.format("CreateVpcEndpoint"))
    return ec2.refuses("CreateVpcEndpoint", asked, code, why, given=[*INSIDE, dns_on(), *given], source=source, **more)


SPACES = [
    ec2.refuses(
        "CreateVpc",
        {"CidrBlock": "10.0.0.0/8"},
        "InvalidVpc.Range",
        "a VPC larger than /16",
        source=GUIDE.format("vpc-cidr-blocks"),
    ),
    ec2.refuses(
        "CreateVpc",
        {"CidrBlock": "10.0.0.0/29"},
        "InvalidVpc.Range",
        "a VPC smaller than /28",
        source=GUIDE.format("vpc-cidr-blocks"),
    ),
    ec2.refuses("CreateVpc", {"CidrBlock": "ten"}, "InvalidParameterValue", "a block that is none", source=ERRORS),
    ec2.refuses(
        "CreateSubnet",
        {"VpcId": "<vpc>", "CidrBlock": "10.9.0.0/24"},
        "InvalidSubnet.Range",
        "a subnet outside of its VPC",
        given=[VPC],
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateSubnet",
        {"VpcId": "<vpc>", "CidrBlock": "10.0.1.128/25"},
        "InvalidSubnet.Conflict",
        "a subnet that overlaps another",
        given=INSIDE,
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateSubnet",
        {"VpcId": "<vpc>", "CidrBlock": "10.0.1.0/29"},
        "InvalidSubnet.Range",
        "a subnet smaller than /28",
        given=[VPC],
        source=GUIDE.format("subnet-sizing"),
    ),
    ec2.refuses(
        "CreateSubnet",
        {"VpcId": "<vpc>", "CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1z"},
        "InvalidParameterValue",
        "a zone that is not there",
        given=[VPC],
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateSubnet",
        {"VpcId": f"vpc-{NOWHERE}", "CidrBlock": "10.0.2.0/24"},
        "InvalidVpcID.NotFound",
        "a VPC that is not there",
        source=ERRORS,
    ),
    ec2.refuses(
        "DescribeSubnets",
        {"SubnetIds": [f"subnet-{NOWHERE}"]},
        "InvalidSubnetID.NotFound",
        "a subnet that is not there",
        source=ERRORS,
    ),
    ec2.refuses(
        "DeleteSubnet",
        {"SubnetId": "<inside>"},
        "DependencyViolation",
        "a subnet with an interface in it",
        given=[*INSIDE, ec2.step("CreateNetworkInterface", {"SubnetId": "<inside>"})],
        source=ERRORS,
    ),
    ec2.refuses(
        "DeleteVpc", {"VpcId": "<vpc>"}, "DependencyViolation", "a VPC with a subnet in it", given=INSIDE, source=ERRORS
    ),
    ec2.refuses(
        "ModifyVpcAttribute",
        {"VpcId": "<vpc>", "EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}},
        "InvalidParameterCombination",
        "two attributes in one call",
        given=[VPC],
        source=API.format("ModifyVpcAttribute"),
    ),
    ec2.accepts(
        "DescribeSubnets",
        {"SubnetIds": ["<dual>"]},
        "a subnet's IPv6 block and its state",
        given=[
            vpc(AmazonProvidedIpv6CidrBlock=True),
            ec2.step(
                "DescribeVpcs",
                {"VpcIds": ["<vpc>"]},
                saves={"v6": "Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock"},
            ),
            ec2.step(
                "CreateSubnet",
                {"VpcId": "<vpc>", "Ipv6Native": True, "Ipv6CidrBlock": "<v6>"},
                saves={"dual": "Subnet.SubnetId"},
            ),
        ],
        shows={"Subnets[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlockState.State": "associated"},
        source=API.format("DescribeSubnets"),
    ),
    ec2.accepts(
        "DescribeNetworkAcls",
        {"Filters": [{"Name": "vpc-id", "Values": ["<vpc>"]}]},
        "the default network ACL of a VPC with IPv6 lets IPv6 through",
        given=[vpc(AmazonProvidedIpv6CidrBlock=True)],
        shows={"NetworkAcls[0].Entries[?Ipv6CidrBlock=='::/0' && RuleAction=='allow'].RuleNumber": [101, 101]},
        source=GUIDE.format("default-network-acl"),
    ),
    ec2.accepts(
        "DescribeRouteTables",
        {"Filters": [{"Name": "vpc-id", "Values": ["<default>"]}]},
        "the default VPC is on the internet",
        given=[
            ec2.step(
                "DescribeVpcs",
                {"Filters": [{"Name": "is-default", "Values": ["true"]}]},
                saves={"default": "Vpcs[0].VpcId"},
            ),
            ec2.step(
                "DescribeInternetGateways",
                {"Filters": [{"Name": "attachment.vpc-id", "Values": ["<default>"]}]},
                saves={"gateway": "InternetGateways[0].InternetGatewayId"},
            ),
        ],
        shows={"RouteTables[0].Routes[?DestinationCidrBlock=='0.0.0.0/0'].GatewayId": ["<gateway>"]},
        source=GUIDE.format("default-vpc-components"),
    ),
]

GATEWAYS = [
    ec2.refuses(
        "AttachInternetGateway",
        {"InternetGatewayId": "<second>", "VpcId": "<vpc>"},
        "InvalidParameterValue",
        "a second internet gateway of a VPC",
        says="already has an internet gateway",
        given=[
            VPC,
            *gateway(),
            ec2.step("CreateInternetGateway", saves={"second": "InternetGateway.InternetGatewayId"}),
        ],
        source="observed: Network vpc-… already has an internet gateway attached",
    ),
    ec2.refuses(
        "AttachInternetGateway",
        {"InternetGatewayId": "<gateway>", "VpcId": "<other>"},
        "Resource.AlreadyAssociated",
        "an internet gateway of another VPC",
        given=[VPC, OTHER, *gateway()],
        source=ERRORS,
    ),
    ec2.refuses(
        "DeleteInternetGateway",
        {"InternetGatewayId": "<gateway>"},
        "DependencyViolation",
        "an internet gateway that is attached",
        given=[VPC, *gateway()],
        source=ERRORS,
    ),
    ec2.refuses(
        "DetachInternetGateway",
        {"InternetGatewayId": "<gateway>", "VpcId": "<vpc>"},
        "DependencyViolation",
        "an internet gateway that a NAT gateway goes out by",
        says="mapped public address",
        given=[
            *INSIDE,
            *gateway(),
            ADDRESS,
            ec2.step("CreateNatGateway", {"SubnetId": "<inside>", "AllocationId": "<address>"}),
        ],
        source=API.format("DetachInternetGateway"),
    ),
    ec2.refuses(
        "CreateNatGateway",
        {"AllocationId": "<address>"},
        "MissingParameter",
        "a zonal NAT gateway without a subnet",
        given=[ADDRESS],
        source=API.format("CreateNatGateway"),
    ),
    ec2.refuses(
        "CreateNatGateway",
        {"SubnetId": "<inside>"},
        "MissingParameter",
        "a public NAT gateway without an address",
        given=INSIDE,
        source=API.format("CreateNatGateway"),
    ),
    ec2.refuses(
        "CreateNatGateway",
        {"SubnetId": f"subnet-{NOWHERE}", "AllocationId": "<address>"},
        "InvalidSubnetID.NotFound",
        "a NAT gateway in no subnet",
        given=[ADDRESS],
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateNatGateway",
        {"SubnetId": "<inside>", "AllocationId": f"eipalloc-{NOWHERE}"},
        "InvalidAllocationID.NotFound",
        "a NAT gateway with an address that is not there",
        given=INSIDE,
        source=ERRORS,
    ),
    ec2.accepts(
        "CreateNatGateway",
        {"SubnetId": "<inside>", "AllocationId": "<address>"},
        "a NAT gateway is pending before it is available",
        given=[*INSIDE, *gateway(), ADDRESS],
        then=[
            ec2.step("DescribeNatGateways", shows={"NatGateways[0].State": "pending"}),
            world.step("advance", {"seconds": 120}),
            ec2.step("DescribeNatGateways", shows={"NatGateways[0].State": "available"}),
        ],
        source=GUIDE.format("nat-gateway-basics"),
    ),
    ec2.accepts(
        "CreateNatGateway",
        {"SubnetId": "<inside>", "AllocationId": "<address>"},
        "a NAT gateway fails in a VPC without an internet gateway",
        given=[*INSIDE, ADDRESS],
        then=[
            world.step("advance", {"seconds": 120}),
            ec2.step(
                "DescribeNatGateways",
                shows={"NatGateways[0].State": "failed", "NatGateways[0].FailureCode": "Gateway.NotAttached"},
            ),
        ],
        source=GUIDE.format("nat-gateway-troubleshooting"),
    ),
]

ROUTING = [
    _route(
        {"GatewayId": f"igw-{NOWHERE}"},
        "InvalidInternetGatewayID.NotFound",
        "a gateway that is not there",
        source=ERRORS,
    ),
    _route(
        {"GatewayId": "<loose>"},
        "InvalidParameterValue",
        "a gateway that is attached to no VPC",
        ec2.step("CreateInternetGateway", saves={"loose": "InternetGateway.InternetGatewayId"}),
        says="belong to different networks",
        source="observed: route table rtb-… and network gateway igw-… belong to different networks",
    ),
    _route(
        {"GatewayId": "<foreign>"},
        "InvalidParameterValue",
        "a gateway of another VPC",
        OTHER,
        *gateway("foreign", "other"),
        says="belong to different networks",
        source="observed: route table rtb-… and network gateway igw-… belong to different networks",
    ),
    _route(
        {"NatGatewayId": f"nat-{NOWHERE}"},
        "InvalidNatGatewayID.NotFound",
        "a NAT gateway that is not there",
        source=ERRORS,
    ),
    _route(
        {"EgressOnlyInternetGatewayId": f"eigw-{NOWHERE}"},
        "InvalidGatewayID.NotFound",
        "an egress-only gateway that is not there",
        source=ERRORS,
    ),
    _route(
        {"EgressOnlyInternetGatewayId": "<eigw>"},
        "InvalidParameterCombination",
        "an egress-only gateway for IPv4",
        ec2.step(
            "CreateEgressOnlyInternetGateway",
            {"VpcId": "<vpc>"},
            saves={"eigw": "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId"},
        ),
    ),
    _route({}, "MissingParameter", "a route to nothing"),
    _route(
        {"GatewayId": "<gateway>", "NatGatewayId": f"nat-{NOWHERE}"},
        "InvalidParameterCombination",
        "a route to two gateways",
    ),
    _route(
        {"GatewayId": "<gateway>", "DestinationCidrBlock": "0.0.0.0"},
        "InvalidParameterValue",
        "a destination that is no block",
    ),
    _route(
        {"GatewayId": "<gateway>"},
        "RouteAlreadyExists",
        "a second route to the same block",
        ec2.step(
            "CreateRoute", {"RouteTableId": "<table>", "DestinationCidrBlock": EVERYWHERE, "GatewayId": "<gateway>"}
        ),
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateRoute",
        {"RouteTableId": "<table>", "GatewayId": "<gateway>"},
        "MissingParameter",
        "a route from nowhere",
        given=ROUTES,
        source=API.format("CreateRoute"),
    ),
    ec2.refuses(
        "CreateRoute",
        {"RouteTableId": f"rtb-{NOWHERE}", "DestinationCidrBlock": EVERYWHERE, "GatewayId": "<gateway>"},
        "InvalidRouteTableID.NotFound",
        "a route in no table",
        given=ROUTES,
        source=ERRORS,
    ),
    ec2.accepts(
        "CreateRoute",
        {"RouteTableId": "<table>", "DestinationCidrBlock": EVERYWHERE, "GatewayId": "<nat>"},
        "a NAT gateway's id as GatewayId",
        given=[
            *INSIDE,
            table(),
            *gateway(),
            ADDRESS,
            ec2.step(
                "CreateNatGateway",
                {"SubnetId": "<inside>", "AllocationId": "<address>"},
                saves={"nat": "NatGateway.NatGatewayId"},
            ),
        ],
        source="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/route_table",
    ),
    ec2.refuses(
        "AssociateRouteTable",
        {"RouteTableId": "<table>", "SubnetId": "<outside>"},
        "InvalidParameterValue",
        "a table and a subnet of two VPCs",
        given=[VPC, table(), OTHER, subnet("outside", "10.9.1.0/24", of="other")],
        source=API.format("AssociateRouteTable"),
    ),
    ec2.refuses(
        "AssociateRouteTable",
        {"RouteTableId": "<second>", "SubnetId": "<inside>"},
        "Resource.AlreadyAssociated",
        "a second table for a subnet",
        given=[
            *INSIDE,
            table(),
            table("second"),
            ec2.step("AssociateRouteTable", {"RouteTableId": "<table>", "SubnetId": "<inside>"}),
        ],
        source=ERRORS,
    ),
    ec2.refuses(
        "DeleteRouteTable",
        {"RouteTableId": "<table>"},
        "DependencyViolation",
        "a table with a subnet",
        given=[*INSIDE, table(), ec2.step("AssociateRouteTable", {"RouteTableId": "<table>", "SubnetId": "<inside>"})],
        source=ERRORS,
    ),
]

ROWS = [*SPACES, *GATEWAYS, *ROUTING]
