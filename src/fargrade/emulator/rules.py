"""Where refusals and answers of ours are registered, an operation each.

A *refusal* runs before the call is answered and raises `Refused` where AWS would; an *answer* replaces moto's
for one operation. Both are found by (service model name, operation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fargrade.semantics.iam import Policy

ACCOUNT = "123456789012"
_account = ACCOUNT
_key = ""


def account() -> str:
    """The account of the world as it is now: another one in each, so that none can be hard-coded."""
    return _account


def use_account(number: str) -> None:
    """The world is made anew, in this account."""
    global _account
    _account = number


def world_key() -> str:
    """The access key of the world's learner; "" where any key will do."""
    return _key


def use_key(key: str) -> None:
    """The world is made anew, and this is its learner's access key."""
    global _key
    _key = key


@dataclass(frozen=True)
class Caller:
    """Who calls: a session of a role, a user, or an administrator (`decided_by` is empty).

    `decided_by` is the ARN of the role or user whose policies decide; `policies` narrow its session further.
    """

    arn: str
    user_id: str
    decided_by: str = ""
    session_name: str = ""
    policies: tuple[Policy, ...] | None = None


def administrator() -> Caller:
    """The learner as they are logged in: a user who may do everything."""
    return Caller(f"arn:aws:iam::{_account}:user/learner", "AIDACKCEVSQ6C2EXAMPLE")


@dataclass(frozen=True)
class Call:
    """One decoded call: `parameters` as botocore's model names them."""

    service: str
    operation: str
    parameters: dict[str, Any]
    region: str
    account: str = field(default_factory=account)
    caller: Caller = field(default_factory=administrator)


Refusal = Callable[[Call], None]
Answer = Callable[[Call], dict[str, Any]]

_refusals: dict[tuple[str, str], list[Refusal]] = {}
_answers: dict[tuple[str, str], Answer] = {}
_followers: dict[tuple[str, str], list[Refusal]] = {}
ANY = "*"
READS = ("Describe", "Get", "List")


def refusal(service: str, *operations: str) -> Callable[[Refusal], Refusal]:
    """Register the function as a refusal of these operations."""

    def register(function: Refusal) -> Refusal:
        for operation in operations:
            _refusals.setdefault((service, operation), []).append(function)
        return function

    return register


def answer(service: str, *operations: str) -> Callable[[Answer], Answer]:
    """Register the function as the answer to these operations, in moto's place."""

    def register(function: Answer) -> Answer:
        for operation in operations:
            _answers[(service, operation)] = function
        return function

    return register


def follower(service: str, *operations: str) -> Callable[[Refusal], Refusal]:
    """Register the function to run after these operations have succeeded; `ANY` is all that are no mere reading."""

    def register(function: Refusal) -> Refusal:
        for operation in operations:
            _followers.setdefault((service, operation), []).append(function)
        return function

    return register


def refusals_of(call: Call) -> list[Refusal]:
    return _refusals.get((call.service, call.operation), [])


def answer_of(service: str, operation: str) -> Answer | None:
    return _answers.get((service, operation))


def followers_of(call: Call) -> list[Refusal]:
    everything = [] if call.operation.startswith(READS) else _followers.get((call.service, ANY), [])
    return [*_followers.get((call.service, call.operation), []), *everything]
