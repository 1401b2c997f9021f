"""The constraints that botocore's own models carry, checked as AWS checks them at the door.

One walker for every service: required members, enums, patterns, lengths, ranges. Plans are compiled once an
operation, so that the price per call is small. Source: the service models in botocore (Smithy traits).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from fargrade.emulator.errors import Refused

# Members whose model says more than AWS enforces, each with why.
LENIENT = {
    # ECR reports the whole policy's faults in its own words; the length is part of those (semantics.lifecycle).
    ("ecr", "lifecyclePolicyText"),
    # botocore fills the registry in from the account, and AWS takes any registry it may access.
    ("ecr", "registryId"),
}
MAX_DEPTH = 12


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
    return _compile(shape, operation.service_model.service_name, 0) if shape else None


def _compile(shape: Any, service: str, depth: int) -> Check | None:
    if depth > MAX_DEPTH:
        return None
    if shape.type_name == "structure":
        return _structure(shape, service, depth)
    if shape.type_name == "list":
        return _list(shape, service, depth)
    if shape.type_name == "map":
        return _map(shape, service, depth)
    return _scalar(shape)


def _structure(shape: StructureShape, service: str, depth: int) -> Check:
    required = list(shape.metadata.get("required", []))
    members = {
        name: inner
        for name, member in shape.members.items()
        if (service, name) not in LENIENT and (inner := _compile(member, service, depth + 1))
    }

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


def _list(shape: ListShape, service: str, depth: int) -> Check:
    inner = _compile(shape.member, service, depth + 1)
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


def _map(shape: MapShape, service: str, depth: int) -> Check:
    key_check = _compile(shape.key, service, depth + 1)
    value_check = _compile(shape.value, service, depth + 1)

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
    pattern = _pattern(source)
    sized = _length(shape)

    def check(path: str, value: Any) -> Iterator[Violation]:
        if not isinstance(value, str):
            if not hasattr(value, "isoformat"):
                yield Violation(path, _text(value), "type", "Member must be a string")
            return
        yield from sized(path, value)
        if enum and value not in enum:
            yield Violation(path, value, "enum", f"Member must satisfy enum value set: [{', '.join(enum)}]")
        if pattern and not pattern.search(value):
            yield Violation(path, value, "pattern", f"Member must satisfy regular expression pattern: {source}")

    return check


@lru_cache(maxsize=4096)
def _pattern(source: str) -> re.Pattern[str] | None:
    """The model's pattern as Python reads it; patterns that only Java reads are not enforced.

    AWS anchors most patterns; a model's pattern is meant to match the whole value unless it is anchored itself.
    """
    if not source:
        return None
    try:
        return re.compile(source if source.startswith("^") or source.endswith("$") else rf"\A(?:{source})\Z")
    except re.error:
        return None


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
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "…"


def refusal(service: str, protocol: str, found: list[Violation]) -> Refused:
    """`found` in the words of the service: ECR names the parameter, most others the number of errors."""
    first = found[0]
    if service in ("ecr", "ecr-public"):
        return Refused(
            "InvalidParameterException",
            f"Invalid parameter at '{first.path}' failed to satisfy constraint: '{_ecr_words(first)}'",
        )
    if service == "ecs":
        return Refused("InvalidParameterException", f"Invalid value for '{first.path}': {first.must}")
    if protocol == "ec2":
        code = "MissingParameter" if first.kind == "required" else "InvalidParameterValue"
        return Refused(code, f"Invalid value '{first.value}' for {first.path}: {first.must}")
    plural = "s" if len(found) > 1 else ""
    said = "; ".join(
        f"Value '{one.value}' at '{one.path}' failed to satisfy constraint: {one.must}" for one in found[:10]
    )
    code = "ValidationError" if protocol == "query" else "ValidationException"
    return Refused(code, f"{len(found)} validation error{plural} detected: {said}")


def _ecr_words(violation: Violation) -> str:
    if violation.kind == "pattern":
        return (
            violation.must.replace(
                "Member must satisfy regular expression pattern: ", "must satisfy regular expression '"
            )
            + "'"
        )
    return violation.must
