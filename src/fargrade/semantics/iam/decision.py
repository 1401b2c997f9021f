"""The decision: every policy that applies, put together as AWS puts them together.

Source: IAM User Guide, "Policy evaluation logic" (requests within an account, and across accounts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fargrade.semantics.iam.conditions import all_hold
from fargrade.semantics.iam.document import Policy, Statement
from fargrade.semantics.iam.patterns import action_matches, resource_matches
from fargrade.semantics.iam.principals import STRENGTH, Match, account_of, principal_kind, role_of

# What decided: an Allow of that kind of policy, an explicit Deny, or the kind that lacks an Allow.
Why = Literal["identity", "resource", "explicit deny", "no identity", "no resource", "no boundary", "no session"]

DENIED_BECAUSE = {
    "explicit deny": "with an explicit deny in {source}",
    "no identity": "because no identity-based policy allows the {action} action",
    "no resource": "because no resource-based policy allows the {action} action",
    "no boundary": "because no permissions boundary allows the {action} action",
    "no session": "because no session policy allows the {action} action",
}


@dataclass(frozen=True)
class Request:
    """One call: by `principal` (an ARN, or a service's name), of `action`, on `resource` (an ARN or `*`).

    `context` holds condition keys, in any case, each with its value or its list of values.
    """

    principal: str
    action: str
    resource: str = "*"
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def keys(self) -> dict[str, tuple[str, ...]]:
        """The context with its keys in lower case, completed with what AWS always knows of a principal."""
        known: dict[str, tuple[str, ...]] = {}
        if principal_kind(self.principal) == "AWS" and self.principal != "*":
            known["aws:principalarn"] = (role_of(self.principal),)
            known["aws:principalaccount"] = (account_of(self.principal),)
            if ":user/" in self.principal:
                known["aws:username"] = (self.principal.rsplit("/", 1)[-1],)
        for key, value in self.context.items():
            known[key.lower()] = (value,) if isinstance(value, str) else tuple(value)
        return known


@dataclass(frozen=True)
class Decision:
    """Allowed or not; `why`, and by which statement of which policy (None where none spoke)."""

    allowed: bool
    why: Why
    statement: Statement | None = None
    policy: Policy | None = None
    source: str = ""  # where an explicit deny stands: "an identity-based policy", "a resource-based policy" …


@dataclass(frozen=True)
class _Hit:
    policy: Policy
    statement: Statement
    named: Match


def decide(
    request: Request,
    identity: Sequence[Policy] = (),
    resource: Sequence[Policy] = (),
    boundary: Sequence[Policy] | None = None,
    session: Sequence[Policy] | None = None,
    *,
    same_account: bool = True,
) -> Decision:
    """Whether `request` is allowed by the policies given.

    An explicit deny anywhere wins. Within an account an Allow of the identity's policies or of the
    resource's suffices (a resource policy that names only the account leaves it to the identity); across
    accounts both must allow. A boundary and session policies (None: there are none) must allow as well,
    except what the resource's policy grants to the user or the session itself.
    """
    context = request.keys()
    hits = {
        "an identity-based policy": _hits(identity, request, context),
        "a resource-based policy": _hits(resource, request, context),
        "a permissions boundary": _hits(boundary or (), request, context),
        "a session policy": _hits(session or (), request, context),
    }
    for source, found in hits.items():
        for hit in found:
            if not hit.statement.allows:
                return Decision(False, "explicit deny", hit.statement, hit.policy, source)
    by_identity = next(iter(hits["an identity-based policy"]), None)
    by_resource = _strongest(hits["a resource-based policy"])
    limits = _limits(hits, boundary is not None, session is not None)

    if principal_kind(request.principal) != "AWS" or request.principal == "*":
        return _allow("resource", by_resource) if by_resource else Decision(False, "no resource")
    if not same_account:
        if not by_resource:
            return Decision(False, "no resource")
        return limits or (_allow("identity", by_identity) if by_identity else Decision(False, "no identity"))
    if by_resource and by_resource.named == "direct":
        return _allow("resource", by_resource)
    if by_identity:
        return limits or _allow("identity", by_identity)
    if by_resource and by_resource.named == "role":
        return limits or _allow("resource", by_resource)
    return Decision(False, "no identity")


def may_assume(
    request: Request,
    trust: Policy,
    identity: Sequence[Policy] = (),
    boundary: Sequence[Policy] | None = None,
    session: Sequence[Policy] | None = None,
    *,
    same_account: bool = True,
) -> Decision:
    """Whether `request` (sts:AssumeRole…) may assume the role whose trust policy is `trust`.

    A trust policy must allow it, whatever else does: for services and web identities it decides alone; a
    principal named only by its account, or of another account, needs its own Allow as well.
    """
    named = _strongest([hit for hit in _hits((trust,), request, request.keys()) if hit.statement.allows])
    decision = decide(request, identity, (trust,), boundary, session, same_account=same_account)
    if decision.allowed and not named:
        return Decision(False, "no resource")
    return decision


def access_denied(request: Request, decision: Decision) -> str:
    """What AWS says of a request that was not allowed. Raises ValueError for one that was."""
    return f"AccessDeniedException: {denial(request, decision)}"


def denial(request: Request, decision: Decision, quote: str = "") -> str:
    """The message of AWS's denial, without the error's code; S3 has the resource in `quote`s. Raises ValueError."""
    if decision.allowed:
        raise ValueError("the request is allowed")
    because = DENIED_BECAUSE[decision.why].format(source=decision.source, action=request.action)
    return (
        f"User: {request.principal} is not authorized to perform: {request.action} "
        f"on resource: {quote}{request.resource}{quote} {because}"
    )


def _allow(why: Why, hit: _Hit) -> Decision:
    return Decision(True, why, hit.statement, hit.policy)


def _limits(hits: Mapping[str, list[_Hit]], bounded: bool, in_session: bool) -> Decision | None:
    """The denial by a boundary or a session policy that does not allow; None where they do."""
    if bounded and not hits["a permissions boundary"]:
        return Decision(False, "no boundary")
    if in_session and not hits["a session policy"]:
        return Decision(False, "no session")
    return None


def _strongest(hits: Iterable[_Hit]) -> _Hit | None:
    return max((hit for hit in hits if hit.named), key=lambda hit: STRENGTH.index(hit.named), default=None)


def _hits(policies: Iterable[Policy], request: Request, context: dict[str, tuple[str, ...]]) -> list[_Hit]:
    """The statements that speak of this request, with their conditions met."""
    return [
        _Hit(policy, statement, named)
        for policy in policies
        for statement in policy.statements
        if (named := _named(statement, request.principal)) is not None
        and _covers(statement, request, context, variables=policy.variables)
    ]


def _named(statement: Statement, principal: str) -> Match | None:
    """How a statement names the principal: None where it does not, "" where it is the principal's own."""
    if statement.principals is None:
        return ""
    return statement.principals.match(principal, deny=not statement.allows) or None


def _covers(statement: Statement, request: Request, context: dict[str, tuple[str, ...]], *, variables: bool) -> bool:
    acts = any(action_matches(pattern, request.action) for pattern in statement.actions)
    if acts == statement.not_actions:
        return False
    if statement.resources:
        filled = context if variables else None
        covered = any(resource_matches(pattern, request.resource, filled) for pattern in statement.resources)
        if covered == statement.not_resources:
            return False
    return all_hold(statement.conditions, context, variables=variables)
