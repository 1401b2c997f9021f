"""`make docs`: writes the parts of the READMEs that are true by being made: transcript, syllabus, the Russian items."""

from __future__ import annotations

import re
import tempfile
import tomllib
from pathlib import Path

from tests.commands import ROOT, fargrade, submission

README = ROOT / "README.md"
RUSSIAN = ROOT / "README.ru.md"
SEED = "7"


def between(text: str, name: str) -> str:
    """What stands between the part's markers."""
    found = re.search(rf"<!-- {name}: .*? -->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)
    assert found, name
    return found[1]


def replaced(text: str, name: str, part: str) -> str:
    """README's text with the part made anew."""
    between(text, name)
    marked = rf"(<!-- {name}: .*? -->\n).*?(<!-- end of {name} -->)"
    return re.sub(marked, lambda found: found[1] + part + found[2], text, count=1, flags=re.DOTALL)


def transcript() -> str:
    """What a learner sees who has done 1.1, got 1.2 nearly right and begun nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        given = submission(
            Path(folder) / "exercises",
            architecture="solutions",
            repository="wrong/capital_keys",
            **dict.fromkeys(("image", "push", "scanning", "lifecycle", "access", "public"), "exercises"),
        )
        reports = str(Path(folder) / "reports")
        arguments = ["--week", "1", "--submission", str(given), "--reports", reports, "--seed", SEED]
        came = fargrade("grade", *arguments, COLUMNS="100", NO_COLOR="1", PYTHONIOENCODING="utf-8")
        shown = came.stdout.replace(f" submission={given}", "").replace(reports, "reports")
    lines = [line.rstrip() for line in shown.strip().splitlines()]
    return "\n".join(["```", "$ make grade week=1", *lines, "```"]) + "\n"


def items() -> dict[str, Path]:
    """The items there are: id → folder."""
    found = {}
    for folder in sorted((ROOT / "exercises").glob("week*/[0-9]*_*")):
        week, number = folder.parent.name.removeprefix("week"), int(folder.name.partition("_")[0])
        found[f"{week}.{number}"] = folder.relative_to(ROOT)
    return found


def syllabus() -> str:
    """The syllabus as a table: every topic and practice task with its items."""
    there = items()
    steps = tomllib.loads((ROOT / "docs" / "syllabus.toml").read_text(encoding="utf-8"))["step"]
    lines = ["| step | topic or practice | items |", "|---|---|---|"]
    for step in steps:
        for topic, ids in step["topics"]:
            linked = [f"[{one}]({there[one]}/README.md)" if one in there else one for one in ids]
            lines.append(f"| {step['title']} | {topic} | {', '.join(linked)} |")
    return "\n".join(lines) + "\n"


def russian_items() -> str:
    """The items by their Russian titles, week by week."""
    lines = ["| | задание |", "|---|---|"]
    for one, folder in items().items():
        brief = folder / "README.ru.md"
        title = (ROOT / brief).read_text(encoding="utf-8").partition("\n")[0].partition(" · ")[2]
        lines.append(f"| {one} | [{title}]({brief.as_posix()}) |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    written = README.read_text(encoding="utf-8")
    written = replaced(written, "syllabus", syllabus())
    written = replaced(written, "transcript", transcript())
    README.write_text(written, encoding="utf-8")
    russian = RUSSIAN.read_text(encoding="utf-8")
    RUSSIAN.write_text(replaced(russian, "items", russian_items()), encoding="utf-8")
