"""Parameter Store: the names, sizes and types that a parameter may have.

Source: Systems Manager API Reference, API_PutParameter.html and API_GetParametersByPath.html; moto takes all of these
(upstream).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, refusal

NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")
MOST_LEVELS = 15
PATIENCE = 2.0  # seconds
MATCHING = (
    "import json, re, sys\n"
    "pattern, value = json.load(sys.stdin)\n"
    "print('y' if re.search(pattern, value) else 'n', end='')"
)
STANDARD, ADVANCED = 4096, 8192


def _invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


@refusal("ssm", "PutParameter")
def name_is_one(call: Call) -> None:
    name = call.parameters["Name"]
    if name.startswith("arn:"):
        return
    if not NAME.fullmatch(name) or name.endswith("/") or "//" in name:
        raise _invalid(
            "Parameter name: can only contain a mix of letters, numbers and the following symbols .-_, "
            "divided by / into levels"
        )
    if "/" in name and not name.startswith("/"):
        raise _invalid("Parameter name must be a fully qualified name.")
    if name.strip("/").count("/") >= MOST_LEVELS:
        raise Refused(
            "HierarchyLevelLimitExceededException", f"A hierarchy can have a maximum of {MOST_LEVELS} levels."
        )


@refusal("ssm", "PutParameter")
def value_fits(call: Call) -> None:
    value, tier = call.parameters["Value"], call.parameters.get("Tier") or "Standard"
    size = len(value.encode())
    if tier == "Standard" and size > STANDARD:
        raise _invalid(
            f"Standard tier parameters support a maximum parameter value of {STANDARD} characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )
    if size > ADVANCED:
        raise _invalid(f"Advanced tier parameters support a maximum parameter value of {ADVANCED} characters.")


@refusal("ssm", "PutParameter")
def value_is_of_the_pattern(call: Call) -> None:
    """API_PutParameter.html, AllowedPattern: "a regular expression used to validate the parameter value"."""
    held = _held(call.region, call.parameters["Name"])
    pattern = call.parameters.get("AllowedPattern") or getattr(held, "allowed_pattern", None)
    if not pattern:
        return
    found = matched(pattern, call.parameters["Value"])
    if found is None:
        raise Refused("InvalidAllowedPatternException", f"The pattern {pattern} is not a regular expression.")
    if not found:
        raise Refused(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
        )


def matched(pattern: str, value: str) -> bool | None:
    """Whether the value is of the pattern; None for what is no pattern.

    Asked of a process of its own, which may take its time, but not the world's: both are the learner's, and there are
    patterns that would keep it busy for ever. What it has not decided by then is taken for a match.
    """
    try:
        ended = subprocess.run(
            [sys.executable, "-I", "-S", "-c", MATCHING], input=json.dumps([pattern, value]).encode(),
            capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    return {b"y": True, b"n": False}.get(ended.stdout)


@refusal("ssm", "PutParameter")
def type_stays(call: Call) -> None:
    given = call.parameters
    held = _held(call.region, given["Name"])
    if held is not None and given.get("Overwrite") and given.get("Type") not in (None, held.parameter_type):
        raise Refused(
            "HierarchyTypeMismatchException",
            f"Parameter Store doesn't support changing a parameter type: {given['Name']} is a {held.parameter_type}.",
        )


@refusal("ssm", "GetParametersByPath")
def path_is_one(call: Call) -> None:
    path = call.parameters["Path"]
    if not path.startswith("/"):
        raise _invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward "
            f'slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive): {path}'
        )


def _held(region: str, name: str) -> Any:
    from moto.ssm.models import ssm_backends

    from fargrade.emulator.rules import account

    return ssm_backends[account()][region].get_parameter(name)
