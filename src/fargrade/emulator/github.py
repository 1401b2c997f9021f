"""GitHub's side of OIDC in this world: tokens for the jobs that the grader runs, and STS that checks them.

A job asks for its token at the address that its runner gave it, with the bearer token that only a job with the
permission `id-token: write` gets. STS lets the token in where the account has GitHub as a provider, the audience is one
of the provider's, and the role's trust policy takes its claims.
Sources: https://docs.github.com/en/actions/reference/security/oidc,
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from fargrade.emulator import clock, roles
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op, learner_read, on_reset
from fargrade.emulator.ids import new_id
from fargrade.emulator.rules import Call, account, refusal

ROUTE = "/_fargrade/github/token"
SECONDS = 300

_bearers: dict[str, dict[str, str]] = {}
_tokens: dict[str, dict[str, Any]] = {}


@on_reset
def _new() -> None:
    _bearers.clear()
    _tokens.clear()


@control_op("github_job")
def github_job(claims: dict[str, str]) -> str:
    """A job with `id-token: write` is about to run; returns the bearer token with which it may ask for its token."""
    bearer = new_id()
    _bearers[bearer] = claims
    return bearer


@learner_read(ROUTE)
def asked(query: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, bytes]:
    """GET …?audience=…: the job's token, as {"value": …}."""
    authorization = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    claims = _bearers.get(authorization.partition(" ")[2].strip())
    if claims is None:
        return 401, b'{"message": "the request token is not one of a job with id-token: write"}'
    audience = query.get("audience") or f"https://github.com/{claims['repository_owner']}"
    now = int(clock.now().timestamp())
    said = {**claims, "aud": audience, "iat": now, "nbf": now, "exp": now + SECONDS, "jti": new_id()}
    token = ".".join(_part(one) for one in ({"alg": "RS256", "typ": "JWT", "kid": "course"}, said, new_id()))
    _tokens[token] = said
    return 200, json.dumps({"count": len(token), "value": token}).encode()


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@refusal("sts", "AssumeRoleWithWebIdentity")
def refuse_strangers(call: Call) -> None:
    from fargrade.semantics.workflow import ISSUER, trusted  # only a world with workflows needs to read them

    given = call.parameters
    said = _tokens.get(given["WebIdentityToken"])
    if said is None:
        raise Refused("InvalidIdentityToken", "The ID Token provided is not a valid JWT")
    if said["exp"] < clock.now().timestamp():
        raise Refused("ExpiredTokenException", "Token expired: the identity token must be used within its lifetime")
    provider = roles.backend().open_id_providers.get(f"arn:aws:iam::{account()}:oidc-provider/{ISSUER}")
    if provider is None:
        raise Refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for https://{ISSUER}")
    if said["aud"] not in (provider.client_id_list or []):
        raise Refused("InvalidIdentityToken", "Incorrect token audience")
    role = roles.find(given["RoleArn"])
    claims = {name: str(value) for name, value in said.items() if name not in ("iat", "nbf", "exp", "jti")}
    if role is None or not trusted(role.trust, role.arn, account(), claims).allowed:
        raise Refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
