"""What a rule of AWS's says to a request: nothing, or a refusal with AWS's code and words."""

from __future__ import annotations

from dataclasses import dataclass

GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
PARAMETERS = GUIDE + "task_definition_parameters.html"
FARGATE_PARAMETERS = GUIDE + "fargate-tasks-services.html"


@dataclass(frozen=True)
class Refusal:
    """AWS refuses: `code` as AWS names it, `message` its words (or plain meaning), `source` where that is said.

    `rule` is a short name of the rule, which graders may ask by.
    """

    rule: str
    message: str
    code: str = "ClientException"
    source: str = PARAMETERS
