"""Repository policies: moto stores whatever it is given."""

from __future__ import annotations

import json

from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, refusal


@refusal("ecr", "SetRepositoryPolicy")
def _policy_has_principals(call: Call) -> None:
    """A resource policy's statement names a principal: reference_policies_elements_principal.html."""
    try:
        document = json.loads(call.parameters["policyText"])
        statements = document["Statement"]
        statements = statements if isinstance(statements, list) else [statements]
        complete = all(("Principal" in one) != ("NotPrincipal" in one) for one in statements)
    except (ValueError, KeyError, TypeError, RecursionError):
        complete = False
    if not complete:
        raise Refused(
            "InvalidParameterException",
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
        )
