"""What AWS refuses of target groups and targets, and moto takes.

Source: Elastic Load Balancing API reference, CreateTargetGroup, ModifyTargetGroup, RegisterTargets; Application Load
Balancers Guide, "Target groups" (target type, health checks, registered targets).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from fargrade.emulator.ec2 import store as ec2
from fargrade.emulator.elbv2 import store
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, refusal
from fargrade.semantics.network.addresses import covers

HTTP = ("HTTP", "HTTPS")
# Addresses outside of the VPC that may be targets: "Target type" in the guide.
PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
CODES = re.compile(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*")


@refusal("elbv2", "CreateTargetGroup")
def _creation(call: Call) -> None:
    asked = call.parameters
    if asked.get("VpcId") and asked["VpcId"] not in ec2.backend(call.region).vpcs:
        raise _invalid(f"The VPC ID '{asked['VpcId']}' is not found")
    _checks(asked, asked.get("Protocol", ""))
    if asked.get("Protocol") in HTTP:
        timeout = asked.get("HealthCheckTimeoutSeconds")
        _pace(asked.get("HealthCheckIntervalSeconds") or 30, timeout or 5, named=timeout is not None)
    if asked.get("HealthCheckEnabled") is False and asked.get("TargetType", "instance") != "lambda":
        kind = asked.get("TargetType", "instance")
        raise _invalid(f"Health check enabled must be true for target groups with target type '{kind}'")
    found = next((one for one in store.backend(call.region).target_groups.values() if one.name == asked["Name"]), None)
    if found is not None and not same(found, asked):
        raise Refused(
            "DuplicateTargetGroupName",
            f"A target group with the same name '{found.name}' exists, but with different settings",
        )


def same(group: Any, asked: dict[str, Any]) -> bool:
    """Whether the target group has the settings that are asked for."""
    wanted = {
        "Protocol": group.protocol,
        "Port": group.port,
        "VpcId": group.vpc_id,
        "TargetType": group.target_type,
        "HealthCheckPath": group.health_check_path,
        "HealthCheckPort": group.health_check_port,
        "HealthCheckProtocol": group.health_check_protocol,
        "HealthCheckIntervalSeconds": group.health_check_interval_seconds,
        "HealthCheckTimeoutSeconds": group.health_check_timeout_seconds,
        "HealthyThresholdCount": group.healthy_threshold_count,
        "UnhealthyThresholdCount": group.unhealthy_threshold_count,
    }
    given = {"TargetType": "instance", **asked}
    return all(str(given[name]) == str(value) for name, value in wanted.items() if name in given)


@refusal("elbv2", "ModifyTargetGroup")
def _modification(call: Call) -> None:
    held = store.target_group(call.region, call.parameters["TargetGroupArn"])
    _checks(call.parameters, str(held.protocol))
    interval = call.parameters.get("HealthCheckIntervalSeconds") or held.health_check_interval_seconds
    timeout = call.parameters.get("HealthCheckTimeoutSeconds") or held.health_check_timeout_seconds
    _pace(interval, timeout, named=call.parameters.get("HealthCheckTimeoutSeconds") is not None)


def _pace(interval: Any, timeout: Any, *, named: bool) -> None:
    """Equal is too close, also to a default: github.com/hashicorp/terraform-provider-aws/issues/48070 and 2366 (the
    words where the timeout is `named`), terraform-linters/tflint-ruleset-aws/issues/404 (where it is not)."""
    if int(timeout) >= int(interval):
        close = "Health check interval must be greater than the timeout."
        raise _invalid(
            f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'" if named else close
        )


def _checks(asked: dict[str, Any], protocol: str) -> None:
    path = asked.get("HealthCheckPath")
    if path is not None and not path.startswith("/"):
        raise _invalid(f"Health check path '{path}' must begin with a '/' character")
    port = asked.get("HealthCheckPort")
    if port is not None and port != "traffic-port" and not (str(port).isdigit() and 1 <= int(port) <= 65535):
        raise _invalid(f"Health check port '{port}' must be 'traffic-port' or a port number between 1 and 65535")
    if protocol in HTTP and asked.get("HealthCheckProtocol") not in (None, *HTTP):
        raise _invalid(
            f"Health check protocol '{asked['HealthCheckProtocol']}' is not supported for target groups with the "
            f"{protocol} protocol. Must be one of 'HTTP', 'HTTPS'"
        )
    codes = (asked.get("Matcher") or {}).get("HttpCode")
    if codes is not None and protocol in HTTP:
        numbers = [int(one) for one in re.findall(r"\d+", codes)]
        if not CODES.fullmatch(codes) or any(not 200 <= one <= 499 for one in numbers):
            raise _invalid(f"Health check matcher HTTP code '{codes}' must be within '200-499' inclusive")


@refusal("elbv2", "RegisterTargets")
def _registration(call: Call) -> None:
    group = store.target_group(call.region, call.parameters["TargetGroupArn"])
    for target in call.parameters["Targets"]:
        if group.target_type == "ip":
            _address(call.region, group, target)
        elif group.target_type == "instance":
            _instance(call.region, group, target["Id"])


def _address(region: str, group: Any, target: dict[str, Any]) -> None:
    try:
        address = ipaddress.ip_address(target["Id"])
    except ValueError:
        raise _invalid(f"The IP address '{target['Id']}' is not a valid IPv4 address") from None
    vpc = ec2.backend(region).vpcs.get(group.vpc_id)
    blocks = [one["cidr_block"] for one in vpc.get_cidr_block_association_set()] if vpc else []
    blocks += [one["cidr_block"] for one in vpc.get_cidr_block_association_set(ipv6=True)] if vpc else []
    if any(covers(cidr, str(address)) for cidr in blocks):
        return
    if not any(covers(cidr, str(address)) for cidr in PRIVATE):
        raise _invalid(f"The IP address '{address}' is not within any of the VPC's or the private address ranges")
    if not target.get("AvailabilityZone"):
        raise _invalid(
            f"You must specify an Availability Zone of 'all' for the IP address '{address}': it is outside of the VPC"
        )


def _instance(region: str, group: Any, name: str) -> None:
    instances = [one for held in ec2.backend(region).reservations.values() for one in held.instances]
    found = next((one for one in instances if one.id == name), None)
    if found is None or (found.subnet_id and ec2.subnet(region, found.subnet_id).vpc_id != group.vpc_id):
        raise Refused("InvalidTarget", f"The following targets are not valid instances of the VPC: '{name}'")
    if found.state != "running":
        raise Refused(
            "InvalidTarget",
            f"The following targets are not in a running state and cannot be registered: '{name}'",
        )


def _invalid(message: str) -> Refused:
    return Refused("ValidationError", message)
