"""Login tokens: what GetAuthorizationToken issues, and what a registry believes."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, Caller, answer

TOKEN_LIFE = timedelta(hours=12)

_tokens: dict[str, tuple[str, datetime]] = {}
_issued_to: dict[str, Caller] = {}


@on_reset
def _forget() -> None:
    _tokens.clear()
    _issued_to.clear()


@answer("ecr", "GetAuthorizationToken")
def get_authorization_token(call: Call) -> dict[str, Any]:
    """GetAuthorizationToken: base64 of AWS:password, valid 12 hours, good for every private registry in reach."""
    registries = call.parameters.get("registryIds") or [call.account]
    host = f"{{}}.dkr.ecr.{call.region}.amazonaws.com"
    return {"authorizationData": [issue_token(host.format(one), call.caller) for one in registries]}


def issue_token(registry: str, to: Caller | None = None) -> dict[str, Any]:
    """A login for the registry: token, end of validity, address. The password is never the same.

    What is done with it is decided by the rights of whom it was issued `to` (None: an administrator).
    """
    password = secrets.token_urlsafe(48)
    expires = clock.now() + TOKEN_LIFE
    _tokens[password] = (registry, expires)
    if to is not None:
        _issued_to[password] = to
    return {
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "expiresAt": expires,
        "proxyEndpoint": f"https://{registry}",
    }


def token_owner(password: str) -> Caller | None:
    """Whom a password was issued to; None for an administrator's."""
    return _issued_to.get(password)


def token_registry(password: str) -> str | None:
    """The registry that the password logs in to; None if it was never issued or is out of date."""
    registry, expires = _tokens.get(password, ("", clock.now()))
    return registry if expires > clock.now() else None
