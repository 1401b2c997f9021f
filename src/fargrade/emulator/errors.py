"""AWS errors in the shape of each protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape


class Refused(Exception):
    """AWS refuses the call: `code` as AWS names it, `message` its words or plain meaning."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


def error_response(refused: Refused, protocol: str) -> Response:
    """`refused` as the service's clients expect it; unknown protocols get JSON."""
    request_id = str(uuid4())
    code, message = escape(refused.code), escape(refused.message)
    sender = "Sender" if refused.status < 500 else "Receiver"
    if protocol == "query":
        text = (
            f"<ErrorResponse><Error><Type>{sender}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    elif protocol == "ec2":
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    elif protocol == "rest-xml":
        text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
    else:
        text = json.dumps({"__type": refused.code, "message": refused.message})
    kind = "application/x-amz-json-1.1" if text.startswith("{") else "text/xml"
    return Response(
        refused.status,
        {"Content-Type": kind, "x-amzn-RequestId": request_id, "x-amzn-ErrorType": refused.code},
        text.encode(),
    )


def error_in(response: Response) -> tuple[str, str]:
    """The code and message of an error response of any protocol, for the recording; ("", "") if none."""
    if response.status < 400:
        return "", ""
    text = response.body.decode("utf-8", "replace")
    try:
        found = json.loads(text)
        code = str(found.get("__type") or response.headers.get("x-amzn-ErrorType") or "").rsplit("#", 1)[-1]
        return code, str(found.get("message") or found.get("Message") or "")
    except (ValueError, AttributeError):
        return _between(text, "Code"), _between(text, "Message")


def _between(text: str, tag: str) -> str:
    _, found, rest = text.partition(f"<{tag}>")
    return rest.partition(f"</{tag}>")[0] if found else ""
