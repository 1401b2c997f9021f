"""Lifecycle evaluation: every documented example of AWS, and what must hold for any policy and repository.

Examples: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.semantics.lifecycle import Image, Policy, evaluate, expired, parse_policy, replay

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def image(name: str, tags: str, days: float, **more: Any) -> Image:
    return Image(name, frozenset(tags.split(",")) - {""}, NOW - timedelta(days=days), **more)


def rule(
    priority: int,
    tags: str,
    kind: str,
    count: int,
    *,
    by: str = "tagPatternList",
    action: str = "expire",
    storage: str = "",
) -> dict[str, Any]:
    """`tags` is "any", "untagged" or a list of patterns; `kind` is "keep" or the name of a countType."""
    selection: dict[str, Any] = {"tagStatus": tags if tags in ("any", "untagged") else "tagged"}
    if selection["tagStatus"] == "tagged":
        entries = tags.split(",")
        selection[by] = [tag.rstrip("*") for tag in entries] if by == "tagPrefixList" else entries
    if storage:
        selection["storageClass"] = storage
    selection |= {"countType": "imageCountMoreThan" if kind == "keep" else kind, "countNumber": count}
    if kind != "keep":
        selection["countUnit"] = "days"
    act = {"type": action} if action == "expire" else {"type": action, "targetStorageClass": "archive"}
    return {"rulePriority": priority, "selection": selection, "action": act}


def policy(*rules: dict[str, Any]) -> Policy:
    return parse_policy(json.dumps({"rules": list(rules)}, indent=4))


PUSHED, PULLED, MOVED = "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"

ABC = [image("A", "beta-1,prod-1", 10), image("B", "beta-2,prod-2", 9), image("C", "beta-3", 8)]
GREEK = [
    image("A", "alpha-1", 12),
    image("B", "beta-1", 11),
    image("C", "alpha-2,beta-2", 10),
    image("D", "alpha-3", 4),
    image("E", "beta-3", 3),
    image("F", "alpha-4,beta-4", 2),
]
SHARED = [
    image("A", "alpha-1,beta-1,gamma-1", 10),
    image("B", "alpha-2,beta-2", 9),
    image("C", "alpha-3,beta-3,gamma-2", 8),
]
ALL_A = [image("A", "alpha-1", 4), image("B", "beta-1", 3), image("C", "", 2), image("D", "alpha-2", 1)]
ALL_B = [
    image("A", "alpha-1,beta-1", 4),
    image("B", "", 3),
    image("C", "alpha-2", 2),
    image("D", "git hash", 1.1),
    image("E", "", 1),
]


@pytest.mark.parametrize("by", ["tagPatternList", "tagPrefixList"])
@pytest.mark.parametrize(
    ("images", "rules", "goes"),
    [
        pytest.param(ABC, [(1, "prod*", "keep", 1), (2, "beta*", "keep", 1)], "A", id="multiple rules A"),
        pytest.param(ABC, [(1, "beta*", "keep", 1), (2, "prod*", "keep", 1)], "AB", id="multiple rules B"),
        pytest.param(GREEK, [(1, "alpha*,beta*", PUSHED, 5)], "C", id="multiple tags A"),
        pytest.param(SHARED, [(1, "alpha*,beta*", "keep", 1)], "AB", id="multiple tags B"),
        pytest.param(ALL_A, [(1, "any", "keep", 1)], "ABC", id="all images A"),
        pytest.param(
            ALL_B,
            [(1, "alpha*", "keep", 1), (2, "untagged", PUSHED, 1), (3, "any", "keep", 1)],
            "ABD",
            id="all images B",
        ),
    ],
)
def test_the_documented_outcomes(
    images: list[Image], rules: list[tuple[int, str, str, int]], goes: str, by: str
) -> None:
    assert expired(policy(*(rule(*one, by=by) for one in rules)), images, NOW) == set(goes)


def test_documented_image_age() -> None:
    images = [image("old", "production", 15), image("young", "prod", 13), image("other", "dev", 99)]
    assert expired(policy(rule(1, "prod*", PUSHED, 14)), images, NOW) == {"old"}


def test_documented_last_pull_archives_and_counts_from_the_push_where_never_pulled() -> None:
    images = [
        image("pulled", "a", 200, last_pulled_at=NOW - timedelta(days=10)),
        image("forgotten", "b", 200, last_pulled_at=NOW - timedelta(days=91)),
        image("never", "c", 91),
        image("new", "d", 89),
        image("restored", "e", 300, activated_at=NOW - timedelta(days=3)),
        image("restored long ago", "f", 300, activated_at=NOW - timedelta(days=99)),
    ]
    result = evaluate(policy(rule(1, "any", PULLED, 90, action="transition")), images, NOW)
    assert result.transitioned == {"forgotten", "never", "restored long ago"}
    assert not result.expired


def test_documented_expiry_from_the_archive() -> None:
    images = [
        image("long", "a", 900, storage_class="archive", transitioned_at=NOW - timedelta(days=366)),
        image("short", "b", 900, storage_class="archive", transitioned_at=NOW - timedelta(days=100)),
        image("standard", "c", 900),
    ]
    assert expired(policy(rule(1, "any", MOVED, 365, storage="archive")), images, NOW) == {"long"}


def test_documented_image_count() -> None:
    images = [image("A", "", 3), image("B", "", 2), image("C", "", 1), image("D", "x", 9)]
    assert expired(policy(rule(1, "untagged", "keep", 1)), images, NOW) == {"A", "B"}


def test_documented_archiving_by_age() -> None:
    result = evaluate(
        policy(rule(1, "prod*", PUSHED, 30, action="transition")),
        [image("old", "prod-1", 31), image("new", "prod-2", 29), image("dev", "dev-1", 99)],
        NOW,
    )
    assert (result.transitioned, result.expired) == ({"old"}, frozenset())


def test_documented_combination_of_archive_and_expiry() -> None:
    """A rule shields only images of its own storage class, or no archived image could ever expire."""
    both = policy(rule(1, "any", PUSHED, 30, action="transition"), rule(2, "any", MOVED, 365, storage="archive"))
    result = replay(both, [image("A", "v1", 500)], until=NOW)
    assert result.left == {}
    assert result.gone["A"] - (NOW - timedelta(days=500)) > timedelta(days=30 + 365)


def test_exactly_the_limit_is_not_older() -> None:
    assert not expired(policy(rule(1, "any", PUSHED, 5)), [image("A", "x", 5)], NOW)


def test_star_matches_anywhere_and_the_whole_tag() -> None:
    """As documented: `*prod*` matches repo-production and prod-team, `prod*` matches prod."""
    images = [image("A", "repo-production", 9), image("B", "prod-team", 9), image("C", "prod", 9)]
    assert expired(policy(rule(1, "*prod*", PUSHED, 1)), images, NOW) == set("ABC")
    assert expired(policy(rule(1, "prod*", PUSHED, 1)), images, NOW) == set("BC")
    assert expired(policy(rule(1, "prod", PUSHED, 1)), images, NOW) == set("C")
    assert not expired(policy(rule(1, "p.*d", PUSHED, 1)), images, NOW)


def test_children_of_a_surviving_manifest_list_survive() -> None:
    images = [
        image("list", "v1", 9, references=("amd64", "arm64", "nested")),
        image("amd64", "", 9),
        image("arm64", "", 9),
        image("nested", "", 9, references=("deep",)),
        image("deep", "", 9),
        image("orphan", "", 9),
    ]
    untagged = policy(rule(1, "untagged", PUSHED, 3))
    assert expired(untagged, images, NOW) == {"orphan"}
    assert evaluate(untagged, images, NOW).why["amd64"].by == "list"
    assert expired(policy(rule(1, "any", PUSHED, 3)), images, NOW) == {one.digest for one in images}


def test_reference_artifacts_follow_their_subject() -> None:
    images = [
        image("app", "v1", 2),
        image("signature", "", 2, subject="app"),
        image("signature of it", "", 2, subject="signature"),
        image("old", "v0", 9),
        image("sbom", "sha256-x.sbom", 1, subject="old"),
        image("lost", "", 9, subject="long gone"),
    ]
    rules = policy(rule(1, "untagged", PUSHED, 1), rule(2, "any", "keep", 1))
    assert expired(rules, images, NOW) == {"old", "sbom", "lost"}


def test_why_names_the_rule_that_acted_or_shielded() -> None:
    why = evaluate(policy(rule(3, "prod*", "keep", 1), rule(7, "beta*", "keep", 1)), ABC, NOW).why
    assert (why["A"].outcome, why["A"].cause, why["A"].rule) == ("expired", "acted", 3)
    assert (why["B"].cause, why["B"].rule, why["B"].instead) == ("shielded", 3, 7)
    assert (why["C"].cause, why["C"].rule) == ("within", 7)


def test_replay_moves_tags_and_expires_what_lost_them() -> None:
    pushes = [image("first", "latest", 20), image("second", "latest", 10), image("third", "latest,x", 3)]
    result = replay(policy(rule(1, "untagged", PUSHED, 5)), pushes, until=NOW)
    assert set(result.left) == {"third"}
    assert result.left["third"].tags == {"latest", "x"}
    assert result.gone["first"] - pushes[0].pushed_at <= timedelta(days=11)


# -- properties ---------------------------------------------------------------------------------------------

FILTERS = ("a*", "b*", "*c", "a*,b*", "v1")
TAGS = ("a", "a1", "b", "b2", "c", "ac", "v1", "v10")


@st.composite
def repositories(draw: st.DrawFn) -> list[Image]:
    count = draw(st.integers(0, 9))
    images = []
    for index in range(count):
        tags = draw(st.sets(st.sampled_from(TAGS), max_size=2))
        children = draw(st.sets(st.integers(0, count - 1).filter(lambda one, own=index: one > own), max_size=2))
        images.append(
            Image(
                f"i{index}",
                frozenset(tags),
                NOW - timedelta(days=draw(st.integers(0, 12))),
                references=tuple(f"i{child}" for child in sorted(children)) if index < count - 1 else (),
            )
        )
    return images


@st.composite
def rule_sets(draw: st.DrawFn) -> list[dict[str, Any]]:
    chosen = draw(st.lists(st.sampled_from((*FILTERS, "untagged")), unique=True, max_size=4))
    chosen += draw(st.sampled_from([["any"], []])) if chosen else ["any"]
    return [
        rule(number * 10, tags, draw(st.sampled_from(["keep", PUSHED])), draw(st.integers(1, 8)))
        for number, tags in enumerate(chosen, start=1)
    ]


@given(repositories(), rule_sets(), st.randoms())
def test_the_order_of_images_and_rules_never_matters(images: Any, rules: Any, shuffle: Any) -> None:
    straight = evaluate(policy(*rules), images, NOW)
    shuffle.shuffle(images)
    shuffle.shuffle(rules)
    assert evaluate(policy(*rules), images, NOW).why == straight.why


@given(repositories(), rule_sets())
def test_a_second_evaluation_at_once_changes_nothing(images: Any, rules: Any) -> None:
    """Counts and ages are the same for what is left, so nothing more goes at the same moment."""
    once = expired(policy(*rules), images, NOW)
    left = [one for one in images if one.digest not in once]
    assert not expired(policy(*rules), left, NOW)


@given(repositories(), rule_sets())
def test_an_image_a_higher_rule_matches_is_never_expired_by_a_lower_one(images: Any, rules: Any) -> None:
    given_policy = policy(*rules)
    for digest, fate in evaluate(given_policy, images, NOW).why.items():
        tags = next(one.tags for one in images if one.digest == digest)
        first = next((one.priority for one in given_policy.rules if one.matches(tags)), None)
        assert fate.rule == first
        assert fate.instead is None or fate.instead > (first or 0)


@given(repositories(), rule_sets(), st.integers(0, 4))
def test_a_larger_limit_never_expires_more(images: Any, rules: Any, chosen: int) -> None:
    before = expired(policy(*rules), images, NOW)
    rules[chosen % len(rules)]["selection"]["countNumber"] += 3
    assert expired(policy(*rules), images, NOW) <= before


@given(repositories(), rule_sets())
def test_no_surviving_list_loses_a_child(images: Any, rules: Any) -> None:
    goes = expired(policy(*rules), images, NOW)
    for one in images:
        assert one.digest in goes or not set(one.references) & goes


@given(repositories(), rule_sets())
def test_prefixes_and_the_same_patterns_do_the_same(images: Any, rules: Any) -> None:
    prefixed = [json.loads(json.dumps(one)) for one in rules]
    for one in prefixed:
        patterns = one["selection"].get("tagPatternList", [])
        if patterns and all(tag.endswith("*") and tag.count("*") == 1 for tag in patterns):
            one["selection"]["tagPrefixList"] = [tag[:-1] for tag in one["selection"].pop("tagPatternList")]
    assert evaluate(policy(*prefixed), images, NOW).why == evaluate(policy(*rules), images, NOW).why


@given(repositories(), rule_sets(), st.integers(1, 20))
def test_what_is_expired_by_age_stays_expired_later(images: Any, rules: Any, days: int) -> None:
    later = NOW + timedelta(days=days)
    assert expired(policy(*rules), images, NOW) <= expired(policy(*rules), images, later)
