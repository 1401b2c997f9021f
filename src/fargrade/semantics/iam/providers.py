"""What IAM wants of a trust in an identity provider that many share: that it looks at whose the identity is.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html, "Identity-provider
controls for shared OIDC providers". Words: observed, github.com/unfunco/terraform-aws-oidc-github/issues/57.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fargrade.semantics.iam.errors import MalformedPolicy
from fargrade.semantics.texts import t

# The provider of GitHub Actions, and the claims of which one says whose workflow it is.
CONTROLS = {"token.actions.githubusercontent.com": ("sub", "job_workflow_ref")}
OPERATORS = ("stringequals", "stringlike", "stringequalsignorecase")


def check_controls(entry: Mapping[str, Any], principals: tuple[tuple[str, tuple[str, ...]], ...], number: int) -> None:
    """Raises MalformedPolicy where a statement of a trust policy lets in every identity of a shared provider."""
    if entry["Effect"] != "Allow":
        return
    for kind, names in principals:
        for name in names if kind == "Federated" else ():
            host = name.partition(":oidc-provider/")[2]
            claims = CONTROLS.get(host.partition("/")[0], ())
            if claims and not any(_evaluated(entry.get("Condition"), f"{host}:{claim}") for claim in claims):
                raise MalformedPolicy(
                    f"Trust policy with trusted principal {name} must evaluate, using StringEquals, StringLike or "
                    f"StringEqualsIgnoreCase, {host}:{claims[0]} which is not scoped to all.",
                    t("statement {number}: without a condition on {key} every repository at the provider is let in"),
                    number=number,
                    key=f"{host}:{claims[0]}",
                )


def _evaluated(conditions: Any, key: str) -> bool:
    """Whether a condition compares the key with something, and not with everything."""
    for operator, pairs in conditions.items() if isinstance(conditions, Mapping) else ():
        plain = operator.lower().removeprefix("foranyvalue:").removeprefix("forallvalues:")
        for name, value in pairs.items() if isinstance(pairs, Mapping) and plain in OPERATORS else ():
            values = value if isinstance(value, list) else [value]
            if name.lower() == key.lower() and all(str(one).strip("*?") for one in values):
                return True
    return False
