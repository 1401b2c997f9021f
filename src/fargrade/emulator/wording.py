"""What each service says of a call that breaks its model: the error's code, and AWS's words where known.

Facts: ECR's from its own refusals (terraform-aws-ecr issue 19, jenkins-x issue 1344: "Invalid parameter at
'repositoryName' failed to satisfy constraint: 'must satisfy regular expression …'"); the "N validation errors
detected" of most others is AWS's framework speaking (IAM, STS, CloudWatch Logs, CodeBuild and so on).
"""

from __future__ import annotations

from fargrade.emulator.constraints import Violation
from fargrade.emulator.errors import Refused

# Error codes of the services whose framework message comes under another name than ValidationException.
CODES = {
    "logs": "InvalidParameterException",
    "cloudwatch": "ValidationError",
    "xray": "InvalidRequestException",
    "codebuild": "InvalidInputException",
    "secretsmanager": "InvalidParameterException",
}
SHOWN = 10


def refusal(service: str, protocol: str, found: list[Violation]) -> Refused:
    """`found` (not empty) as the service refuses it."""
    first = found[0]
    if first.kind == "type" and protocol in ("json", "rest-json"):
        return Refused("SerializationException", f"{first.path or 'The request'}: {first.must}")
    if service in ("ecr", "ecr-public"):
        return _ecr(first)
    if service == "ecs":
        return Refused("InvalidParameterException", f"Invalid value for '{first.path}': {first.must}")
    if protocol == "ec2":
        return _ec2(first)
    if service == "s3":
        missing = first.kind == "required"
        return Refused("MissingRequestParameter" if missing else "InvalidArgument", f"{first.path}: {first.must}")
    return _framework(service, protocol, found)


def _ecr(violation: Violation) -> Refused:
    must = violation.must
    if violation.kind == "pattern":
        must = "must satisfy regular expression '" + must.partition("pattern: ")[2] + "'"
    return Refused(
        "InvalidParameterException",
        f"Invalid parameter at '{violation.path}' failed to satisfy constraint: '{must}'",
    )


def _ec2(violation: Violation) -> Refused:
    name = violation.path
    if violation.kind == "required":
        return Refused("MissingParameter", f"The request must contain the parameter {name}")
    said = f"Value ({violation.value}) for parameter {name} is invalid. {violation.must}"
    return Refused("InvalidParameterValue", said)


def _framework(service: str, protocol: str, found: list[Violation]) -> Refused:
    said = "; ".join(
        f"Value {_quoted(one)} at '{_lower(one.path)}' failed to satisfy constraint: {one.must}"
        for one in found[:SHOWN]
    )
    plural = "s" if len(found) > 1 else ""
    code = "ValidationError" if protocol == "query" else CODES.get(service, "ValidationException")
    return Refused(code, f"{len(found)} validation error{plural} detected: {said}")


def _quoted(violation: Violation) -> str:
    return "null" if violation.kind == "required" else f"'{violation.value}'"


def _lower(path: str) -> str:
    """AWS names members as its own (Java) code does: roleName, whatever the wire says."""
    return ".".join(part[:1].lower() + part[1:] for part in path.split("."))
