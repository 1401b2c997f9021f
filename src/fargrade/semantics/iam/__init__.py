"""IAM decisions: who may do what, by the policies as written, and why not.

Small and whole: documents are read strictly (what IAM refuses, and whatever this evaluator does not know,
is an error, never a silent match or non-match), then decided by AWS's documented evaluation logic.
Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference".
"""

from fargrade.semantics.iam.calls import Ask, asks
from fargrade.semantics.iam.decision import Decision, Request, access_denied, decide, denial, may_assume
from fargrade.semantics.iam.document import Kind, Policy, Statement, parse_policy
from fargrade.semantics.iam.errors import MalformedPolicy, UnknownCondition
from fargrade.semantics.iam.managed import MANAGED_POLICIES, managed_policy
from fargrade.semantics.iam.resources import Made
from fargrade.semantics.iam.roles import Role, call_context, ecs_assumes, may_pass, role_may, service_may_assume

__all__ = [
    "MANAGED_POLICIES",
    "Ask",
    "Decision",
    "Kind",
    "Made",
    "MalformedPolicy",
    "Policy",
    "Request",
    "Role",
    "Statement",
    "UnknownCondition",
    "access_denied",
    "asks",
    "call_context",
    "decide",
    "denial",
    "ecs_assumes",
    "managed_policy",
    "may_assume",
    "may_pass",
    "parse_policy",
    "role_may",
    "service_may_assume",
]
