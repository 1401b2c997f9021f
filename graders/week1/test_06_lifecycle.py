"""1.6 lifecycle: the policy is replayed, day by day, on seven months of pushes to a shop's repository."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from fargrade.grading import check, expect, fail, t
from fargrade.semantics.lifecycle import Image, LifecycleRefused, Policy, Replay, parse_policy, replay

ACCOUNT_DOLLARS = 0.0  # a policy on an empty repository costs nothing
FILE = "lifecycle-policy.json"
DOCS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"

# What the brief asks for.
KEPT_RELEASES = 10
DAYS = {"pull request": 14, "untagged": 3, "other": 60}

DAY = timedelta(days=1)
LENGTH = 210
START = datetime(2026, 1, 5, tzinfo=UTC)
END = START + timedelta(days=LENGTH, hours=3, seconds=30)  # pushes are on whole minutes: no push is at the limit
RELEASE = re.compile(r"v\d+\.\d+\.\d+")
# Where the shop is, beside eu and us.
REGIONS = ("ap", "sa", "ca", "me", "af", "in", "jp", "kr", "au", "uk", "fr", "de", "it", "es", "se", "il", "mx", "br")


# -- seven months of a shop ---------------------------------------------------------------------------------


class Shop:
    """The pushes to the repository, made of `rng`; what differs from run to run is names, hours and order."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.pushes: list[Image] = []
        self.pull_request = rng.randrange(100, 900)
        self.version = (2, rng.randrange(3, 9), 0)
        self.regions = rng.sample(REGIONS, len(REGIONS))
        self._releases()
        self._builds()
        self._pull_requests()
        self._handmade()

    def push(self, day: float, *tags: str, multi_arch: bool = False) -> None:
        at = START + timedelta(minutes=round(day * 1440) + self.rng.randrange(60))
        children = tuple(self._digest() for _ in range(2 if multi_arch else 0))
        for child in children:
            self.pushes.append(Image(child, frozenset(), at - timedelta(minutes=1)))
        self.pushes.append(Image(self._digest(), frozenset(tags), at, references=children))

    def _digest(self) -> str:
        return f"sha256:{self.rng.getrandbits(256):064x}"

    def _sha(self) -> str:
        return f"sha-{self.rng.getrandbits(32):08x}"

    def _next_version(self, *, major: bool = False) -> str:
        one, two, three = self.version
        if major:
            self.version = (one + 1, 0, 0)
        else:
            self.version = (one, two + 1, 0) if self.rng.random() < 0.5 else (one, two, three + 1)
        return "v{}.{}.{}".format(*self.version)

    def _releases(self) -> None:
        """A steady start, twelve within a week, a hundred days of silence, a new major version, a steady end.

        One region stays on the very first release, the others on builds that were never released, each on one of its
        own: with eu and us they are twenty, which is what the brief allows.
        """
        steady = [3.4, 9, 14, 20, 26]
        burst = [40 + n / 2 for n in range(12)]
        later = [147 + 5 * n for n in range(12)]
        for index, day in enumerate([*steady, *burst, *later]):
            tags = [self._sha(), self._next_version(major=day == later[0]), "prod-eu"]
            tags += ["prod-us"] if index % 2 else []
            tags += [f"prod-{self.regions[0]}"] if index == 0 else []
            # A pull request's own image, released: before the silence, so that it must outlive its 14 days.
            tags += [f"pr-{self._pull_request()}"] if index in (9, 11, 12, 14, 19) else []
            self.push(day, *tags, multi_arch=index in (0, 8, 10, 13, 20) or self.rng.random() < 0.2)
        for index, region in enumerate(self.regions[1:]):
            self.push(10.5 + 1.5 * index, self._sha(), f"prod-{region}")

    def _pull_request(self) -> int:
        self.pull_request += self.rng.randrange(1, 4)
        return self.pull_request

    def _builds(self) -> None:
        for day in range(1, LENGTH, 3):
            self.push(day + self.rng.random(), self._sha(), "latest")

    def _pull_requests(self) -> None:
        """Eighteen within a week, few at other times; some get a second push, which takes the tag along."""
        days = [5, 12, 30, 36, *[60 + n * 0.4 for n in range(18)], 90, 104, 120, 140, 165, 175, 180]
        for index, day in enumerate(days):
            tag = f"pr-{self._pull_request()}"
            self.push(day, self._sha(), tag)
            if index % 3 == 0:
                self.push(day + 1 + self.rng.random(), self._sha(), tag)

    def _handmade(self) -> None:
        """What people push by hand, several times under one tag: the earlier images are left untagged."""
        names = ["profile-cart", "preprod-check"]  # early, so that their end is within the seven months
        names += self.rng.sample(["test-anna", "test-ivan", "test-li", "search-demo", "load-test"], 4)
        for index, name in enumerate(names):
            day = 8 + 30 * index
            for later in (0, 1.2, 2.1, 9):
                self.push(day + later + self.rng.random() / 4, name)


# -- what the brief asks for, said without any lifecycle rule -----------------------------------------------


def group_of(tags: Iterable[str]) -> str:
    """The first of the brief's groups whose tag is among `tags`."""
    tags = list(tags)
    if any(tag.startswith("prod-") for tag in tags):
        return "production"
    if any(RELEASE.fullmatch(tag) for tag in tags):
        return "release"
    if any(tag.startswith("pr-") for tag in tags):
        return "pull request"
    return "other" if tags else "untagged"


@dataclass
class Wanted:
    """What must become of each image: `due` when it must be gone; `groups` its group from a moment on."""

    due: dict[str, datetime]
    groups: dict[str, list[tuple[datetime, str]]]

    def group_at(self, digest: str, moment: datetime) -> str:
        return [group for since, group in self.groups[digest] if since <= moment][-1]


def wanted(pushes: list[Image]) -> Wanted:
    """The brief's requirement, day by day, on every image that was ever pushed."""
    coming = sorted(pushes, key=lambda image: image.pushed_at)
    tags: dict[str, set[str]] = {}
    known: list[Image] = []
    result = Wanted({}, {})
    parents = {child: image.digest for image in pushes for child in image.references}
    moment = END - DAY * LENGTH
    while moment <= END:
        while coming and coming[0].pushed_at <= moment:
            new = coming.pop(0)
            for others in tags.values():
                others -= new.tags
            tags[new.digest] = set(new.tags)
            known.append(new)
        releases = [one for one in reversed(known) if any(RELEASE.fullmatch(tag) for tag in tags[one.digest])]
        kept = {one.digest for one in releases[:KEPT_RELEASES]}
        for image in known:
            if image.digest not in result.due:
                group = group_of(tags[image.digest])
                history = result.groups.setdefault(image.digest, [])
                if not history or history[-1][1] != group:
                    history.append((moment, group))
                if _is_due(image, group, kept, moment):
                    result.due[image.digest] = moment
        for child, parent in parents.items():  # a part of a multi-arch image is never due before the whole
            if child in result.due and parent not in result.due:
                del result.due[child]
        moment += DAY
    return result


def _is_due(image: Image, group: str, kept: set[str], moment: datetime) -> bool:
    if group == "production":
        return False
    if group == "release":
        return image.digest not in kept
    return moment - image.pushed_at > timedelta(days=DAYS[group])


# -- what the policy does -----------------------------------------------------------------------------------


@dataclass
class Months:
    """The shop's seven months under the learner's policy."""

    images: dict[str, Image]
    wanted: Wanted
    happened: Replay

    def lost(self, group: str) -> Iterator[str]:
        """Digests of `group` that went, or into the archive, before they had to: the earliest first."""
        parts = {part for image in self.images.values() for part in image.references}
        left = {**self.happened.gone, **self.happened.archived}
        for digest, moment in sorted(left.items(), key=lambda item: item[1]):
            due = self.wanted.due.get(digest)
            early = due is None or moment < due
            if early and digest not in parts and self.wanted.group_at(digest, moment) == group:
                yield digest

    def left_over(self, group: str) -> Iterator[str]:
        """Digests of `group` that were still there when they had to be gone."""
        parents = {part: image.digest for image in self.images.values() for part in image.references}
        for digest, due in sorted(self.wanted.due.items(), key=lambda item: item[1]):
            if self.wanted.group_at(digest, due) != group:
                continue
            gone = self.happened.gone.get(digest)
            parent = parents.get(digest)
            if parent and not self.happened.gone.get(parent):
                continue  # ECR keeps the parts of what is there
            if parent:
                due = max(due, self.happened.gone[parent])
            if (gone is None or gone > due) and (group != "release" or self._ten_newer(digest, due, gone or END)):
                yield digest

    def _ten_newer(self, digest: str, since: datetime, until: datetime) -> bool:
        """Whether, at an evaluation of that time, ten newer releases were there: what this policy had deleted
        too early cannot push out an older release."""
        newer = [
            (image.pushed_at, self.happened.gone.get(image.digest, END + DAY))
            for image in self.images.values()
            if image.pushed_at > self.images[digest].pushed_at and any(map(RELEASE.fullmatch, image.tags))
        ]
        moments = (since + DAY * day for day in range((until - since) // DAY))
        return any(sum(came <= at <= went for came, went in newer) >= KEPT_RELEASES for at in moments)

    def say_lost(self, digests: list[str]) -> str:
        digest = digests[0]
        archived = self.happened.archived.get(digest)
        moment = archived or self.happened.gone[digest]
        text = (
            t("{image} was moved to the archive {age} days after its push, by rule {rule}: nobody can pull it there")
            if archived
            else t("{image} was deleted {age} days after its push, by rule {rule}")
        )
        return self._say(text, digests, age=self._age(digest, moment), rule=self.happened.fates[digest].rule)

    def say_left_over(self, digests: list[str]) -> str:
        digest = digests[0]
        fate = self.happened.fates[digest]
        gone = self.happened.gone.get(digest)
        if gone:
            text = t("{image} was deleted too late: {age} days after its push, by rule {rule}")
        elif digest in self.happened.archived:
            text = t("{image} is still there after {age} days, and paid for: it was archived, not deleted")
        elif fate.cause == "unmatched":
            text = t("{image} is still there after {age} days: no rule selects it")
        elif fate.cause == "shielded":
            text = t(
                "{image} is still there after {age} days: rule {rule} selects it and keeps it, "
                "so rule {instead}, which would delete it, may not"
            )
        else:
            text = t("{image} is still there after {age} days: rule {rule} selects it and keeps it")
        age = self._age(digest, gone or END)
        return self._say(text, digests, age=age, rule=fate.rule, instead=fate.instead)

    def _age(self, digest: str, moment: datetime) -> int:
        return (moment - self.images[digest].pushed_at) // DAY

    def _say(self, text: str, digests: list[str], **values: object) -> str:
        said = text.format(image=self._name(digests[0]), **values)
        return t("{said} ({count} images in all)", said=said, count=len(digests)) if len(digests) > 1 else said

    def _name(self, digest: str) -> str:
        tags = sorted(self.happened.last_tags[digest], key=lambda tag: (tag.startswith("sha-"), tag))
        return " + ".join(tags) or t("an untagged image ({digest}…)", digest=digest[:15])


@pytest.fixture(scope="module")
def policy(answer: Any) -> Policy:
    try:
        return parse_policy(answer.text(FILE))
    except LifecycleRefused as refusal:
        fail(t("ECR refuses the policy (see the first check), so there is nothing to replay: {why}", why=_why(refusal)))


def _why(refusal: LifecycleRefused) -> str:
    return t(refusal.reason).format(**refusal.values)


@pytest.fixture(scope="module")
def months(policy: Policy, rng: random.Random) -> Months:
    pushes = Shop(rng).pushes
    return Months({image.digest: image for image in pushes}, wanted(pushes), replay(policy, pushes, END))


def _stay(months: Months, group: str, expected: str, hint: str) -> None:
    lost = list(months.lost(group))
    expect(
        not lost,
        expected=expected,
        found=months.say_lost(lost) if lost else "",
        on_aws=t("a task that has to pull a deleted image does not start: CannotPullContainerError"),
        hint=hint,
    )


def _go(months: Months, group: str, expected: str, hint: str) -> None:
    left = list(months.left_over(group))
    expect(
        not left,
        expected=expected,
        found=months.say_left_over(left) if left else "",
        on_aws=t("every image is billed by the gigabyte and month until it is deleted"),
        hint=hint,
    )


# -- the checks ---------------------------------------------------------------------------------------------


@check(points=1, evidence="state", docs=DOCS + "lifecycle_policy_parameters.html")
def test_accepted(answer: Any, world: Any) -> None:
    """ECR accepts the policy"""
    text = answer.text(FILE)
    name = world.named("shop")
    world.client("ecr").create_repository(repositoryName=name)
    try:
        world.client("ecr").put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
    except (ClientError, ParamValidationError) as refusal:  # the latter: too short even to be sent
        expect(
            False,
            expected=t("put-lifecycle-policy takes the file as it is"),
            found=_plain_reason(text),
            on_aws=_aws_says(refusal, text),
            hint=t("compare the keys of each rule with the example in the brief"),
        )
    kept = world.client("ecr").get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    expect(
        parse_policy(kept) == parse_policy(text),
        expected=t("the repository has this policy"),
        found=t("the repository has another one"),
    )


def _aws_says(refusal: ClientError | ParamValidationError, text: str) -> str:
    if isinstance(refusal, ClientError):
        return "{Code}: {Message}".format(**refusal.response["Error"])
    try:
        parse_policy(text)
    except LifecycleRefused as known:
        return f"InvalidParameterException: {known.message}"
    return str(refusal)


def _plain_reason(text: str) -> str:
    try:
        parse_policy(text)
    except LifecycleRefused as refusal:
        return _why(refusal)
    return t("AWS refuses it")


@check(points=2, evidence="behaviour", docs=DOCS + "LifecyclePolicies.html")
def test_production(months: Months) -> None:
    """What runs in production is never deleted"""
    expected = t("an image with a tag prod-… stays, whatever its age and its other tags")
    hint = t(
        "the first rule (by rulePriority) that selects an image decides; there is no action keep, so keep very many"
    )
    expect(
        months.happened.gone,
        expected=expected,
        found=t("in seven months the policy deletes no image at all, so it has not shown what it spares"),
        hint=t("first let go what must go"),
    )
    _stay(months, "production", expected, hint)


@check(points=3, evidence="behaviour", docs=DOCS + "lifecycle_policy_examples.html")
def test_releases(months: Months) -> None:
    """The ten newest releases are always there, and older ones go"""
    _stay(
        months,
        "release",
        t("each of the ten newest images with a tag such as v2.7.1 stays, however long ago it was pushed"),
        t("a number of images is imageCountMoreThan; and look which rule selects a release first"),
    )
    _go(
        months,
        "release",
        t("when there are eleven releases, the oldest goes (unless it runs in production)"),
        t("one rule for all releases, of every major version"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "lifecycle_policy_parameters.html")
def test_pull_requests(months: Months) -> None:
    """Images of pull requests are there for 14 days, and then go"""
    hint = t("the age of an image is sinceImagePushed, in days")
    _stay(
        months,
        "pull request",
        t("an image with a tag such as pr-118 stays for 14 days, however many there are"),
        hint,
    )
    _go(
        months,
        "pull request",
        t("an image with a tag such as pr-118 is deleted when it is older than 14 days"),
        hint,
    )


@check(points=1, evidence="behaviour", docs=DOCS + "LifecyclePolicies.html")
def test_untagged(months: Months) -> None:
    """Untagged images go after three days, and not before"""
    expected = t("an image without a tag is deleted when it is older than 3 days, and not before")
    hint = t("tagStatus untagged selects them")
    _stay(months, "untagged", expected, hint)
    _go(months, "untagged", expected, hint)


@check(points=2, evidence="behaviour", docs=DOCS + "LifecyclePolicies.html")
def test_the_rest(months: Months) -> None:
    """Everything else is there for 60 days, and then goes"""
    _stay(
        months,
        "other",
        t("an image with other tags, such as sha-1f3c09ab or test-anna, stays for 60 days"),
        t("look which rule selects that tag: a prefix may reach further than it was meant to"),
    )
    _go(
        months,
        "other",
        t("an image with other tags, such as sha-1f3c09ab or test-anna, is deleted when it is older than 60 days"),
        t("a last rule with tagStatus any selects whatever no rule before it did"),
    )
