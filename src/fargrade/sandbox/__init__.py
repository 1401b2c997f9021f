"""The learner's code runs here: confined where the machine can, within limits, always to an outcome."""

from fargrade.sandbox.confinement import Confinement
from fargrade.sandbox.job import Command, Job, Limits, Outcome, PythonCall, Raised
from fargrade.sandbox.sandbox import WARM, Nursery, Sandbox, SandboxUnavailable, open_nursery, open_sandbox

__all__ = [
    "WARM",
    "Command",
    "Confinement",
    "Job",
    "Limits",
    "Nursery",
    "Outcome",
    "PythonCall",
    "Raised",
    "Sandbox",
    "SandboxUnavailable",
    "open_nursery",
    "open_sandbox",
]
