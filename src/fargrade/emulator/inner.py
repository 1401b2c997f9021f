"""AWS's services calling one another in this world: CodePipeline updating an ECS service, CodeBuild writing to S3.

These calls go the way of everybody's, through the gateway's constraints and refusals, and are in nobody's recording.
Whether the role that a service acts in may make them is asked of `roles` by whoever calls.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from fargrade.emulator.errors import Response

Answer = Callable[[str, str, dict[str, str], bytes], Response]
_answer: Answer | None = None


def answered_by(answer: Answer) -> None:
    """Have `answer(method, path, headers, body)` answer these calls: the gateway's, once there is one."""
    global _answer
    _answer = answer


@lru_cache(maxsize=64)
def client(service: str, region: str) -> Any:
    """A boto client of `service` whose calls stay in this process. They raise botocore's ClientError."""
    made = _session().create_client(
        service,
        region_name=region,
        aws_access_key_id="AKIAIOSFODNNSERVICES",
        aws_secret_access_key="services",
        endpoint_url="http://world.invalid",
    )
    made.meta.events.register("before-send", _send)
    return made


@lru_cache(maxsize=1)
def _session() -> Any:
    import botocore.session

    return botocore.session.Session()


def _send(request: Any, **_: Any) -> Any:
    from botocore.awsrequest import AWSResponse
    from botocore.compat import HTTPHeaders

    assert _answer is not None, "there is no gateway yet"
    address = urlsplit(request.url)
    path = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
    headers = {str(k): v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
    came = _answer(request.method, path, headers, body)
    return AWSResponse(request.url, came.status, HTTPHeaders.from_dict(came.headers), _Raw(came.body))


class _Raw(io.BytesIO):
    """The body as urllib3 would hand it to botocore."""

    def stream(self, amount: int = 65536, **_: Any) -> Iterator[bytes]:
        while part := self.read(amount):
            yield part
