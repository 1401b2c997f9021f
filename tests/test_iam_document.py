"""What IAM refuses in a policy document, and what this evaluator refuses rather than guess at."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.semantics.iam import MalformedPolicy, UnknownCondition, parse_policy

STATEMENT = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}
RESOURCE_STATEMENT = {"Effect": "Allow", "Action": "ecr:PutImage", "Principal": "*"}
TRUST_STATEMENT = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
}


def document(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def test_one_statement_or_a_list_strings_or_lists() -> None:
    single = parse_policy({"Version": "2012-10-17", "Statement": STATEMENT})
    listed = parse_policy(document({"Effect": "Allow", "Action": ["ecr:PutImage"], "Resource": ["*"]}, Id="x"))
    assert single.statements == listed.statements


def test_labels() -> None:
    policy = parse_policy(document({**STATEMENT, "Sid": "Push"}, STATEMENT))
    assert [one.label for one in policy.statements] == ['"Push"', "#2"]


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("{", "This policy contains invalid Json"),
        ("[" * 10_000, "This policy contains invalid Json"),
        ('{"Version": "\\ud800"}', "This policy contains invalid Json"),
        (json.dumps(document(*[STATEMENT] * 300)), "Maximum policy size of 10240 bytes exceeded"),
        ("[]", "Syntax errors in policy."),
        ({"Version": "2012-10-17"}, "Syntax errors in policy."),
        (document(), "Syntax errors in policy."),
        (document("x"), "Syntax errors in policy."),
        (document(STATEMENT, Statements=[]), "Syntax errors in policy."),
        ({"Version": "2012-10-18", "Statement": STATEMENT}, "Syntax errors in policy."),
        ({"Version": "2008-10-17", "Statement": STATEMENT}, "version 2012-10-17 or greater"),
        ({"Statement": STATEMENT}, "version 2012-10-17 or greater"),
        (document({**STATEMENT, "effect": "Deny"}), "Syntax errors in policy."),
        (document({**STATEMENT, "Effect": "allow"}), "Syntax errors in policy."),
        (document({**STATEMENT, "NotAction": "s3:*"}), "Syntax errors in policy."),
        (document({**STATEMENT, "Action": {"a": 1}}), "Syntax errors in policy."),
        (document({**STATEMENT, "Action": []}), "Policy statement must contain actions."),
        (document({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
        (document({**STATEMENT, "Action": "PutImage"}), "must be prefaced by a vendor"),
        (document({**STATEMENT, "Action": "e*:PutImage"}), "Vendor e* is not valid"),
        (document({"Effect": "Allow", "Action": "ecr:*"}), "Policy statement must contain resources."),
        (document({**STATEMENT, "Resource": []}), "Policy statement must contain resources."),
        (document({**STATEMENT, "Resource": "shop"}), 'Resource shop must be in ARN format or "*".'),
        (document({**STATEMENT, "Principal": "*"}), "should not specify a principal"),
        (document({**STATEMENT, "Sid": "push it"}), "must be alpha-numeric"),
        (document({**STATEMENT, "Sid": "A"}, {**STATEMENT, "Sid": "A"}), "must be unique"),
        (document({**STATEMENT, "Condition": []}), "Syntax errors in policy."),
        (document({**STATEMENT, "Condition": {"StringEquals": "x"}}), "Syntax errors in policy."),
        (document({**STATEMENT, "Condition": {"StringEquals": {"a": []}}}), "Syntax errors in policy."),
        (document({**STATEMENT, "Condition": {"NumericEquals": {"a": "x"}}}), "legacy parsing"),
        (document({**STATEMENT, "Condition": {"DateEquals": {"a": "soon"}}}), "legacy parsing"),
        (document({**STATEMENT, "Condition": {"IpAddress": {"a": "10.0.0.0/64"}}}), "legacy parsing"),
        (document({**STATEMENT, "Condition": {"Bool": {"a": "maybe"}}}), "legacy parsing"),
        ('{"Version": "2012-10-17", "Statement": [], "Statement": []}', "Syntax errors in policy."),
    ],
)
def test_refused_for_an_identity(policy: Any, says: str) -> None:
    with pytest.raises(MalformedPolicy) as refusal:
        parse_policy(policy)
    assert says in refusal.value.message
    assert refusal.value.reason.format(**refusal.value.values)


@pytest.mark.parametrize(
    "operator",
    ["StringEqualz", "stringequals", "ForSomeValues:StringEquals", "NullIfExists", "NotBool", "StringEqualsNot"],
)
def test_unknown_operators_are_an_error(operator: str) -> None:
    with pytest.raises(UnknownCondition, match="Invalid Condition type"):
        parse_policy(document({**STATEMENT, "Condition": {operator: {"aws:x": "true"}}}))


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (STATEMENT, "Missing required field Principal"),
        ({**RESOURCE_STATEMENT, "Principal": {"Aws": "*"}}, "Invalid principal in policy"),
        ({**RESOURCE_STATEMENT, "Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}, "Invalid principal"),
        ({**RESOURCE_STATEMENT, "Principal": {"AWS": "alice"}}, "Invalid principal"),
        ({**RESOURCE_STATEMENT, "Principal": {"Service": "ecs-tasks"}}, "Invalid principal"),
        ({**RESOURCE_STATEMENT, "Principal": {"Federated": "*"}}, "Invalid principal"),
        ({**RESOURCE_STATEMENT, "Principal": {}}, "Syntax errors"),
    ],
)
def test_refused_for_a_resource(statement: Any, says: str) -> None:
    with pytest.raises(MalformedPolicy, match=says):
        parse_policy(document(statement), "resource")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ({**TRUST_STATEMENT, "Resource": "*"}, "Has prohibited field Resource."),
        ({**TRUST_STATEMENT, "Action": "ecr:PutImage"}, "only specify STS AssumeRole actions"),
        ({**TRUST_STATEMENT, "Action": "*"}, "must be prefaced by a vendor"),
        ({"Effect": "Allow", "Action": "sts:AssumeRole"}, "Missing required field Principal"),
    ],
)
def test_refused_for_trust(statement: Any, says: str) -> None:
    parse_policy(document(TRUST_STATEMENT), "trust")
    with pytest.raises(MalformedPolicy, match=says):
        parse_policy(document(statement), "trust")


values = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just("Allow") | st.just("*")
anything = st.recursive(
    values,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Version", "Statement", "Effect", "Action", "Resource", "Condition", "Principal", "Bool"]),
            inner,
            max_size=4,
        )
    ),
)


@given(anything, st.sampled_from(["identity", "resource", "trust"]))
def test_any_document_is_read_or_refused(value: Any, kind: Any) -> None:
    for given_document in (
        json.dumps(value),
        json.dumps(document(value)),
        json.dumps(document({**STATEMENT, "Condition": value})),
    ):
        try:
            parse_policy(given_document, kind)
        except MalformedPolicy as refusal:
            assert refusal.reason.format(**refusal.values)  # noqa: PT017
