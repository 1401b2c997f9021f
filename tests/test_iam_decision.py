"""IAM decisions: AWS's documented rules and examples, and what must hold for any policies.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference".
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.semantics.iam import (
    MANAGED_POLICIES,
    Policy,
    Request,
    access_denied,
    decide,
    managed_policy,
    may_assume,
    parse_policy,
)

ACCOUNT, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/builder"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/builder/run-7"
REPOSITORY = f"arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/shop"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def statement(action: Any = "ecr:PutImage", resource: Any = "*", effect: str = "Allow", **more: Any) -> Any:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any], version: str = "2012-10-17", kind: Any = "identity") -> Policy:
    return parse_policy({"Version": version, "Statement": list(statements)}, kind)


def on_resource(principal: Any, effect: str = "Allow", **more: Any) -> Policy:
    one = {"Effect": effect, "Action": "ecr:PutImage", "Principal": principal, **more}
    return policy(one, kind="resource")


def allows(*statements: dict[str, Any], version: str = "2012-10-17", **request: Any) -> bool:
    asked = Request(**{"principal": USER, "action": "ecr:PutImage", "resource": REPOSITORY} | request)
    return decide(asked, [policy(*statements, version=version)]).allowed


PUT = Request(USER, "ecr:PutImage", REPOSITORY)
PUT_IN_SESSION = Request(SESSION, "ecr:PutImage", REPOSITORY)
ALLOW, DENY = policy(statement()), policy(statement(effect="Deny"))
SOMETHING_ELSE = policy(statement("s3:GetObject"))


# -- the evaluation logic -----------------------------------------------------------------------------------


def test_default_is_deny() -> None:
    assert decide(PUT).why == "no identity"


def test_explicit_deny_wins_wherever_it_stands() -> None:
    for where in ({"identity": [ALLOW, DENY]}, {"boundary": [ALLOW, DENY]}, {"session": [ALLOW, DENY]}):
        decision = decide(PUT, **{"identity": [ALLOW]} | where)  # type: ignore[arg-type]
        assert (decision.allowed, decision.why) == (False, "explicit deny")
    by_resource = on_resource({"AWS": USER}, "Deny")
    assert decide(PUT, [ALLOW], [by_resource]).source == "a resource-based policy"


def test_within_an_account_either_side_suffices() -> None:
    assert decide(PUT, [ALLOW], [on_resource({"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"})]).allowed
    assert decide(PUT, [], [on_resource({"AWS": USER})]).allowed
    assert decide(PUT, [], [on_resource("*")]).allowed


def test_a_resource_policy_that_names_the_account_leaves_it_to_the_identity() -> None:
    for name in (ROOT, ACCOUNT):
        assert not decide(PUT, [], [on_resource({"AWS": name})]).allowed
        assert decide(PUT, [ALLOW], [on_resource({"AWS": name})]).allowed


def test_across_accounts_both_must_allow() -> None:
    resource = [on_resource({"AWS": ROOT})]
    assert decide(PUT, [ALLOW], resource, same_account=False).allowed
    assert decide(PUT, [ALLOW], same_account=False).why == "no resource"
    assert decide(PUT, [], resource, same_account=False).why == "no identity"
    assert not decide(PUT, [ALLOW], [on_resource({"AWS": OTHER})], same_account=False).allowed


def test_boundary_and_session_must_allow_as_well() -> None:
    assert decide(PUT, [ALLOW], boundary=[ALLOW], session=[ALLOW]).allowed
    assert decide(PUT, [ALLOW], boundary=[SOMETHING_ELSE]).why == "no boundary"
    assert decide(PUT, [ALLOW], boundary=[]).why == "no boundary"
    assert decide(PUT, [ALLOW], session=[SOMETHING_ELSE]).why == "no session"
    assert not decide(PUT, [], boundary=[ALLOW]).allowed


def test_what_a_resource_grants_to_the_user_or_session_is_not_limited_to_a_role_is() -> None:
    """Documented: an implicit deny in a boundary limits a grant to a role's ARN, not to a session or user."""
    boundary = [SOMETHING_ELSE]
    assert decide(PUT, [], [on_resource({"AWS": USER})], boundary).allowed
    assert decide(PUT_IN_SESSION, [], [on_resource({"AWS": SESSION})], boundary).allowed
    assert not decide(PUT_IN_SESSION, [], [on_resource({"AWS": ROLE})], boundary).allowed
    assert decide(PUT_IN_SESSION, [], [on_resource({"AWS": ROLE})]).allowed


def test_a_session_is_of_its_own_role_only() -> None:
    for role in (f"arn:aws:iam::{ACCOUNT}:role/builder2", f"arn:aws:iam::{OTHER}:role/builder"):
        assert not decide(PUT_IN_SESSION, [], [on_resource({"AWS": role})]).allowed


def test_services_are_named_by_service_only() -> None:
    service = Request("codebuild.amazonaws.com", "ecr:PutImage", REPOSITORY)
    assert decide(service, [], [on_resource({"Service": "codebuild.amazonaws.com"})]).allowed
    assert not decide(service, [], [on_resource({"Service": "ecs.amazonaws.com"})]).allowed
    assert not decide(service, [], [on_resource("*")]).allowed


def test_not_principal_with_deny_spares_only_who_is_listed_whole() -> None:
    everyone_else = on_resource({"AWS": [SESSION, ROLE, ROOT]}, "Deny")
    inverted = parse_policy(
        {
            "Statement": {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": [SESSION, ROLE, ROOT]},
                "Action": "ecr:PutImage",
            }
        },
        "resource",
    )
    assert not decide(PUT_IN_SESSION, [ALLOW], [everyone_else]).allowed
    assert decide(PUT_IN_SESSION, [ALLOW], [inverted]).allowed
    other_session = Request(SESSION + "8", "ecr:PutImage", REPOSITORY)
    assert decide(other_session, [ALLOW], [inverted]).why == "explicit deny"
    assert decide(PUT, [ALLOW], [inverted]).why == "explicit deny"


# -- actions and resources ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "covers"),
    [
        ("ecr:PutImage", True),
        ("ECR:putimage", True),
        ("ecr:*", True),
        ("*", True),
        ("ecr:Put*", True),
        ("ecr:PutImag?", True),
        ("ecr:Put", False),
        ("ecr:PutImage?", False),
        ("ecr-public:PutImage", False),
        ("ecr:PutImageTagMutability", False),
        (["s3:GetObject", "ecr:P*e"], True),
    ],
)
def test_actions(action: Any, covers: bool) -> None:
    assert allows(statement(action)) is covers


@pytest.mark.parametrize(
    ("resource", "covers"),
    [
        ("*", True),
        (REPOSITORY, True),
        (REPOSITORY.replace("shop", "Shop"), False),
        (REPOSITORY + "*", True),
        (REPOSITORY + "/*", False),
        (f"arn:aws:ecr:*:{ACCOUNT}:repository/shop", True),
        ("arn:aws:ecr:*:*:*", True),
        ("arn:aws:ecr:*:*:repository/sho?", True),
        ("arn:aws:ecr:*", True),  # an incomplete ARN is completed with *
        ("arn:aws:ecr", True),
        ("arn:aws:ecr:*:repository/shop", False),  # no wildcard reaches over a colon: a field is missing
        (f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/shop", False),
        (f"arn:aws:s3:::{REPOSITORY}", False),
        ([f"{REPOSITORY}-evil", REPOSITORY], True),
    ],
)
def test_resources(resource: Any, covers: bool) -> None:
    assert allows(statement(resource=resource)) is covers


def test_the_star_of_a_resource_crosses_slashes_and_colons() -> None:
    bucket = statement("s3:GetObject", "arn:aws:s3:::home/*")
    assert allows(bucket, action="s3:GetObject", resource="arn:aws:s3:::home/a/b:c/d")
    log_group = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/shop"
    asked = {"action": "logs:PutLogEvents", "resource": f"{log_group}:log-stream:x"}
    assert allows(statement("logs:PutLogEvents", log_group + ":*"), **asked)


def test_an_action_without_resources_is_covered_by_a_star_only() -> None:
    login = {"action": "ecr:GetAuthorizationToken", "resource": "*"}
    assert allows(statement("ecr:*", "*"), **login)
    assert not allows(statement("ecr:*", REPOSITORY), **login)
    assert not allows(statement("ecr:*", "arn:aws:ecr:*:*:*"), **login)


def test_not_action_and_not_resource_are_complements() -> None:
    all_but_delete = {"Effect": "Allow", "NotAction": "ecr:Delete*", "Resource": "*"}
    assert allows(all_but_delete)
    assert allows(all_but_delete, action="iam:CreateUser")
    assert not allows(all_but_delete, action="ecr:DeleteRepository")
    elsewhere = {"Effect": "Allow", "Action": "ecr:*", "NotResource": REPOSITORY}
    assert not allows(elsewhere)
    assert allows(elsewhere, resource=REPOSITORY + "2")


# -- conditions ---------------------------------------------------------------------------------------------


def met(operator: str, wanted: Any, value: Any = None, *, key: str = "aws:thing", version: str = "2012-10-17") -> bool:
    given_context = {} if value is None else {key: value}
    one = statement(Condition={operator: {key: wanted}})
    return allows(one, context=given_context, version=version)


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "holds"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a*", "ab", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "Abc", "aBC", True),
        ("StringNotEqualsIgnoreCase", "Abc", "aBC", False),
        ("StringLike", "repo:acme/*", "repo:acme/shop:ref:refs/heads/main", True),
        ("StringLike", "A?c", "Abc", True),
        ("StringLike", "a?c", "Abc", False),
        ("StringNotLike", "a*", "abc", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "10", False),
        ("NumericLessThan", 10, "9", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "9", False),
        ("NumericGreaterThanEquals", "10", "x", False),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
        ("DateGreaterThan", "2020-01-01T00:00:01Z", "2020-01-01T00:00:01Z", False),
        ("DateGreaterThanEquals", "2020-01-01T00:00:01Z", "1577836801", True),
        ("DateEquals", "2020-01-01", "2020-01-01T00:00:00Z", True),
        ("DateNotEquals", "2020", "2020-01-01T00:00:00Z", False),
        ("Bool", "true", "True", True),
        ("Bool", False, "false", True),
        ("Bool", "true", "false", False),
        ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
        ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], "2001:db8:1234:5678::9", True),
        ("IpAddress", "203.0.113.0/24", "203.0.114.1", False),
        ("IpAddress", "203.0.113.7", "203.0.113.7", True),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.1", True),
        ("ArnLike", "arn:aws:sns:*:1*:topic-?", "arn:aws:sns:eu-west-1:12:topic-1", True),
        ("ArnEquals", "arn:aws:sns:*:12:*", "arn:aws:sns:eu-west-1:12:topic:x", True),
        ("ArnLike", "arn:aws:sns:*:topic", "arn:aws:sns:eu-west-1:12:topic", False),
        ("ArnNotLike", "arn:aws:sns:*:12:*", "arn:aws:sns:eu-west-1:13:t", True),
        ("ArnNotEquals", "arn:aws:sns:*:12:*", "arn:aws:sns:eu-west-1:12:t", False),
    ],
)
def test_operators(operator: str, wanted: Any, value: str, holds: bool) -> None:
    assert met(operator, wanted, value) is holds
    assert met(operator + "IfExists", wanted, value) is holds
    assert met(operator + "IfExists", wanted) is True
    assert met(operator, wanted) is ("Not" in operator)


def test_null() -> None:
    assert met("Null", "true")
    assert not met("Null", "true", "x")
    assert met("Null", "false", "x")
    assert not met("Null", "false")


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringEquals", [], True),
        ("ForAllValues:StringEquals", None, True),
        ("ForAnyValue:StringEquals", ["a", "c"], True),
        ("ForAnyValue:StringEquals", ["c"], False),
        ("ForAnyValue:StringEquals", None, False),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "d"], False),
        ("ForAnyValue:StringNotEquals", ["a", "d"], True),
        ("ForAnyValue:StringNotEquals", ["a"], False),
        ("ForAnyValue:StringNotLike", None, False),
        ("ForAnyValue:StringEqualsIfExists", None, True),
    ],
)
def test_set_operators(operator: str, value: Any, holds: bool) -> None:
    assert met(operator, ["a", "b"], value) is holds


def test_every_operator_and_key_must_hold_and_keys_ignore_case() -> None:
    both = {"StringEquals": {"aws:A": "1", "aws:B": "2"}, "Bool": {"aws:C": "true"}}
    assert allows(statement(Condition=both), context={"AWS:a": "1", "aws:b": "2", "aws:c": "true"})
    assert not allows(statement(Condition=both), context={"aws:a": "1", "aws:b": "2"})
    assert not allows(statement(Condition=both), context={"aws:a": "1", "aws:c": "true"})


def test_a_statement_whose_condition_is_unmet_is_absent() -> None:
    deny = statement(effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert allows(statement(), deny, context={"aws:SecureTransport": "true"})
    assert not allows(statement(), deny, context={"aws:SecureTransport": "false"})


# -- variables ----------------------------------------------------------------------------------------------


def test_variables_in_resources_and_conditions() -> None:
    home = statement("s3:GetObject", "arn:aws:s3:::home/${aws:username}/*")
    asked = {"action": "s3:GetObject"}
    assert allows(home, **asked, resource="arn:aws:s3:::home/alice/x")
    assert not allows(home, **asked, resource="arn:aws:s3:::home/bob/x")
    assert not allows(home, **asked, resource="arn:aws:s3:::home/alice/x", version="2012-10-17", principal=SESSION)
    team = statement(Condition={"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}})
    assert allows(team, context={"aws:ResourceTag/team": "web", "aws:PrincipalTag/team": "web"})
    assert not allows(team, context={"aws:ResourceTag/team": "web"})


def test_a_variable_has_a_default_and_never_acts_as_a_wildcard() -> None:
    """Documented: ${aws:PrincipalTag/team, 'company-wide'}."""
    bucket = statement("s3:GetObject", "arn:aws:s3:::b-${aws:PrincipalTag/team, 'company-wide'}")
    asked = {"action": "s3:GetObject"}
    assert allows(bucket, **asked, resource="arn:aws:s3:::b-company-wide")
    tagged = {"context": {"aws:PrincipalTag/team": "yellow"}}
    assert allows(bucket, **asked, **tagged, resource="arn:aws:s3:::b-yellow")
    assert not allows(bucket, **asked, **tagged, resource="arn:aws:s3:::b-company-wide")
    assert not allows(bucket, **asked, context={"aws:PrincipalTag/team": "*"}, resource="arn:aws:s3:::b-x")
    star = statement("s3:GetObject", "arn:aws:s3:::b/${*}")
    assert allows(star, **asked, resource="arn:aws:s3:::b/*")
    assert not allows(star, **asked, resource="arn:aws:s3:::b/x")


def test_a_variable_may_stand_anywhere_in_a_condition_but_only_at_the_end_of_a_resource() -> None:
    """Documented: variables may not replace what is before an ARN's fifth colon in a Resource."""
    own = "arn:aws:ecr:eu-central-1:${aws:PrincipalAccount}:repository/shop"
    assert not allows(statement(resource=own))
    assert allows(statement(Condition={"ArnEquals": {"aws:x": own}}), context={"aws:x": REPOSITORY})
    assert not allows(
        statement(Condition={"ArnEquals": {"aws:x": own}}), context={"aws:x": REPOSITORY.replace(ACCOUNT, OTHER)}
    )


def test_variables_are_plain_text_in_the_old_version() -> None:
    one = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}"}
    old = parse_policy({"Version": "2008-10-17", "Statement": one}, "resource")
    assert not decide(Request(USER, "s3:GetObject", "arn:aws:s3:::b/alice"), [], [old]).allowed
    assert decide(Request(USER, "s3:GetObject", "arn:aws:s3:::b/${aws:username}"), [], [old]).allowed


# -- trust --------------------------------------------------------------------------------------------------


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> Policy:
    return policy({"Effect": "Allow", "Principal": principal, "Action": action, **more}, kind="trust")


def test_a_service_assumes_what_trusts_it() -> None:
    asked = Request("ecs-tasks.amazonaws.com", "sts:AssumeRole", ROLE, {"aws:SourceAccount": ACCOUNT})
    only_here = {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    assert may_assume(asked, trust({"Service": ["ecs-tasks.amazonaws.com", "ec2.amazonaws.com"]})).allowed
    assert may_assume(asked, trust({"Service": "ecs-tasks.amazonaws.com"}, **only_here)).allowed
    assert not may_assume(asked, trust({"Service": "ecs.amazonaws.com"})).allowed
    assert not may_assume(asked, trust({"AWS": "*"})).allowed


def test_a_principal_needs_the_trust_and_its_own_right_when_only_its_account_is_named() -> None:
    asked, right = Request(USER, "sts:AssumeRole", ROLE), policy(statement("sts:AssumeRole", ROLE))
    assert may_assume(asked, trust({"AWS": USER})).allowed
    assert not may_assume(asked, trust({"AWS": ROOT})).allowed
    assert may_assume(asked, trust({"AWS": ROOT}), [right]).allowed
    assert may_assume(asked, trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}), [right]).why == "no resource"
    assert not may_assume(asked, trust({"AWS": USER}), same_account=False).allowed


def test_web_identity() -> None:
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    issuer = "token.actions.githubusercontent.com"
    only_main = {
        "Condition": {
            "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{issuer}:sub": "repo:acme/shop:*"},
        }
    }
    given_trust = trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", **only_main)

    def asked(sub: str) -> Request:
        claims = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": sub}
        return Request(provider, "sts:AssumeRoleWithWebIdentity", ROLE, claims)

    assert may_assume(asked("repo:acme/shop:ref:refs/heads/main"), given_trust).allowed
    assert not may_assume(asked("repo:evil/shop:ref:refs/heads/main"), given_trust).allowed
    assert not may_assume(asked("repo:acme/shop-evil:ref:refs/heads/main"), given_trust).allowed


# -- words and managed policies -----------------------------------------------------------------------------


def test_the_words_of_a_denial() -> None:
    assert access_denied(PUT, decide(PUT)) == (
        f"AccessDeniedException: User: {USER} is not authorized to perform: ecr:PutImage on resource: "
        f"{REPOSITORY} because no identity-based policy allows the ecr:PutImage action"
    )
    assert access_denied(PUT, decide(PUT, [ALLOW, DENY])).endswith("with an explicit deny in an identity-based policy")
    assert access_denied(PUT, decide(PUT, [ALLOW], boundary=[])).endswith(
        "because no permissions boundary allows the ecr:PutImage action"
    )


def test_the_managed_policies_do_what_they_are_for() -> None:
    can: dict[str, set[str]] = {}
    for arn in MANAGED_POLICIES:
        attached = [managed_policy(arn)]
        asked = {"push": PUT, "pull": Request(USER, "ecr:BatchGetImage", REPOSITORY)}
        asked |= {"login": Request(USER, "ecr:GetAuthorizationToken")}
        asked |= {"delete": Request(USER, "ecr:DeleteRepository", REPOSITORY)}
        can[arn.rsplit("/", 1)[-1]] = {name for name, one in asked.items() if decide(one, attached).allowed}
    assert can == {
        "AmazonEC2ContainerRegistryReadOnly": {"login", "pull"},
        "AmazonEC2ContainerRegistryPullOnly": {"login", "pull"},
        "AmazonECSTaskExecutionRolePolicy": {"login", "pull"},
        "AmazonEC2ContainerRegistryPowerUser": {"login", "pull", "push"},
        "AmazonEC2ContainerRegistryFullAccess": {"login", "pull", "push", "delete"},
    }


# -- properties ---------------------------------------------------------------------------------------------

ACTIONS = ("ecr:PutImage", "ecr:Put*", "ecr:*", "*", "s3:GetObject", "ecr:DeleteRepository")
RESOURCES = ("*", REPOSITORY, REPOSITORY + "*", "arn:aws:ecr:*:*:repository/other")
CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {"StringEquals": {"aws:x": "1"}},
    {"StringNotEquals": {"aws:x": "1"}},
    {"Null": {"aws:x": "true"}},
)
REQUESTS = st.builds(
    Request,
    st.sampled_from([USER, SESSION]),
    st.sampled_from(["ecr:PutImage", "ecr:DeleteRepository", "s3:GetObject"]),
    st.sampled_from([REPOSITORY, REPOSITORY + "-evil", "*"]),
    st.sampled_from([{}, {"aws:x": "1"}, {"aws:x": "2"}]),
)


@st.composite
def statements(draw: st.DrawFn, effects: tuple[str, ...] = ("Allow", "Deny")) -> dict[str, Any]:
    return {
        "Effect": draw(st.sampled_from(effects)),
        draw(st.sampled_from(["Action", "NotAction"])): draw(
            st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2)
        ),
        draw(st.sampled_from(["Resource", "NotResource"])): draw(
            st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2)
        ),
        "Condition": draw(st.sampled_from(CONDITIONS)),
    }


some = st.lists(statements(), min_size=1, max_size=4)


@given(some, statements(("Deny",)), REQUESTS)
def test_one_more_deny_never_allows_more(before: Any, deny: Any, request: Request) -> None:
    assert decide(request, [policy(*before)]).allowed >= decide(request, [policy(*before, deny)]).allowed


@given(some, statements(("Allow",)), REQUESTS)
def test_one_more_allow_never_denies_more(before: Any, allow: Any, request: Request) -> None:
    assert decide(request, [policy(*before)]).allowed <= decide(request, [policy(*before, allow)]).allowed


@given(some, REQUESTS, st.randoms())
def test_the_order_of_statements_and_their_spread_over_policies_never_matter(
    given_statements: Any, request: Request, shuffle: Any
) -> None:
    together = decide(request, [policy(*given_statements)]).allowed
    shuffle.shuffle(given_statements)
    assert decide(request, [policy(one) for one in given_statements]).allowed == together


@given(some, some, REQUESTS)
def test_a_boundary_only_takes_away(given_statements: Any, bound: Any, request: Request) -> None:
    bounded = decide(request, [policy(*given_statements)], boundary=[policy(*bound)]).allowed
    assert bounded == (
        decide(request, [policy(*given_statements)]).allowed and decide(request, [policy(*bound)]).allowed
    )


@given(some, REQUESTS)
def test_the_case_of_an_action_never_matters(given_statements: Any, request: Request) -> None:
    shouted = Request(request.principal, request.action.upper(), request.resource, request.context)
    attached = [policy(*given_statements)]
    assert decide(shouted, attached).allowed == decide(request, attached).allowed


@given(st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), REQUESTS)
def test_action_and_not_action_are_exact_opposites(action: str, resource: str, request: Request) -> None:
    one = policy({"Effect": "Allow", "Action": action, "Resource": "*"})
    opposite = policy({"Effect": "Allow", "NotAction": action, "Resource": "*"})
    assert decide(request, [one]).allowed != decide(request, [opposite]).allowed
    one = policy({"Effect": "Allow", "Action": "*", "Resource": resource})
    opposite = policy({"Effect": "Allow", "Action": "*", "NotResource": resource})
    assert decide(request, [one]).allowed != decide(request, [opposite]).allowed
