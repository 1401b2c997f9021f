"""The protocols that clients speak: which one a request is in, and our own answers in each.

Newer SDKs send some services CBOR (Smithy RPC v2, smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html).
Such a request is made anew as the JSON one of the same service, and the JSON answer is put into CBOR again, so that
nothing behind the gateway needs to know a second binary form.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.model import OperationModel, Shape

from fargrade.emulator.errors import Refused, Response
from fargrade.emulator.guard import FORM, Incoming, spoken
from fargrade.emulator.services import service_model

CBOR_PATH = re.compile(r"/service/[A-Za-z0-9_.]{1,80}/operation/([A-Za-z0-9]{1,80})")
CBOR = "smithy-rpc-v2-cbor"

__all__ = ["CBOR", "FORM", "answered", "as_cbor", "as_json", "spoken"]


def as_json(given: Incoming) -> Incoming:
    """The CBOR request as the service's JSON protocol has it. Raises Refused for what cannot be read."""
    model = service_model(given.service.model)
    found = CBOR_PATH.fullmatch(given.bare_path)
    if found is None or found[1] not in model.operation_names:
        raise Refused("UnknownOperationException", "The requested operation is not supported.", 404)
    operation = model.operation_model(found[1])
    try:
        parameters = _decoded(given.body) if given.body else {}
        plain = _plain(parameters, operation.input_shape) if operation.input_shape else {}
    except Exception:
        raise Refused("SerializationException", "The body is not the CBOR that the operation takes.") from None
    binary = ("content-type", "smithy-protocol", "accept")
    headers = {name: value for name, value in given.headers.items() if name.lower() not in binary}
    headers["Content-Type"] = f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.1')}"
    headers["X-Amz-Target"] = f"{model.metadata.get('targetPrefix', model.service_name)}.{operation.name}"
    return replace(given, path="/", headers=headers, body=json.dumps(plain).encode())


def as_cbor(response: Response, operation: OperationModel | None) -> Response:
    """The JSON answer, an error or a result of `operation`, in CBOR."""
    said = json.loads(response.body or b"{}")
    if response.status >= 400 or operation is None or operation.output_shape is None:
        body = _encoded(said)
    else:
        body = _serializer()._serialize_body_params(_typed(said, operation.output_shape), operation.output_shape)
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-type"}
    return Response(
        response.status, {**headers, "Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, body
    )


def answered(answer: Mapping[str, Any], operation: OperationModel, protocol: str) -> Response:
    """`answer` (the dict that boto3 shows) as `protocol` sends it."""
    kept = {name: value for name, value in answer.items() if value is not None}
    if protocol in ("json", CBOR, "rest-json"):
        content = json.dumps(kept, default=_json)
        return Response(200, {"Content-Type": "application/x-amz-json-1.1"}, content.encode())
    from moto.core.serialize import get_serializer_class
    from moto.core.utils import get_service_model

    service = operation.service_model.service_name
    # moto's own reading of the model: its writers know no other shapes.
    made = get_serializer_class(service, protocol)(
        get_service_model(service).operation_model(operation.name)
    ).serialize(kept)
    body = made["body"]
    return Response(
        int(made["status_code"]),
        {str(name): str(value) for name, value in made["headers"].items()},
        body.encode() if isinstance(body, str) else bytes(body),
    )


def query_compatible(response: Response, given: Incoming, refused: Refused) -> Response:
    """The error with the name that it had in the query protocol, for clients that ask for it (awsQueryCompatible)."""
    if not any(name.lower() == "x-amzn-query-mode" for name in given.headers):
        return response
    sender = "Sender" if refused.status < 500 else "Receiver"
    return Response(
        response.status, {**response.headers, "x-amzn-query-error": f"{refused.code};{sender}"}, response.body
    )


def _json(value: object) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


@lru_cache(maxsize=1)
def _serializer() -> Any:
    from botocore.serialize import RpcV2CBORSerializer

    return RpcV2CBORSerializer()


def _decoded(body: bytes) -> Any:
    """The value that the bytes encode; botocore's own reader, which it uses for answers."""
    from botocore.parsers import RpcV2CBORParser

    return RpcV2CBORParser()._initial_body_parse(body)


def _plain(value: Any, shape: Shape) -> Any:
    """A decoded value as the JSON protocol writes it: times in seconds, bytes in base64."""
    return _walk(value, shape, _json_scalar)


def _json_scalar(value: Any, shape: Shape) -> Any:
    if shape.type_name == "timestamp" and isinstance(value, datetime):
        return value.timestamp()
    if shape.type_name == "blob" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _typed(value: Any, shape: Shape) -> Any:
    """A JSON value as botocore's CBOR writer takes it."""
    return _walk(value, shape, _cbor_scalar)


def _cbor_scalar(value: Any, shape: Shape) -> Any:
    if shape.type_name == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if shape.type_name == "blob" and isinstance(value, str):
        return base64.b64decode(value)
    return float(value) if shape.type_name in ("double", "float") else value


def _walk(value: Any, shape: Any, scalar: Any) -> Any:
    if value is None:
        return None
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            return value
        return {
            name: _walk(value[name], member, scalar)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [_walk(one, shape.member, scalar) for one in value] if isinstance(value, list) else value
    if shape.type_name == "map":
        return {k: _walk(v, shape.value, scalar) for k, v in value.items()} if isinstance(value, dict) else value
    return scalar(value, shape)


def _encoded(error: Mapping[str, Any]) -> bytes:
    """A map of short texts (an error) in CBOR: RFC 8949, major types 5 and 3."""
    texts = {str(name): str(value) for name, value in error.items() if value is not None}
    return bytes([0xA0 | len(texts)]) + b"".join(_text(name) + _text(value) for name, value in texts.items())


def _text(text: str) -> bytes:
    content = text.encode()
    length = len(content)
    if length < 24:
        return bytes([0x60 | length]) + content
    size, mark = (1, 0x78) if length < 1 << 8 else (2, 0x79) if length < 1 << 16 else (4, 0x7A)
    return bytes([mark]) + length.to_bytes(size, "big") + content
