"""Policy documents, read as strictly as IAM reads them.

Source: IAM User Guide, "Grammar of the IAM JSON policy language"; the messages are IAM's.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fargrade.semantics.iam.conditions import Condition, read_condition
from fargrade.semantics.iam.errors import MalformedPolicy, PolicyTooLarge
from fargrade.semantics.iam.principals import (
    ACCOUNT,
    KINDS,
    PRINCIPAL_ARN,
    PROVIDER_ARN,
    WEB_PROVIDERS,
    Principals,
)
from fargrade.semantics.iam.providers import check_controls
from fargrade.semantics.texts import t, whole_text

Kind = Literal["identity", "session", "resource", "trust"]
# Policies of who acts: they name no principal. The version of a session's may be left out, or be the old one.
OF_WHO_ACTS: tuple[Kind, ...] = ("identity", "session")
VERSIONS = ("2008-10-17", "2012-10-17")
CURRENT_VERSION = "2012-10-17"
MAX_LENGTH = 10_240  # of a role's inline policies; white space does not count (IAM quotas)
TRUST_ACTIONS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
TRUST_EXTRAS = ("sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext")
OPPOSABLE = ("Action", "Resource", "Principal")
ELEMENTS = frozenset(("Sid", "Effect", "Condition", *OPPOSABLE, *(f"Not{name}" for name in OPPOSABLE)))
VENDOR = re.compile(r"[a-zA-Z0-9-]+")


@dataclass(frozen=True)
class Statement:
    """One statement; `number` counts from 1. An empty `resources` (in a resource policy) covers any."""

    number: int
    sid: str
    allows: bool
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    conditions: tuple[Condition, ...]
    principals: Principals | None

    @property
    def label(self) -> str:
        """How to name it to a person: its Sid, else its number."""
        return f'"{self.sid}"' if self.sid else f"#{self.number}"


@dataclass(frozen=True)
class Policy:
    """A policy document; `name` is for messages only."""

    statements: tuple[Statement, ...]
    version: str = CURRENT_VERSION
    name: str = ""

    @property
    def variables(self) -> bool:
        """Whether `${…}` are variables: only in the current version of the language."""
        return self.version == CURRENT_VERSION


def parse_policy(document: str | Mapping[str, Any], kind: Kind = "identity", name: str = "") -> Policy:
    """The policy in `document` (JSON text or what it says), as attached to an identity, to a resource, or as
    a role's trust policy. Raises MalformedPolicy for what IAM refuses and for what is not known here.
    """
    if isinstance(document, str) and len("".join(document.split())) > MAX_LENGTH:
        raise PolicyTooLarge(MAX_LENGTH)
    content = _load(document) if isinstance(document, str) else document
    if not isinstance(content, Mapping):
        raise _syntax(t("the policy must be a JSON object"))
    if unknown := sorted(set(content) - {"Version", "Id", "Statement"}):
        raise _syntax(t("a policy has no element {name}"), name=unknown[0])
    version = content.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        raise _syntax(t('Version must be "2012-10-17"'))
    if kind == "identity" and version != CURRENT_VERSION:
        raise MalformedPolicy(
            "Policy document must be version 2012-10-17 or greater.",
            t('the policy needs "Version": "2012-10-17"'),
        )
    written = content.get("Statement")
    entries = [written] if isinstance(written, Mapping) else written
    if not isinstance(entries, list) or not entries:
        raise _syntax(t("Statement must be a statement or a list of at least one"))
    statements = tuple(_read_statement(entry, number, kind) for number, entry in enumerate(entries, 1))
    sids = Counter(statement.sid for statement in statements if statement.sid)
    if repeated := [sid for sid, times in sids.items() if times > 1]:
        raise MalformedPolicy(
            "Statement IDs (SID) in a single policy must be unique.",
            t("two statements have the Sid {sid}"),
            sid=repeated[0],
        )
    return Policy(statements, version, name)


def _syntax(reason: str, **values: object) -> MalformedPolicy:
    return MalformedPolicy("Syntax errors in policy.", reason, **values)


def _load(text: str) -> Any:
    try:
        return whole_text(json.loads(text, object_pairs_hook=_no_repeats))
    except MalformedPolicy:
        raise
    except (ValueError, RecursionError):
        raise MalformedPolicy("This policy contains invalid Json", t("the policy is not valid JSON")) from None


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON lets a key stand twice and the last one win: in a policy that is a mistake."""
    names = Counter(name for name, _ in pairs)
    if repeated := [name for name, times in names.items() if times > 1]:
        raise _syntax(t("{name} stands twice in one object: only the last would count"), name=repeated[0])
    return dict(pairs)


def _read_statement(entry: Any, number: int, kind: Kind) -> Statement:
    if not isinstance(entry, Mapping):
        raise _syntax(t("statement {number} must be a JSON object"), number=number)
    if unknown := sorted(set(entry) - ELEMENTS):
        raise _syntax(t("statement {number} has no element {name}"), number=number, name=unknown[0])
    for one in OPPOSABLE:
        if one in entry and f"Not{one}" in entry:
            raise _syntax(t("statement {number} has both {name} and Not{name}"), number=number, name=one)
    if entry.get("Effect") not in ("Allow", "Deny"):
        raise _syntax(t('statement {number}: Effect must be "Allow" or "Deny"'), number=number)
    sid = entry.get("Sid", "")
    if not isinstance(sid, str) or (kind in OF_WHO_ACTS and not re.fullmatch("[A-Za-z0-9]*", sid)):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. "
            "Check that your input satisfies the regular expression [0-9A-Za-z]*",
            t("statement {number}: a Sid has letters and digits only"),
            number=number,
        )
    actions, not_actions = _read_list(entry, "Action", number)
    resources, not_resources = _read_list(entry, "Resource", number)
    _check_actions(actions, number, kind, entry)
    _check_resources(resources, number, kind, entry)
    principals = _read_principals(entry, number, kind)
    conditions = _read_conditions(entry.get("Condition", {}), number)
    if kind == "trust" and principals is not None:
        check_controls(entry, principals.by_kind, number)
    return Statement(
        number=number,
        sid=sid,
        allows=entry["Effect"] == "Allow",
        actions=actions,
        not_actions=not_actions,
        resources=resources,
        not_resources=not_resources,
        conditions=conditions,
        principals=principals,
    )


def _strings(value: Any, name: str, number: int) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in values):
        raise _syntax(t("statement {number}: {name} must be a string or a list of strings"), number=number, name=name)
    return tuple(values)


def _read_list(entry: Mapping[str, Any], name: str, number: int) -> tuple[tuple[str, ...], bool]:
    """The entries of `name` or of its opposite, and whether it is the opposite."""
    inverted = f"Not{name}" in entry
    key = f"Not{name}" if inverted else name
    return (_strings(entry[key], key, number) if key in entry else ()), inverted


def _check_actions(actions: tuple[str, ...], number: int, kind: Kind, entry: Mapping[str, Any]) -> None:
    if not actions:
        raise MalformedPolicy(
            "Policy statement must contain actions.", t("statement {number} names no Action"), number=number
        )
    for action in actions:
        vendor, colon, operation = action.partition(":")
        if action == "*" and kind != "trust":
            continue
        if not colon or not operation:
            raise MalformedPolicy(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
                t("statement {number}: the action {action} must be written service:Operation"),
                number=number,
                action=action,
            )
        if not VENDOR.fullmatch(vendor):
            raise MalformedPolicy(
                f"Vendor {vendor} is not valid",
                t("statement {number}: the action {action} names no service"),
                number=number,
                action=action,
            )
        if kind == "trust":
            _check_trust_action(action, number, entry)


def _check_trust_action(action: str, number: int, entry: Mapping[str, Any]) -> None:
    known = {name.lower() for name in (*TRUST_ACTIONS, *TRUST_EXTRAS)}
    if "NotAction" in entry or (action.lower() not in known and action.lower() not in ("sts:*", "sts:assumerole*")):
        raise MalformedPolicy(
            "AssumeRole policy may only specify STS AssumeRole actions.",
            t("statement {number}: {action} has no place in a trust policy"),
            number=number,
            action=action,
        )


def _check_resources(resources: tuple[str, ...], number: int, kind: Kind, entry: Mapping[str, Any]) -> None:
    present = "Resource" in entry or "NotResource" in entry
    if kind == "trust" and present:
        raise MalformedPolicy(
            "Has prohibited field Resource.",
            t("statement {number}: a trust policy has no Resource, it is about its own role"),
            number=number,
        )
    if (kind in OF_WHO_ACTS or present) and not resources:
        raise MalformedPolicy(
            "Policy statement must contain resources.", t("statement {number} names no Resource"), number=number
        )
    for resource in resources:
        if resource != "*" and not resource.startswith("arn:"):
            raise MalformedPolicy(
                f'Resource {resource} must be in ARN format or "*".',
                t('statement {number}: the Resource {resource} is neither an ARN nor "*"'),
                number=number,
                resource=resource,
            )


def _read_conditions(block: Any, number: int) -> tuple[Condition, ...]:
    if not isinstance(block, Mapping) or not all(isinstance(keys, Mapping) for keys in block.values()):
        raise _syntax(
            t("statement {number}: Condition must be an object of operators, each with an object of keys"),
            number=number,
        )
    return tuple(
        read_condition(operator, key, _condition_values(value, number))
        for operator, keys in block.items()
        for key, value in keys.items()
    )


def _condition_values(value: Any, number: int) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str | bool | int | float) for one in values):
        raise _syntax(t("statement {number}: a condition's values are strings"), number=number)
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)


def _read_principals(entry: Mapping[str, Any], number: int, kind: Kind) -> Principals | None:
    key = next((name for name in ("Principal", "NotPrincipal") if name in entry), "")
    if kind in OF_WHO_ACTS:
        if key:
            raise MalformedPolicy(
                "Policy document should not specify a principal.",
                t("statement {number}: a policy attached to a role has no {name}: the principal is the role"),
                number=number,
                name=key,
            )
        return None
    if not key or (kind == "trust" and key == "NotPrincipal"):
        raise MalformedPolicy(
            "Missing required field Principal", t("statement {number} needs a Principal"), number=number
        )
    written = {"AWS": "*"} if entry[key] == "*" else entry[key]
    if not isinstance(written, Mapping) or not written:
        raise _syntax(
            t("statement {number}: {name} must be * or an object that says what kind of principal it names"),
            number=number,
            name=key,
        )
    by_kind = []
    for name, value in written.items():
        if name not in KINDS:
            raise MalformedPolicy(
                f'Invalid principal in policy: "{name}"',
                t("statement {number}: there is no principal type {name}, only {kinds}"),
                number=number,
                name=name,
                kinds=", ".join(KINDS),
            )
        names = _strings(value, f"{key}.{name}", number)
        for one in names:
            _check_principal(name, one, number)
        by_kind.append((name, names))
    return Principals(tuple(by_kind), inverted=key == "NotPrincipal")


def _check_principal(kind: str, name: str, number: int) -> None:
    good = bool(name)
    if kind == "AWS":
        good = name == "*" or bool(ACCOUNT.fullmatch(name)) or (bool(PRINCIPAL_ARN.fullmatch(name)) and "*" not in name)
    elif kind == "Service":
        good = bool(re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", name))
    elif kind == "Federated":
        good = name in WEB_PROVIDERS or bool(PROVIDER_ARN.fullmatch(name))
    if not good:
        raise MalformedPolicy(
            f'Invalid principal in policy: "{kind.upper()}":"{name}"',
            t("statement {number}: {name} is no principal of type {kind}"),
            number=number,
            name=name,
            kind=kind,
        )
