"""What a grader checks, read from its source without importing it.

This is the list that results are held against: a check that never came to run is still in the results.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from fargrade.course.language import translate
from fargrade.verdict import Evidence

TEST_PREFIX = "test_"


@dataclass(frozen=True)
class CheckSpec:
    """One check of a grader: `title` is the first line of its docstring, untranslated."""

    id: str
    title_text: str
    points: float
    evidence: Evidence
    docs: str
    hidden: bool = False

    @property
    def title(self) -> str:
        """The title in the current language."""
        return translate(self.title_text)


def read_checks(grader: Path) -> tuple[CheckSpec, ...]:
    """The checks of the grader at `grader`, in its order; none where the file is not there."""
    if not grader.is_file():
        return ()
    return _read_checks(grader, grader.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _read_checks(grader: Path, _changed: int) -> tuple[CheckSpec, ...]:
    module = ast.parse(grader.read_text(encoding="utf-8"), filename=str(grader))
    constants = _constants(module)
    return tuple(
        _spec(node, constants)
        for node in module.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith(TEST_PREFIX)
    )


def account_dollars(grader: Path) -> float | None:
    """What grading on a real account may cost, as the grader's ACCOUNT_DOLLARS says; None: it makes no sense there."""
    if not grader.is_file():
        return None
    value = _constants(ast.parse(grader.read_text(encoding="utf-8"))).get("ACCOUNT_DOLLARS")
    return float(value) if isinstance(value, int | float) else None


def _constants(module: ast.Module) -> dict[str, Any]:
    """The module's own constants, such as the first part of its documentation's addresses."""
    return {
        node.targets[0].id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def _spec(function: ast.FunctionDef, constants: dict[str, Any]) -> CheckSpec:
    given = _check_arguments(function, constants)
    evidence = given.get("evidence", "state")
    if evidence not in get_args(Evidence):
        raise ValueError(f"{function.name}: evidence is one of {get_args(Evidence)}, not {evidence!r}")
    title = (ast.get_docstring(function) or "").strip().split("\n")[0]
    return CheckSpec(
        id=function.name.removeprefix(TEST_PREFIX),
        title_text=title or function.name.removeprefix(TEST_PREFIX).replace("_", " "),
        points=float(given.get("points", 1)),
        evidence=evidence,
        docs=given.get("docs", ""),
        hidden=bool(given.get("hidden", False)),
    )


def _check_arguments(function: ast.FunctionDef, constants: dict[str, Any]) -> dict[str, Any]:
    """The keywords of the `@check(...)` decorator."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "check":
            return {keyword.arg: _value(keyword.value, constants) for keyword in decorator.keywords if keyword.arg}
    return {}


def _value(node: ast.expr, constants: dict[str, Any]) -> Any:
    """A literal, a constant of the module, or the sum of such."""
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _value(node.left, constants) + _value(node.right, constants)
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(
            f"line {node.lineno}: the arguments of @check are literals or the module's own constants"
        ) from None
