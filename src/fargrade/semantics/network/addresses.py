"""Addresses and blocks of addresses, as text, the way the EC2 API writes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Block = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@lru_cache(maxsize=8192)
def block(cidr: str) -> Block | None:
    """The block that `cidr` writes, None where it writes none."""
    try:
        return ip_network(cidr, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=8192)
def parsed(address: str) -> Address | None:
    """The address, None where the text is none."""
    try:
        return ip_address(address)
    except ValueError:
        return None


def covers(cidr: str, address: str) -> bool:
    """Whether the block holds the address; never across IPv4 and IPv6."""
    held, one = block(cidr), parsed(address)
    return held is not None and one is not None and held.version == one.version and one in held


def is_ipv6(address: str) -> bool:
    one = parsed(address)
    return one is not None and one.version == 6


def length(cidr: str) -> int:
    """How specific the block is: its prefix's length."""
    held = block(cidr)
    return held.prefixlen if held else -1


def some_address(cidr: str, number: int = 10) -> str:
    """An address of the block that a host may have: AWS keeps the first four and the last of a subnet."""
    held = block(cidr)
    if held is None:
        return ""
    return str(held[min(number, held.num_addresses - 2)] if held.num_addresses > 2 else held[0])


def ipv6_blocks(resource: Mapping[str, Any]) -> list[str]:
    """The IPv6 blocks of a VPC or subnet, as described."""
    return [
        one["Ipv6CidrBlock"]
        for one in resource.get("Ipv6CidrBlockAssociationSet", [])
        if one.get("Ipv6CidrBlock")
        and one.get("Ipv6CidrBlockState", {}).get("State", "associated") in ("associated", "associating")
    ]


def ipv4_blocks(vpc: Mapping[str, Any]) -> list[str]:
    """The IPv4 blocks of a VPC, as described: the first and those that were added."""
    added = [
        one["CidrBlock"]
        for one in vpc.get("CidrBlockAssociationSet", [])
        if one.get("CidrBlock") and one.get("CidrBlockState", {}).get("State", "associated") == "associated"
    ]
    return list(dict.fromkeys([vpc["CidrBlock"], *added] if vpc.get("CidrBlock") else added))
