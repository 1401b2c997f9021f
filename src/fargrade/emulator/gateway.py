"""The gateway in front of moto: guard → decode → constrain → refuse → answer → record.

The learner reaches nothing but the AWS calls of the course: the service comes from the signature's scope, never
from a path or Host header, so that moto's own admin paths cannot be spelt at all.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from fargrade.emulator import constraints, ecr, ecr_public, extensions, moto_backend, rules
from fargrade.emulator.errors import Refused, Response, error_in, error_response
from fargrade.emulator.recording import Recording
from fargrade.emulator.services import SERVICES, Service, service_model

SCOPE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
ALLOWED_HEADERS = re.compile(
    r"(content-|x-amz-(?!moto)|x-amzn-|accept|user-agent|authorization$|range$|if-|date$)", re.I
)
MAX_BODY = 32 << 20

__all__ = ["Gateway", "ecr", "ecr_public"]


class Gateway:
    """One world. Calls are answered one at a time: moto is not made for threads."""

    def __init__(self, services: Iterable[str], region: str) -> None:
        self.region = region
        self.recording = Recording()
        self._lock = threading.RLock()
        for name in services:
            moto_backend.load(_by_name(name))

    def reset(self, seed: int, account: str = rules.ACCOUNT) -> None:
        """A world with nothing in it, of this account."""
        with self._lock:
            moto_backend.reset(seed)
            rules.use_account(account)
            self.recording = Recording()
            for hook in extensions.reset_hooks:
                hook()

    def control(self, operation: str, arguments: dict[str, Any]) -> Any:
        """Run an operation of the control channel. Raises KeyError for one that is not there, Refused."""
        with self._lock:
            return extensions.control_operations[operation](**arguments)

    def from_learner(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer a request off the learner's listener: guarded and recorded."""
        bare = path.split("?", 1)[0]
        if bare in extensions.learner_routes and method == "POST":
            with self._lock:
                status, content = extensions.learner_routes[bare](body)
            return Response(status, {"Content-Type": "application/json"}, content)
        try:
            service, region = scope_of(path, headers)
        except Refused as refused:
            with self._lock:
                self.recording.add("?", f"{method} {unquote(bare)[:80]}", {}, status=refused.status, error=refused.code)
            return error_response(refused, "json")
        return self._answer(service, region, method, path, headers, body, record=True)

    def from_grader(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer the grader's own request: the same rules, not recorded."""
        service, region = scope_of(path, headers)
        return self._answer(service, region, method, path, headers, body, record=False)

    def _answer(
        self,
        service: Service,
        region: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        record: bool,
    ) -> Response:
        protocol = service_model(service.model).protocol
        kept = {name: value for name, value in headers.items() if ALLOWED_HEADERS.match(name)}
        operation = "?"
        parameters: dict[str, Any] = {}
        with self._lock:
            try:
                request = moto_backend.request_of(service, region, method, path, kept, body)
                operation, parameters = moto_backend.decode(service, request)
                call = rules.Call(service.model, operation, parameters, region)
                response = self._ruled(service, call, request, protocol)
            except Refused as refused:
                response = error_response(refused, protocol)
            except Exception as error:  # moto's own failure is a server's fault, never the learner's
                response = error_response(Refused("InternalFailure", f"{type(error).__name__}: {error}", 500), protocol)
            if record:
                code, message = error_in(response)
                self.recording.add(
                    service.model,
                    operation,
                    parameters,
                    status=response.status,
                    error=code,
                    message=message,
                    region=region,
                )
        return response

    def _ruled(self, service: Service, call: rules.Call, request: Any, protocol: str) -> Response:
        found = constraints.violations(service_model(service.model).operation_model(call.operation), call.parameters)
        if found:
            raise constraints.refusal(service.model, protocol, found)
        for refuse in rules.refusals_of(call):
            refuse(call)
        ours = rules.answer_of(call.service, call.operation)
        if ours:
            return json_response(ours(call))
        if not service.in_moto:
            raise Refused("UnknownOperationException", f"{call.operation} is not part of this emulator.")
        return moto_backend.dispatch(service, request)


def scope_of(path: str, headers: Mapping[str, str]) -> tuple[Service, str]:
    """The service and region that the request is signed for. Raises Refused."""
    found = SCOPE.search(headers.get("Authorization", "")) or SCOPE.search(
        "Credential=" + unquote(_query(path, "X-Amz-Credential"))
    )
    if not found:
        raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    region, scope = found[3], found[4]
    service = SERVICES.get(scope)
    if service is None:
        raise Refused("AccessDeniedException", f"The service {scope} is not part of this course.", 403)
    if service.only_region and region != service.only_region:
        raise Refused(
            "UnknownEndpoint", f"{service.model} has no endpoint in {region}: use {service.only_region}.", 404
        )
    return service, region


def _query(path: str, name: str) -> str:
    for part in path.partition("?")[2].split("&"):
        key, _, value = part.partition("=")
        if key == name:
            return value
    return ""


def _by_name(name: str) -> Service:
    from fargrade.emulator.services import BY_MODEL

    return BY_MODEL[name]


def json_response(answer: dict[str, Any]) -> Response:
    """`answer` as the json protocol sends it: times as seconds since 1970, nothing where nothing is."""
    text = json.dumps({k: v for k, v in answer.items() if v is not None}, default=_json)
    return Response(200, {"Content-Type": "application/x-amz-json-1.1"}, text.encode())


def _json(value: object) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)
