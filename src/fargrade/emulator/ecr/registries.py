"""Another account's registry: what moto answers as if it were one's own."""

from __future__ import annotations

from fargrade.emulator.ecr.store import no_repository
from fargrade.emulator.rules import Call, refusal


@refusal(
    "ecr",
    "BatchCheckLayerAvailability",
    "CompleteLayerUpload",
    "DeleteLifecyclePolicy",
    "DeleteRepository",
    "DeleteRepositoryPolicy",
    "DescribeRepositories",
    "GetLifecyclePolicy",
    "GetRepositoryPolicy",
    "InitiateLayerUpload",
    "PutImageScanningConfiguration",
    "PutImageTagMutability",
    "SetRepositoryPolicy",
    "UploadLayerPart",
)
def _registry_is_ones_own(call: Call) -> None:
    """registryId is whose registry is meant (API_DescribeRepositories.html); moto looks at it in no call (upstream)."""
    given = call.parameters
    registry = given.get("registryId")
    if registry and registry != call.account:
        raise no_repository(given.get("repositoryName") or next(iter(given.get("repositoryNames") or []), ""), registry)
