"""`#{namespace.variable}` in an action's configuration.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}")


class UnresolvedVariable(Exception):
    """The configuration uses a variable that no action before it has given."""


def resolved(text: str, namespaces: Mapping[str, Mapping[str, str]]) -> str:
    """`text` with the values of its variables. Raises UnresolvedVariable."""

    def value(found: re.Match[str]) -> str:
        values = namespaces.get(found[1], {})
        if found[2] not in values:
            raise UnresolvedVariable(
                f"An action in this pipeline failed because one or more variables could not be resolved: "
                f"Action variable {found[1]}.{found[2]} not found"
            )
        return values[found[2]]

    return VARIABLE.sub(value, text)
