"""The way into moto: a decoded request in, moto's response out, with no HTTP server between.

moto's in-process stubber does the same (moto.core.botocore_stubber); here the service is known already.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

from moto.core import responses
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model, method_names_from_class
from werkzeug.exceptions import HTTPException, NotFound

from fargrade.emulator.errors import Refused, Response
from fargrade.emulator.extensions import load_hooks
from fargrade.emulator.guard import Incoming
from fargrade.emulator.picking import be_quick
from fargrade.emulator.rules import ACCOUNT, account
from fargrade.emulator.services import Service

be_quick()


@lru_cache(maxsize=1)
def quicken() -> None:
    """moto lists a service's methods anew in each call, a third of its cost: once is enough. (Upstream: yes.)"""
    named: Any = responses
    named.method_names_from_class = lru_cache(maxsize=256)(method_names_from_class)


def load(service: Service) -> None:
    """Import what answering `service` takes."""
    load_ours(service)
    if service.in_moto:
        _handlers(service.model)
        get_service_model(service.model)


def load_ours(service: Service) -> None:
    """Import our own answers to `service`, where they are not part of every world."""
    if service.ours:
        import_module(f"fargrade.emulator.{service.ours}")


@lru_cache(maxsize=64)
def _handlers(model: str) -> list[tuple[re.Pattern[str], Any]]:
    from moto.backends import get_backend

    backends: Any = get_backend(model)  # type: ignore[call-overload]
    import_module(f"moto.{'s3' if model == 's3' else model.replace('-', '')}.urls")
    for repair in load_hooks.get(model, ()):
        repair()
    of_account = backends[ACCOUNT]
    backend = of_account["us-east-1"] if "us-east-1" in of_account else of_account["aws"]
    return [(re.compile(url), handler) for url, handler in backend.urls.items()]


def request_of(given: Incoming) -> Request:
    """The request as if it had been sent to AWS's own address, in the world's account."""
    own = {**given.headers, "x-moto-account-id": account()}
    return Request.from_primitives(given.method, given.service.url(given.region) + given.path, own, given.body)


def decode(service: Service, request: Request) -> tuple[str, dict[str, Any]]:
    """The operation and its parameters, by botocore's model. Raises Refused for what AWS cannot read."""
    model = get_service_model(service.model)
    try:
        protocol = determine_request_protocol(model, request.content_type)
        operation, in_path = get_service_router(service.model).match(request)
    except (NotFound, NotImplementedError):
        raise _unknown(model.protocol, request) from None
    try:
        parsed: dict[str, Any] = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "headers": request.headers,
                "body": request.data if protocol not in ("query", "ec2") else "",
                "values": request.values,
                "method": request.method,
                "url_path": request.path,
                "url_params": in_path,
            }
        )
    except Exception as error:
        raise Refused("SerializationException", f"The request could not be read: {error}") from None
    if not isinstance(parsed, dict):
        raise Refused("SerializationException", "The request is not an object.")
    return operation.name, parsed


def _unknown(protocol: str, request: Request) -> Refused:
    """AWS's answer to an operation that is none of the service's."""
    if protocol in ("query", "ec2"):
        action = str(request.values.get("Action", ""))[:80]
        return Refused("InvalidAction", f"Could not find operation {action}")
    status = 404 if "rest" in protocol else 400
    return Refused("UnknownOperationException", "The requested operation is not supported.", status)


def dispatch(service: Service, request: Request) -> Response:
    """moto's answer. Raises NotImplementedError for what moto lacks; any other exception is a fault of its."""
    path = request.raw_url.split("?", 1)[0]
    for pattern, handler in _handlers(service.model):
        if pattern.match(path):
            try:
                status, headers, body = handler(request, request.raw_url, request.headers)
            except HTTPException as error:
                status, headers, body = error.code, dict(error.get_headers()), error.get_body()
            content = body.encode() if isinstance(body, str) else body
            return Response(int(status or 200), {str(k): str(v) for k, v in dict(headers).items()}, content)
    raise Refused("UnknownOperationException", f"{service.model} has no such address.", 404)


def reset(seed: int) -> None:
    """Empty every backend, and make moto's ids follow `seed`."""
    from moto.core.base_backend import BackendDict
    from moto.core.model_instances import reset_model_data
    from moto.moto_api._internal import mock_random

    BackendDict.reset()
    reset_model_data()
    mock_random.seed(seed)
