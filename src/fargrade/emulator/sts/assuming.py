"""AssumeRole and its like, decided by the trust policy as AWS decides; moto assumes even roles that are not there.

Source: AWS STS API Reference, API_AssumeRole.html, API_AssumeRoleWithWebIdentity.html, API_GetSessionToken.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fargrade.emulator import clock, roles
from fargrade.emulator.errors import Refused
from fargrade.emulator.iam.managed import bring
from fargrade.emulator.iam.policies import checked
from fargrade.emulator.rules import Call, Caller, answer
from fargrade.emulator.sts import sessions, tokens
from fargrade.semantics.iam import Policy, Request, Role, call_context, may_assume, parse_policy

HOUR = 3600
ADMINISTRATOR = parse_policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    name="AdministratorAccess",
)


def denied(caller: str, action: str, role_arn: str) -> Refused:
    return Refused(
        "AccessDenied", f"User: {caller} is not authorized to perform: {action} on resource: {role_arn}", 403
    )


@answer("sts", "AssumeRole")
def assume_role(call: Call) -> dict[str, Any]:
    """The role's trust policy must allow the caller, who must also be allowed sts:AssumeRole unless it is named."""
    given, caller = call.parameters, call.caller
    role = _role(given["RoleArn"], caller.arn, "sts:AssumeRole")
    context = {"sts:RoleSessionName": given["RoleSessionName"]}
    if given.get("ExternalId"):
        context["sts:ExternalId"] = given["ExternalId"]
    _decide(call, role, context)
    seconds = _duration(given, role, HOUR if caller.session_name else None)
    session = sessions.start(role.arn, given["RoleSessionName"], policies=_session_policies(given), seconds=seconds)
    return _assumed(session)


@answer("sts", "AssumeRoleWithWebIdentity")
def assume_role_with_web_identity(call: Call) -> dict[str, Any]:
    """The token must be of a provider that the account knows, and the trust policy alone decides on its claims."""
    given, action = call.parameters, "sts:AssumeRoleWithWebIdentity"
    claims = tokens.read(given["WebIdentityToken"])
    provider = tokens.provider_of(claims, call.account)
    held = roles.find(given["RoleArn"]) if given["RoleArn"].startswith("arn:") else None
    if held is None:
        raise Refused("AccessDenied", f"Not authorized to perform {action}", 403)
    context = {**tokens.context(claims), "sts:RoleSessionName": given["RoleSessionName"]}
    if not may_assume(Request(provider, action, held.arn, context), held.trust).allowed:
        raise Refused("AccessDenied", f"Not authorized to perform {action}", 403)
    seconds = _duration(given, held, None)
    session = sessions.start(held.arn, given["RoleSessionName"], policies=_session_policies(given), seconds=seconds)
    return {
        **_assumed(session),
        "SubjectFromWebIdentityToken": str(claims.get("sub", "")),
        "Audience": tokens.audience(claims),
        "Provider": provider,
    }


@answer("sts", "GetSessionToken")
def get_session_token(call: Call) -> dict[str, Any]:
    """API_GetSessionToken.html: not with the credentials of a role's session. moto's opens nothing (upstream)."""
    if call.caller.session_name:
        raise Refused("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    session = sessions.start_own(call.caller, call.parameters.get("DurationSeconds") or 12 * HOUR)
    return {"Credentials": session.credentials()}


@answer("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    """Who signs: moto has a user of its own invention, in STS's name space (upstream)."""
    return {"UserId": call.caller.user_id, "Account": call.account, "Arn": call.caller.arn}


def _role(arn: str, caller: str, action: str) -> Role:
    if not arn.startswith("arn:") or ":role/" not in arn:
        raise Refused("ValidationError", f"{arn} is invalid")
    role = roles.find(arn)
    if role is None:
        raise denied(caller, action, arn)
    return role


def _decide(call: Call, role: Role, context: Mapping[str, str]) -> None:
    known = call_context(role, role.arn, call.region, clock.now())
    request = Request(call.caller.arn, "sts:AssumeRole", role.arn, {**known, **context})
    mine = decided_by(call.caller)
    identity, boundary = (mine.identity, mine.boundary) if mine else ((ADMINISTRATOR,), None)
    if not may_assume(request, role.trust, identity, boundary, call.caller.policies).allowed:
        raise denied(call.caller.arn, "sts:AssumeRole", role.arn)


def decided_by(caller: Caller) -> Role | None:
    """The role or user whose policies decide on the caller's calls; None for an administrator."""
    if not caller.decided_by:
        return None
    found = roles.find(caller.decided_by) or roles.find_user(caller.decided_by)
    # Deleted since: its credentials may do nothing.
    return found or Role(caller.decided_by, Policy(()))


def _duration(given: Mapping[str, Any], role: Role, most: int | None) -> int:
    seconds = int(given.get("DurationSeconds") or HOUR)
    if most and seconds > most:
        raise Refused(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    longest = int(roles.backend().get_role_by_arn(role.arn).max_session_duration or HOUR)
    if seconds > longest:
        raise Refused(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return seconds


def _session_policies(given: Mapping[str, Any]) -> list[Policy] | None:
    """The policies that narrow the session: those handed over, None where there are none."""
    inline, arns = given.get("Policy"), [one["arn"] for one in given.get("PolicyArns") or () if one.get("arn")]
    if not inline and not arns:
        return None
    for arn in arns:
        bring(arn)
        if arn not in roles.backend().managed_policies:
            raise Refused("ValidationError", f"The specified managed policy {arn} does not exist.")
    return [*([checked(inline, "session")] if inline else []), *(roles.managed_policy(arn) for arn in arns)]


def _assumed(session: sessions.Session) -> dict[str, Any]:
    return {
        "Credentials": session.credentials(),
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        "PackedPolicySize": 6,
    }
