"""README.md is true to the letter: what it shows is what comes, what it names is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib

import pytest

from fargrade import cli
from fargrade.release import for_learners
from tests.readme import README, ROOT, RUSSIAN, between, items, russian_items, syllabus, transcript

TEXT = README.read_text(encoding="utf-8")
IN_RUSSIAN = RUSSIAN.read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SHOWN = [
    line.removeprefix("$ ").partition("  #")[0].strip()
    for block in re.findall(r"^```\w*\n(.*?)^```$", TEXT + IN_RUSSIAN, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
MADE = sorted({line for line in SHOWN if line.startswith("make ")})
CALLED = sorted({line for line in SHOWN if line.startswith((".venv/bin/fargrade ", "fargrade "))})


def test_it_shows_commands() -> None:
    assert {"make grade week=1", "make test"} <= set(MADE)
    assert CALLED


@pytest.mark.parametrize("line", MADE)
def test_make_knows_the_command(line: str) -> None:
    target, *settings = shlex.split(line)[1:]
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n|\n|(?:ifeq|else|endif).*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe, target
    for setting in settings:
        name, _, value = setting.partition("=")
        assert value, line
        assert re.search(rf"\b{name}\b", recipe[1]), f"{target} takes no {name}"


@pytest.mark.parametrize("line", CALLED)
def test_fargrade_knows_the_command(line: str) -> None:
    cli._parser().parse_args(shlex.split(line)[1:])


@pytest.mark.bubblewrap
def test_the_transcript_is_what_comes() -> None:
    assert between(TEXT, "transcript") == transcript(), "write it anew: make docs"


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", TEXT + IN_RUSSIAN)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("readme", [TEXT, IN_RUSSIAN], ids=["en", "ru"])
def test_learners_read_of_nothing_that_they_do_not_get(readme: str) -> None:
    text = for_learners(readme)
    got = {"exercises", "README.md", "README.ru.md"}
    assert {link.split("/")[0] for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text)} <= got
    blocks = "".join(re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)", blocks)) <= {"grade", "watch", "hint", "learned", "help"}
    assert "make grade week=1" in blocks
    assert "authors" not in text


def test_the_syllabus_is_covered_and_nothing_is_left_over() -> None:
    steps = tomllib.loads((ROOT / "docs" / "syllabus.toml").read_text(encoding="utf-8"))["step"]
    assert len(steps) == 8
    named = {one for step in steps for _, ids in step["topics"] for one in ids}
    assert set(items()) <= named
    for topic, ids in (topic for step in steps for topic in step["topics"]):
        assert ids, topic
    assert between(TEXT, "syllabus") == syllabus(), "write it anew: make docs"


def test_the_russian_readme_names_every_item_as_its_brief_does() -> None:
    assert between(IN_RUSSIAN, "items") == russian_items(), "write it anew: make docs"


def test_paths_that_are_named_exist() -> None:
    named = set(re.findall(r"`((?:src|docs|tests|graders|exercises|solutions|benchmarks|docker)/[\w./-]*)`", TEXT))
    assert [
        path for path in sorted(named) if not (ROOT / path).exists() and "NN" not in path and "N/" not in path
    ] == []


def test_make_takes_all_of_its_options_and_no_slip() -> None:
    options = set(re.search(r"^OPTIONS := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[1].replace("\\", "").split())  # type: ignore[index]
    given = {name for names in re.findall(r"\(call given,([^)]*)\)", MAKEFILE) for name in names.split()}
    tested = set(re.findall(r"\$\((?:if \$\()?([a-z]+)\)", MAKEFILE)) - {"name"}
    assert given | tested <= options
    for line, status in (
        (["help", *(f"{name}=1" for name in sorted(options - {"lang"})), "PYTHON=python3", "CC=cc"], 0),
        (["help", "weeks=1"], 2),
        (["help", "Item=1.6"], 2),
    ):
        came = subprocess.run(["make", *line], cwd=ROOT, capture_output=True, text=True, check=False)
        assert came.returncode == status, came.stderr
        assert status == 0 or line[1].partition("=")[0] in came.stderr
