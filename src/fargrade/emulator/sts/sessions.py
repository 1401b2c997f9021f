"""Sessions of roles: temporary credentials, and what calls signed with them are."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.roles import backend
from fargrade.emulator.rules import Caller
from fargrade.semantics.iam import Policy

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Session:
    """Temporary credentials. `role` is the ARN of the role, "" for the administrator's own session."""

    key: str
    secret: str
    token: str
    arn: str
    user_id: str
    role: str
    name: str
    policies: tuple[Policy, ...] | None
    expires: datetime
    lasting: bool

    def expired(self) -> bool:
        """Whether it is over. A task's is not: ECS has a new one ready before."""
        return not self.lasting and clock.now() >= self.expires

    def caller(self) -> Caller:
        """Who a call with these credentials is from."""
        return Caller(self.arn, self.user_id, self.role, self.name, self.policies)

    def credentials(self) -> dict[str, Any]:
        """As STS answers them."""
        return {
            "AccessKeyId": self.key,
            "SecretAccessKey": self.secret,
            "SessionToken": self.token,
            "Expiration": self.expires,
        }


_sessions: dict[str, Session] = {}


def start(
    role_arn: str,
    name: str,
    *,
    policies: Sequence[Policy] | None = None,
    seconds: int = 3600,
    lasting: bool = False,
) -> Session:
    """A session of the role, which is there; whether it may be assumed is for the caller to ask."""
    role = backend().get_role_by_arn(role_arn)
    account = role_arn.split(":")[4]
    return _kept(
        arn=f"arn:aws:sts::{account}:assumed-role/{role.name}/{name}",
        user_id=f"{role.id}:{name}",
        role=role_arn,
        name=name,
        policies=tuple(policies) if policies is not None else None,
        seconds=seconds,
        lasting=lasting,
    )


def start_own(caller: Caller, seconds: int) -> Session:
    """Temporary credentials of the caller itself: GetSessionToken."""
    return _kept(
        arn=caller.arn,
        user_id=caller.user_id,
        role=caller.decided_by,
        name="",
        policies=None,
        seconds=seconds,
        lasting=False,
    )


def _kept(*, seconds: int, **about: Any) -> Session:
    session = Session(
        key="ASIA" + "".join(secrets.choice(LETTERS) for _ in range(16)),
        secret=secrets.token_urlsafe(30),
        token=secrets.token_urlsafe(120),
        expires=clock.now().replace(microsecond=0) + timedelta(seconds=seconds),
        **about,
    )
    _sessions[session.key] = session
    return session


def find(key: str) -> Session | None:
    """The session with this access key."""
    return _sessions.get(key)


@on_reset
def _forget() -> None:
    _sessions.clear()
