"""A lifecycle policy over months: pushes come in, and ECR applies the policy day after day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fargrade.semantics.lifecycle.evaluation import DAY, Fate, Image, evaluate
from fargrade.semantics.lifecycle.policy import Policy


@dataclass(frozen=True)
class Replay:
    """What became of every image that was ever pushed.

    `left` are the images still there, as they are at the end; `gone` says for each deleted digest when it
    went, `archived` when it was moved to the archive (from where nothing is pulled); `fates` says why it
    went, or else what the last evaluation said of it, `last_tags` the tags it had then.
    """

    left: dict[str, Image]
    gone: dict[str, datetime]
    archived: dict[str, datetime]
    fates: dict[str, Fate]
    last_tags: dict[str, frozenset[str]]


def replay(policy: Policy, pushes: Iterable[Image], until: datetime, every: timedelta = DAY) -> Replay:
    """Push `pushes` in the order of time, apply `policy` `every` so often up to and at `until`.

    A push takes its tags from the image that had them, as in a repository with mutable tags. ECR acts
    within 24 hours of an image meeting a rule; so does this, with the default `every`.
    """
    waiting = sorted(pushes, key=lambda image: (image.pushed_at, image.digest))
    store: dict[str, Image] = {}
    result = Replay(left=store, gone={}, archived={}, fates={}, last_tags={})
    moment = until - every * ((until - waiting[0].pushed_at) // every) if waiting else until
    coming = 0
    while moment <= until:
        while coming < len(waiting) and waiting[coming].pushed_at <= moment:
            _push(store, waiting[coming])
            coming += 1
        _apply(policy, result, moment)
        moment += every
    return result


def _push(store: dict[str, Image], new: Image) -> None:
    for digest, image in store.items():
        if image.tags & new.tags:
            store[digest] = replace(image, tags=image.tags - new.tags)
    known = store.get(new.digest)
    store[new.digest] = replace(known, tags=new.tags | known.tags) if known else new


def _apply(policy: Policy, result: Replay, moment: datetime) -> None:
    evaluation = evaluate(policy, result.left.values(), moment)
    for digest, fate in evaluation.why.items():
        image = result.left[digest]
        result.fates[digest] = fate
        result.last_tags[digest] = image.tags
        if fate.outcome == "transitioned":
            result.left[digest] = replace(image, storage_class="archive", transitioned_at=moment)
            result.archived[digest] = moment
        elif fate.outcome == "expired":
            result.gone[digest] = moment
            del result.left[digest]
