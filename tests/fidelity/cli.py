"""The AWS CLI, asked rows of the table: its own driver, in one process for all calls (to start it costs half a second).

Where the CLI is no Python package of this environment (a machine's own), a process a call.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.fidelity.table import Asker, Row

NAMES = {"codedeploy": "deploy", "s3": "s3api"}
ERROR = re.compile(
    r"An error occurred \((?P<code>\S+?)\) when calling the \S+ operation(?:[^:]*): (?P<message>.*)", re.S
)
DRIVER = """
import contextlib, io, json, os, sys
from awscli.clidriver import create_clidriver

for line in sys.stdin:
    asked = json.loads(line)
    os.environ.update(asked["environment"])
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = create_clidriver().main(asked["arguments"])
        except SystemExit as ended:
            code = ended.code
    print(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}), flush=True)
"""


@dataclass(frozen=True)
class Said:
    """How a command of the CLI ended, and what it printed."""

    code: int
    out: str
    err: str


class Cli:
    """The AWS CLI against an endpoint."""

    def __init__(self, url: str, home: Path) -> None:
        self._home = home
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1", "AWS_SECRET_ACCESS_KEY": "probe",
        }  # fmt: skip
        self._process: subprocess.Popen[str] | None = None
        if find_spec("awscli"):
            self._process = subprocess.Popen(
                [sys.executable, "-c", DRIVER], env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True,
            )  # fmt: skip
        self._command = shutil.which("aws", path=f"/usr/local/bin:/usr/bin:/bin:{Path(sys.executable).parent}")

    def run(self, service: str, operation: str, parameters: Any, key: str) -> Said:
        """The command for the operation, with its parameters from a file, in the world whose key this is."""
        asked = self._home / "asked.json"
        asked.write_text(json.dumps(parameters, default=str), encoding="utf-8")
        given = [
            NAMES.get(service, service), xform_name(operation, "-"), "--cli-input-json", f"file://{asked}",
            "--output", "json",
        ]  # fmt: skip
        if self._process is None:
            return self._alone(given, key)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = {"arguments": given, "environment": {"AWS_ACCESS_KEY_ID": key}}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return Said(**json.loads(self._process.stdout.readline()))

    def _alone(self, given: list[str], key: str) -> Said:
        if self._command is None:
            pytest.skip("there is no AWS CLI")
        ran = subprocess.run(
            [self._command, *given], env={**self._environment, "AWS_ACCESS_KEY_ID": key}, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        return Said(ran.returncode, ran.stdout, ran.stderr)

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(20)


class CliAsker(Asker):
    """Asks rows as somebody at a shell does; what was given is made through boto3, which is quicker."""

    def __init__(self, cli: Cli, served: Any) -> None:
        super().__init__(served.client, served.world.control, served.world.account, served.world.region)
        self._cli = cli
        self._key = served.world.environment["AWS_ACCESS_KEY_ID"]
        self._at_a_shell = False

    def ask_at_a_shell(self, row: Row) -> Any:
        """`ask`, with the row's own call and what is read after it through the CLI."""
        for step in row.given:
            self._given(step)
        self._at_a_shell = True
        return self.ask(Row(**{**vars(row), "given": ()}))

    def _call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        if service == "world" or not self._at_a_shell:
            return super()._call(service, operation, parameters)
        said = self._cli.run(service, operation, self._filled(parameters), self._key)
        if said.code == 0:
            return json.loads(said.out or "{}")
        found = ERROR.search(said.err)
        assert found, said.err
        raise ClientError({"Error": {"Code": found["code"], "Message": found["message"].strip()}}, operation)
