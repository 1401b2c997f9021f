"""The errors of reading a policy."""

from __future__ import annotations

from fargrade.semantics.texts import t


class MalformedPolicy(ValueError):
    """IAM would refuse this policy (error code MalformedPolicyDocument), or it says what is not known here.

    `message` is what AWS says; `reason` says it plainly: a template with `values` to fill in, so that it can
    be translated before it is filled.
    """

    code = "MalformedPolicyDocument"

    def __init__(self, message: str, reason: str = "", **values: object) -> None:
        self.message = message
        self.reason = reason or message.replace("{", "{{").replace("}", "}}")
        self.values = values
        super().__init__(message)


class UnknownCondition(MalformedPolicy):
    """A condition operator that does not exist."""

    def __init__(self, operator: str) -> None:
        super().__init__(
            f"Invalid Condition type : {operator}.",
            t("there is no condition operator {operator}"),
            operator=operator,
        )


class PolicyTooLarge(MalformedPolicy):
    """A policy that is over IAM's quota."""

    code = "LimitExceeded"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Maximum policy size of {limit} bytes exceeded",
            t("the policy has more than {limit} characters (white space not counted)"),
            limit=limit,
        )
