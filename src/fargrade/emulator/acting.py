"""A service acting in a role's name: whether it may, and AWS's words where it may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fargrade.emulator import roles
from fargrade.semantics.iam import Request, access_denied

Context = Mapping[str, str | Sequence[str]]


def denial(
    role: str, action: str, resource: str = "*", context: Context | None = None, *, region: str, session: str
) -> str:
    """Why a session of `role` may not do `action` on `resource`, as AWS says it; "" where it may."""
    decision = roles.allowed(role, action, resource, context, region=region, session_name=session)
    if decision.allowed:
        return ""
    found = roles.find(role)
    principal = found.session(session) if found else role
    return access_denied(Request(principal, action, resource), decision).removeprefix("AccessDeniedException: ")


def first_denial(
    role: str, wanted: Sequence[tuple[str, str]], context: Context | None = None, *, region: str, session: str
) -> str:
    """The first denial among (action, resource) pairs; "" where all are allowed."""
    for action, resource in wanted:
        if found := denial(role, action, resource, context, region=region, session=session):
            return found
    return ""
