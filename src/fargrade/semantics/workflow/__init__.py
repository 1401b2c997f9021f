"""GitHub Actions workflows: read, when they start, what their tokens may do, and whom AWS lets in by them."""

from fargrade.semantics.workflow.document import Job, Workflow, WorkflowError, parse, rendered
from fargrade.semantics.workflow.oidc import ISSUER, Repository, claims, condition_keys, subjects, trusted
from fargrade.semantics.workflow.triggers import Event, triggered

__all__ = [
    "ISSUER",
    "Event",
    "Job",
    "Repository",
    "Workflow",
    "WorkflowError",
    "claims",
    "condition_keys",
    "parse",
    "rendered",
    "subjects",
    "triggered",
    "trusted",
]
