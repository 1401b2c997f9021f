"""What a describe call would return, from moto's objects at once: no request, no XML, no parsing.

moto answers most calls by walking botocore's model of the answer over its own objects; the same walk ends in a dict
here. So whatever moto learns to describe, the emulator's own reading learns, too.
"""

from __future__ import annotations

from typing import Any

from botocore.model import Shape
from moto.core.serialize import JSONSerializer, XFormedAttributePicker
from moto.core.utils import get_service_model


class _Plain(JSONSerializer):
    """Names as in the model, not as any protocol spells them; values as they are."""

    def get_serialized_name(self, shape: Shape, default_name: str) -> str:  # noqa: ARG002
        return default_name

    def _serialize_type_timestamp(self, serialized: Any, value: Any, shape: Shape, key: str) -> None:
        self._default_serialize(serialized, value, shape, key)

    def plain(self, result: object) -> dict[str, Any]:
        shape = self.operation_model.output_shape
        found: dict[str, Any] = {}
        if shape is not None:
            self._serialize(found, result, shape, "")
        return found


def described(service: str, operation: str, result: object, response: type | None = None) -> dict[str, Any]:
    """`result` (of moto's objects) as the operation's answer; `response` is moto's class that answers it, whose
    transformers some answers need."""
    model = get_service_model(service).operation_model(operation)
    transformers = getattr(response, "RESPONSE_KEY_PATH_TO_TRANSFORMER", None)
    return _Plain(operation_model=model, value_picker=XFormedAttributePicker(response_transformers=transformers)).plain(
        result
    )
