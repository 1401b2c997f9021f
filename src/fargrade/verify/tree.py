"""What must lie in the tree for an item, and nothing else: read without running anything."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fargrade.course import Course, Item
from fargrade.course.catalogue import grader_texts, missing, unused
from fargrade.course.checks import check_functions, read_checks
from fargrade.course.language import HARNESS_CATALOGUES, SOURCE_LANGUAGE, languages
from fargrade.course.submission import is_course_text
from fargrade.course.tree import TEXT_NAMES, relative_files
from fargrade.verify.answers import ALL, META, KnownAnswer

RIGHT_AT_LEAST = 3
WRONG_AT_LEAST = 8
HINTS_AT_LEAST = 3
GRADERS_MAY = {"grading", "semantics", "lint", "given"}
LITTER = (".orig", ".rej", ".bak", ".swp", "~", ".DS_Store", ".pyc")
CONTROLLED_TOPS = ("exercises", "solutions", "graders")


def holes_in_item(item: Item, answers: list[KnownAnswer] | None) -> list[str]:
    """What is missing or wrong around `item`, a sentence each; `answers` are None where they cannot be read."""
    return [
        *_texts(item),
        *_stubs(item),
        *_checks(item),
        *_source(item),
        *_translations(item),
        *(() if answers is None else _known(item, answers)),
    ]


def _texts(item: Item) -> Iterable[str]:
    for language in languages():
        for name in TEXT_NAMES:
            suffix = ".md" if language == SOURCE_LANGUAGE else f".{language}.md"
            path = item.exercise / f"{name}{suffix}"
            if not path.is_file() or not path.read_text(encoding="utf-8").strip():
                yield f"{path.relative_to(item.root)} is missing or empty"
            elif name == "README" and not path.read_text(encoding="utf-8").lstrip().startswith("# "):
                yield f"{path.relative_to(item.root)} does not begin with the item's title: a line `# {item.id} · …`"
        steps = item.text("hints", language).count("\n## ") + item.text("hints", language).startswith("## ")
        if steps < HINTS_AT_LEAST:
            yield f"{item.folder}: hints ({language}) have {steps} steps (`## ` headings), not {HINTS_AT_LEAST} or more"


def _stubs(item: Item) -> Iterable[str]:
    solution = set(relative_files(item.solution))
    if not solution:
        yield f"solutions/{item.folder} is missing"
        return
    shipped = {name for name in relative_files(item.exercise) if not is_course_text(name)}
    stub = set(relative_files(item.answers / "stub"))
    if stub != shipped & solution:
        folder = (item.answers / "stub").relative_to(item.root)
        there, ought = (", ".join(sorted(names)) or "nothing" for names in (stub, shipped & solution))
        yield f"{folder}/ holds {there}; what learners are given to edit is {ought}: copy that there"
    for name in sorted(stub & shipped):
        if (item.answers / "stub" / name).read_bytes() != (item.exercise / name).read_bytes():
            yield f"{item.folder}/{name} is not the stub in answers/{item.name}/stub"
    for name in sorted(solution - shipped):
        yield f"solutions/{item.folder}/{name} has no stub in exercises/"
    for name in sorted(stub & solution):
        if (item.answers / "stub" / name).read_bytes() == (item.solution / name).read_bytes():
            yield f"{item.folder}/{name}: the stub is the solution"


def _checks(item: Item) -> Iterable[str]:
    checks = read_checks(item.grader)
    if not checks:
        yield f"{item.grader.relative_to(item.root)} is missing or checks nothing"
    for title, times in Counter(check.title_text for check in checks).items():
        if times > 1:
            yield f"{item.id}: {times} checks are called {title!r}"
    for check in checks:
        if not check.docs.startswith("https://"):
            yield f"{item.id}: the check {check.id} names no documentation"


def _source(item: Item) -> Iterable[str]:
    """What the grader's source lets see: what learners read, what it imports."""
    if not item.grader.is_file():
        return
    where = item.grader.relative_to(item.root)
    module = ast.parse(item.grader.read_text(encoding="utf-8"))
    for function in check_functions(module):
        if not ast.get_docstring(function):
            yield f"{where}: {function.name} has no docstring: its first line is what learners read"
    for name in sorted(_imported(module) - GRADERS_MAY):
        yield f"{where} imports fargrade.{name}: a grader may use {', '.join(sorted(GRADERS_MAY))}, and fixtures"


def _imported(module: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            below = node.module == "fargrade"
            names |= {f"fargrade.{alias.name}" if below else node.module or "" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("fargrade.")}


def _translations(item: Item) -> Iterable[str]:
    if not item.grader.is_file():
        return
    texts = grader_texts(item.grader)
    for language in languages()[1:]:
        beside = item.grader.with_suffix(f".{language}.po")
        for wrong in [
            *missing(texts, [beside, HARNESS_CATALOGUES / f"{language}.po"]),
            *unused(texts, beside),
        ]:
            yield f"{beside.relative_to(item.root)}: {wrong}"


def _known(item: Item, answers: list[KnownAnswer]) -> Iterable[str]:
    kinds = Counter(answer.kind for answer in answers)
    for kind, least in (("right", RIGHT_AT_LEAST), ("wrong", WRONG_AT_LEAST)):
        if kinds[kind] < least:  # type: ignore[index]
            yield f"{item.id} has {kinds[kind]} {kind} answers, not {least} or more"  # type: ignore[index]
    ids = {check.id for check in read_checks(item.grader)}
    named: set[str] = set()
    for answer in answers:
        unknown = set(answer.fails) - ids - {ALL}
        if unknown:
            yield f"{item.id} {answer.label} names checks that do not exist: {', '.join(sorted(unknown))}"
        named |= ids if ALL in answer.fails else set(answer.fails)
        if answer.kind in ("right", "wrong") and set(relative_files(answer.folder)) == {META} and not answer.without:
            yield f"{item.id} {answer.label} is the solution"
        for language in languages()[1:] if answer.kind == "wrong" else ():
            if not answer.translated.get(language, "").strip():  # learners are told: "It looks like this: …"
                yield f"{item.id} {answer.label}: answer.toml says in `why_{language}` what `why` says"
    for check in sorted(ids - named):
        yield f"{item.id}: no wrong answer fails the check {check}: can it fail?"


def holes_in_course(course: Course) -> list[str]:
    """What lies about in the tree and belongs to no item, and names used twice."""
    holes = [f"{path} belongs to no item" for path in _strays(course)]
    for slug, times in Counter(item.slug for item in course.items).items():
        if times > 1:
            holes.append(f"{times} items are called {slug}")
    return holes


def _strays(course: Course) -> Iterable[Path]:
    folders = {item.folder for item in course.items}
    graders = {item.grader.stem for item in course.items}
    for top in CONTROLLED_TOPS:
        for name in relative_files(course.root / top):
            parts = name.split("/")
            path = Path(top, name)
            if name.endswith(LITTER):
                yield path
            elif top == "graders":
                known = (
                    parts[-1].split(".")[0] in graders
                    if "answers" not in parts
                    else f"{parts[0]}/{parts[2]}" in folders
                )
                if not known:
                    yield path
            elif "/".join(parts[:2]) not in folders:
                yield path
