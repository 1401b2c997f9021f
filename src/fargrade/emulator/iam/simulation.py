"""SimulatePrincipalPolicy and SimulateCustomPolicy, answered by the evaluator. moto has neither.

Source: API_SimulatePrincipalPolicy.html. Of the context, only what the caller gives is known, as on AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fargrade.emulator import roles
from fargrade.emulator.errors import Refused
from fargrade.emulator.iam.policies import checked
from fargrade.emulator.rules import Call, answer
from fargrade.semantics.iam import Decision, MalformedPolicy, Policy, Request, decide, parse_policy

DECISIONS = {True: "allowed", False: "implicitDeny"}


@answer("iam", "SimulateCustomPolicy")
def simulate_custom(call: Call) -> dict[str, Any]:
    """What the policies given, of nobody in particular, decide."""
    given = call.parameters
    nobody = f"arn:aws:iam::{call.account}:user/simulated"
    return _simulated(call, given.get("CallerArn", nobody), _policies(given["PolicyInputList"]), _bounds(given))


@answer("iam", "SimulatePrincipalPolicy")
def simulate_principal(call: Call) -> dict[str, Any]:
    """What a role's policies, and those given beside, decide."""
    given, source = call.parameters, call.parameters["PolicySourceArn"]
    principal = roles.find(source) if ":role/" in source else roles.find_user(source)
    if principal is None:
        raise Refused("NoSuchEntity", f"The principal with ARN {source} cannot be found.", 404)
    identity = (*principal.identity, *_policies(given.get("PolicyInputList", ())))
    caller = principal.session("simulated")
    bounds = _bounds(given) or principal.boundary
    return _simulated(call, given.get("CallerArn", caller), identity, bounds)


def _policies(documents: Sequence[str]) -> tuple[Policy, ...]:
    return tuple(checked(one) for one in documents)


def _bounds(given: dict[str, Any]) -> tuple[Policy, ...] | None:
    documents = given.get("PermissionsBoundaryPolicyInputList")
    return _policies(documents) if documents else None


def _simulated(
    call: Call, caller: str, identity: Sequence[Policy], boundary: Sequence[Policy] | None
) -> dict[str, Any]:
    given = call.parameters
    context = {one["ContextKeyName"]: one.get("ContextKeyValues", []) for one in given.get("ContextEntries", ())}
    try:
        of_resource = (parse_policy(given["ResourcePolicy"], "resource"),) if given.get("ResourcePolicy") else ()
    except MalformedPolicy as refused:
        raise Refused("InvalidInput", refused.message) from None
    results = []
    for action in given["ActionNames"]:
        for resource in given.get("ResourceArns") or ["*"]:
            request = Request(caller, action, resource, context)
            results.append(_result(request, decide(request, identity, of_resource, boundary)))
    return {"EvaluationResults": results, "IsTruncated": False}


def _result(request: Request, decision: Decision) -> dict[str, Any]:
    said = "explicitDeny" if decision.why == "explicit deny" else DECISIONS[decision.allowed]
    matched = [{"SourcePolicyId": decision.policy.name or "PolicyInputList.1"}] if decision.policy else []
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": said,
        "MatchedStatements": matched,
        "MissingContextValues": [],
    }
    if decision.why == "no boundary":
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": False}
    return result
