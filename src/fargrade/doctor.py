"""`fargrade doctor`: what this machine can do, and how to get the rest."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from fargrade.batch.room import memory, workers
from fargrade.containers import NoEngine, find_engine
from fargrade.course.language import translate as t
from fargrade.sandbox import confinement as confining
from fargrade.sandbox.seccomp import program
from fargrade.sandbox.slots import open_slot

State = Literal["good", "missing", "optional"]
SIGNS = {"good": ("✓", "green"), "missing": ("✗", "red"), "optional": ("–", "yellow")}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `missing` means that submissions of others are not graded here without it."""

    name: str
    state: State
    text: str


def doctor() -> int:
    """Print what was found. Returns 0 where submissions of others can be graded here, else 1."""
    console = Console(highlight=False)
    findings = list(look())
    encodable = (console.encoding or "ascii").lower().startswith("utf")
    for finding in findings:
        sign, style = SIGNS[finding.state]
        line = Text.assemble((f"{sign if encodable else finding.state} ", style), (f"{finding.name}  ", "bold"))
        console.print(line, end="")
        console.print(Padding(Text(finding.text), (0, 0, 0, 0)), soft_wrap=True)
    able = not any(finding.state == "missing" for finding in findings)
    console.print()
    console.print(
        t("Submissions of others can be graded here: make batch, with {workers} workers.", workers=workers())
        if able
        else t("Your own work can be graded here; submissions of others only with --unconfined, trusting each.")
    )
    return 0 if able else 1


def look() -> Iterator[Finding]:
    """Every finding, the weightiest first."""
    yield _python()
    yield from _confinement()
    yield from _limits()
    yield from _tools()
    yield _room()


def _python() -> Finding:
    return Finding("Python", "good", f"{platform.python_version()}, {platform.system()} {platform.machine()}")


def _confinement() -> Iterator[Finding]:
    problem = confining.bubblewrap_problem()
    if problem:
        yield Finding("bubblewrap", "missing", problem)
    else:
        who = t("root, given up for each submission") if confining.is_root() else t("an ordinary user")
        yield Finding("bubblewrap", "good", t("works here, as {who}", who=who))
    if program():
        yield Finding("seccomp", "good", t("system calls are filtered"))
    else:
        text = t("There is no filter of system calls for this processor ({machine}).", machine=platform.machine())
        yield Finding("seccomp", "optional", text)


def _limits() -> Iterator[Finding]:
    slot = open_slot() if sys.platform.startswith("linux") else None
    if slot is not None:
        slot.remove()
        yield Finding("cgroup", "good", t("memory and processes are limited for each submission as a whole"))
        return
    yield Finding(
        "cgroup",
        "optional",
        t(
            "no control group can be made: memory is limited a process, not a submission. With systemd: "
            "systemd-run --user --scope -p Delegate=yes fargrade batch …"
        ),
    )


def _tools() -> Iterator[Finding]:
    needed = {
        "aws": t("the AWS CLI, for 1.4: make installs it where it is missing"),
        "hadolint": t("the Dockerfile linter: pip install 'fargrade[tools]'"),
        "git": t("for submissions that are repositories or bundles: install git"),
    }
    path = os.pathsep.join([os.path.join(sys.prefix, "bin"), os.environ.get("PATH", os.defpath)])  # noqa: PTH118
    for name, how in needed.items():
        where = shutil.which(name, path=path)
        yield Finding(name, "good" if where else "optional", where or how)
    try:
        engine = find_engine("auto")
        yield Finding("docker", "good", t("an engine at {address}: make batch containers=auto", address=engine.address))
    except NoEngine as lacking:
        yield Finding("docker", "optional", str(lacking))
    zstd = sys.version_info >= (3, 14)
    text = t("submissions may be .tar.zst") if zstd else t("no .tar.zst: that takes Python 3.14")
    yield Finding("zstd", "good" if zstd else "optional", text)
    dask = find_spec("distributed") is not None
    text = t("for many machines") if dask else t("for many machines: pip install 'fargrade[dask]'")
    yield Finding("dask", "good" if dask else "optional", text)


def _room() -> Finding:
    import tempfile

    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free >> 30
    text = t(
        "{processors} processors, {memory} GiB of memory, {disk} GiB free in {folder}",
        processors=os.cpu_count() or 1,
        memory=memory() >> 30,
        disk=free,
        folder=folder,
    )
    return Finding(t("room"), "good" if free >= 1 else "missing", text)
