"""Known wrong answers are recognised, and who handed in the same is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from fargrade.batch.misconceptions import nearest
from fargrade.batch.similarity import Comparison, groups
from fargrade.course import Course
from fargrade.course.checks import read_checks
from fargrade.course.language import use_language
from fargrade.course.tree import relative_files
from fargrade.verify.answers import ALL, KnownAnswer, known_answers

COURSE = Course(Path(__file__).resolve().parents[2])
ITEMS = {item.slug: item for item in COURSE.items}


def files_of(answer: KnownAnswer) -> dict[str, bytes]:
    with answer.submission() as folder:
        top = folder / answer.item.folder
        return {name: (top / name).read_bytes() for name in relative_files(top)}


@pytest.mark.parametrize("slug", ["repository", "scanning", "lifecycle", "access", "image"])
def test_a_known_wrong_answer_is_recognised_with_other_names_in_it(slug: str) -> None:
    item = ITEMS[slug]
    every = {spec.id for spec in read_checks(item.grader)}
    wrong = [answer for answer in known_answers(item) if answer.kind == "wrong"]
    right = 0
    for answer in wrong:
        files = {
            name: content.replace(b"repository_name", b"the_repo").replace(b"response", b"r") + b"\n"
            for name, content in files_of(answer).items()
        }
        found = nearest(item, every if ALL in answer.fails else answer.fails, files)
        right += found is not None and found.name == answer.name
    assert right >= len(wrong) * 0.8


def test_a_learner_reads_the_misconception_in_their_language() -> None:
    item = ITEMS["scanning"]
    answer = next(one for one in known_answers(item) if one.name == "says_yes")
    use_language("ru")
    try:
        found = nearest(item, answer.fails, files_of(answer))
    finally:
        use_language("en")
    assert found is not None
    assert found.why == answer.translated["ru"] != answer.why


def test_an_answer_unlike_any_known_one_is_not_put_down_to_one() -> None:
    item = ITEMS["scanning"]
    every = [spec.id for spec in read_checks(item.grader)]
    assert nearest(item, every, {"scanning.py": b"import sys\nsys.exit('x')\n"}) is None
    assert nearest(item, [], {"scanning.py": b""}) is None if every else True


ORIGINAL = b"""
import boto3

def gather(repository, wanted):
    client = boto3.client("ecr")
    pages = client.get_paginator("describe_images").paginate(repositoryName=repository)
    kept = {}
    for page in pages:
        for image in page["imageDetails"]:
            for tag in image.get("imageTags", []):
                if tag in wanted and image["imageSizeInBytes"] > 10:
                    kept.setdefault(tag, []).append(image["imageDigest"])
    return sorted(kept.items(), key=lambda pair: (len(pair[1]), pair[0]), reverse=True)
"""
RENAMED = (
    ORIGINAL.replace(b"kept", b"result").replace(b"wanted", b"tags").replace(b"pages", b"all_of_them") + b"# mine\n"
)
OTHER = b"""
import boto3

def gather(repository, wanted):
    answer = boto3.client("ecr").describe_images(repositoryName=repository)
    return [one["imageDigest"] for one in answer["imageDetails"]]
"""


def test_the_same_under_other_names_is_seen_and_the_usual_is_not() -> None:
    item = ITEMS["scanning"]
    name = f"{item.folder}/scanning.py"
    comparison = Comparison([item])
    comparison.add("ada", {name: ORIGINAL})
    comparison.add("eve", {name: RENAMED})
    solution = (item.solution / "scanning.py").read_bytes()
    for number in range(8):
        comparison.add(f"s{number}", {name: solution})
    comparison.add("bob", {name: OTHER})
    pairs = comparison.pairs()
    assert [(pair.one, pair.other) for pair in pairs] == [("ada", "eve")]
    assert pairs[0].items == (item.id,)
    assert groups(pairs) == [("ada", "eve")]


def test_two_that_are_the_same_all_through_are_seen_however_short() -> None:
    item = ITEMS["lifecycle"]
    comparison = Comparison([item])
    wrong = [answer for answer in known_answers(item) if answer.kind == "wrong"]
    for place, answer in (("ada", wrong[1]), ("eve", wrong[1]), ("bob", wrong[3])):
        comparison.add(place, {f"{item.folder}/{name}": content for name, content in files_of(answer).items()})
    solution = (item.solution / "lifecycle-policy.json").read_bytes()
    for place in ("x", "y", "z"):
        comparison.add(place, {f"{item.folder}/lifecycle-policy.json": solution})
    assert [(pair.one, pair.other, pair.share) for pair in comparison.pairs()] == [("ada", "eve", 1.0)]


def test_what_many_wrote_says_nothing() -> None:
    item = ITEMS["scanning"]
    comparison = Comparison([item])
    for number in range(10):
        comparison.add(f"s{number}", {f"{item.folder}/scanning.py": ORIGINAL})
    assert comparison.pairs() == []


def test_no_text_stops_the_comparison() -> None:
    item = ITEMS["scanning"]
    comparison = Comparison([item])
    for place, content in (("a", b"\0\xff"), ("b", b"def (" + b"(" * 10_000), ("c", b"'" * 9_999), ("d", b"")):
        comparison.add(place, {f"{item.folder}/scanning.py": content, f"{item.folder}/x.json": b"[" * 100_000})
    assert all(pair.share <= 1 for pair in comparison.pairs())
