"""Data flows one way: a layer imports only what stands before it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "fargrade"
# Each layer and what it may import of fargrade, beside itself.
LAYERS = {
    "verdict": set(),
    "course": {"verdict"},
    "semantics": set(),
    "containers": {"course", "semantics"},
    "emulator": {"semantics", "containers"},
    "backends": {"course", "containers", "emulator", "semantics"},
    "given": {"backends", "semantics"},
    "sandbox": {"course"},
    "grading": {"course", "verdict"},
    "lint": {"course"},
    "reports": {"course", "verdict"},
    "hints": {"course"},
    "workbench": {"course", "backends", "sandbox"},
    "plugin": {
        "course",
        "verdict",
        "grading",
        "containers",
        "backends",
        "sandbox",
        "workbench",
        "reports",
        "semantics",
    },
    "run": {"course", "backends", "workbench"},
    "verify": {"course", "run", "workbench"},
    "watch": {"course", "run", "workbench"},
    "release": {"course"},
    "packaging": {"course", "release"},
    "doctor": {"course", "sandbox", "containers", "batch"},
    "batch": {"course", "verdict", "sandbox", "run", "workbench", "verify", "reports"},
    "table": {"course", "verdict", "backends", "workbench"},
    "cli": {
        "table",
        "course",
        "backends",
        "run",
        "verify",
        "watch",
        "hints",
        "emulator",
        "batch",
        "release",
        "packaging",
        "doctor",
        "reports",
    },
}
GRADERS_MAY = {"grading", "semantics", "lint", "given"}
LONGEST = 600


def imported(file: Path) -> set[str]:
    """The layers of fargrade that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [
                f"{node.module}.{alias.name}" if node.module == "fargrade" else node.module or ""
                for alias in node.names
            ]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        found |= {name.split(".")[1] for name in names if name.startswith("fargrade.")}
    return found


def layer_of(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


MODULES = sorted(file for file in SOURCE.rglob("*.py") if file.parent != SOURCE or file.stem != "__init__")


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_layer_imports_only_what_stands_before_it(file: Path) -> None:
    layer = layer_of(file)
    assert layer in LAYERS, f"{layer} has no place in the order of layers yet"
    allowed = LAYERS[layer] | {layer} | ({"__version__"} if layer in ("cli", "emulator") else set())
    assert imported(file) <= allowed


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_module_fits_in_a_head(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_graders_know_neither_emulator_nor_sandbox() -> None:
    graders = sorted((SOURCE.parents[1] / "graders").glob("week*/test_*.py"))
    assert graders
    for grader in graders:
        assert imported(grader) <= GRADERS_MAY, grader.name


def test_semantics_does_no_input_or_output() -> None:
    forbidden = {"os", "socket", "subprocess", "pathlib", "requests", "boto3", "urllib", "tempfile"}
    for file in (SOURCE / "semantics").rglob("*.py"):
        modules = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""])
            if name != "urllib.parse"  # takes texts apart, and no more
        }
        assert not modules & forbidden, f"{file.name} imports {modules & forbidden}"
