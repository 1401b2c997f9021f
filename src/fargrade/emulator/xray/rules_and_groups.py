"""Sampling rules and groups (not in moto)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, account, answer
from fargrade.emulator.xray.traces import invalid
from fargrade.semantics.tracing import BadExpression, parse_expression

DEFAULT = "Default"
MOST_RULES, MOST_GROUPS = 25, 25


@dataclass
class Held:
    """One region's rules and groups, by name."""

    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)


_regions: defaultdict[str, Held] = defaultdict(Held)


@on_reset
def _forget() -> None:
    _regions.clear()


def _default_rule(region: str) -> dict[str, Any]:
    """The rule that is always there: one request a second, and five in a hundred of the rest."""
    rule = {
        "RuleName": DEFAULT,
        "RuleARN": _arn(region, f"sampling-rule/{DEFAULT}"),
        "ResourceARN": "*",
        "Priority": 10000,
        "FixedRate": 0.05,
        "ReservoirSize": 1,
        **dict.fromkeys(("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath"), "*"),
        "Version": 1,
        "Attributes": {},
    }
    return {"SamplingRule": rule, "CreatedAt": 0.0, "ModifiedAt": 0.0}


def _arn(region: str, what: str) -> str:
    return f"arn:aws:xray:{region}:{account()}:{what}"


def _rule(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    """The record of the rule that is named or whose ARN is given. Raises Refused."""
    name, arn = given.get("RuleName"), given.get("RuleARN")
    if bool(name) == bool(arn):
        raise invalid("Exactly one of RuleName and RuleARN must be specified")
    held = _regions[call.region].rules
    found = (
        held.get(str(name)) if name else next((r for r in held.values() if r["SamplingRule"]["RuleARN"] == arn), None)
    )
    if found is None:
        raise invalid("Sampling rule does not exist")
    return found


@answer("xray", "CreateSamplingRule")
def create_sampling_rule(call: Call) -> dict[str, Any]:
    """CreateSamplingRule: a name that is free, version 1."""
    given = {name: one for name, one in call.parameters["SamplingRule"].items() if one is not None}
    held, name = _regions[call.region].rules, given.get("RuleName")
    if not name:
        raise invalid("RuleName must be specified")
    if name == DEFAULT or name in held:
        raise invalid("Sampling rule already exists")
    if given["Version"] != 1:
        raise invalid("Version must be 1")
    if len(held) >= MOST_RULES:
        raise Refused("RuleLimitExceededException", "The maximum number of sampling rules has been reached")
    now = clock.now()
    rule = {**given, "RuleARN": _arn(call.region, f"sampling-rule/{name}"), "Attributes": given.get("Attributes") or {}}
    held[name] = {"SamplingRule": rule, "CreatedAt": now, "ModifiedAt": now}
    return {"SamplingRuleRecord": held[name]}


@answer("xray", "UpdateSamplingRule")
def update_sampling_rule(call: Call) -> dict[str, Any]:
    """UpdateSamplingRule."""
    given = call.parameters["SamplingRuleUpdate"]
    record = _rule(call, given)
    record["SamplingRule"] |= {name: one for name, one in given.items() if one is not None}
    record["ModifiedAt"] = clock.now()
    return {"SamplingRuleRecord": record}


@answer("xray", "DeleteSamplingRule")
def delete_sampling_rule(call: Call) -> dict[str, Any]:
    """DeleteSamplingRule."""
    record = _rule(call, call.parameters)
    del _regions[call.region].rules[record["SamplingRule"]["RuleName"]]
    return {"SamplingRuleRecord": record}


@answer("xray", "GetSamplingRules")
def get_sampling_rules(call: Call) -> dict[str, Any]:
    """GetSamplingRules: by priority, the default rule last."""
    own = sorted(
        _regions[call.region].rules.values(),
        key=lambda one: (one["SamplingRule"]["Priority"], one["SamplingRule"]["RuleName"]),
    )
    return {"SamplingRuleRecords": [*own, _default_rule(call.region)]}


@answer("xray", "GetSamplingTargets")
def get_sampling_targets(call: Call) -> dict[str, Any]:
    """GetSamplingTargets: each rule's own rate and reservoir for whoever asks."""
    every = {
        one["SamplingRule"]["RuleName"]: one["SamplingRule"] for one in get_sampling_rules(call)["SamplingRuleRecords"]
    }
    asked = [one["RuleName"] for one in call.parameters["SamplingStatisticsDocuments"]]
    return {
        "SamplingTargetDocuments": [
            {"RuleName": name, "FixedRate": every[name]["FixedRate"], "ReservoirQuota": every[name]["ReservoirSize"],
             "ReservoirQuotaTTL": clock.now(), "Interval": 10}
            for name in asked
            if name in every
        ],
        "UnprocessedStatistics": [
            {"RuleName": name, "ErrorCode": "InvalidRequestException", "Message": "Unknown rule"}
            for name in asked
            if name not in every
        ],
        "LastRuleModification": clock.now(),
    }  # fmt: skip


@answer("xray", "CreateGroup")
def create_group(call: Call) -> dict[str, Any]:
    """CreateGroup: a filter expression under a name that is free."""
    given, held = call.parameters, _regions[call.region].groups
    if given["GroupName"] in held or given["GroupName"] == DEFAULT:
        raise invalid("A group with the same name already exists.")
    if len(held) >= MOST_GROUPS:
        raise invalid("The maximum number of groups has been reached")
    _readable(given.get("FilterExpression"))
    held[given["GroupName"]] = {
        "GroupName": given["GroupName"],
        "GroupARN": _arn(call.region, f"group/{given['GroupName']}"),
        "FilterExpression": given.get("FilterExpression") or "",
        "InsightsConfiguration": given.get("InsightsConfiguration")
        or {"InsightsEnabled": False, "NotificationsEnabled": False},
    }
    return {"Group": held[given["GroupName"]]}


def _readable(expression: str | None) -> None:
    try:
        parse_expression(expression or "")
    except BadExpression as wrong:
        raise invalid(str(wrong)) from None


def _group(call: Call) -> dict[str, Any]:
    name, arn = call.parameters.get("GroupName"), call.parameters.get("GroupARN")
    found = next(
        (one for one in _regions[call.region].groups.values() if name == one["GroupName"] or arn == one["GroupARN"]),
        None,
    )
    if found is None:
        raise invalid("Group not found")
    return found


@answer("xray", "GetGroup", "UpdateGroup", "DeleteGroup")
def one_group(call: Call) -> dict[str, Any]:
    """GetGroup, UpdateGroup, DeleteGroup: by name or ARN."""
    group = _group(call)
    if call.operation == "DeleteGroup":
        del _regions[call.region].groups[group["GroupName"]]
        return {}
    if call.operation == "UpdateGroup":
        _readable(call.parameters.get("FilterExpression"))
        changes = ("FilterExpression", "InsightsConfiguration")
        group |= {name: call.parameters[name] for name in changes if call.parameters.get(name) is not None}
    return {"Group": group}


@answer("xray", "GetGroups")
def get_groups(call: Call) -> dict[str, Any]:
    """GetGroups, the default group among them."""
    default = {"GroupName": DEFAULT, "GroupARN": _arn(call.region, f"group/{DEFAULT}")}
    return {"Groups": [default, *_regions[call.region].groups.values()]}
