"""What a grader checks and what it needs, read from its source without importing it.

The checks are the list that results are held against: one that never came to run is still in the results.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from fargrade.course.language import translate
from fargrade.verdict import Evidence

TEST_PREFIX = "test_"
CLIENT = re.compile(r"""\.client\(\s*["']([a-z0-9-]+)["']""")


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


@dataclass(frozen=True)
class _Reading:
    """What one look at a grader's source told."""

    checks: tuple[CheckSpec, ...] = ()
    services: frozenset[str] = frozenset()
    dollars: float | None = None
    not_on_an_account: str = ""


def read_checks(grader: Path) -> tuple[CheckSpec, ...]:
    """The checks of the grader at `grader`, in its order; none where the file is not there.

    Raises ValueError, naming the file, for source that cannot be read.
    """
    return _reading(grader).checks


def services_named(grader: Path) -> frozenset[str]:
    """The AWS services that the grader names: in `….client("ecr")`, or in its SERVICES."""
    return _reading(grader).services


def account_dollars(grader: Path) -> float | None:
    """What grading on a real account may cost, as the grader's ACCOUNT_DOLLARS says; None: it makes no sense there."""
    return _reading(grader).dollars


def not_on_an_account(grader: Path) -> str:
    """Why the item is not graded on a real account, as the grader's NOT_ON_AN_ACCOUNT says; "" where it does not."""
    return _reading(grader).not_on_an_account


def _reading(grader: Path) -> _Reading:
    try:
        return _read(grader, grader.stat().st_mtime_ns)
    except FileNotFoundError:
        return _Reading()


@lru_cache(maxsize=256)
def _read(grader: Path, _changed: int) -> _Reading:
    try:
        source = grader.read_text(encoding="utf-8")
        module = ast.parse(source)
        constants = _constants(module)
        checks = tuple(_spec(node, constants) for node in check_functions(module))
    except SyntaxError as error:
        raise ValueError(f"{grader.name}, line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise ValueError(f"{grader.name}: {error}") from None
    dollars = constants.get("ACCOUNT_DOLLARS")
    return _Reading(
        checks,
        frozenset([*CLIENT.findall(source), *_listed_services(module)]),
        float(dollars) if isinstance(dollars, int | float) else None,
        str(constants.get("NOT_ON_AN_ACCOUNT", "")),
    )


def check_functions(module: ast.Module) -> list[ast.FunctionDef]:
    """The functions of a grader that are checks."""
    return [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name.startswith(TEST_PREFIX)]


def _listed_services(module: ast.Module) -> list[str]:
    return [
        service
        for node in module.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "SERVICES"
        for service in ast.literal_eval(node.value)
    ]


def fixed_region(grader: Path) -> str:
    """The one region that the item's files name, as the grader's REGION says; "" where any will do."""
    value = _constants(ast.parse(grader.read_text(encoding="utf-8"))).get("REGION")
    return value if isinstance(value, str) else ""


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
