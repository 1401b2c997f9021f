"""What a load balancer's listener does with a request: its rules, their conditions, their actions.

Source: Elastic Load Balancing, Application Load Balancers Guide, "Listener rules", "Condition types for listener
rules" and "Action types for listener rules".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fargrade.semantics.glob import matches, tokens
from fargrade.semantics.network.addresses import covers
from fargrade.semantics.network.snapshot import Described

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Asked:
    """One HTTP request, as a client sends it. Header names are compared without regard to case."""

    host: str
    path: str = "/"
    port: int = 80
    scheme: str = "http"
    method: str = "GET"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    source: str = "203.0.113.80"

    @classmethod
    def of(cls, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, source: str = "") -> Asked:
        """The request for a URL. Raises ValueError for one that is no http(s) URL with a host."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a web server")
        asked = cls(
            parts.hostname, parts.path or "/", parts.port or PORTS[parts.scheme], parts.scheme, method, parts.query
        )
        return replace(asked, headers=dict(headers or {}), source=source or asked.source)

    def header(self, name: str) -> str | None:
        """The header's value; the Host header is the host unless given."""
        given = {key.lower(): value for key, value in self.headers.items()}
        return given.get(name.lower(), self.host if name.lower() == "host" else None)


@dataclass(frozen=True)
class Done:
    """What is done with a request. `kind` is the action's type; `shares` are target groups by their weights;
    `status` and `location` are those of a redirect or fixed response."""

    kind: str
    rule: Described | None
    shares: tuple[tuple[str, int], ...] = ()
    status: int = 0
    location: str = ""
    body: str = ""


def rule_for(rules: Sequence[Described], asked: Asked) -> Described | None:
    """The rule of lowest priority whose conditions all hold; the default one if none does."""
    for rule in sorted(rules, key=_priority):
        if rule.get("IsDefault") or all(holds(condition, asked) for condition in rule.get("Conditions", [])):
            return rule
    return None


def _priority(rule: Described) -> tuple[bool, int]:
    default = bool(rule.get("IsDefault")) or rule.get("Priority") == "default"
    return default, 0 if default else int(rule["Priority"])


def holds(condition: Described, asked: Asked) -> bool:
    """Whether the condition holds for the request: one of its values must match."""
    kind = condition.get("Field", "")
    if kind == "source-ip":
        return any(covers(cidr, asked.source) for cidr in _values(condition, "SourceIpConfig"))
    if kind == "query-string":
        return any(_query_holds(pair, asked) for pair in _values(condition, "QueryStringConfig"))
    if kind == "http-request-method":
        return asked.method in _values(condition, "HttpRequestMethodConfig")
    if kind == "path-pattern":
        return any(matches(tokens(value), asked.path) for value in _values(condition, "PathPatternConfig"))
    if kind == "host-header":
        host = (asked.header("host") or "").partition(":")[0]
        return any(_same(value, host) for value in _values(condition, "HostHeaderConfig"))
    if kind == "http-header":
        value = asked.header(condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", ""))
        return value is not None and any(_same(wanted, value) for wanted in _values(condition, "HttpHeaderConfig"))
    return False


def _values(condition: Described, config: str) -> list[Any]:
    return list(condition.get(config, {}).get("Values") or condition.get("Values") or [])


def _same(pattern: str, text: str) -> bool:
    return matches(tokens(pattern.lower()), text.lower())


def _query_holds(pair: Described, asked: Asked) -> bool:
    wanted, key = pair.get("Value", ""), pair.get("Key")
    return any(
        (key is None or _same(key, name)) and _same(wanted, value)
        for name, value in parse_qsl(asked.query, keep_blank_values=True)
    )


def action_for(rule: Described, asked: Asked) -> Done:
    """What the rule's last action does: the others (authentication) come before it."""
    actions = sorted(rule.get("Actions", []), key=lambda one: int(one.get("Order") or 0))
    guard = next((one for one in actions if str(one.get("Type", "")).startswith("authenticate-")), None)
    if guard:
        return Done(str(guard["Type"]), rule, status=302)
    last = actions[-1] if actions else {}
    if last.get("Type") == "redirect":
        return _redirect(rule, last.get("RedirectConfig", {}), asked)
    if last.get("Type") == "fixed-response":
        config = last.get("FixedResponseConfig", {})
        return Done("fixed-response", rule, status=int(config.get("StatusCode", 0)), body=config.get("MessageBody", ""))
    return Done("forward", rule, shares_of(last))


def shares_of(action: Described) -> tuple[tuple[str, int], ...]:
    """The target groups of a forward action, each with its weight."""
    listed = action.get("ForwardConfig", {}).get("TargetGroups") or []
    if listed:
        return tuple((one["TargetGroupArn"], int(one.get("Weight", 1))) for one in listed)
    return ((action["TargetGroupArn"], 1),) if action.get("TargetGroupArn") else ()


def _redirect(rule: Described, config: Described, asked: Asked) -> Done:
    """#{protocol}, #{host}, #{port}, #{path} and #{query} keep what the request had."""
    kept = {
        "protocol": asked.scheme,
        "host": asked.host,
        "port": str(asked.port),
        "path": asked.path.removeprefix("/"),
        "query": asked.query,
    }

    def filled(value: str) -> str:
        for name, text in kept.items():
            value = value.replace(f"#{{{name}}}", text)
        return value

    scheme = filled(config.get("Protocol") or "#{protocol}").lower()
    host, port = filled(config.get("Host") or "#{host}"), filled(config.get("Port") or "#{port}")
    path = filled(config.get("Path") or "/#{path}")
    query = filled("#{query}" if config.get("Query") is None else config["Query"])
    location = f"{scheme}://{host}:{port}{path}" + (f"?{query}" if query else "")
    return Done("redirect", rule, status=301 if config.get("StatusCode") == "HTTP_301" else 302, location=location)
