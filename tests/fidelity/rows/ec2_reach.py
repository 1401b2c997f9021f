"""Security groups, network interfaces and endpoints: who may reach whom, and what EC2 refuses of it."""

from __future__ import annotations

from typing import Any

from tests.fidelity.rows.ec2_networks import (
    API,
    ERRORS,
    EVERYWHERE,
    INSIDE,
    LINK,
    NOWHERE,
    OTHER,
    VPC,
    _endpoint,
    _rule,
    dns_on,
    ec2,
    endpoint,
    group,
    let_in,
    subnet,
    table,
    tcp,
)

KEPT = {"rule": "SecurityGroupRules[0].SecurityGroupRuleId"}
RULE = ec2.step("AuthorizeSecurityGroupIngress", let_in(tcp()), saves=KEPT)


def modified(group_id: str, permission: dict[str, Any], **source: str) -> dict[str, Any]:
    """What changes the rule that was saved to this protocol, these ports and this source."""
    ports = {name: permission[name] for name in ("IpProtocol", "FromPort", "ToPort")}
    return {
        "GroupId": group_id,
        "SecurityGroupRules": [{"SecurityGroupRuleId": "<rule>", "SecurityGroupRule": {**ports, **source}}],
    }


GROUPS = [
    ec2.refuses(
        "CreateSecurityGroup",
        {"GroupName": "group", "Description": "again", "VpcId": "<vpc>"},
        "InvalidGroup.Duplicate",
        "a group of the same name in the VPC",
        given=[VPC, group()],
        says="The security group 'group' already exists for VPC 'vpc-",
        source="observed: InvalidGroup.Duplicate in public logs of Terraform, CloudFormation and the AWS CLI",
    ),
    ec2.refuses(
        "CreateSecurityGroup",
        {"GroupName": "sg-web", "Description": "web", "VpcId": "<vpc>"},
        "InvalidParameterValue",
        "a name that looks like an id",
        given=[VPC],
        source=API.format("CreateSecurityGroup"),
    ),
    ec2.refuses(
        "CreateSecurityGroup",
        {"GroupName": "default", "Description": "web", "VpcId": "<vpc>"},
        "InvalidGroup.Reserved",
        "the name of the default group",
        given=[VPC],
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateSecurityGroup",
        {"GroupName": "web", "Description": "для веба", "VpcId": "<vpc>"},
        "InvalidParameterValue",
        "a description in Cyrillic",
        given=[VPC],
        says="Character sets beyond ASCII",
        source=API.format("CreateSecurityGroup"),
    ),
    ec2.refuses(
        "CreateSecurityGroup",
        {"GroupName": "web", "Description": "web", "VpcId": f"vpc-{NOWHERE}"},
        "InvalidVpcID.NotFound",
        "a group of a VPC that is not there",
        source=ERRORS,
    ),
    _rule(
        tcp(),
        "InvalidPermission.Duplicate",
        "a rule that is there already",
        ec2.step("AuthorizeSecurityGroupIngress", let_in(tcp())),
        says='the specified rule "peer: .*, TCP, from port: 80, to port: 80, ALLOW" already exists',
        source="observed: InvalidPermission.Duplicate in public logs of Terraform",
    ),
    _rule(
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYWHERE}]},
        "InvalidPermission.Duplicate",
        "the outbound rule that every group has",
        operation="AuthorizeSecurityGroupEgress",
        says='the specified rule "peer: 0.0.0.0/0, ALL, ALLOW" already exists',
        source="observed: InvalidPermission.Duplicate of AuthorizeSecurityGroupEgress in public logs of Terraform",
    ),
    _rule(
        tcp(IpRanges=[{"CidrIp": "10.0.0.0/33"}]),
        "InvalidParameterValue",
        "a block longer than an address",
        source=ERRORS,
    ),
    _rule(
        tcp(IpRanges=[{"CidrIp": "10.0.0.1"}]), "InvalidParameterValue", "an address without a prefix", source=ERRORS
    ),
    _rule(tcp(IpRanges=[{"CidrIp": "::/0"}]), "InvalidParameterValue", "an IPv6 block as CidrIp", source=ERRORS),
    _rule(
        tcp(UserIdGroupPairs=[{"GroupId": f"sg-{NOWHERE}"}]),
        "InvalidGroup.NotFound",
        "a source group that is not there",
        source=ERRORS,
    ),
    _rule(
        tcp(UserIdGroupPairs=[{"GroupId": "alb"}]),
        "InvalidGroupId.Malformed",
        "a source group by its name",
        source=ERRORS,
    ),
    _rule(
        tcp(UserIdGroupPairs=[{"GroupId": "<foreign>"}]),
        "InvalidGroup.NotFound",
        "a source group of another VPC",
        OTHER,
        group("foreign", "other"),
        says="different networks",
        source=ERRORS,
    ),
    _rule(
        tcp(UserIdGroupPairs=[{"GroupName": "group"}]),
        "InvalidGroup.NotFound",
        "a source group by GroupName, in a VPC that is not the default one",
        says="The security group 'group' does not exist in default VPC 'vpc-",
        source="observed: github.com/boto/boto3/issues/158",
    ),
    _rule(
        {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": EVERYWHERE}]},
        "InvalidParameterValue",
        "TCP without ports",
        says="from and to ports",
    ),
    _rule(tcp(90, 80), "InvalidParameterValue", "a span of ports that is turned round"),
    _rule(tcp(70000), "InvalidParameterValue", "a port beyond 65535"),
    _rule({**tcp(), "IpProtocol": "http"}, "InvalidParameterValue", "a protocol that is none of IP's"),
    _rule({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}, "MissingParameter", "a rule without a source"),
    ec2.refuses(
        "AuthorizeSecurityGroupIngress",
        {"GroupId": "<group>"},
        "MissingParameter",
        "no rule at all",
        given=[VPC, group()],
        source=API.format("AuthorizeSecurityGroupIngress"),
    ),
    ec2.refuses(
        "AuthorizeSecurityGroupIngress",
        {"GroupId": f"sg-{NOWHERE}", "IpPermissions": [tcp()]},
        "InvalidGroup.NotFound",
        "a rule for a group that is not there",
        source=ERRORS,
    ),
    ec2.refuses(
        "RevokeSecurityGroupIngress",
        let_in(tcp(99)),
        "InvalidPermission.NotFound",
        "a rule that is not there taken away",
        given=[VPC, group()],
        source=ERRORS,
    ),
    ec2.refuses(
        "ModifySecurityGroupRules",
        modified("<group>", tcp(), ReferencedGroupId="<group>"),
        "InvalidParameterValue",
        "a rule of a block changed to one of a group",
        given=[VPC, group(), RULE],
        says="Invalid rule type for security group rule",
        source="observed: getmoto/moto pull 8917, with a test validated on AWS",
    ),
    ec2.accepts(
        "ModifySecurityGroupRules",
        modified("<group>", tcp(8080), ReferencedGroupId="<other>"),
        "a rule of a group gets another group, and another port",
        given=[
            VPC,
            group(),
            group("other"),
            ec2.step(
                "AuthorizeSecurityGroupIngress", let_in(tcp(UserIdGroupPairs=[{"GroupId": "<group>"}])), saves=KEPT
            ),
        ],
        then=[
            ec2.step(
                "DescribeSecurityGroups",
                {"GroupIds": ["<group>"]},
                shows={
                    "SecurityGroups[0].IpPermissions[0].FromPort": 8080,
                    "SecurityGroups[0].IpPermissions[0].UserIdGroupPairs[0].GroupId": "<other>",
                },
            )
        ],
        source=API.format("ModifySecurityGroupRules"),
    ),
    ec2.refuses(
        "DescribeSecurityGroups",
        {"GroupIds": [f"sg-{NOWHERE}"]},
        "InvalidGroup.NotFound",
        "a group that is not there",
        source=ERRORS,
    ),
    ec2.refuses(
        "DeleteSecurityGroup",
        {"GroupId": "<group>"},
        "DependencyViolation",
        "a group that an interface has",
        given=[*INSIDE, group(), ec2.step("CreateNetworkInterface", {"SubnetId": "<inside>", "Groups": ["<group>"]})],
        source=ERRORS,
    ),
    ec2.refuses(
        "DeleteSecurityGroup",
        {"GroupId": "<group>"},
        "DependencyViolation",
        "a group that a rule names",
        given=[
            VPC,
            group(),
            group("next"),
            ec2.step(
                "AuthorizeSecurityGroupIngress", let_in(tcp(UserIdGroupPairs=[{"GroupId": "<group>"}]), name="next")
            ),
        ],
        source=ERRORS,
    ),
    ec2.refuses(
        "DeleteSecurityGroup",
        {"GroupId": "<default>"},
        "CannotDelete",
        "the default group",
        given=[
            VPC,
            ec2.step(
                "DescribeSecurityGroups",
                {"Filters": [{"Name": "vpc-id", "Values": ["<vpc>"]}]},
                saves={"default": "SecurityGroups[0].GroupId"},
            ),
        ],
        source=API.format("DeleteSecurityGroup"),
    ),
    ec2.accepts(
        "AuthorizeSecurityGroupIngress",
        let_in(tcp(IpRanges=[{"CidrIp": "100.68.0.18/18"}])),
        "a block with bits beyond its prefix is kept in its canonical form",
        given=[VPC, group()],
        then=[
            ec2.step(
                "DescribeSecurityGroups",
                {"GroupIds": ["<group>"]},
                shows={"SecurityGroups[0].IpPermissions[0].IpRanges[0].CidrIp": "100.68.0.0/18"},
            )
        ],
        source=API.format("IpRange"),
    ),
    ec2.accepts(
        "AuthorizeSecurityGroupIngress",
        {"GroupId": "<group>", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": EVERYWHERE},
        "a rule by the older parameters",
        given=[VPC, group()],
        then=[
            ec2.step(
                "DescribeSecurityGroups",
                {"GroupIds": ["<group>"]},
                shows={"SecurityGroups[0].IpPermissions[0].ToPort": 443},
            )
        ],
        source=API.format("AuthorizeSecurityGroupIngress"),
    ),
]

INTERFACES = [
    ec2.refuses(
        "CreateNetworkInterface",
        {"SubnetId": f"subnet-{NOWHERE}"},
        "InvalidSubnetID.NotFound",
        "an interface in no subnet",
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateNetworkInterface",
        {"SubnetId": "<inside>", "Groups": [f"sg-{NOWHERE}"]},
        "InvalidGroup.NotFound",
        "an interface with a group that is not there",
        given=INSIDE,
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateNetworkInterface",
        {"SubnetId": "<inside>", "Groups": ["<foreign>"]},
        "InvalidGroup.NotFound",
        "an interface with a group of another VPC",
        given=[*INSIDE, OTHER, group("foreign", "other")],
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateNetworkInterface",
        {"SubnetId": "<inside>", "PrivateIpAddress": "10.0.9.9"},
        "InvalidParameterValue",
        "an address outside of the subnet",
        given=INSIDE,
        source=ERRORS,
    ),
    ec2.refuses(
        "CreateNetworkInterface",
        {"SubnetId": "<inside>", "PrivateIpAddress": "10.0.1.9"},
        "InvalidIPAddress.InUse",
        "an address that another interface has",
        given=[*INSIDE, ec2.step("CreateNetworkInterface", {"SubnetId": "<inside>", "PrivateIpAddress": "10.0.1.9"})],
        source=ERRORS,
    ),
    ec2.accepts(
        "CreateNetworkInterface",
        {"SubnetId": "<inside>"},
        "an interface in a VPC whose DNS hostnames are off",
        given=INSIDE,
        shows={"NetworkInterface.SubnetId": "<inside>"},
        source=API.format("CreateNetworkInterface"),
    ),
]

ENDPOINTS = [
    _endpoint(endpoint("nope"), "InvalidServiceName", "a service that has no endpoint"),
    _endpoint({**endpoint("ecr.api"), "ServiceName": "com.amazonaws.eu-west-1.ecr.api"}, "InvalidServiceName",
              "a service of another region"),
    _endpoint({**endpoint("ecr.api", RouteTableIds=["<table>"]), "VpcEndpointType": "Gateway"}, "InvalidParameter",
              "a gateway endpoint of ECR", table(), source=LINK.format("gateway-endpoints")),
    _endpoint(endpoint("s3", RouteTableIds=["<table>"]), "RouteAlreadyExists", "a second gateway endpoint in a table",
              table(), ec2.step("CreateVpcEndpoint", endpoint("s3", RouteTableIds=["<table>"])),
              source=LINK.format("gateway-endpoints")),
    _endpoint(endpoint("ecr.api"), "InvalidParameter", "a second endpoint with private DNS",
              ec2.step("CreateVpcEndpoint", endpoint("ecr.api")), says="conflicting DNS domain",
              source="observed: private-dns-enabled cannot be set because there is already a conflicting DNS domain"),
    _endpoint({**endpoint("logs"), "SubnetIds": ["<inside>", "<twin>"]}, "DuplicateSubnetsInSameZone",
              "two subnets of one zone", subnet("twin", "10.0.2.0/24"), source=ERRORS),
    _endpoint(endpoint("logs", SecurityGroupIds=[f"sg-{NOWHERE}"]), "InvalidGroup.NotFound",
              "a group that is not there", source=ERRORS),
    ec2.refuses("CreateVpcEndpoint", endpoint("logs", PrivateDnsEnabled=True), "InvalidParameter",
                "private DNS in a VPC whose DNS hostnames are off", given=INSIDE,
                says="requires both enableDnsSupport and enableDnsHostnames",
                source=LINK.format("create-interface-endpoint")),
    ec2.accepts("CreateVpcEndpoint", endpoint("ecr.dkr"), "private DNS is on unless it is said otherwise",
                given=[*INSIDE, dns_on()], shows={"VpcEndpoint.PrivateDnsEnabled": True},
                then=[ec2.step("DescribeVpcEndpoints", shows={"VpcEndpoints[0].Groups[0].GroupName": "default"})],
                source=API.format("CreateVpcEndpoint")),
    ec2.accepts("CreateVpcEndpoint", endpoint("s3", RouteTableIds=["<table>"]),
                "an endpoint is a gateway unless it is said otherwise", given=[VPC, table()],
                then=[ec2.step("DescribeVpcEndpoints", shows={"VpcEndpoints[0].VpcEndpointType": "Gateway"})],
                source=API.format("CreateVpcEndpoint")),
]  # fmt: skip

ROWS = [*GROUPS, *INTERFACES, *ENDPOINTS]
