"""Who a statement speaks of: the Principal of a resource policy against the principal of a request.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

ACCOUNT = re.compile(r"\d{12}")
ROOT = re.compile(r"arn:[\w-]+:iam::(\d{12}):root")
SESSION = re.compile(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/(.+)")
PRINCIPAL_ARN = re.compile(
    r"arn:[\w-]+:(iam::\d{12}:(root|user/.+|role/.+)|sts::\d{12}:(assumed-role/[^/]+/.+|federated-user/.+))"
)
PROVIDER_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:(oidc|saml)-provider/.+")
WEB_PROVIDERS = ("accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com")

# How a principal is named decides what else must agree. "account" only hands the decision to the account;
# "role" is still bounded by the role's boundary and session policies; "direct" is not.
Match = Literal["", "account", "role", "direct"]
STRENGTH: tuple[Match, ...] = ("", "account", "role", "direct")
KINDS = ("AWS", "Service", "Federated", "CanonicalUser")


@dataclass(frozen=True)
class Principals:
    """The Principal (or, `inverted`, NotPrincipal) element: kind → names; `*` is {"AWS": ("*",)}."""

    by_kind: tuple[tuple[str, tuple[str, ...]], ...]
    inverted: bool = False

    def match(self, principal: str, *, deny: bool = False) -> Match:
        """How this element names `principal` ("" where it does not)."""
        found: list[Match] = [_match(kind, name, principal) for kind, names in self.by_kind for name in names]
        strongest = max(found, key=STRENGTH.index) if found else STRENGTH[0]
        if not self.inverted:
            return strongest
        if not deny:
            return "" if strongest else "direct"
        # A Deny spares only a principal whose every ARN is listed: the session, the role and the account.
        listed = [name for _, names in self.by_kind for name in names]
        spared = "*" in listed or _all_listed(principal, listed)
        return "" if spared else "direct"


def principal_kind(principal: str) -> str:
    """Which kind of Principal entry can name `principal`: AWS, Service or Federated."""
    if PROVIDER_ARN.fullmatch(principal) or principal in WEB_PROVIDERS:
        return "Federated"
    if principal.startswith("arn:") or ACCOUNT.fullmatch(principal) or principal == "*":
        return "AWS"
    return "Service" if re.fullmatch(r"[\w.-]+\.amazonaws\.com(\.cn)?", principal) else "Federated"


def account_of(principal: str) -> str:
    """The account of an IAM or STS ARN; "" for a service."""
    fields = principal.split(":")
    return fields[4] if len(fields) > 5 else ""


def role_of(principal: str) -> str:
    """The role's ARN for a role session, else the principal itself (the value of aws:PrincipalArn)."""
    session = SESSION.fullmatch(principal)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else principal


def _match(kind: str, name: str, principal: str) -> Match:
    if kind != principal_kind(principal):
        return ""
    if name == principal:
        return "role" if ":role/" in name else "direct"
    if kind != "AWS":
        return ""
    if name == "*":
        return "direct"
    root = ROOT.fullmatch(name)
    account = root[1] if root else name
    if ACCOUNT.fullmatch(account):
        return "account" if account == account_of(principal) else ""
    return "role" if _is_role_of(name, principal) else ""


def _is_role_of(role: str, principal: str) -> bool:
    """Whether `principal` is a session of `role`; a session's ARN leaves out the role's path."""
    session = SESSION.fullmatch(principal)
    return bool(
        session and ":role/" in role and account_of(role) == session[2] and role.rsplit("/", 1)[-1] == session[3]
    )


def _all_listed(principal: str, listed: list[str]) -> bool:
    """Whether `listed` names the principal itself, its account and, for a session, its role."""
    if principal not in listed:
        return False
    if principal_kind(principal) != "AWS" or not account_of(principal):
        return True
    account = account_of(principal)
    named_account = any(name == account or (ROOT.fullmatch(name) and account_of(name) == account) for name in listed)
    named_role = not SESSION.fullmatch(principal) or any(_is_role_of(name, principal) for name in listed)
    return named_account and named_role
