"""A CodeBuild buildspec, version 0.1 and 0.2: read as CodeBuild reads it, and what runs after what fails."""

from fargrade.semantics.buildspec.document import Artifacts, Buildspec, BuildspecError, Phase, parse
from fargrade.semantics.buildspec.plan import PHASES, phase_after, plan

__all__ = ["PHASES", "Artifacts", "Buildspec", "BuildspecError", "Phase", "parse", "phase_after", "plan"]
