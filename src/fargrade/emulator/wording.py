"""What each service says of a call that breaks its model: the error's code, and AWS's words where known.

Facts: ECR's from its own refusals (terraform-aws-ecr issue 19, jenkins-x issue 1344: "Invalid parameter at
'repositoryName' failed to satisfy constraint: 'must satisfy regular expression …'"); the "N validation errors
detected" of most others is AWS's framework speaking (IAM, STS, CloudWatch Logs, CodeBuild and so on).
"""

from __future__ import annotations

from collections.abc import Iterable

from fargrade.emulator.constraints import Violation
from fargrade.emulator.errors import Refused

# Error codes of the services whose framework message comes under another name than ValidationException.
CODES = {
    "logs": "InvalidParameterException",
    "cloudwatch": "ValidationError",
    "xray": "InvalidRequestException",
    "codebuild": "InvalidInputException",
}
# S3's own codes: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
S3_CODES = {
    "LocationConstraint": ("InvalidLocationConstraint", "The specified location-constraint is not valid"),
    "StorageClass": ("InvalidStorageClass", "The storage class you specified is not valid"),
}
MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"
SHOWN = 10


def refusal(service: str, protocol: str, found: list[Violation], errors: Iterable[str] = ()) -> Refused:
    """`found` (not empty) as the service refuses it; `errors` are the names that the operation's model has."""
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
        return _s3(first)
    if service == "codedeploy" and (own := _codedeploy(first, errors)):
        return own
    return _framework(service, protocol, found)


def _s3(violation: Violation) -> Refused:
    """What stands in the body is XML that is not valid; what stands in the address or a header is an argument."""
    _, inside, name = violation.path.rpartition(".")
    if violation.kind == "enum" and name in S3_CODES:
        return Refused(*S3_CODES[name])
    if inside:
        return Refused("MalformedXML", MALFORMED)
    missing = violation.kind == "required"
    return Refused("MissingRequestParameter" if missing else "InvalidArgument", f"{violation.path}: {violation.must}")


def _codedeploy(violation: Violation, errors: Iterable[str]) -> Refused | None:
    """CodeDeploy names the member in the error, as its API reference lists them: ApplicationNameRequiredException."""
    name = violation.path.partition(".")[0]
    name = name[:1].upper() + name[1:]
    wanted = f"{name}RequiredException" if violation.kind == "required" else f"Invalid{name}Exception"
    found = next((one for one in errors if one.lower() == wanted.lower()), "")
    if not found:
        return None
    said = "must be specified" if violation.kind == "required" else f"is not valid: {violation.must}"
    return Refused(found, f"{name} {said}")


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
