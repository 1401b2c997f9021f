"""Passes a learner's request on to where AWS, or what stands for it, is: signed anew with credentials of ours."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from fargrade.emulator.errors import Refused, Response
from fargrade.emulator.guard import Incoming

CONNECT_SECONDS = 10
READ_SECONDS = 60
# What belongs to the learner's own signature; the new one brings its own.
SIGNED = ("authorization", "x-amz-date", "x-amz-security-token", "host", "date", "expect", "accept-encoding")


@dataclass(frozen=True)
class Keys:
    """Credentials; `token` for those of a session."""

    access: str
    secret: str
    token: str = ""


class Upstream:
    """An endpoint, or AWS itself where `url` is empty."""

    def __init__(self, url: str, keys: Callable[[], Keys]) -> None:
        self.url = url.rstrip("/")
        self._keys = keys
        self._local = threading.local()

    def send(self, given: Incoming) -> Response:
        """The endpoint's answer. Raises Refused (503) where none comes."""
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        base = self.url or address_of(given.service.model, given.region)
        headers = {name: value for name, value in given.headers.items() if name.lower() not in SIGNED}
        request = AWSRequest(given.method, base + given.path, headers=headers, data=given.body)
        request.headers["Host"] = urlsplit(base).netloc
        self._sign(request, given)
        try:
            answer = self._session().send(request.prepare())
        except BotoCoreError as error:
            raise Refused("ServiceUnavailable", f"{base} does not answer: {error}"[:300], 503) from None
        return Response(int(answer.status_code), {str(k): str(v) for k, v in answer.headers.items()}, answer.content)

    def _sign(self, request: Any, given: Incoming) -> None:
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.credentials import Credentials

        if "Authorization" not in given.headers and not any(name.lower() == "authorization" for name in given.headers):
            return  # AWS takes it unsigned: AssumeRoleWithWebIdentity
        keys = self._keys()
        signer = S3SigV4Auth if given.service.model == "s3" else SigV4Auth
        credentials = Credentials(keys.access, keys.secret, keys.token or None)
        request.context["payload_signing_enabled"] = True
        signer(credentials, given.service.scope, given.region).add_auth(request)

    def _session(self) -> Any:
        """A pool of connections, one a thread."""
        from botocore.httpsession import URLLib3Session

        if not hasattr(self._local, "session"):
            self._local.session = URLLib3Session(timeout=(CONNECT_SECONDS, READ_SECONDS))
        return self._local.session


@lru_cache(maxsize=64)
def address_of(service: str, region: str) -> str:
    """AWS's own address of the service in the region, by botocore's rules."""
    import botocore.session

    client = botocore.session.Session().create_client(
        service, region_name=region, aws_access_key_id="none", aws_secret_access_key="none"
    )
    return str(client.meta.endpoint_url)
