"""The constraints that botocore's own models carry, checked as AWS checks them at the door.

One walker for every service: required members, enums, patterns, lengths, ranges. Plans are compiled once an
operation, so that the price per call is small. Source: the service models in botocore (Smithy traits).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from fargrade.emulator import patterns

# Members whose model says more than AWS enforces, each with why.
LENIENT = {
    # ECR reports the whole policy's faults in its own words; the length is part of those (semantics.lifecycle).
    ("ecr", "lifecyclePolicyText"),
}


@dataclass(frozen=True)
class Violation:
    """What is wrong with one member: its path, the value as text, and the constraint in AWS's words."""

    path: str
    value: str
    kind: str
    must: str


Check = Callable[[str, Any], Iterator[Violation]]


def violations(operation: OperationModel, parameters: dict[str, Any]) -> list[Violation]:
    """Everything in `parameters` that breaks the operation's model, in the order of the model."""
    check = _plan(operation)
    return list(check("", parameters)) if check else []


@lru_cache(maxsize=2048)
def _plan(operation: OperationModel) -> Check | None:
    shape = operation.input_shape
    return _Compiler(operation.service_model.service_name).compile(shape) if shape else None


class _Compiler:
    """Turns shapes into checks, each shape once: models refer to themselves, and often to the same shapes."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._structures: dict[str, Check] = {}

    def compile(self, shape: Any) -> Check | None:
        if shape.type_name == "structure":
            return self._structure(shape)
        if shape.type_name == "list":
            return _list(shape, self.compile(shape.member))
        if shape.type_name == "map":
            return _map(self.compile(shape.key), self.compile(shape.value))
        return _scalar(shape)

    def _structure(self, shape: StructureShape) -> Check:
        if shape.name not in self._structures:
            members: dict[str, Check] = {}
            # Known before its members are: a member may lead back here.
            self._structures[shape.name] = _structure(list(shape.metadata.get("required", [])), members)
            for name, member in shape.members.items():
                if (self._service, name) not in LENIENT and (inner := self.compile(member)):
                    members[name] = inner
        return self._structures[shape.name]


def _structure(required: list[str], members: dict[str, Check]) -> Check:
    def check(path: str, value: Any) -> Iterator[Violation]:
        if not isinstance(value, dict):
            yield Violation(path, _text(value), "type", "Member must be a structure")
            return
        for name in required:
            if value.get(name) is None:
                yield Violation(_join(path, name), "null", "required", "Member must not be null")
        for name, inner in members.items():
            if value.get(name) is not None:
                yield from inner(_join(path, name), value[name])

    return check


def _list(shape: ListShape, inner: Check | None) -> Check:
    sized = _length(shape)

    def check(path: str, value: Any) -> Iterator[Violation]:
        if not isinstance(value, list):
            yield Violation(path, _text(value), "type", "Member must be a list")
            return
        yield from sized(path, value)
        if inner:
            for index, one in enumerate(value):
                yield from inner(f"{path}.{index + 1}.member", one)

    return check


def _map(key_check: Check | None, value_check: Check | None) -> Check:
    def check(path: str, value: Any) -> Iterator[Violation]:
        if not isinstance(value, dict):
            yield Violation(path, _text(value), "type", "Member must be a map")
            return
        for key, one in value.items():
            if key_check:
                yield from key_check(path, key)
            if value_check:
                yield from value_check(f"{path}.{key}", one)

    return check


def _scalar(shape: Shape) -> Check | None:
    if shape.type_name == "string":
        return _string(shape)
    if shape.type_name in ("integer", "long", "float", "double"):
        return _number(shape)
    if shape.type_name == "boolean":
        return _typed(bool, "Member must be a boolean")
    return None


def _typed(kind: type, must: str) -> Check:
    def check(path: str, value: Any) -> Iterator[Violation]:
        if not isinstance(value, kind):
            yield Violation(path, _text(value), "type", must)

    return check


def _string(shape: Shape) -> Check:
    enum = list(shape.metadata.get("enum", []))
    source = shape.metadata.get("pattern", "")
    pattern = patterns.compiled(source)
    sized = _length(shape)

    def check(path: str, value: Any) -> Iterator[Violation]:
        if not isinstance(value, str):
            if not hasattr(value, "isoformat"):
                yield Violation(path, _text(value), "type", "Member must be a string")
            return
        fits = True
        for wrong in sized(path, value):
            fits = False
            yield wrong
        if enum and value not in enum:
            yield Violation(path, value, "enum", f"Member must satisfy enum value set: [{', '.join(enum)}]")
        if pattern and fits and not patterns.satisfied(pattern, value):
            yield Violation(path, value, "pattern", f"Member must satisfy regular expression pattern: {source}")

    return check


def _number(shape: Shape) -> Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")

    def check(path: str, value: Any) -> Iterator[Violation]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Violation(path, _text(value), "type", "Member must be a number")
        elif least is not None and value < least:
            yield Violation(path, _text(value), "min", f"Member must have value greater than or equal to {least}")
        elif most is not None and value > most:
            yield Violation(path, _text(value), "max", f"Member must have value less than or equal to {most}")

    return check


def _length(shape: Shape) -> Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")

    def check(path: str, value: Any) -> Iterator[Violation]:
        if least is not None and len(value) < least:
            yield Violation(path, _text(value), "length", f"Member must have length greater than or equal to {least}")
        if most is not None and len(value) > most:
            yield Violation(path, _text(value), "length", f"Member must have length less than or equal to {most}")

    return check


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _text(value: Any) -> str:
    """The value as AWS's (Java) messages write it: a list without quotes."""
    text = f"[{', '.join(map(_text, value))}]" if isinstance(value, list) else str(value)
    return text if len(text) <= 200 else text[:200] + "…"
