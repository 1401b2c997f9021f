"""moto by itself, asked the same rows: which of them it has right, so that we know what of ours it needs.

In this process, with nothing of ours behind the calls. What a world has beside AWS (its clock, pushes with layers) moto
has not: time stands still there, and an image is pushed as a manifest.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from tests.fidelity.table import Asker, Row, agrees

ACCOUNT = "123456789012"
CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
ROOT = Path(__file__).resolve().parents[2]
WRITTEN = Path(__file__).with_name("moto_alone.txt")
LAYER = {"digest": "sha256:" + "0" * 64, "size": 1, "mediaType": "application/octet-stream"}


class MotoAlone:
    """Asks rows of moto alone."""

    def __init__(self) -> None:
        session = botocore.session.Session()

        @lru_cache(maxsize=32)
        def client(service: str) -> Any:
            return session.create_client(
                service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b", config=CONFIG
            )

        self._client = client

    def agrees(self, row: Row) -> bool:
        """Whether moto does with the row's call what AWS does."""
        from moto.core.base_backend import BackendDict
        from moto.core.model_instances import reset_model_data

        BackendDict.reset()
        reset_model_data()
        try:
            return agrees(row, Asker(self._client, self._control, ACCOUNT, "us-east-1").ask(row))
        except Exception:  # what it does not have, and what it breaks on, in whatever way
            return False

    def _control(self, operation: str, **given: Any) -> Any:
        if operation == "advance":
            return None
        if operation != "push_image":
            raise NotImplementedError(operation)
        config = {**LAYER, "digest": f"sha256:{given.get('content', 'one').encode().hex():0>64}"}
        manifest = json.dumps({"schemaVersion": 2, "layers": [LAYER], "config": config})
        for tag in given["tags"] or [None]:
            named = {"imageTag": tag} if tag else {}
            made = self._client("ecr").put_image(repositoryName=given["repository"], imageManifest=manifest, **named)[
                "image"
            ]
        return {"digest": made["imageId"]["imageDigest"]}


@contextmanager
def moto_alone() -> Iterator[MotoAlone]:
    """moto in this process; without its list of machine images, which it reads anew for each world."""
    from moto import mock_aws

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        with mock_aws():
            yield MotoAlone()


def right(table: list[Row]) -> list[str]:
    """The names of the rows that moto alone has right."""
    with warnings.catch_warnings(), moto_alone() as moto:
        warnings.simplefilter("ignore")
        return [row.name for row in table if moto.agrees(row)]


def right_by_itself() -> list[str]:
    """The same from a process of its own, where no other test has mended moto."""
    code = (
        "import json; from tests.fidelity import moto_alone, table; print(json.dumps(moto_alone.right(table.rows())))"
    )
    asked = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    names: list[str] = json.loads(asked.stdout.splitlines()[-1])
    return names


def known() -> list[str]:
    """The rows that moto had right when that was last written down."""
    return WRITTEN.read_text(encoding="utf-8").splitlines()


def ours(row: Row) -> list[str]:
    """Where our part in the row's call stands: what may go when moto has it right."""
    from fargrade.emulator import moto_backend, rules
    from fargrade.emulator.extensions import load_hooks
    from fargrade.emulator.services import BY_MODEL

    moto_backend.load_ours(BY_MODEL[row.service])
    answer = rules.answer_of(row.service, row.operation)
    asked = rules.Call(row.service, row.operation, {}, "us-east-1")
    found = [*([answer] if answer else []), *rules.refusals_of(asked), *load_hooks.get(row.service, [])]
    return [f"{one.__module__}.{one.__qualname__}" for one in found] or ["constraints.py"]


def parts() -> list[Callable[..., Any]]:
    """Everything of ours that stands between a call and moto, as far as it is loaded."""
    from fargrade.emulator import rules
    from fargrade.emulator.extensions import load_hooks

    refusals = [one for found in rules._refusals.values() for one in found]
    return [*rules._answers.values(), *refusals, *(one for found in load_hooks.values() for one in found)]
