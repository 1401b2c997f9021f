"""What may pass to a service at all: signed calls of the course's services, in AWS's own spelling.

Service and region come from the signature's scope, never from the Host header or the path, and the request that
moto sees is made anew from what was let through: moto's admin paths and headers cannot be spelt from outside,
and what the gateway decoded is what moto answers.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote

from fargrade.emulator.errors import Refused
from fargrade.emulator.services import SERVICES, Service, known_region, service_model

SCOPE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
ALLOWED_HEADERS = re.compile(
    r"(content-|x-amz-(?!moto)|smithy-protocol$|x-amzn-|accept|user-agent$|authorization$|range$|if-|date$)", re.I
)
FORM = "application/x-www-form-urlencoded"
MAX_BODY = 32 << 20
# What AWS answers without a signature: docs.aws.amazon.com/STS/latest/APIReference, "does not require the use
# of AWS security credentials".
UNSIGNED = {"AssumeRoleWithWebIdentity": "sts", "AssumeRoleWithSAML": "sts"}


@dataclass(frozen=True)
class Incoming:
    """A request as it was let through: for `service` in `region`, with nothing in it that moto would obey."""

    service: Service
    region: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    access_key: str = ""

    @property
    def session_token(self) -> str:
        """The token of temporary credentials that goes with the signature, "" where there is none."""
        return _header(self.headers, "X-Amz-Security-Token") or unquote(_query(self.path, "X-Amz-Security-Token"))

    @property
    def bare_path(self) -> str:
        return self.path.partition("?")[0]


def admit(method: str, path: str, headers: Mapping[str, str], body: bytes, home: str) -> Incoming:
    """The request, if it may pass; `home` is the region of what is not signed. Raises Refused."""
    service, region, key = _scope(path, headers, body, home)
    kept = {name: value for name, value in headers.items() if ALLOWED_HEADERS.match(name)}
    if service.model != "s3":  # there the encoding is the object's own
        body = _unpacked(kept, body)
        kept = {name: value for name, value in kept.items() if name.lower() != "content-encoding"}
    given = Incoming(service, region, method, path, kept, body, key)
    return _as_aws_spells_it(given)


def _scope(path: str, headers: Mapping[str, str], body: bytes, home: str) -> tuple[Service, str, str]:
    found = _signed(path, headers)
    scope, region = (found[4], found[3]) if found else (_unsigned(body), home)
    service = SERVICES.get(scope)
    if not scope:
        raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    if service is None:
        raise Refused("AccessDeniedException", f"The service {scope} is not part of this course.", 403)
    if service.partition_wide and known_region(region):
        region = service.only_region
    if service.only_region and region != service.only_region:
        raise Refused(
            "UnknownEndpoint", f"{service.model} has no endpoint in {region}: use {service.only_region}.", 404
        )
    if not known_region(region):
        raise Refused("UnknownEndpoint", f"There is no region {region} among those of AWS's commercial partition.", 404)
    return service, region, found[1] if found else ""


def _signed(path: str, headers: Mapping[str, str]) -> re.Match[str] | None:
    """The credential scope that the request is signed for, in its header or (presigned) in its address."""
    return SCOPE.search(_header(headers, "Authorization")) or SCOPE.search(
        "Credential=" + unquote(_query(path, "X-Amz-Credential"))
    )


def claimed_protocol(path: str, headers: Mapping[str, str]) -> str:
    """The protocol in which the client of a request that may not pass will read the refusal."""
    found = _signed(path, headers)
    service = SERVICES.get(found[4]) if found else None
    return service_model(service.model).protocol if service else "json"


def _unsigned(body: bytes) -> str:
    """The scope of a call that AWS takes unsigned; "" for any other."""
    if len(body) > 1 << 16:
        return ""
    named = [value for name, value in parse_qsl(body.decode("utf-8", "replace")) if name == "Action"]
    return UNSIGNED.get(named[0], "") if len(named) == 1 else ""


def _as_aws_spells_it(given: Incoming) -> Incoming:
    """The request without the second ways of naming an operation that moto, not AWS, would follow."""
    protocol = spoken(given)
    kind = _kind(given)
    if protocol == "smithy-rpc-v2-cbor":
        return replace(given, path=given.bare_path)  # the path alone names the operation
    if protocol in ("json", "query", "ec2") and given.bare_path != "/":
        raise Refused("UnknownOperationException", f"{given.service.model} has no address {given.bare_path[:80]}", 404)
    without_target = {name: value for name, value in given.headers.items() if name.lower() != "x-amz-target"}
    if protocol == "json" and kind != FORM:
        return replace(given, path="/")  # moto would take an Action from the query string first
    if protocol in ("json", "query", "ec2"):
        path = "/" if kind == FORM and given.body else given.path  # the body alone says what is asked
        headers = without_target if kind == FORM or protocol != "json" else given.headers
        return replace(given, path=path, headers=headers)
    query = dict(parse_qsl(given.path.partition("?")[2], keep_blank_values=True))
    if "Action" in query or kind.startswith("multipart/"):
        raise Refused("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    return replace(given, headers=without_target)


def spoken(given: Incoming) -> str:
    """The protocol that the request is in: a service may speak several, told apart by the content's type."""
    model = service_model(given.service.model)
    protocols = model.metadata.get("protocols") or [model.protocol]
    if len(protocols) == 1:
        return str(protocols[0])
    if _header(given.headers, "Smithy-Protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    return "query" if _kind(given) == FORM and "query" in protocols else "json"


def _kind(given: Incoming) -> str:
    return _header(given.headers, "Content-Type").partition(";")[0].strip().lower()


def _unpacked(headers: Mapping[str, str], body: bytes) -> bytes:
    """The body without the gzip that SDKs may put round it. Raises Refused for what is none, or too much."""
    if _header(headers, "Content-Encoding").strip().lower() != "gzip":
        return body
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(body, MAX_BODY)
    except zlib.error:
        raise Refused("SerializationException", "The body is not gzip, as its Content-Encoding says.") from None
    if unpacking.unconsumed_tail:
        raise Refused("RequestEntityTooLarge", "The request is too large.", 413)
    return plain


def _header(headers: Mapping[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted.lower()), "")


def _query(path: str, name: str) -> str:
    for part in path.partition("?")[2].split("&"):
        key, _, value = part.partition("=")
        if key == name:
            return value
    return ""
