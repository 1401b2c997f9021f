"""moto's answers, found quicker: under which names a member of an answer may stand on an object is thought out once.

moto writes most answers by walking botocore's model over its own objects, and tries for each member the names of six
providers of aliases, each with its form in snake case. What they say follows from the object's class and the member
alone, and was a third of the time of a world with a network in it. For upstream: a cache of the same kind in
moto.core.serialize.AttributePicker; here it goes when moto has one (tests/emulator/test_picking.py says the same of
both).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from moto.core import responses, serialize
from moto.core.constants import MISSING
from moto.core.utils import get_value

MOST = 100_000  # kinds of members: a course has a few thousand
Kind = tuple[Any, ...]
Transform = Callable[[Any], Any]
plainly = serialize.XFormedAttributePicker.__call__
_names: dict[Kind, tuple[str, ...]] = {}


def quickly(self: Any, context: Any) -> Any:
    """As AttributePicker.__call__."""
    if self.alias_providers is not serialize.DEFAULT_ALIAS_PROVIDERS or context.shape is None:
        return plainly(self, context)
    value = None
    for name in _names_of(self, context):
        found = get_value(context.obj, name, MISSING)
        if found is not MISSING:
            value = found
            break
    transform = _transform_of(self.response_transformers, f"{context.key_path}.{context.key}")
    return transform(value) if transform else value


def _names_of(picker: Any, context: Any) -> tuple[str, ...]:
    shape, service = context.shape, context.service_model
    parent = getattr(shape, "parent", None)
    kind = (
        type(context.obj),
        context.key,
        shape.name,
        shape.type_name,
        shape.serialization.get("name"),
        parent.name if parent is not None else None,
        service.service_name if service is not None else None,
    )
    names = _names.get(kind)
    if names is None:
        if len(_names) > MOST:
            _names.clear()
        names = _names[kind] = tuple(dict.fromkeys(picker.get_possible_keys(context)))
    return names


def _transform_of(transformers: dict[str, Transform], path: str) -> Transform | None:
    """What a response class of moto's does to the member at this path. Looked up anew: a call may change them."""
    for end, transform in transformers.items():
        if path.endswith(end):
            return transform
    return None


def be_quick() -> None:
    """Take the place of moto's own, in this process."""
    pickers: Any = serialize.XFormedAttributePicker
    pickers.__call__ = quickly
    asked: Any = responses
    if not hasattr(asked.method_names_from_class, "cache_info"):  # asked of the same class for every request
        asked.method_names_from_class = lru_cache(maxsize=256)(asked.method_names_from_class)
