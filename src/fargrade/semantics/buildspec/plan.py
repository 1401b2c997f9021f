"""The order of a build: which phase follows which, after success and after failure.

Sources: https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html (POST_BUILD follows BUILD
however it ended; UPLOAD_ARTIFACTS is attempted even if BUILD fails) and the `on-failure` of
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html.
"""

from __future__ import annotations

from typing import Any

from fargrade.semantics.buildspec.document import PHASE_NAMES, Artifacts, Buildspec, OnFailure

PHASES = PHASE_NAMES
UPLOAD = "upload_artifacts"
END = ""


def phase_after(name: str, *, failed: bool, on_failure: OnFailure | None = None) -> str:
    """What follows the phase: another phase, "upload_artifacts", or "" for the end of the build."""
    following = {"install": "pre_build", "pre_build": "build", "build": "post_build", "post_build": UPLOAD}[name]
    if not failed or (on_failure and on_failure.action == "CONTINUE"):
        return following
    if on_failure and on_failure.action == "ABORT":
        return END
    return following if name in ("build", "post_build") else END


def plan(spec: Buildspec) -> dict[str, Any]:
    """The buildspec as data for whoever runs it: phases in order, each with what follows it. JSON.

    A phase whose failure is to CONTINUE does not fail the build; one to RETRY starts the build over.
    """
    return {
        "shell": spec.shell,
        "one_shell": spec.version == "0.2",
        "variables": dict(spec.variables),
        "exported": list(spec.exported),
        "phases": [
            {
                "name": name,
                "commands": list(phase.commands),
                "finally": list(phase.at_the_end),
                "then": phase_after(name, failed=False),
                "otherwise": phase_after(name, failed=True, on_failure=phase.on_failure),
                "forgiven": phase.on_failure is not None and phase.on_failure.action == "CONTINUE",
                "retries": phase.on_failure.times if phase.on_failure and phase.on_failure.action == "RETRY" else 0,
                "retry_on": phase.on_failure.pattern if phase.on_failure else "",
            }
            for name in PHASES
            for phase in [spec.phase(name)]
        ],
        "artifacts": _as_data(spec.artifacts) if spec.artifacts else None,
        "secondary_artifacts": {name: _as_data(one) for name, one in spec.secondary_artifacts.items()},
    }


def _as_data(artifacts: Artifacts) -> dict[str, Any]:
    return {
        "files": list(artifacts.files),
        "base_directory": artifacts.base_directory,
        "discard_paths": artifacts.discard_paths,
        "exclude": list(artifacts.exclude),
    }
