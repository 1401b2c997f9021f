"""What AWS refuses of security groups and their rules, and moto takes.

Source: EC2 API reference, CreateSecurityGroup, AuthorizeSecurityGroupIngress/Egress, DeleteSecurityGroup and "Error
codes"; VPC User Guide, "Security group rules".
"""

from __future__ import annotations

import re
from typing import Any

from fargrade.emulator.ec2 import store
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, follower, refusal
from fargrade.semantics.network.addresses import block

NAME = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
PROTOCOLS = {"tcp", "udp", "icmp", "icmpv6", "-1", "all"}
RULES = 60  # a group, a direction, a family of addresses: VPC User Guide, "Amazon VPC quotas"
KINDS = {
    "CidrIpv4": "IPv4 CIDR",
    "CidrIpv6": "IPv6 CIDR",
    "PrefixListId": "prefix list",
    "ReferencedGroupId": "referenced group",
}
SOURCES = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")


@refusal("ec2", "CreateSecurityGroup")
def _creation(call: Call) -> None:
    name, text = call.parameters.get("GroupName", ""), call.parameters.get("Description", "")
    if call.parameters.get("VpcId"):
        store.vpc(call.region, call.parameters["VpcId"])
    for parameter, value in (("GroupName", name), ("GroupDescription", text)):
        if not value:
            raise Refused("MissingParameter", f"The request must contain the parameter {parameter}")
    if name.startswith("sg-"):
        raise _invalid(f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*")
    for parameter, value in (("GroupName", name), ("GroupDescription", text)):
        if not NAME.fullmatch(value):
            raise _invalid(
                f"Value ({value}) for parameter {parameter} is invalid. Character sets beyond ASCII are not supported."
            )
    if name == "default":
        raise Refused("InvalidGroup.Reserved", "Cannot use reserved security group name: default")
    vpc = call.parameters.get("VpcId")
    if vpc and any(one.name == name for one in store.backend(call.region).groups[vpc].values()):
        raise Refused("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc}'")


@refusal("ec2", "DescribeSecurityGroups")
def _named_groups_exist(call: Call) -> None:
    for name in call.parameters.get("GroupIds") or []:
        store.group(call.region, name)


@refusal("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def _authorization(call: Call) -> None:
    asked = call.parameters
    if not asked.get("GroupId") and not asked.get("GroupName"):
        raise Refused("MissingParameter", "The request must contain the parameter groupName or groupId")
    own = store.group(call.region, asked["GroupId"]) if asked.get("GroupId") else None
    permissions = asked.get("IpPermissions") or _flat(asked)
    if not permissions:
        raise Refused("MissingParameter", "The request must contain the parameter ipPermissions.")
    for permission in permissions:
        _ports(permission)
        _sources(call.region, permission, own)
    egress = call.operation.endswith("Egress")
    if own is not None:
        held = own.egress_rules if egress else own.ingress_rules
        _new_ones(held, permissions)
        _limit(held, permissions)


def _flat(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The one rule that the older parameters (CidrIp, FromPort …) describe."""
    if not asked.get("IpProtocol") and not asked.get("CidrIp") and not asked.get("SourceSecurityGroupName"):
        return []
    rule: dict[str, Any] = {name: asked[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in asked}
    rule["IpRanges"] = [{"CidrIp": asked["CidrIp"]}] if asked.get("CidrIp") else []
    if asked.get("SourceSecurityGroupName"):
        rule["UserIdGroupPairs"] = [{"GroupName": asked["SourceSecurityGroupName"]}]
    return [rule]


def _ports(permission: dict[str, Any]) -> None:
    protocol = str(permission.get("IpProtocol") or "").lower()
    if not protocol:
        raise Refused("MissingParameter", "The request must contain the parameter ipProtocol")
    if protocol not in PROTOCOLS and not (protocol.isdigit() and int(protocol) <= 255):
        raise Refused("InvalidParameterValue", f"Invalid value '{protocol}' for IP protocol. Unknown protocol.")
    if protocol not in ("tcp", "udp", "6", "17"):
        return
    low, high = permission.get("FromPort"), permission.get("ToPort")
    if low is None or high is None:
        raise _invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
    for port in (low, high):
        if not 0 <= int(port) <= 65535:
            raise _invalid(f"Invalid value '{port}' for portRange. Ports must be between 0 and 65535.")
    if int(low) > int(high):
        raise _invalid(f"Invalid TCP/UDP port range ({low}, {high}).")


def _sources(region: str, permission: dict[str, Any], own: Any) -> None:
    if not any(permission.get(name) for name in SOURCES):
        words = "Either 'cidrIp', 'cidrIpv6', 'prefixListId' or 'referencedGroupId' should be provided."
        raise Refused("MissingParameter", words)
    for ranges, key in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
        for one in permission.get(ranges) or []:
            _cidr(str(one.get(key, "")), 6 if key == "CidrIpv6" else 4)
    for pair in permission.get("UserIdGroupPairs") or []:
        if not pair.get("GroupId"):
            _in_the_default_vpc(region, str(pair.get("GroupName") or ""))
            continue
        named = store.group(region, pair["GroupId"])
        if own is not None and named.vpc_id != own.vpc_id:
            raise Refused(
                "InvalidGroup.NotFound",
                f"You have specified two resources that belong to different networks: {named.id} and {own.id}",
            )


def _in_the_default_vpc(region: str, name: str) -> None:
    """A source group that is named, not given by its id, is looked for in the default VPC, whatever the rule is for.

    Source: EC2 API reference, UserIdGroupPair ("[Default VPC] The name of the security group"); words observed,
    github.com/boto/boto3/issues/158.
    """
    default = store.backend(region).get_default_vpc()
    if default is None or not any(one.name == name for one in store.backend(region).groups[default.id].values()):
        vpc = default.id if default else "none"
        raise Refused("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC '{vpc}'")


@refusal("ec2", "ModifySecurityGroupRules")
def _keeps_its_kind_of_source(call: Call) -> None:
    """Words: those that moto has from AWS, getmoto/moto pull 8917 (a test validated there)."""
    for new, held in _modified(call):
        for parameter in KINDS:
            if new.get(parameter) and not _peer_of(held, parameter):
                was = next((text for name, text in KINDS.items() if _peer_of(held, name)), "IPv4 CIDR")
                words = f"You may not specify {parameter} for an existing {was} rule."
                raise _invalid(f"Invalid rule type for security group rule '{held.id}'. {words}")


@follower("ec2", "ModifySecurityGroupRules")
def _modify_every_kind(call: Call) -> None:
    """moto changes the source of IPv4 rules only. (Upstream: yes.)"""
    for new, held in _modified(call):
        if new.get("CidrIpv6"):
            held.ip_range = {**held.ip_range, "CidrIpv6": _canonical(str(new["CidrIpv6"]))}
        if new.get("PrefixListId"):
            held.prefix_list_id = new["PrefixListId"]
        if new.get("ReferencedGroupId"):
            held.source_group = {**held.source_group, "GroupId": new["ReferencedGroupId"]}


def _modified(call: Call) -> list[tuple[dict[str, Any], Any]]:
    """What ModifySecurityGroupRules asks, with the rule that it asks it of; those that are not there are moto's."""
    group = store.group(call.region, str(call.parameters.get("GroupId")))
    asked = call.parameters.get("SecurityGroupRules") or []
    pairs = [(one.get("SecurityGroupRule") or {}, group.get_rule(one.get("SecurityGroupRuleId"))) for one in asked]
    return [(new, held) for new, held in pairs if held is not None]


def _peer_of(rule: Any, parameter: str) -> str:
    kept = {
        "CidrIpv4": _within(rule.ip_range, "CidrIp"),
        "CidrIpv6": _within(rule.ip_range, "CidrIpv6"),
        "PrefixListId": _within(rule.prefix_list_id, "PrefixListId"),
        "ReferencedGroupId": _within(rule.source_group, "GroupId"),
    }
    return kept[parameter]


def _cidr(text: str, version: int) -> None:
    found = block(text)
    if found is None or found.version != version or "/" not in text:
        raise _invalid(f"CIDR block {text} is malformed")


def _new_ones(held: list[Any], permissions: list[dict[str, Any]]) -> None:
    """Words: observed, github.com/kubernetes/kops (peer: sg-…, ALL) and Terraform's users (peer: 0.0.0.0/0, TCP, …)."""
    there = {_told(one.ip_protocol, one.from_port, one.to_port, _peer(one)) for one in held}
    for permission in permissions:
        peers = [
            *(_canonical(str(one.get("CidrIp"))) for one in permission.get("IpRanges") or []),
            *(_canonical(str(one.get("CidrIpv6"))) for one in permission.get("Ipv6Ranges") or []),
            *(str(one.get("GroupId")) for one in permission.get("UserIdGroupPairs") or []),
            *(str(one.get("PrefixListId")) for one in permission.get("PrefixListIds") or []),
        ]
        for peer in peers:
            told = _told(permission.get("IpProtocol"), permission.get("FromPort"), permission.get("ToPort"), peer)
            if told in there:
                raise Refused("InvalidPermission.Duplicate", f'the specified rule "{told}" already exists')


def _peer(rule: Any) -> str:
    cidr = _within(rule.ip_range, "CidrIp") or _within(rule.ip_range, "CidrIpv6")
    if cidr:
        return _canonical(cidr)
    return _within(rule.source_group, "GroupId") or _within(rule.prefix_list_id, "PrefixListId")


def _within(kept: Any, name: str) -> str:
    """moto keeps a rule's peer as a map, or as the text in it, by the way that it came."""
    return str(kept.get(name) or "") if isinstance(kept, dict) else str(kept or "") if name == "PrefixListId" else ""


def _canonical(text: str) -> str:
    return str(block(text) or text)


def _told(protocol: Any, low: Any, high: Any, peer: str) -> str:
    """A rule as EC2 writes it in an error."""
    name = {"-1": "ALL", "6": "TCP", "17": "UDP", "1": "ICMP"}.get(str(protocol), str(protocol).upper())
    ports = "" if name == "ALL" or low is None else f", from port: {low}, to port: {high}"
    return f"peer: {peer}, {name}{ports}, ALLOW"


def _limit(held: list[Any], permissions: list[dict[str, Any]]) -> None:
    more = sum(len(permission.get(name) or []) for permission in permissions for name in SOURCES)
    if len(held) + more > RULES:
        raise Refused(
            "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."
        )


@refusal("ec2", "DeleteSecurityGroup")
def _deletion(call: Call) -> None:
    name = call.parameters.get("GroupId")
    if not name:
        return
    found = store.group(call.region, name)
    if found.name == "default":
        raise Refused("CannotDelete", f'the specified group: "{name}" name: "default" cannot be deleted by a user')
    used = any(group.id == name for one in store.interfaces(call.region) for group in one.group_set)
    if used or _referenced(call.region, name) or _balanced(call.region, name):
        raise Refused("DependencyViolation", f"resource {name} has a dependent object")


def _referenced(region: str, name: str) -> bool:
    """Whether another group's rule names the group."""
    for groups in store.backend(region).groups.values():
        for group in groups.values():
            if group.id == name:
                continue
            for rule in [*group.ingress_rules, *group.egress_rules]:
                if (rule.source_group or {}).get("GroupId") == name:
                    return True
    return False


def _balanced(region: str, name: str) -> bool:
    """Whether a load balancer has the group: its own interfaces are not moto's."""
    from fargrade.emulator.elbv2 import store as elb

    return any(name in (one.security_groups or []) for one in elb.backend(region).load_balancers.values())


def _invalid(message: str) -> Refused:
    return Refused("InvalidParameterValue", message)
