"""A pytest plugin: moto's own tests, their calls answered by our gateway where moto's stubber would.

Loaded by `-p` into a pytest of its own, which runs the tests of moto's source distribution; it writes a line of JSON
a failed test to $MOTO_REGRESSION_OUT. What is not a service of the course (CloudFormation, DynamoDB, …), and what is
not signed, is left to moto.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import botocore.waiter
import pytest
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.models import MockAWS

from fargrade.emulator.gateway import Gateway
from fargrade.emulator.guard import SCOPE
from fargrade.emulator.services import SERVICES

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lifted import lift

BUCKET_HOST = re.compile(r"^(?P<bucket>.+)\.s3[.-][a-z0-9.-]*amazonaws\.com$")

gateway = Gateway([], "us-east-1")
_refused: list[str] = []
_plain_process = BotocoreStubber.process_request
_plain_reset = MockAWS.reset


def _process(stubber: BotocoreStubber, request: Any) -> Any:
    headers = {str(k): v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}
    signed = SCOPE.search(headers.get("Authorization", ""))
    if not signed or signed[4] not in SERVICES:
        return _plain_process(stubber, request)
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
    response = gateway.from_learner(request.method, _path(request.url), headers, content)
    if response.status >= 400:
        call = gateway.recording.as_json()[-1]
        _refused.append(f"{call['service']} {call['operation']}: {call['error']}: {call['message']}")
    return response.status, dict(response.headers), response.body


def _path(url: str) -> str:
    """The path and query as they come to one endpoint: a bucket in the host's name goes into the path."""
    address = urlsplit(url)
    found = BUCKET_HOST.match(address.hostname or "")
    path = f"/{found['bucket']}{address.path}" if found else address.path or "/"
    return f"{path}?{address.query}" if address.query else path


def _reset(mock: MockAWS) -> None:
    _plain_reset(mock)
    gateway.reset(0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "setup":
        _refused.clear()
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        said = {
            "test": item.nodeid,
            "message": getattr(crash, "message", str(report.longrepr))[:400],
            "refused": list(dict.fromkeys(_refused))[-12:],
        }
        with Path(os.environ["MOTO_REGRESSION_OUT"]).open("a", encoding="utf-8") as out:
            out.write(json.dumps(said) + "\n")
    return report


def _wait(seconds: float) -> None:
    """A waiter of the test's lets the world's time pass, not the test's."""
    gateway.control("advance", {"seconds": seconds})


if os.environ.get("MOTO_REGRESSION_PLAIN") != "1":
    lift()
    botocore.waiter.time = SimpleNamespace(sleep=_wait)
    BotocoreStubber.process_request = _process
    MockAWS.reset = _reset
