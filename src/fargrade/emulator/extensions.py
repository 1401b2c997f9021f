"""Hooks into the world process: operations on the control channel, and learner paths that are no AWS call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

ControlOperation = Callable[..., Any]
Route = Callable[[bytes], tuple[int, bytes]]
Read = Callable[[Mapping[str, str], Mapping[str, str]], tuple[int, bytes]]

control_operations: dict[str, ControlOperation] = {}
learner_routes: dict[str, Route] = {}
learner_reads: dict[str, Read] = {}
reset_hooks: list[Callable[[], None]] = []
load_hooks: dict[str, list[Callable[[], None]]] = {}


def control_op(name: str) -> Callable[[ControlOperation], ControlOperation]:
    """Register the function as an operation of the control channel; arguments and result are JSON."""

    def register(function: ControlOperation) -> ControlOperation:
        control_operations[name] = function
        return function

    return register


def learner_route(path: str) -> Callable[[Route], Route]:
    """Register the function for POSTs to `path` on the learner's listener: body in, (status, body) out."""

    def register(function: Route) -> Route:
        learner_routes[path] = function
        return function

    return register


def learner_read(path: str) -> Callable[[Read], Read]:
    """Register the function for GETs of `path` on the learner's listener: query and headers in, (status, body) out."""

    def register(function: Read) -> Read:
        learner_reads[path] = function
        return function

    return register


def on_reset(function: Callable[[], None]) -> Callable[[], None]:
    """Call the function whenever the world is made anew."""
    reset_hooks.append(function)
    return function


def on_load(*models: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Call the function when moto's part for one of these services is first loaded: the place of repairs to it."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        for model in models:
            load_hooks.setdefault(model, []).append(function)
        return function

    return register
