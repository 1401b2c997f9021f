"""What holds of every IAM decision, whatever the policies: properties of the documented evaluation logic."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fargrade.semantics.iam import Policy, Request, decide, parse_policy

ACCOUNT = "111122223333"
ME = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/me"
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "*", "ecs:RunTask", "S3:GETOBJECT"]
RESOURCES = ["*", "arn:aws:s3:::a/*", "arn:aws:s3:::a/k", "arn:aws:s3:::b/*", "arn:aws:s3:::?/k", "arn:aws:s3:::a*"]
ASKED = st.builds(
    Request,
    st.just(ME),
    st.sampled_from(["s3:GetObject", "s3:PutObject", "ecs:RunTask"]),
    st.sampled_from(["arn:aws:s3:::a/k", "arn:aws:s3:::b/k", "arn:aws:s3:::ab/k"]),
    st.fixed_dictionaries({}, optional={"aws:SecureTransport": st.sampled_from(["true", "false"])}),
)


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect or draw(st.sampled_from(["Allow", "Deny"]))}
    made[draw(st.sampled_from(["Action", "NotAction"]))] = draw(
        st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3)
    )
    made[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(
        st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3)
    )
    if draw(st.booleans()):
        operator = draw(st.sampled_from(["Bool", "BoolIfExists", "StringNotEquals", "Null"]))
        made["Condition"] = {operator: {"aws:SecureTransport": draw(st.sampled_from(["true", "false"]))}}
    return made


def policy(*written: dict[str, Any]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(written)})


POLICIES = st.lists(statements(), min_size=1, max_size=4).map(lambda some: policy(*some))
MANY = st.lists(POLICIES, max_size=3)


@given(ASKED)
def test_nothing_is_allowed_unless_something_allows_it(asked: Request) -> None:
    assert not decide(asked).allowed


@settings(max_examples=100)
@given(ASKED, MANY, st.lists(statements("Deny"), min_size=1, max_size=2))
def test_a_deny_never_adds_a_right(asked: Request, policies: list[Policy], denies: list[dict[str, Any]]) -> None:
    if decide(asked, [*policies, policy(*denies)]).allowed:
        assert decide(asked, policies).allowed


@settings(max_examples=100)
@given(ASKED, MANY, st.lists(statements("Allow"), min_size=1, max_size=2))
def test_an_allow_never_takes_a_right(asked: Request, policies: list[Policy], allows: list[dict[str, Any]]) -> None:
    if decide(asked, policies).allowed:
        assert decide(asked, [*policies, policy(*allows)]).allowed


@settings(max_examples=100)
@given(ASKED, MANY, POLICIES)
def test_a_boundary_and_a_session_policy_only_narrow(asked: Request, policies: list[Policy], edge: Policy) -> None:
    free = decide(asked, policies).allowed
    for decision in (decide(asked, policies, boundary=[edge]), decide(asked, policies, session=[edge])):
        assert decision.allowed <= free
        assert decision.allowed == (free and decide(asked, [edge]).allowed)


@settings(max_examples=80)
@given(ASKED, MANY)
def test_the_order_of_policies_does_not_matter(asked: Request, policies: list[Policy]) -> None:
    assert decide(asked, policies).allowed == decide(asked, policies[::-1]).allowed


@settings(max_examples=80)
@given(ASKED, MANY)
def test_actions_are_compared_without_case(asked: Request, policies: list[Policy]) -> None:
    shouted = Request(asked.principal, asked.action.upper(), asked.resource, asked.context)
    assert decide(asked, policies).allowed == decide(shouted, policies).allowed


@settings(max_examples=100)
@given(ASKED, MANY, MANY)
def test_what_is_decided_is_explained(asked: Request, policies: list[Policy], boundary: list[Policy]) -> None:
    decision = decide(asked, policies, boundary=boundary or None)
    if decision.allowed or decision.why == "explicit deny":
        assert decision.statement is not None
        assert decision.statement.allows is decision.allowed
        assert decision.policy is not None
        assert decision.statement in decision.policy.statements
    else:
        assert decision.statement is None
