"""Pull through cache: rules by which a registry fetches what it does not have from another one. moto has none of it.

Source: docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html and API_CreatePullThroughCacheRule.html.
Upstream: yes, as it stands here (the rules are plain state).
"""

from __future__ import annotations

import re
from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.ecr.store import invalid, page
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import on_reset
from fargrade.emulator.rules import Call, answer

# (the registry's name in the API, its address, whether it wants a secret with a login)
UPSTREAMS = [
    ("ecr", re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com"), False),
    ("ecr-public", re.compile(r"public\.ecr\.aws"), False),
    ("docker-hub", re.compile(r"registry-1\.docker\.io"), True),
    ("quay", re.compile(r"quay\.io"), False),
    ("k8s", re.compile(r"registry\.k8s\.io"), False),
    ("github-container-registry", re.compile(r"ghcr\.io"), True),
    ("gitlab-container-registry", re.compile(r"registry\.gitlab\.com"), True),
    ("azure-container-registry", re.compile(r"[a-z0-9]+\.azurecr\.io"), True),
    ("chainguard", re.compile(r"cgr\.dev"), True),
]
ROOT = "ROOT"  # images whatever they are called

_rules: dict[tuple[str, str], dict[str, Any]] = {}


@on_reset
def _forget() -> None:
    _rules.clear()


@answer("ecr", "CreatePullThroughCacheRule")
def create(call: Call) -> dict[str, Any]:
    """A rule: API_CreatePullThroughCacheRule.html."""
    given = call.parameters
    prefix, address = given["ecrRepositoryPrefix"].rstrip("/"), given["upstreamRegistryUrl"]
    found = next(((name, login) for name, form, login in UPSTREAMS if form.fullmatch(address)), None)
    if found is None or given.get("upstreamRegistry", found[0]) != found[0]:
        raise Refused("UnsupportedUpstreamRegistryException", f"The upstream registry '{address}' is not supported.")
    if found[1] and not given.get("credentialArn"):
        raise invalid("credentialArn", f"credentials are required for the upstream registry '{address}'")
    if (call.region, prefix) in _rules:
        raise Refused(
            "PullThroughCacheRuleAlreadyExistsException",
            f"A rule with ecrRepositoryPrefix '{prefix}' already exists in the registry with id '{call.account}'.",
        )
    now = clock.now()
    named = ("credentialArn", "customRoleArn", "upstreamRepositoryPrefix")
    _rules[call.region, prefix] = {
        "ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": address, "upstreamRegistry": found[0],
        "registryId": call.account, "createdAt": now, "updatedAt": now,
        **{name: given[name] for name in named if given.get(name)},
    }  # fmt: skip
    return {name: one for name, one in _rules[call.region, prefix].items() if name != "updatedAt"}


@answer("ecr", "DescribePullThroughCacheRules")
def describe(call: Call) -> dict[str, Any]:
    """All rules, or those of the prefixes: API_DescribePullThroughCacheRules.html."""
    prefixes = call.parameters.get("ecrRepositoryPrefixes")
    if prefixes:
        return {"pullThroughCacheRules": [_rule(call, prefix) for prefix in prefixes]}
    mine = [rule for (region, _), rule in sorted(_rules.items()) if region == call.region]
    shown, token = page(mine, call.parameters)
    return {"pullThroughCacheRules": shown, "nextToken": token}


@answer("ecr", "UpdatePullThroughCacheRule")
def update(call: Call) -> dict[str, Any]:
    """Another secret or role for a rule: API_UpdatePullThroughCacheRule.html."""
    rule = _rule(call, call.parameters["ecrRepositoryPrefix"])
    changed = {name: call.parameters[name] for name in ("credentialArn", "customRoleArn") if call.parameters.get(name)}
    rule.update(changed, updatedAt=clock.now())
    kept = ("ecrRepositoryPrefix", "registryId", "updatedAt", "credentialArn", "customRoleArn")
    return {name: rule[name] for name in kept if name in rule}


@answer("ecr", "DeletePullThroughCacheRule")
def delete(call: Call) -> dict[str, Any]:
    """API_DeletePullThroughCacheRule.html."""
    rule = _rule(call, call.parameters["ecrRepositoryPrefix"])
    del _rules[call.region, rule["ecrRepositoryPrefix"]]
    return {name: one for name, one in rule.items() if name not in ("updatedAt", "upstreamRegistry")}


@answer("ecr", "ValidatePullThroughCacheRule")
def validate(call: Call) -> dict[str, Any]:
    """Whether the upstream lets the rule in: API_ValidatePullThroughCacheRule.html. What is kept here is valid."""
    rule = _rule(call, call.parameters["ecrRepositoryPrefix"])
    kept = ("ecrRepositoryPrefix", "registryId", "upstreamRegistryUrl", "credentialArn")
    return {**{name: rule[name] for name in kept if name in rule}, "isValid": True}


def _rule(call: Call, prefix: str) -> dict[str, Any]:
    rule = _rules.get((call.region, prefix.rstrip("/")))
    if rule is None or call.parameters.get("registryId", call.account) != call.account:
        raise Refused(
            "PullThroughCacheRuleNotFoundException",
            f"The pull through cache rule with ecrRepositoryPrefix '{prefix}' does not exist in the registry with id "
            f"'{call.parameters.get('registryId') or call.account}'",
        )
    return rule


def upstream(region: str, name: str) -> str | None:
    """What an image of the repository is called where the rule fetches it from; None without a rule for it."""
    mine = {prefix: rule for (where, prefix), rule in _rules.items() if where == region}
    prefix = next((one for one in sorted(mine, key=len, reverse=True) if name.startswith(f"{one}/")), "")
    rule = mine.get(prefix or ROOT)
    if rule is None:
        return None
    rest = name.removeprefix(f"{prefix}/") if prefix else name
    there = rule.get("upstreamRepositoryPrefix", "")
    host = rule["upstreamRegistryUrl"].replace("registry-1.docker.io", "docker.io")
    return "/".join(part for part in (host, "" if there == ROOT else there, rest) if part)
