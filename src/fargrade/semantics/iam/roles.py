"""A role and what follows from it: what its sessions may do, who may assume it, who may pass it on.

Source: IAM User Guide, "Roles terms and concepts", "Grant a user permissions to pass a role to an AWS service" and
"AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fargrade.semantics.iam.decision import Decision, Request, decide, may_assume
from fargrade.semantics.iam.document import Policy
from fargrade.semantics.iam.principals import account_of

Context = Mapping[str, str | Sequence[str]]
# Where the calls of a world come from: an address of the range kept for documentation (RFC 5737).
CALLER_ADDRESS = "198.51.100.17"


@dataclass(frozen=True)
class Role:
    """A role as IAM keeps it: its trust policy, what it may do, and its permissions boundary (None: it has none).

    A user fits, too: it is its own session, and its trust policy is empty.
    """

    arn: str
    trust: Policy
    identity: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] | None = None
    tags: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def account(self) -> str:
        return account_of(self.arn)

    def session(self, name: str = "session") -> str:
        """The ARN of a session of this role; it leaves out the role's path."""
        if ":role/" not in self.arn:
            return self.arn
        partition = self.arn.split(":")[1]
        return f"arn:{partition}:sts::{self.account}:assumed-role/{self.name}/{name}"


def call_context(role: Role, resource: str, region: str, now: datetime) -> dict[str, str]:
    """The condition keys that AWS knows of any call of a session of the role, made by an SDK over TLS."""
    fields = resource.split(":")
    of_resource = fields[4] if len(fields) > 5 else ""
    tags = {f"aws:PrincipalTag/{key}": value for key, value in (role.tags or {}).items()}
    return {
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": region,
        "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalIsAWSService": "false",
        "aws:ResourceAccount": of_resource or role.account,
        "aws:SourceIp": CALLER_ADDRESS,
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:ViaAWSService": "false",
        **tags,
    }


def role_may(
    role: Role,
    action: str,
    resource: str = "*",
    context: Context | None = None,
    *,
    of_resource: Sequence[Policy] = (),
    session: Sequence[Policy] | None = None,
    session_name: str = "session",
) -> Decision:
    """Whether a session of `role` may do `action` on `resource`, whose own policies are `of_resource`."""
    request = Request(role.session(session_name), action, resource, context or {})
    owner = resource.split(":")[4] if resource.count(":") > 4 else ""
    same = owner in ("", "aws", role.account)
    return decide(request, role.identity, of_resource, role.boundary, session, same_account=same)


def service_may_assume(role: Role, service: str, context: Context | None = None) -> Decision:
    """Whether the AWS service (`ecs-tasks.amazonaws.com`) may assume `role`: its trust policy alone decides."""
    return may_assume(Request(service, "sts:AssumeRole", role.arn, context or {}), role.trust)


def may_pass(passer: Role, passed: str, service: str, context: Context | None = None) -> Decision:
    """Whether a session of `passer` may hand the role with the ARN `passed` to `service`: `iam:PassRole`."""
    return role_may(passer, "iam:PassRole", passed, {"iam:PassedToService": service, **(context or {})})


def ecs_assumes(region: str, account: str) -> dict[str, str]:
    """The condition keys of ECS assuming a role for a task.

    "Using the aws:SourceArn condition key to specify a specific cluster is not currently supported, you should use
    the wildcard": docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    return {"aws:SourceAccount": account, "aws:SourceArn": f"arn:aws:ecs:{region}:{account}:*"}
