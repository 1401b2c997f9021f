"""What attributes of load balancers and of target groups may be, and tags: moto takes nearly any value.

Source: Elastic Load Balancing API reference, LoadBalancerAttribute, TargetGroupAttribute, AddTags.
"""

from __future__ import annotations

import re
from collections import Counter

from fargrade.emulator.elbv2 import store
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, refusal

KNOWN = re.compile(
    r"(deregistration_delay\.|stickiness\.|load_balancing\.|slow_start\.|lambda\.|proxy_protocol_v2\.|preserve_client_ip"
    r"\.|target_group_health\.|target_failover\.|target_health_state\.|waf\.)[a-z0-9_.]+"
)
WEEK = 604800
BOOL = ("true", "false")
# What a value may be: one of these words, or a whole number from the first to the second.
Allowed = tuple[str, ...] | tuple[int, int]
OF_A_GROUP: dict[str, Allowed] = {
    "deregistration_delay.timeout_seconds": (0, 3600),
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
    "load_balancing.algorithm.type": ("round_robin", "least_outstanding_requests", "weighted_random"),
    "load_balancing.cross_zone.enabled": (*BOOL, "use_load_balancer_configuration"),
    "slow_start.duration_seconds": (30, 900),  # or 0, which is off
    "stickiness.app_cookie.duration_seconds": (1, WEEK),
    "stickiness.enabled": BOOL,
    "stickiness.lb_cookie.duration_seconds": (1, WEEK),
}
OF_A_BALANCER: dict[str, Allowed] = {
    "access_logs.s3.enabled": BOOL,
    "client_keep_alive.seconds": (60, WEEK),
    "connection_logs.s3.enabled": BOOL,
    "deletion_protection.enabled": BOOL,
    "idle_timeout.timeout_seconds": (1, 4000),
    "load_balancing.cross_zone.enabled": BOOL,
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.drop_invalid_header_fields.enabled": BOOL,
    "routing.http.preserve_host_header.enabled": BOOL,
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
    "routing.http2.enabled": BOOL,
    "waf.fail_open.enabled": BOOL,
}
RESERVED = ("AWSALB", "AWSALBAPP", "AWSALBTG")


@refusal("elbv2", "ModifyTargetGroupAttributes")
def _of_a_group(call: Call) -> None:
    store.target_group(call.region, call.parameters["TargetGroupArn"])
    for key, value in _asked(call):
        if not KNOWN.fullmatch(key):
            raise Refused("ValidationError", f"Target group attribute key '{key}' is not recognized")
        off = key == "slow_start.duration_seconds" and value == "0"
        if not off and (why := _wrong(key, value, OF_A_GROUP.get(key))):
            raise Refused("ValidationError", why)
        if key == "stickiness.app_cookie.cookie_name" and value.startswith(RESERVED):
            raise Refused("InvalidConfigurationRequest", f"The cookie name '{value}' begins with a reserved prefix")


@refusal("elbv2", "ModifyLoadBalancerAttributes")
def _of_a_balancer(call: Call) -> None:
    for key, value in _asked(call):
        if why := _wrong(key, value, OF_A_BALANCER.get(key)):
            raise Refused("InvalidConfigurationRequest", why)


def _asked(call: Call) -> list[tuple[str, str]]:
    return [(str(one.get("Key", "")), str(one.get("Value", ""))) for one in call.parameters.get("Attributes") or []]


def _wrong(key: str, value: str, allowed: Allowed | None) -> str:
    """Why the attribute cannot have the value; "" where it can."""
    if not allowed:
        return ""
    first, last = allowed[0], allowed[1]
    if isinstance(first, int) and isinstance(last, int):
        whole = value.removeprefix("-").isdecimal()
        fits = whole and first <= int(value) <= last
        return "" if fits else f"'{key}' value '{value}' must be between '{first}-{last}' inclusive"
    words = [str(one) for one in allowed]
    return "" if value.lower() in words else f"'{key}' value '{value}' must be one of '{', '.join(words)}'"


@refusal("elbv2", "AddTags", "CreateLoadBalancer", "CreateListener", "CreateRule", "CreateTargetGroup")
def _tags(call: Call) -> None:
    """API_AddTags.html, DuplicateTagKeys; the reserved prefix: github.com/aws/elastic-load-balancing-tools/issues/6."""
    keys = [str(one.get("Key", "")) for one in call.parameters.get("Tags") or []]
    if any(count > 1 for count in Counter(keys).values()):
        raise Refused("DuplicateTagKeys", "Duplicate Tag Keys found in the request. Tag keys should be unique.")
    for key in keys:
        if key.lower().startswith("aws:"):
            raise Refused("ValidationError", f"Tag key '{key}' cannot start with 'aws:'")
