"""Lambda functions as deployments call them: there is no Lambda here, but a grader says which there are and what they
report as hooks, and reads what was called, and with how much of the traffic shifted.
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator.extensions import control_op, on_reset

_reports: dict[str, str] = {}
_calls: list[dict[str, Any]] = []


@on_reset
def _new() -> None:
    _reports.clear()
    _calls.clear()


@control_op("seed_hook")
def seed_hook(function: str, reports: str = "Succeeded") -> None:
    """There is a Lambda function of that name, and as a hook it reports so."""
    _reports[function] = reports


@control_op("hook_calls")
def hook_calls() -> list[dict[str, Any]]:
    """The hooks that were called: deployment, event, function, and the new tasks' share of the traffic then."""
    return _calls


def call(function: str, *, deployment: str, event: str, weight: float) -> str:
    """Call the function (a name or an ARN) as a hook; why the deployment may not go on, "" where it may."""
    name = function.rpartition(":")[2]
    _calls.append({"deployment": deployment, "event": event, "function": name, "weight": weight})
    said = _reports.get(name)
    if said is None:
        return f"The Lambda function {function} of {event} cannot be found"
    return "" if said.lower() == "succeeded" else f"The validation function of {event} reported {said}"
