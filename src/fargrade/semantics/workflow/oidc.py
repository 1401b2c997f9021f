"""GitHub's OIDC tokens, and which of them an AWS role lets in.

Sources: https://docs.github.com/en/actions/reference/security/oidc (the claims, both forms of `sub`),
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fargrade.semantics.iam import Decision, Policy, Request, may_assume

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


@dataclass(frozen=True)
class Repository:
    """A repository, by name and by the ids that outlive a change of name."""

    owner: str
    name: str
    owner_id: int
    identity: int

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


def subjects(repository: Repository, event: str, ref: str, environment: str = "") -> tuple[str, str]:
    """The token's `sub`, in the form by names and in the one with ids.

    A job that names an environment has it in place of the ref; a pull request has neither.
    """
    if environment:
        rest = f"environment:{environment}"
    elif event in ("pull_request", "pull_request_target"):
        rest = "pull_request"
    else:
        rest = f"ref:{ref}"
    with_ids = f"{repository.owner}@{repository.owner_id}/{repository.name}@{repository.identity}"
    return f"repo:{repository.full_name}:{rest}", f"repo:{with_ids}:{rest}"


def claims(
    repository: Repository,
    event: str,
    ref: str,
    environment: str = "",
    *,
    with_ids: bool = False,
    audience: str = AUDIENCE,
    workflow: str = ".github/workflows/deploy.yml",
) -> dict[str, str]:
    """What GitHub's token says of a job."""
    return {
        "iss": f"https://{ISSUER}",
        "aud": audience,
        "sub": subjects(repository, event, ref, environment)[with_ids],
        "repository": repository.full_name,
        "repository_id": str(repository.identity),
        "repository_owner": repository.owner,
        "repository_owner_id": str(repository.owner_id),
        "ref": ref,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "event_name": event,
        "job_workflow_ref": f"{repository.full_name}/{workflow}@{ref}",
        "runner_environment": "github-hosted",
        **({"environment": environment} if environment else {}),
    }


def condition_keys(token: Mapping[str, str]) -> dict[str, str]:
    """The token's claims as the condition keys of a trust policy."""
    return {f"{ISSUER}:{name}": value for name, value in token.items() if name != "iss"}


def trusted(trust: Policy, role_arn: str, account: str, token: Mapping[str, Any]) -> Decision:
    """Whether a role with this trust policy may be assumed with a token of GitHub's."""
    provider = f"arn:aws:iam::{account}:oidc-provider/{ISSUER}"
    request = Request(provider, "sts:AssumeRoleWithWebIdentity", role_arn, condition_keys(token))
    return may_assume(request, trust)
