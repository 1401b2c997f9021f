"""GitHub's side of OIDC in this world: the tokens of the jobs that the grader runs.

A job asks for its token at the address that its runner gave it, with the bearer token that only a job with the
permission `id-token: write` gets. STS reads the token back (sts.tokens) and lets the role's trust policy decide.
Source: https://docs.github.com/en/actions/reference/security/oidc.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from fargrade.emulator.extensions import control_op, learner_read, on_reset
from fargrade.emulator.ids import new_id
from fargrade.emulator.sts import tokens

ROUTE = "/_fargrade/github/token"

_bearers: dict[str, dict[str, str]] = {}


@on_reset
def _new() -> None:
    _bearers.clear()


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
    rest = {name: value for name, value in claims.items() if name not in ("iss", "sub", "aud")}
    token = tokens.issue(claims["iss"], claims["sub"], audience, rest)
    return 200, json.dumps({"count": len(token), "value": token}).encode()
