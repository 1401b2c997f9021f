"""What a call costs: in process, through moto's bare dispatch over HTTP, and through the gateway with everything on."""

from __future__ import annotations

import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import boto3

Call = Callable[[Callable[[str], Any]], Any]
SERVICES = ("ecr", "iam", "s3", "ec2", "logs", "ssm")
# One read a protocol, and a write: what graders and learners do most.
CALLS: dict[str, Call] = {
    "ecr DescribeRepositories": lambda client: client("ecr").describe_repositories(),
    "logs DescribeLogGroups": lambda client: client("logs").describe_log_groups(),
    "iam ListRoles": lambda client: client("iam").list_roles(),
    "ec2 DescribeVpcs": lambda client: client("ec2").describe_vpcs(),
    "s3 GetObject": lambda client: client("s3").get_object(Bucket="shop", Key="a")["Body"].read(),
    "ssm PutParameter": lambda client: client("ssm").put_parameter(Name="/a", Value="1", Type="String", Overwrite=True),
}


def clients(url: str | None, key: str = "AKIAIOSFODNN7EXAMPLE") -> Callable[[str], Any]:
    session = boto3.Session(key, "secret", region_name="us-east-1")
    made = {name: session.client(name, endpoint_url=url) for name in SERVICES}
    return made.__getitem__


def given(client: Callable[[str], Any]) -> None:
    client("s3").create_bucket(Bucket="shop")
    client("s3").put_object(Bucket="shop", Key="a", Body=b"x" * 1000)
    client("ecr").create_repository(repositoryName="shop")
    client("logs").create_log_group(logGroupName="shop")


def served(application: Callable[..., Iterable[bytes]]) -> str:
    """Serve a WSGI application as the emulator does; returns its address."""
    from waitress.server import create_server

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(16)
    server: Any = create_server(application, map={}, sockets=[listening], threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """moto and nothing else behind HTTP: the service from the signature, then moto's own handler."""
    from http.client import responses

    from fargrade.emulator import moto_backend
    from fargrade.emulator.guard import SCOPE
    from fargrade.emulator.services import SERVICES as BY_SCOPE

    headers = {
        key[5:].replace("_", "-").title(): value
        for key, value in environ.items()
        if key.startswith("HTTP_") and key != "HTTP_HOST"
    }
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    found = SCOPE.search(headers["Authorization"])
    assert found is not None
    service = BY_SCOPE[found[4]]
    from moto.core.request import Request

    url = service.url(found[3]) + environ["REQUEST_URI"]
    request = Request.from_primitives(environ["REQUEST_METHOD"], url, headers, environ["wsgi.input"].read())
    answered = moto_backend.dispatch(service, request)
    kept = [(k, v) for k, v in answered.headers.items() if k.lower() not in ("content-length", "connection")]
    start_response(
        f"{answered.status} {responses[answered.status]}", [*kept, ("Content-Length", str(len(answered.body)))]
    )
    return [answered.body]


def measure(rounds: int) -> dict[str, tuple[float, float, float]]:
    """By call: milliseconds (in process, bare moto over HTTP, the gateway over HTTP), medians of interleaved rounds."""
    from fargrade.backends.embedded import EmbeddedWorld

    world = EmbeddedWorld.start(SERVICES)
    world.reset(1)
    ours = clients(f"http://127.0.0.1:{world.listen()}", world.environment["AWS_ACCESS_KEY_ID"])
    given(ours)
    theirs_process, address = _bare_process()
    try:
        return _measured(rounds, ours, address)
    finally:
        theirs_process.kill()
        theirs_process.wait()
        world.close()


def _measured(rounds: int, ours: Callable[[str], Any], address: str) -> dict[str, tuple[float, float, float]]:
    from moto import mock_aws

    theirs = clients(address)
    given(theirs)
    seen: dict[str, tuple[list[float], list[float], list[float]]] = {name: ([], [], []) for name in CALLS}
    for number in range(rounds + 3):
        for name, call in CALLS.items():
            for place, client in ((1, theirs), (2, ours)):
                took = _timed(call, client)
                if number >= 3:
                    seen[name][place].append(took)
    with mock_aws():
        inside = clients(None)
        given(inside)
        for number in range(rounds + 3):
            for name, call in CALLS.items():
                took = _timed(call, inside)
                if number >= 3:
                    seen[name][0].append(took)
    return {name: tuple(statistics.median(one) for one in took) for name, took in seen.items()}  # type: ignore[misc]


def _timed(call: Call, client: Callable[[str], Any]) -> float:
    started = time.perf_counter()
    call(client)
    return (time.perf_counter() - started) * 1000


def _bare_process() -> tuple[Any, str]:
    """moto in a process of its own, as the gateway is, so that both sides pay for the same two processes."""
    import subprocess

    process = subprocess.Popen([sys.executable, "-m", "benchmarks.gateway"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def imported_by(services: tuple[str, ...]) -> list[str]:
    """moto's services that a world for `services` imports."""
    import subprocess

    code = (
        "import sys; from fargrade.emulator.gateway import Gateway; "
        f"Gateway({list(services)!r}, 'us-east-1'); "
        "print(*sorted({n.split('.')[1] for n in sys.modules if n.startswith('moto.') and n.endswith('.models')}))"
    )
    came = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return came.stdout.split()


def _serve_bare() -> None:
    from fargrade.emulator import moto_backend
    from fargrade.emulator.services import BY_MODEL

    for name in SERVICES:
        moto_backend.load(BY_MODEL[name])
    print(served(bare), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    _serve_bare()
