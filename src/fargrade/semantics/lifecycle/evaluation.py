"""What a lifecycle policy does to the images of a repository at one moment, and which rule decided each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from fargrade.semantics.lifecycle.policy import Policy, Rule

DAY = timedelta(days=1)

Outcome = Literal["kept", "expired", "transitioned"]
Cause = Literal["acted", "within", "shielded", "referenced", "follows", "unmatched"]


@dataclass(frozen=True)
class Image:
    """An image of a repository.

    `references` are the digests of a manifest list's children; `subject` is the digest that a reference
    artifact (a signature, an SBOM) belongs to; `activated_at` is when an archived image was restored.
    """

    digest: str
    tags: frozenset[str]
    pushed_at: datetime
    last_pulled_at: datetime | None = None
    storage_class: str = "standard"
    transitioned_at: datetime | None = None
    references: tuple[str, ...] = ()
    subject: str | None = None
    activated_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """What ECR orders by and counts the age from: the push, or the restore from the archive."""
        return self.activated_at or self.pushed_at


@dataclass(frozen=True)
class Fate:
    """What becomes of one image, and why.

    `cause`: `acted` (rule `rule` acts on it), `within` (rule `rule` selects it and it is within its limit),
    `shielded` (the same, and the lower rule `instead` would have acted on it), `referenced` (rule `rule`
    would act, but the surviving manifest list `by` holds it), `follows` (it goes or stays with its subject
    `by`), `unmatched` (no rule selects it).
    """

    outcome: Outcome
    cause: Cause
    rule: int | None = None
    instead: int | None = None
    by: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """The fate of every image, by digest."""

    why: Mapping[str, Fate] = field(default_factory=dict)

    @property
    def expired(self) -> frozenset[str]:
        """The digests that are deleted."""
        return self._with("expired")

    @property
    def transitioned(self) -> frozenset[str]:
        """The digests that are moved to the archive."""
        return self._with("transitioned")

    def _with(self, outcome: Outcome) -> frozenset[str]:
        return frozenset(digest for digest, fate in self.why.items() if fate.outcome == outcome)


def evaluate(policy: Policy, images: Iterable[Image], now: datetime) -> Evaluation:
    """What `policy` does to `images` when ECR evaluates it at `now`.

    Source: "Lifecycle policy evaluation rules" in the ECR user guide. All rules are evaluated as if nothing
    had been expired; the first rule (by priority) whose tagging requirements an image meets decides it,
    whether it acts or keeps.
    """
    by_digest = {image.digest: image for image in images}
    ordinary = [image for image in by_digest.values() if image.subject not in by_digest]
    # Newest first; the digest settles a tie, so that the order of the input never matters.
    ordinary.sort(key=lambda image: (image.since, image.digest), reverse=True)
    fates = _apply_rules(policy, ordinary, now)
    _spare_children(fates, by_digest)
    _follow_subjects(fates, by_digest)
    return Evaluation(fates)


def expired(policy: Policy, images: Iterable[Image], now: datetime) -> frozenset[str]:
    """The digests that `policy` deletes at `now`."""
    return evaluate(policy, images, now).expired


def _apply_rules(policy: Policy, newest_first: list[Image], now: datetime) -> dict[str, Fate]:
    decided: dict[str, Fate] = {}
    for rule in policy.rules:
        chosen = [image for image in newest_first if rule.matches(image.tags, image.storage_class)]
        victims = {image.digest for image in _victims(rule, chosen, now)}
        for image in chosen:
            earlier = decided.get(image.digest)
            if earlier is None:
                decided[image.digest] = _decided_by(rule, image.digest in victims)
            elif earlier.cause == "within" and image.digest in victims:
                decided[image.digest] = Fate("kept", "shielded", rule=earlier.rule, instead=rule.priority)
    return {image.digest: decided.get(image.digest, Fate("kept", "unmatched")) for image in newest_first}


def _decided_by(rule: Rule, is_victim: bool) -> Fate:
    if not is_victim:
        return Fate("kept", "within", rule=rule.priority)
    return Fate("expired" if rule.action == "expire" else "transitioned", "acted", rule=rule.priority)


def _victims(rule: Rule, newest_first: list[Image], now: datetime) -> list[Image]:
    if rule.count_type == "imageCountMoreThan":
        return newest_first[rule.count :]
    return [image for image in newest_first if _age(rule, image, now) > rule.count]


def _age(rule: Rule, image: Image, now: datetime) -> float:
    """The days that count for `rule`: since the push, the last pull, or the move to the archive."""
    since = image.since
    if rule.count_type == "sinceImagePulled" and image.last_pulled_at:
        since = max(image.last_pulled_at, image.activated_at or image.last_pulled_at)
    elif rule.count_type == "sinceImageTransitioned":
        since = image.transitioned_at or image.pushed_at
    return (now - since) / DAY


def _spare_children(fates: dict[str, Fate], images: Mapping[str, Image]) -> None:
    """An image that a surviving manifest list refers to survives, and so do its own children."""
    survivors = [digest for digest, fate in fates.items() if fate.outcome == "kept"]
    while survivors:
        parent = survivors.pop()
        for child in images[parent].references:
            fate = fates.get(child)
            if fate and fate.outcome != "kept":
                fates[child] = Fate("kept", "referenced", rule=fate.rule, by=parent)
                survivors.append(child)


def _follow_subjects(fates: dict[str, Fate], images: Mapping[str, Image]) -> None:
    """Reference artifacts go, or move to the archive, with their subject (within 24 hours: here at once)."""
    for digest, image in images.items():
        if digest in fates:
            continue
        subject, seen = image, {digest}
        # A signature of a signature follows the image at the end of the chain.
        while subject.subject and subject.subject in images and subject.subject not in seen:
            subject = images[subject.subject]
            seen.add(subject.digest)
        end = fates.get(subject.digest)
        fates[digest] = Fate(
            end.outcome if end else "kept", "follows", rule=end.rule if end else None, by=image.subject
        )
