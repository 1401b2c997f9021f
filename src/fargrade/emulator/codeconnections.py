"""CodeConnections (CodeStar Connections): AWS's link to a Git host. moto has none.

A connection made through the API is PENDING until somebody completes it in the console: the grader's part.
Source: https://docs.aws.amazon.com/dtconsole/latest/userguide/connections.html. It answers to both of its names.

Upstream: yes, under both of its names: moto has neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fargrade.emulator import github, rules
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op, on_reset
from fargrade.emulator.ids import new_id
from fargrade.emulator.rules import Call

# GitHub itself comes with the link to it.
__all__ = ["Connection", "find", "github", "make", "seed_connection"]

NAMES = ("codeconnections", "codestar-connections")


@dataclass
class Connection:
    """A connection; `available` once its handshake is done."""

    name: str
    provider: str
    arn: str
    available: bool = False
    host: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """As GetConnection shows it."""
        return {
            "ConnectionName": self.name,
            "ConnectionArn": self.arn,
            "ProviderType": self.provider,
            "OwnerAccountId": rules.account(),
            "ConnectionStatus": "AVAILABLE" if self.available else "PENDING",
            **({"HostArn": self.host} if self.host else {}),
        }


_connections: dict[str, Connection] = {}


@on_reset
def _new() -> None:
    _connections.clear()


def find(arn: str) -> Connection | None:
    """The connection with this ARN, under either of the service's names."""
    wanted = arn.partition(":connection/")[2]
    return next((one for one in _connections.values() if wanted and one.arn.endswith(f":connection/{wanted}")), None)


def make(service: str, region: str, name: str, provider: str, host: str = "") -> Connection:
    """A new connection, PENDING. Raises Refused: the name is taken."""
    if any(one.name == name and f":{region}:" in one.arn for one in _connections.values()):
        raise Refused("ConflictException", f"A connection with the name {name} already exists.")
    arn = f"arn:aws:{service}:{region}:{rules.account()}:connection/{new_id()}"
    _connections[arn] = Connection(name, provider, arn, host=host)
    return _connections[arn]


@control_op("seed_connection")
def seed_connection(name: str, region: str, provider: str = "GitHub") -> str:
    """A connection that somebody has completed in the console; returns its ARN."""
    made = make("codeconnections", region, name, provider)
    made.available = True
    return made.arn


def _wanted(call: Call, key: str) -> Connection:
    found = find(str(call.parameters.get(key, "")))
    if found is None:
        raise Refused("ResourceNotFoundException", f"Connection {call.parameters.get(key)} not found")
    return found


def _create(call: Call) -> dict[str, Any]:
    given = call.parameters
    if "ProviderType" not in given and "HostArn" not in given:
        raise Refused("ValidationException", "Either ProviderType or HostArn must be given.")
    made = make(
        call.service, call.region, given["ConnectionName"], given.get("ProviderType", ""), given.get("HostArn", "")
    )
    made.tags = {one["Key"]: one["Value"] for one in given.get("Tags", ())}
    return {"ConnectionArn": made.arn, "Tags": given.get("Tags")}


def _get(call: Call) -> dict[str, Any]:
    return {"Connection": _wanted(call, "ConnectionArn").described()}


def _list(call: Call) -> dict[str, Any]:
    provider = call.parameters.get("ProviderTypeFilter")
    found = [one for one in _connections.values() if f":{call.region}:" in one.arn]
    return {"Connections": [one.described() for one in found if provider in (None, one.provider)]}


def _delete(call: Call) -> dict[str, Any]:
    _connections.pop(_wanted(call, "ConnectionArn").arn)
    return {}


def _tag(call: Call) -> dict[str, Any]:
    _wanted(call, "ResourceArn").tags |= {one["Key"]: one["Value"] for one in call.parameters["Tags"]}
    return {}


def _untag(call: Call) -> dict[str, Any]:
    for key in call.parameters["TagKeys"]:
        _wanted(call, "ResourceArn").tags.pop(key, None)
    return {}


def _tags(call: Call) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in _wanted(call, "ResourceArn").tags.items()]}


for _service in NAMES:
    for _operation, _function in (
        ("CreateConnection", _create),
        ("GetConnection", _get),
        ("ListConnections", _list),
        ("DeleteConnection", _delete),
        ("TagResource", _tag),
        ("UntagResource", _untag),
        ("ListTagsForResource", _tags),
    ):
        rules.answer(_service, _operation)(_function)
