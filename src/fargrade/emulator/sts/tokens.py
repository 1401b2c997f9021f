"""Identity tokens of OIDC providers, GitHub's above all: issued by the world, and read back by STS.

A token is a JWT (RFC 7519) signed with a key of this process: nobody else can make one that STS takes. What STS
checks: "Configuring a role for GitHub OIDC identity provider" and API_AssumeRoleWithWebIdentity.html, Errors.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op
from fargrade.emulator.roles import backend

_key = secrets.token_bytes(32)
LIFETIME = 300


@control_op("identity_token")
def issue(
    issuer: str, subject: str, audience: str = "sts.amazonaws.com", claims: Mapping[str, Any] | None = None
) -> str:
    """A token of `issuer` (https://…), valid for five minutes of the world's time."""
    now = int(clock.now().timestamp())
    content = {
        **(claims or {}),
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "iat": now,
        "nbf": now - 5,
        "exp": now + LIFETIME,
        "jti": secrets.token_hex(16),
    }
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'world'})}.{_part(content)}"
    return f"{signed}.{_signature(signed)}"


def read(token: str) -> dict[str, Any]:
    """The claims of a token that was issued here. Raises Refused: InvalidIdentityToken, ExpiredTokenException."""
    signed, _, signature = token.rpartition(".")
    if token.count(".") != 2:
        raise _invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
    if not hmac.compare_digest(signature.encode(), _signature(signed).encode()):
        raise _invalid(
            "Couldn't retrieve verification key from your identity provider, please reference "
            "AssumeRoleWithWebIdentity documentation for requirements"
        )
    payload = signed.partition(".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if clock.now().timestamp() >= claims["exp"]:
        raise Refused("ExpiredTokenException", "Token must be within expiration time")
    return claims


def provider_of(claims: Mapping[str, Any], account: str) -> str:
    """The ARN of the account's provider for the token. Raises Refused: there is none, or it knows no such audience."""
    host = _host(claims)
    arn = f"arn:aws:iam::{account}:oidc-provider/{host}"
    held = backend().open_id_providers.get(arn)
    if held is None:
        raise _invalid(f"No OpenIDConnect provider found in your account for {claims['iss']}")
    if audience(claims) not in held.client_id_list:
        raise _invalid("Incorrect token audience")
    return arn


def audience(claims: Mapping[str, Any]) -> str:
    return str(claims.get("aud", ""))


def context(claims: Mapping[str, Any]) -> dict[str, str]:
    """The condition keys of a token: `HOST:claim`, as in `token.actions.githubusercontent.com:sub`."""
    return {f"{_host(claims)}:{name}": str(value) for name, value in claims.items() if isinstance(value, str | int)}


def _host(claims: Mapping[str, Any]) -> str:
    return str(claims.get("iss", "")).partition("://")[2].rstrip("/")


def _invalid(message: str) -> Refused:
    return Refused("InvalidIdentityToken", message)


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _signature(signed: str) -> str:
    return base64.urlsafe_b64encode(hmac.new(_key, signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
