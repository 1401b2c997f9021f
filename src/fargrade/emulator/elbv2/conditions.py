"""What AWS refuses of a rule's conditions, and moto takes.

Source: Elastic Load Balancing API reference, RuleCondition, HostHeaderConditionConfig, PathPatternConditionConfig,
HttpHeaderConditionConfig, SourceIpConditionConfig; Application Load Balancers Guide, "Condition types" and "Quotas".
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from typing import Any

from fargrade.emulator.errors import Refused

VALUES, LONGEST, LONGEST_NAME = 5, 128, 40
ONCE = ("host-header", "http-request-method", "path-pattern", "source-ip")
CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
HOST = re.compile(r"[A-Za-z0-9.*?-]+")
PATH = re.compile(r"""[A-Za-z0-9_.$/~"'@:+&*?-]+""")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # a token of RFC 7230


def check(conditions: list[dict[str, Any]]) -> None:
    """Raise Refused for conditions that no rule can have."""
    if not conditions:
        raise _invalid("A rule must have at least one condition")
    fields = Counter(one.get("Field") for one in conditions)
    for name in ONCE:
        if fields[name] > 1:
            raise _invalid(f"A rule can have at most one condition of type '{name}'")
    values = [
        len(one.get("Values") or (one.get(CONFIGS.get(one.get("Field", ""), "")) or {}).get("Values") or [])
        for one in conditions
    ]
    if sum(values) > VALUES:
        raise _invalid(f"A rule can have at most {VALUES} condition values")
    for one, count in zip(conditions, values, strict=True):
        if not count:
            raise _invalid(_lacks_value(one))
    for one in conditions:
        field = str(one.get("Field"))
        if one.get("Values") and one.get(CONFIGS.get(field, "")):
            raise _invalid(f"You cannot provide both Values and '{CONFIGS[field]}' for a condition of type '{field}'")
        if field == "path-pattern":
            _paths(one)
        elif field == "host-header":
            _hosts(one)
        elif field == "http-header":
            _header((one.get("HttpHeaderConfig") or {}).get("HttpHeaderName", ""))
        elif field == "source-ip":
            _sources((one.get("SourceIpConfig") or {}).get("Values") or [])


def _paths(condition: dict[str, Any]) -> None:
    plain = condition.get("Values") or []
    if len(plain) > 1:
        raise _invalid("The 'path-pattern' field contains too many values; the limit is '1'")
    paths = plain or (condition.get("PathPatternConfig") or {}).get("Values") or []
    if any(len(path) > LONGEST for path in paths):
        raise _invalid(f"The 'path-pattern' value is too long; the limit is '{LONGEST}'")
    if any(not path.startswith(("/", "*")) for path in paths):
        raise _invalid("The path pattern must begin with '/' or '*'")
    if any(not PATH.fullmatch(path) for path in paths):
        raise _invalid("The 'path-pattern' value has a character that is not allowed: letters, digits, _-.$/~\"'@:+&*?")


def _hosts(condition: dict[str, Any]) -> None:
    """A port is not among what a host name may hold: github.com/hashicorp/terraform-provider-aws/issues/49147."""
    if len(condition.get("Values") or []) > 1:
        raise _invalid("The 'host-header' field contains too many values; the limit is '1'")
    for host in condition.get("Values") or (condition.get("HostHeaderConfig") or {}).get("Values") or []:
        if len(host) > LONGEST:
            raise _invalid(f"The 'host-header' value is too long; the limit is '{LONGEST}'")
        if not HOST.fullmatch(host):
            raise _invalid(f"The 'host-header' value '{host}' has a character that is not allowed")
        if not re.fullmatch(r".*\.[A-Za-z*?]+", host):
            raise _invalid(f"The 'host-header' value '{host}' must have a '.' with only letters after the last one")


def _header(name: str) -> None:
    if name.lower() == "host":
        raise _invalid("An HTTP header condition cannot specify the host header: use a host-header condition")
    if len(name) > LONGEST_NAME:
        raise _invalid(f"The 'HttpHeaderName' value is too long; the limit is '{LONGEST_NAME}'")
    if not HEADER.fullmatch(name):
        raise _invalid(f"The HTTP header name '{name}' is not valid")


def _sources(blocks: list[str]) -> None:
    for block in blocks:
        try:
            if "/" not in block:
                raise ValueError
            ipaddress.ip_network(block, strict=False)
        except ValueError:
            raise _invalid(f"The source IP address '{block}' must be a CIDR block") from None


def _lacks_value(condition: dict[str, Any]) -> str:
    field = str(condition.get("Field"))
    if field in ("host-header", "path-pattern") or field not in CONFIGS:
        return "A condition value must be specified"
    if condition.get(CONFIGS[field]) is None:
        return f"A '{CONFIGS[field]}' must be specified with '{field}'"
    return f"A '{field}' value must be specified"


def _invalid(message: str) -> Refused:
    return Refused("ValidationError", message)
