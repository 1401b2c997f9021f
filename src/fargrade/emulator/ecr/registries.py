"""Another account's registry: what moto answers as if it were one's own."""

from __future__ import annotations

from fargrade.emulator.ecr.store import no_repository
from fargrade.emulator.errors import Refused
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
    if not registry or registry == call.account:
        return
    name = given.get("repositoryName") or next(iter(given.get("repositoryNames") or []), "")
    if name:
        raise no_repository(name, registry)
    action, everything = f"ecr:{call.operation}", f"arn:aws:ecr:{call.region}:{registry}:repository/*"
    raise Refused(
        "AccessDeniedException",
        f"User: {call.caller.arn} is not authorized to perform: {action} on resource: {everything} "
        f"because no resource-based policy allows the {action} action",
    )
