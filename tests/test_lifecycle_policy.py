"""What ECR refuses in a lifecycle policy, one thing at a time, and what it takes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.semantics.lifecycle import LifecycleRefused, parse_policy

GOOD: dict[str, Any] = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "releases",
            "selection": {
                "tagStatus": "tagged",
                "tagPrefixList": ["v"],
                "countType": "imageCountMoreThan",
                "countNumber": 10,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 3,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 9,
            "selection": {
                "tagStatus": "any",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 30,
            },
            "action": {"type": "expire"},
        },
    ]
}
ARCHIVED = {
    "rulePriority": 20,
    "selection": {
        "tagStatus": "any",
        "storageClass": "archive",
        "countType": "sinceImageTransitioned",
        "countUnit": "days",
        "countNumber": 90,
    },
    "action": {"type": "expire"},
}
REMOVED = object()


def changed(path: str, value: Any) -> str:
    """GOOD with the value at `path` ("0.selection.tagStatus", below rules) replaced or removed."""
    document = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    at: Any = document["rules"]
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    if value is REMOVED:
        del at[last]
    else:
        at[int(last) if last.isdigit() else last] = value
    return json.dumps(document)


def test_a_good_policy_is_read() -> None:
    policy = parse_policy(json.dumps(GOOD))
    assert [rule.priority for rule in policy.rules] == [1, 2, 9]
    assert policy.rules[0].tags == ("v",)
    assert policy.rules[0].by_prefix


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("0.rulePriority", 0, "lower than the required minimum"),
        ("0.rulePriority", REMOVED, 'missing required properties (["rulePriority"])'),
        ("0.rulePriority", "1", "instance type (string)"),
        ("0.rulePriority", True, "instance type (boolean)"),
        ("0.rulePriority", 2, "unique"),
        ("0.rulePriority", 10, "tagStatus=ANY must have the lowest priority"),
        ("0.colour", "red", 'not allowed by the schema: ["colour"]'),
        ("0.selection", REMOVED, "missing required properties"),
        ("0.selection", [], "instance type (array)"),
        ("0.selection.tagStatus", "TAGGED", "not found in enum"),
        ("0.selection.tagStatus", REMOVED, "missing required properties"),
        ("0.selection.tagPrefixList", REMOVED, "Must specify tagPrefixList or tagPatternList"),
        ("0.selection.tagPrefixList", [], "Must specify tagPrefixList or tagPatternList"),
        ("0.selection.tagPrefixList", "v", "instance type (string)"),
        ("0.selection.tagPrefixList", None, "instance type (null)"),
        ("0.selection.tagPrefixList", [1], "instance type (integer)"),
        ("0.selection.tagPatternList", ["v*"], "only one of"),
        ("0.selection.tagPattern", ["v*"], "not allowed by the schema"),
        ("0.selection.countNumber", 0, "lower than the required minimum"),
        ("0.selection.countNumber", 1.5, "instance type (number)"),
        ("0.selection.countNumber", REMOVED, "missing required properties"),
        ("0.selection.countType", "imageCountLessThan", "not found in enum"),
        ("0.selection.countUnit", "days", "match exactly one schema"),
        ("1.selection.countUnit", REMOVED, "match exactly one schema"),
        ("1.selection.countUnit", "hours", "not found in enum"),
        ("1.selection.countType", "sinceImagePulled", "match exactly one schema"),
        ("1.selection.countType", "sinceImageTransitioned", "match exactly one schema"),
        ("1.selection.storageClass", "archive", "match exactly one schema"),
        ("1.selection.storageClass", "glacier", "not found in enum"),
        ("1.selection.tagPrefixList", ["v"], "tagStatus=TAGGED"),
        ("2.selection.tagPatternList", ["*"], "tagStatus=TAGGED"),
        ("2.selection.tagStatus", "untagged", "Only one rule can select Untagged images per storage class."),
        ("1.selection.tagStatus", "any", "tagStatus=ANY must have the lowest priority per storage class"),
        ("0.action", "expire", "instance type (string)"),
        ("0.action.type", "delete", "not found in enum"),
        ("0.action.type", "transition", "match exactly one schema"),
        ("0.action.targetStorageClass", "archive", "match exactly one schema"),
        ("0.description", 7, "instance type (integer)"),
    ],
)
def test_refused(path: str, value: Any, says: str) -> None:
    with pytest.raises(LifecycleRefused) as refusal:
        parse_policy(changed(path, value))
    assert says in refusal.value.message
    assert refusal.value.message.startswith("Invalid parameter at 'LifecyclePolicyText' failed to satisfy")
    assert refusal.value.reason.format(**refusal.value.values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "Member must have length greater than or equal to 100"),
        (" " * 30_721, "Member must have length less than or equal to 30720"),
        (json.dumps(GOOD).replace("]", "],", 1), "Could not map policyString"),
        ("[" * 20_000, "Could not map policyString"),
        (json.dumps(GOOD).replace("10", "NaN"), "Could not map policyString"),
        (json.dumps(GOOD).replace("releases", r"\ud800"), "Could not map policyString"),
        (json.dumps(GOOD["rules"]), "instance type (array)"),
        (json.dumps({"rules": []}) + " " * 100, "too short"),
        (json.dumps({"rules": GOOD["rules"], "version": 1}), "not allowed by the schema"),
        (json.dumps({"rules": [1] * 51}), "too long"),
    ],
)
def test_refused_as_a_whole(text: str, says: str) -> None:
    with pytest.raises(LifecycleRefused) as refusal:
        parse_policy(text)
    assert says in refusal.value.message


def test_four_stars_are_taken_and_five_refused() -> None:
    document = json.loads(changed("0.selection.tagPrefixList", REMOVED))
    selection = document["rules"][0]["selection"]
    selection["tagPatternList"] = ["*test*1*2*3", "test*1*2*3*"]
    parse_policy(json.dumps(document))
    selection["tagPatternList"] = ["test*1*2*3*4*5*6"]
    with pytest.raises(LifecycleRefused, match="wildcards"):
        parse_policy(json.dumps(document))


def test_the_same_prefixes_twice_are_refused() -> None:
    document = copy.deepcopy(GOOD)
    document["rules"].append(copy.deepcopy(GOOD["rules"][0]) | {"rulePriority": 3})
    with pytest.raises(LifecycleRefused, match="unique"):
        parse_policy(json.dumps(document))


def test_each_storage_class_has_its_own_any_rule() -> None:
    parse_policy(json.dumps({"rules": [*GOOD["rules"], ARCHIVED]}))
    early = copy.deepcopy(ARCHIVED)
    early["selection"]["countNumber"] = 89
    with pytest.raises(LifecycleRefused, match="minimum: 90, found: 89"):
        parse_policy(json.dumps({"rules": [*GOOD["rules"], early]}))


def test_a_star_in_a_prefix_is_no_wildcard() -> None:
    policy = parse_policy(changed("0.selection.tagPrefixList", ["v*"]))
    assert not policy.rules[0].matches({"v1"})


@given(st.text(min_size=100, max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(LifecycleRefused):
        parse_policy(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["rules", "rulePriority", "selection", "action"]), inner, max_size=3)
        ),
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    with pytest.raises(LifecycleRefused):
        parse_policy(json.dumps(value).ljust(120))
