"""A lifecycle policy's text, read as strictly as ECR reads it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast

from fargrade.semantics.glob import matches, tokens
from fargrade.semantics.texts import t, whole_text

MIN_LENGTH, MAX_LENGTH = 100, 30_720
MAX_RULES = 50
MAX_WILDCARDS = 4
MIN_ARCHIVED_DAYS = 90

TagStatus = Literal["tagged", "untagged", "any"]
CountType = Literal["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"]
StorageClass = Literal["standard", "archive"]
Action = Literal["expire", "transition"]

TAG_STATUSES = ("tagged", "untagged", "any")
COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
STORAGE_CLASSES = ("standard", "archive")
ACTIONS = ("expire", "transition")
JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


class LifecycleRefused(ValueError):
    """ECR would refuse this policy with InvalidParameterException.

    `message` is what AWS says. Its schema validator says little ("matched 0 out of 2"), so `reason` says it
    plainly: a template with `values` to fill in, so that it can be translated before it is filled.
    """

    def __init__(self, detail: str, reason: str, **values: object) -> None:
        at, text = "LifecyclePolicyText", f"Lifecycle policy validation failure: {detail}"
        if detail.startswith("Member must"):  # said by the API itself, before the policy is looked at
            at, text = "lifecyclePolicyText", detail
        self.message = f"Invalid parameter at '{at}' failed to satisfy constraint: '{text}'"
        self.reason = reason
        self.values = values
        super().__init__(self.message)


@dataclass(frozen=True)
class Rule:
    """One rule; `tags` are the entries of its tagPrefixList (where `by_prefix`) or tagPatternList."""

    priority: int
    tag_status: TagStatus
    tags: tuple[str, ...]
    by_prefix: bool
    count_type: CountType
    count: int
    storage_class: StorageClass = "standard"
    action: Action = "expire"
    description: str = ""

    def matches(self, tags: Collection[str], storage_class: str = "standard") -> bool:
        """Whether an image with these tags meets the tagging requirements: *every* entry, by some tag."""
        if storage_class != self.storage_class:
            return False
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged":
            return not tags
        return all(any(self._fits(entry, tag) for tag in tags) for entry in self.tags)

    def _fits(self, entry: str, tag: str) -> bool:
        """A star in a prefix is no wildcard, only a character that no tag holds."""
        if self.by_prefix:
            return tag.startswith(entry)
        return matches(tokens(entry, question_mark=False), tag)


@dataclass(frozen=True)
class Policy:
    """The rules, highest priority (lowest number) first."""

    rules: tuple[Rule, ...]


def parse_policy(text: str) -> Policy:
    """The policy in `text` (JSON). Raises LifecycleRefused for everything PutLifecyclePolicy refuses.

    Wording marked as seen was reported from AWS; the schema's messages are its validator's.
    """
    _check_length(text)
    document = _load(text)
    _check_object(document, "policy", required=("rules",), optional=())
    rules = document["rules"]
    _check_type(rules, list, "rules")
    if not rules:
        raise LifecycleRefused(
            "array is too short: must have at least 1 elements but instance has 0 elements",
            t("The policy has no rules."),
        )
    if len(rules) > MAX_RULES:
        raise LifecycleRefused(
            f"array is too long: must have at most {MAX_RULES} elements but instance has {len(rules)} elements",
            t("The policy has {count} rules; ECR takes at most {limit}."),
            count=len(rules),
            limit=MAX_RULES,
        )
    parsed = [_read_rule(rule, f"rules[{index}]") for index, rule in enumerate(rules)]
    _check_together(parsed)
    return Policy(tuple(sorted(parsed, key=lambda rule: rule.priority)))


def _check_length(text: str) -> None:
    if len(text) < MIN_LENGTH or len(text) > MAX_LENGTH:
        bound = (
            f"greater than or equal to {MIN_LENGTH}"
            if len(text) < MIN_LENGTH
            else f"less than or equal to {MAX_LENGTH}"
        )
        raise LifecycleRefused(  # seen
            f"Member must have length {bound}",
            t("The policy is {length} characters long; ECR takes {least} to {most}."),
            length=len(text),
            least=MIN_LENGTH,
            most=MAX_LENGTH,
        )


def _load(text: str) -> Any:
    try:
        return whole_text(json.loads(text, parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise LifecycleRefused(
            "Could not map policyString into LifecyclePolicy.",  # as moto has it, from AWS
            t("The policy is not valid JSON: look at line {line}."),
            line=line,
        ) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read_rule(rule: Any, where: str) -> Rule:
    _check_object(rule, where, required=("rulePriority", "selection", "action"), optional=("description",))
    priority = _positive(rule["rulePriority"], f"{where}: rulePriority")
    where = f"rulePriority {priority}"
    if "description" in rule:
        _check_type(rule["description"], str, f"{where}: description")
    selection, action = rule["selection"], rule["action"]
    _check_object(
        selection,
        f"{where}: selection",
        required=("tagStatus", "countType", "countNumber"),
        optional=("tagPrefixList", "tagPatternList", "countUnit", "storageClass"),
    )
    _check_object(action, f"{where}: action", required=("type",), optional=("targetStorageClass",))
    tag_status = _choice(selection["tagStatus"], TAG_STATUSES, f"{where}: tagStatus")
    count_type = _choice(selection["countType"], COUNT_TYPES, f"{where}: countType")
    storage_class = _choice(selection.get("storageClass", "standard"), STORAGE_CLASSES, f"{where}: storageClass")
    kind = _choice(action["type"], ACTIONS, f"{where}: action type")
    count = _positive(selection["countNumber"], f"{where}: countNumber")
    _check_unit(selection, count_type, where)
    _check_action(action, kind, where)
    _check_count_type(count_type, storage_class, kind, count, where)
    return Rule(
        priority=priority,
        tag_status=cast(TagStatus, tag_status),
        tags=_read_tags(selection, tag_status, where),
        by_prefix="tagPrefixList" in selection,
        count_type=cast(CountType, count_type),
        count=count,
        storage_class=cast(StorageClass, storage_class),
        action=cast(Action, kind),
        description=rule.get("description", ""),
    )


def _no_schema(reason: str, **values: str) -> LifecycleRefused:
    """What the validator says when no variant of a rule fits (seen); the reason is ours."""
    return LifecycleRefused("instance failed to match exactly one schema (matched 0 out of 2)", reason, **values)


def _check_unit(selection: dict[str, Any], count_type: str, where: str) -> None:
    if count_type == "imageCountMoreThan":
        if "countUnit" in selection:
            raise _no_schema(t("{where} counts images, so it must not have countUnit."), where=where)
    elif "countUnit" not in selection:
        raise _no_schema(t('{where} counts days, so it needs "countUnit": "days".'), where=where)
    else:
        _choice(selection["countUnit"], ("days",), f"{where}: countUnit")


def _check_action(action: dict[str, Any], kind: str, where: str) -> None:
    if kind == "expire" and "targetStorageClass" in action:
        raise _no_schema(t("{where} expires images, so it must not have targetStorageClass."), where=where)
    if kind == "transition":
        if "targetStorageClass" not in action:
            raise _no_schema(t('{where} needs "targetStorageClass": "archive".'), where=where)
        _choice(action["targetStorageClass"], ("archive",), f"{where}: targetStorageClass")


def _check_count_type(count_type: str, storage_class: str, kind: str, count: int, where: str) -> None:
    """Which count type goes with which action and storage class ("Lifecycle policy properties")."""
    if count_type == "sinceImagePulled" and kind != "transition":
        raise _no_schema(t("{where}: sinceImagePulled can only archive (transition), not expire."), where=where)
    if count_type == "sinceImageTransitioned":
        if storage_class != "archive" or kind != "expire":
            raise _no_schema(
                t("{where}: sinceImageTransitioned needs storageClass archive and the action expire."),
                where=where,
            )
        if count < MIN_ARCHIVED_DAYS:
            raise LifecycleRefused(
                f"numeric instance is lower than the required minimum (minimum: {MIN_ARCHIVED_DAYS}, found: {count})",
                t("{where}: an archived image stays at least {least} days, not {count}."),
                where=where,
                least=MIN_ARCHIVED_DAYS,
                count=count,
            )
    elif storage_class == "archive":
        raise _no_schema(t("{where}: storageClass archive goes with sinceImageTransitioned only."), where=where)


def _read_tags(selection: dict[str, Any], tag_status: str, where: str) -> tuple[str, ...]:
    given = [key for key in ("tagPrefixList", "tagPatternList") if key in selection]
    for key in given:
        _check_type(selection[key], list, f"{where}: {key}")
        for tag in selection[key]:
            _check_type(tag, str, f"{where}: {key}")
    if tag_status != "tagged":
        if given:
            raise LifecycleRefused(
                f"Can only specify {given[0]} when tagStatus=TAGGED.",
                t("{where}: {key} goes with tagStatus tagged only, not with {status}."),
                where=where,
                key=given[0],
                status=tag_status,
            )
        return ()
    if len(given) == 2:
        raise LifecycleRefused(
            "Must specify only one of tagPrefixList or tagPatternList when tagStatus=TAGGED.",
            t("{where} has both tagPrefixList and tagPatternList: choose one."),
            where=where,
        )
    if not given or not selection[given[0]]:
        raise LifecycleRefused(  # seen
            "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
            t("{where}: tagStatus tagged needs a tagPrefixList or a tagPatternList."),
            where=where,
        )
    for tag in selection[given[0]]:
        _check_tag(tag, given[0], where)
    return tuple(selection[given[0]])


def _check_tag(tag: str, key: str, where: str) -> None:
    if not tag:
        # Not documented; the tag of an image has at least one character in ECR's own model.
        raise LifecycleRefused(
            'string "" is too short (length: 0, required minimum: 1)',
            t("{where}: {key} holds an empty string."),
            where=where,
            key=key,
        )
    if key == "tagPatternList" and tag.count("*") > MAX_WILDCARDS:
        raise LifecycleRefused(
            f"Only {MAX_WILDCARDS} wildcards are allowed per tag pattern.",
            t("{where}: the pattern {tag} has more than {limit} stars."),
            where=where,
            tag=tag,
            limit=MAX_WILDCARDS,
        )


def _check_together(rules: list[Rule]) -> None:
    """What the rules must be to one another; all of it holds for each storage class on its own."""
    priorities = Counter(rule.priority for rule in rules)
    if repeated := [priority for priority, times in priorities.items() if times > 1]:
        raise LifecycleRefused(
            "rulePriority must be unique.",
            t("Two rules have rulePriority {priority}."),
            priority=repeated[0],
        )
    for storage_class in STORAGE_CLASSES:
        chosen = [rule for rule in rules if rule.storage_class == storage_class]
        _check_any_last(chosen)
        if sum(rule.tag_status == "untagged" for rule in chosen) > 1:
            raise LifecycleRefused(  # seen
                "Only one rule can select Untagged images per storage class.",
                t("Two rules select untagged images: join them."),
            )
        if twice := _repeated(frozenset(rule.tags) for rule in chosen if rule.by_prefix):
            raise LifecycleRefused(
                "Tag prefix lists must be unique per storage class.",
                t("Two rules have the same tagPrefixList: {prefixes}."),
                prefixes=", ".join(sorted(twice)),
            )


def _check_any_last(rules: list[Rule]) -> None:
    last = max((rule.priority for rule in rules), default=0)
    for rule in rules:
        if rule.tag_status == "any" and rule.priority != last:
            raise LifecycleRefused(  # seen
                "Rule for tagStatus=ANY must have the lowest priority per storage class",
                t(
                    "Rule {priority} selects any image, so it must be the last: no rulePriority may be higher "
                    "than its own, and there may be only one such rule."
                ),
                priority=rule.priority,
            )


def _repeated(sets: Iterator[frozenset[str]]) -> frozenset[str]:
    seen: set[frozenset[str]] = set()
    for one in sets:
        if one in seen:
            return one
        seen.add(one)
    return frozenset()


def _check_object(value: Any, where: str, *, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    _check_type(value, dict, where)
    if missing := sorted(set(required) - set(value)):
        raise LifecycleRefused(
            f"object has missing required properties ({json.dumps(missing)})",
            t("{where} needs {keys}."),
            where=where,
            keys=", ".join(missing),
        )
    if unknown := sorted(set(value) - {*required, *optional}):
        raise LifecycleRefused(
            f"object instance has properties which are not allowed by the schema: {json.dumps(unknown)}",
            t("{where} has {keys}, which ECR does not know there."),
            where=where,
            keys=", ".join(unknown),
        )


def _type_name(value: Any) -> str:
    return JSON_TYPES.get(type(value), "null")


def _check_type(value: Any, wanted: type, where: str) -> None:
    if type(value) is not wanted:
        raise LifecycleRefused(  # seen
            f"instance type ({_type_name(value)}) does not match any allowed primitive type "
            f'(allowed: ["{JSON_TYPES[wanted]}"])',
            t("{where} must be of type {wanted}, not {found}."),
            where=where,
            wanted=JSON_TYPES[wanted],
            found=_type_name(value),
        )


def _positive(value: Any, where: str) -> int:
    _check_type(value, int, where)
    if value < 1:
        raise LifecycleRefused(
            f"numeric instance is lower than the required minimum (minimum: 1, found: {value})",
            t("{where} must be 1 or more, not {count}."),
            where=where,
            count=value,
        )
    return int(value)


def _choice(value: Any, choices: tuple[str, ...], where: str) -> str:
    _check_type(value, str, where)
    if value not in choices:
        raise LifecycleRefused(
            f'instance value ("{value}") not found in enum (possible values: {json.dumps(list(choices))})',
            t("{where} must be {choices}, not {found}."),
            where=where,
            choices=" / ".join(choices),
            found=value,
        )
    return str(value)
