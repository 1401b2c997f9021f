"""What passes on plain moto passes behind our gateway, or stands in reasons.toml with why.

moto's own tests come from its source distribution (of the locked version, held against a hash), fetched once into
the course's .moto folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KEPT = ROOT / ".moto"
LOCK = ROOT / "requirements" / "moto-source.lock"
REASONS = tomllib.loads((HERE / "reasons.toml").read_text(encoding="utf-8"))
SECONDS = 900

pytestmark = pytest.mark.moto


@dataclass(frozen=True)
class Failed:
    """One of moto's tests that fails behind the gateway: what it said, and what was refused to it."""

    test: str
    message: str
    refused: tuple[str, ...]

    def why(self) -> str | None:
        """The reason that we have for it; None where there is none."""
        if self.test in REASONS["tests"]:
            return str(REASONS["tests"][self.test])
        return next((str(rule["why"]) for rule in REASONS["rules"] if self._fits(rule)), None)

    def _fits(self, rule: dict[str, str]) -> bool:
        if "message" in rule and not re.search(rule["message"], self.message):
            return False
        return "refused" not in rule or any(re.search(rule["refused"], text, re.S) for text in self.refused)


@pytest.fixture(scope="session")
def source() -> Path:
    """moto's source distribution, unpacked."""
    version = re.search(r"^moto==(\S+)", LOCK.read_text(encoding="utf-8"), re.M)
    assert version is not None
    unpacked = KEPT / f"moto-{version[1]}"
    if not (unpacked / "tests").is_dir():
        KEPT.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as aside:  # two workers may be at it
            fetch = ["-m", "pip", "download", "-q", "--no-deps", "--no-binary", "moto", "--require-hashes"]
            subprocess.run([sys.executable, *fetch, "-r", str(LOCK), "-d", aside], check=True, timeout=300)
            with tarfile.open(Path(aside) / f"{unpacked.name}.tar.gz") as archive:
                archive.extractall(aside, filter="data")
            with contextlib.suppress(OSError):
                (Path(aside) / unpacked.name).rename(unpacked)
    return unpacked


def failures(source: Path, service: str, out: Path) -> list[Failed]:
    """Run moto's tests for `service` behind the gateway; those that fail."""
    out.touch()
    left_out = [f"--ignore-glob={pattern}" for pattern in REASONS["left_out"]["files"]]
    pytest_alone = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(source)]
    ran = subprocess.run(
        [sys.executable, *pytest_alone, "-p", "behind_gateway", *left_out, f"tests/test_{service}"],
        cwd=source,
        env={**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{HERE}", "MOTO_REGRESSION_OUT": str(out)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stdout[-3000:] + ran.stderr[-2000:]
    assert re.search(r"\d+ passed", ran.stdout), ran.stdout[-3000:]
    found: list[dict[str, Any]] = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return [Failed(one["test"], one["message"], tuple(one["refused"])) for one in found]


@pytest.mark.parametrize("service", REASONS["services"])
def test_what_passes_on_moto_passes_behind_the_gateway(source: Path, tmp_path: Path, service: str) -> None:
    failed = failures(source, service, tmp_path / "failed.jsonl")
    unexplained = [
        f"{one.test}: {one.message[:200]} (refused: {' | '.join(one.refused)[:300] or 'nothing'})"
        for one in failed
        if one.why() is None
    ]
    assert not unexplained, "\n".join(unexplained)
    names = {one.test for one in failed}
    mended = [test for test in REASONS["tests"] if test.startswith(f"tests/test_{service}/") and test not in names]
    assert not mended, f"these pass by now, take them out of reasons.toml: {mended}"
