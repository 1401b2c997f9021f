"""What a backend lacks is never the learner's failure: how each says so, and what plan of LocalStack has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fargrade.course.language import translate as t

# docs.localstack.cloud/aws/licensing: the cheapest plan in which each service of the course is, as of 2026.
PLANS = {
    **dict.fromkeys(("ec2", "iam", "sts", "s3", "cloudwatch", "logs", "ssm", "events", "secretsmanager"), "Hobby"),
    **dict.fromkeys(("ecr", "ecr-public", "ecs", "elbv2", "application-autoscaling", "codebuild"), "Base"),
    **dict.fromkeys(("codedeploy", "codepipeline", "xray", "codeconnections"), "Ultimate"),
}
UNSUPPORTED_CODES = {
    *("InvalidAction", "UnknownOperationException", "NotImplemented", "NotImplementedError"),
    *("EmulatorFault", "InternalFailure", "InternalError"),
}
UNSUPPORTED_WORDS = ("license", "not implemented", "not yet implemented", "not supported by", "not included in your")


class BackendProblem(Exception):
    """The backend cannot be used as asked; the message is one sentence that says what to do."""


class Lacking(Exception):
    """This backend lacks what a check needs: the check is not judged. The message is the learner's."""


def ability(name: str, backend: str) -> Lacking:
    """What to raise where the world has no such method: only the embedded backend can do it."""
    what = {
        "push_image": t("images pushed long ago, or indexes of images"),
        "behaviour": t("images that do something when they run"),
        "seed_findings": t("scan findings made for the check"),
        "advance": t("a clock that can be moved"),
        "docker_log": t("the course's own docker"),
    }.get(name, name)
    return Lacking(
        t("This needs {ability}, which only the embedded backend has (backend=moto).", ability=what)
        + t(" This is {backend}.", backend=backend)
    )


def missing_service(service: str, backend: str, said: str = "") -> Lacking:
    """What to raise where the backend has not the service at all."""
    plan = (
        t(" LocalStack has it from its plan {plan} on.", plan=PLANS[service])
        if backend == "localstack" and service in PLANS
        else ""
    )
    said = f" ({said})" if said else ""
    return Lacking(t("This backend lacks {service}{said}.", service=service, said=said) + plan)


def unsupported(error: BaseException) -> str:
    """What the backend lacks, as its answer to a call says it; "" for an answer that AWS could have given, too.

    Unsupported looks like: HTTP 501, InternalFailure, a message with "license", the code 400 with an empty message,
    InvalidAction, UnknownOperationException, NotImplementedError, 404 for a whole service; or like nothing at all,
    where the connection breaks or what comes back cannot be read.
    """
    name = type(error).__name__
    if name in ("EndpointConnectionError", "ConnectionClosedError", "ReadTimeoutError", "ConnectTimeoutError"):
        return str(error)
    if name == "ResponseParserError":
        return str(error)[:200]
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping) or "Error" not in response:
        return ""
    code = str(response["Error"].get("Code", ""))
    message = str(response["Error"].get("Message") or "")
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    operation = str(getattr(error, "operation_name", ""))
    return unsupported_answer(status, code, message, operation)


def unsupported_answer(status: int, code: str, message: str, operation: str = "") -> str:
    """The same, for an answer's parts."""
    said = f"{operation}: {code} {message}".strip()[:300]
    if status in (501, 502, 503, 504) or code in UNSUPPORTED_CODES:
        return said
    if any(word in message.lower() for word in UNSUPPORTED_WORDS):
        return said
    if code in ("400", "404", "405", "500", "") and not message.strip(" .").lower().replace("not found", ""):
        return said
    if status >= 500:
        return said
    return ""


def as_lacking(error: BaseException | None) -> Lacking | None:
    """The Lacking that this error of the grader's own call means; None where it means something else."""
    if isinstance(error, Lacking):
        return error
    said = unsupported(error) if error is not None else ""
    return Lacking(t("This backend cannot do what the check asks of it ({said}).", said=said)) if said else None


def first_unsupported(calls: list[Any]) -> str:
    """The first of the learner's recorded calls that the backend could not serve, as a line; "" for none."""
    for call in calls:
        if call.status >= 400 and unsupported_answer(call.status, call.error, call.message, call.operation):
            return str(call.summary())
    return ""
