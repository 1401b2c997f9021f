"""What learners get: the course without solutions, known answers and hidden checks, and the proof that it is so."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fargrade.course import Course, CourseProblem, Item
from fargrade.course.catalogue import grader_texts, unused
from fargrade.course.checks import read_checks
from fargrade.course.language import translate as t
from fargrade.course.tree import relative_files

TOP_FILES = (
    "README.md",
    "README.ru.md",
    "LICENSE",
    "Makefile",
    ".gitignore",
    "pyproject.toml",
    "conftest.py",
    "requirements/course.lock",
    "requirements/awscli.lock",
    "requirements/dev.lock",  # a stamp of the Makefile's asks for it
)
LITTER = (".pyc", ".orig", ".rej", ".swp", "~", ".DS_Store")
FOR_AUTHORS = re.compile(r"<!-- for authors -->.*?<!-- end for authors -->\n*", re.DOTALL)
LEAST = 60  # characters of an answer that say something: fewer may stand in anybody's text


@dataclass(frozen=True)
class Released:
    """What was made: how many files, and the hidden checks that were left out."""

    files: int
    hidden: tuple[str, ...]


def release(course: Course, out: Path, *, hidden: bool = False) -> Released:
    """Write what learners get to the new folder `out`; `hidden` keeps hidden checks in, for a grader's machine.

    Raises CourseProblem where the folder is not empty, or what was made holds more than it may: then nothing is left.
    """
    if out.exists() and any(out.iterdir()):
        raise CourseProblem(t("{folder} is not empty: name a new folder.", folder=out))
    for name in _names(course):
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(course.root / name, target)
        target.chmod(0o755 if (course.root / name).stat().st_mode & 0o100 else 0o644)
    for readme in out.glob("README*.md"):
        readme.write_text(for_learners(readme.read_text(encoding="utf-8")), encoding="utf-8")
    left_out: list[str] = []
    for item in [] if hidden else course.items:
        left_out += _without_hidden(item, out)
    problems = list(_more_than_it_may(course, out, hidden=hidden))
    if problems:
        shutil.rmtree(out)  # it would be taken for one that may be given out
        raise CourseProblem(
            t(
                "There is no release in {folder}, for it could not be given out: {why}",
                folder=out,
                why="; ".join(problems[:5]),
            )
        )
    return Released(sum(1 for _ in relative_files(out)), tuple(left_out))


def for_learners(readme: str) -> str:
    """The README without what names things that learners do not get."""
    return FOR_AUTHORS.sub("", readme).rstrip("\n") + "\n"


def _names(course: Course) -> Iterator[str]:
    """The files that go out, named one by one or by folders that hold nothing else."""
    for name in TOP_FILES:
        if (course.root / name).is_file():
            yield name
    for item in course.items:
        given = relative_files(item.exercise)
        yield from (f"exercises/{item.folder}/{name}" for name in given if not name.endswith(LITTER))
        week = f"graders/week{item.week}"
        for path in sorted(item.grader.parent.glob(f"{item.grader.stem}.*")):
            if path.suffix in (".py", ".po"):
                yield f"{week}/{path.name}"
        yield from (f"{week}/answers/{item.name}/stub/{name}" for name in relative_files(item.answers / "stub"))
    for name in relative_files(course.root / "src" / "fargrade"):
        if not name.endswith(LITTER):
            yield f"src/fargrade/{name}"


def _without_hidden(item: Item, out: Path) -> list[str]:
    """Take the item's hidden checks out of the release's grader and translations; returns their ids."""
    specs = [spec for spec in read_checks(item.grader) if spec.hidden]
    if not specs:
        return []
    grader = out / item.grader.relative_to(item.root)
    text = grader.read_text(encoding="utf-8")
    grader.write_text(without_functions(text, {f"test_{spec.id}" for spec in specs}), encoding="utf-8")
    for path in grader.parent.glob(f"{grader.stem}.*.po"):
        _prune(path, grader_texts(grader))
    return [f"{item.id} {spec.id}" for spec in specs]


def without_functions(source: str, names: set[str]) -> str:
    """The module without these functions, and without what only they used."""
    while True:
        module = ast.parse(source)
        going = [node for node in module.body if _defines(node) & names]
        if not going:
            return source
        used_by_going = set().union(*(_uses(node) for node in going))
        staying = [node for node in module.body if node not in going]
        lines = source.splitlines(keepends=True)
        for node in reversed(going):
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
            del lines[first - 1 : node.end_lineno]
        source = "".join(lines)
        still = set().union(*(_uses(node) for node in staying)) if staying else set()
        names = {
            name
            for node in staying
            if not isinstance(node, ast.Import | ast.ImportFrom)
            for name in _defines(node)
            if name in used_by_going and name not in still and not name.startswith("test_")
        }


def _defines(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()


def _uses(node: ast.stmt) -> set[str]:
    """The names a statement uses: fixtures are used by the names of arguments."""
    own = _defines(node)
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} - own | {
        one.arg for one in ast.walk(node) if isinstance(one, ast.arg)
    }


def _prune(catalogue: Path, texts: list[str]) -> None:
    import polib

    if not unused(texts, catalogue):
        return
    entries = polib.pofile(str(catalogue))
    for entry in [entry for entry in entries if entry.msgid not in set(texts)]:
        entries.remove(entry)
    entries.save()


def _more_than_it_may(course: Course, out: Path, *, hidden: bool) -> Iterator[str]:
    """What the release holds that it must not, a sentence each, by what was written and not by what was meant."""
    contents = {name: (out / name).read_bytes() for name in relative_files(out)}
    for path in out.rglob("*"):
        if path.is_symlink():
            yield f"{path.relative_to(out)} is a link"
    for name in contents:
        if name.startswith(("solutions/", "tests/")) or "/right/" in name or "/wrong/" in name:
            yield f"{name} is not for learners"
    yield from _begun(course, contents)
    yield from _answers_within(course, contents)
    if not hidden:
        yield from _hidden_within(course, contents)
    made = Course(out)
    if [item.id for item in made.items] != [item.id for item in course.items]:
        yield "it holds other items than the course"
    for ours, theirs in zip(course.items, made.items, strict=False):
        if ours.stub_names() != theirs.stub_names():
            yield f"{ours.id} has other stub files there"
        shown = [spec.id for spec in read_checks(ours.grader) if hidden or not spec.hidden]
        if [spec.id for spec in read_checks(theirs.grader)] != shown:
            yield f"{ours.id} has other checks there"


def _begun(course: Course, contents: dict[str, bytes]) -> Iterator[str]:
    """Somebody worked in exercises/: what they wrote, a whole solution perhaps, would be given out."""
    for item in course.items:
        stub = item.answers / "stub"
        for name in relative_files(stub):
            ours = f"exercises/{item.folder}/{name}"
            if _squeezed(contents.get(ours, b"")) != _squeezed((stub / name).read_bytes()):
                yield f"{ours} is not the stub as shipped ({stub.relative_to(course.root)}/{name}): put that back"


def _answers_within(course: Course, contents: dict[str, bytes]) -> Iterator[str]:
    """No file of a solution or a known answer stands anywhere in it, whole or within another."""
    together = {name: _squeezed(content) for name, content in contents.items()}
    for item in course.items:
        given = {_squeezed((item.exercise / name).read_bytes()) for name in relative_files(item.exercise)}
        for path in _answer_files(item):
            wanted = _squeezed(path.read_bytes())
            if len(wanted) < LEAST or wanted in given:
                continue  # what the exercise itself gives, such as the app beside a Dockerfile
            for name, content in together.items():
                if wanted in content:
                    yield f"{name} holds {path.relative_to(course.root)}"


def _answer_files(item: Item) -> Iterable[Path]:
    for folder in (item.solution, item.answers / "right", item.answers / "wrong"):
        for name in relative_files(folder):
            if not name.endswith("answer.toml"):
                yield folder / name


def _squeezed(content: bytes) -> bytes:
    return b"".join(content.split())


def _hidden_within(course: Course, contents: dict[str, bytes]) -> Iterator[str]:
    for item in course.items:
        for spec in read_checks(item.grader):
            if not spec.hidden:
                continue
            for name, content in contents.items():
                of_item = item.name in name
                if spec.title_text.encode() in content or (of_item and f"test_{spec.id}(".encode() in content):
                    yield f"{name} holds the hidden check {spec.id}"
