"""Wildcards, policy variables and ARNs: how one string of a policy matches one of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fargrade.semantics.glob import Token, matches, tokens

ARN_FIELDS = 6
VARIABLE = re.compile(r"\$\{([^{}]*)\}")

Context = Mapping[str, Sequence[str]]


class Unresolved(Exception):
    """A policy variable has no value in this request and no default: what holds it matches nothing."""


def filled(text: str, context: Context | None) -> str:
    """`text` with its `${variables}` filled in from `context` (None: they are plain text). Raises Unresolved."""
    if context is None:
        return text
    return VARIABLE.sub(lambda variable: _value(variable[1], context), text)


def _pattern(pattern: str, context: Context | None) -> Sequence[Token]:
    """The tokens of `pattern`; what a variable stands for never acts as a wildcard. Raises Unresolved."""
    if context is None or "${" not in pattern:
        return tokens(pattern)
    parts: list[Token] = []
    at = 0
    for variable in VARIABLE.finditer(pattern):
        parts += tokens(pattern[at : variable.start()])
        parts += _value(variable[1], context)
        at = variable.end()
    return [*parts, *tokens(pattern[at:])]


def _value(expression: str, context: Context) -> str:
    if expression in ("*", "?", "$"):
        return expression
    name, comma, default = expression.partition(",")
    found = context.get(name.strip().lower(), ())
    if len(found) == 1:
        return found[0]
    default = default.strip()
    if comma and len(default) >= 2 and default[0] == default[-1] == "'":
        return default[1:-1]
    raise Unresolved(expression)


def like(pattern: str, value: str, context: Context | None = None) -> bool:
    """Whether `value` matches `pattern` with `*` and `?`, case-sensitively. Raises Unresolved."""
    return matches(_pattern(pattern, context), value)


def action_matches(pattern: str, action: str) -> bool:
    """Actions are case-insensitive; a wildcard is good anywhere in the name."""
    return like(pattern.lower(), action.lower())


def arn_fields(arn: str) -> list[str]:
    """The six fields of an ARN; missing ones are `*`, as IAM completes an incomplete ARN in a policy.

    The colon inside a `${variable}` parts nothing.
    """
    hidden = VARIABLE.sub(lambda variable: variable[0].replace(":", "\0"), arn)
    fields = [field.replace("\0", ":") for field in hidden.split(":", ARN_FIELDS - 1)]
    return fields + ["*"] * (ARN_FIELDS - len(fields))


def arn_like(pattern: str, arn: str, context: Context | None = None, *, variables_from: int = 0) -> bool:
    """Whether `arn` matches the ARN `pattern`, field by field: no wildcard reaches past a field's colon.

    The last field, the resource, holds what remains, colons and slashes included. Variables are filled in
    from the field `variables_from` on. Raises Unresolved.
    """
    fields = arn.split(":", ARN_FIELDS - 1)
    if len(fields) < ARN_FIELDS:
        return False
    return all(
        like(wanted, field, context if index >= variables_from else None)
        for index, (wanted, field) in enumerate(zip(arn_fields(pattern), fields, strict=True))
    )


def resource_matches(pattern: str, resource: str, context: Context | None) -> bool:
    """Whether the Resource entry `pattern` covers `resource`: `*` covers all, also what has no ARN (`*`).

    An action without resource-level permissions, such as ecr:GetAuthorizationToken, is asked of `*`: no ARN
    in a policy covers that. Variables stand in an ARN's last field only; one without a value covers nothing.
    """
    if pattern == "*":
        return True
    try:
        return arn_like(pattern, resource, context, variables_from=ARN_FIELDS - 1)
    except Unresolved:
        return False
