"""backend=http://…: any endpoint that is there, reached through a guard that records; what it lacks is not judged."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError

from fargrade.backends.endpoint import EndpointWorld
from fargrade.backends.lacking import BackendProblem, Lacking, unsupported, unsupported_answer
from fargrade.backends.opening import Wanted
from fargrade.grading import NotJudged
from fargrade.plugin.evidence import judge


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Our emulator, standing alone."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    emulator = subprocess.Popen(
        [sys.executable, "-m", "fargrade.emulator", "--port", str(port), "--services", "ecr,sts,iam,s3"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert emulator.stdout
    while "Ready." not in emulator.stdout.readline():
        assert emulator.poll() is None
    yield f"http://127.0.0.1:{port}"
    emulator.kill()
    emulator.wait()


@pytest.fixture
def world(address: str) -> Iterator[EndpointWorld]:
    opened = EndpointWorld.open(address, ["ecr"])
    opened.reset()
    yield opened
    opened.close()


def learner(world: EndpointWorld, service: str, **options: Any) -> Any:
    """A client as the learner's code would have it, on a listener of the forwarder."""
    port = world.listen()
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=world.region,
        aws_access_key_id="AKIAIOSFODNN7LEARNER",
        aws_secret_access_key="x",
        **options,
    )


def test_what_the_learner_makes_the_grader_sees(world: EndpointWorld) -> None:
    learner(world, "ecr").create_repository(repositoryName="shop/api")
    (found,) = world.client("ecr").describe_repositories()["repositories"]
    assert found["repositoryName"] == "shop/api"
    (call,) = world.calls("ecr")
    assert (call.operation, call.parameters, call.status) == ("CreateRepository", {"repositoryName": "shop/api"}, 200)


def test_refusals_and_query_and_rest_pass_and_are_recorded(world: EndpointWorld) -> None:
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        learner(world, "ecr").describe_images(repositoryName="nowhere")
    assert learner(world, "sts").get_caller_identity()["Account"] == world.account
    s3 = learner(world, "s3")
    s3.create_bucket(Bucket="a-bucket-of-ours")
    s3.put_object(Bucket="a-bucket-of-ours", Key="a key/with spaces", Body=b"\x00binary\xff" * 1000)
    assert s3.get_object(Bucket="a-bucket-of-ours", Key="a key/with spaces")["Body"].read() == b"\x00binary\xff" * 1000
    names = [(call.service, call.operation, call.status) for call in world.calls()]
    assert ("ecr", "DescribeImages", 400) in names
    assert ("sts", "GetCallerIdentity", 200) in names
    assert ("s3", "PutObject", 200) in names


def test_nothing_but_calls_to_aws_passes(world: EndpointWorld) -> None:
    port = world.listen()
    for request in (
        b"GET /moto-api/data.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /_localstack/state/reset HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request)
            answer = b"".join(iter(lambda c=connection: c.recv(4096), b""))
        assert int(answer.split()[1]) >= 400, answer


def test_an_image_is_pushed_through_ecrs_own_calls(world: EndpointWorld) -> None:
    world.client("ecr").create_repository(repositoryName="shop")
    digest = world.push_image("shop", ["1", "2"], content="the same")
    (found,) = world.client("ecr").describe_images(repositoryName="shop")["imageDetails"]
    assert (found["imageDigest"], sorted(found["imageTags"])) == (digest, ["1", "2"])


def test_our_own_emulators_clock_moves_from_outside(world: EndpointWorld) -> None:
    before = world.now()
    assert (world.advance(600) - before).total_seconds() >= 600


@pytest.mark.parametrize("name", ["seed_findings", "docker_log", "something_new"])
def test_an_ability_that_is_not_there_is_said(world: EndpointWorld, name: str) -> None:
    with pytest.raises(Lacking, match="embedded backend"):
        getattr(world, name)


def test_a_reset_empties_it(world: EndpointWorld) -> None:
    world.client("ecr").create_repository(repositoryName="left-over")
    world.reset()
    assert world.client("ecr").describe_repositories()["repositories"] == []
    assert world.calls() == []


def test_no_endpoint_is_one_sentence() -> None:
    for url, said in (("http://127.0.0.1:9", "Nothing answers"), ("http://", "is no endpoint")):
        with pytest.raises(BackendProblem, match=said):
            EndpointWorld.open(url)
    with pytest.raises(BackendProblem, match="There is no backend"):
        Wanted("floci").check()
    with pytest.raises(BackendProblem, match="only by name"):
        Wanted("aws").check()


# What backends that lack something were seen to answer (status, code, message), and what AWS itself may answer.
UNSUPPORTED = [
    (501, "InternalFailure", "The API for service ecs is either not included in your current license plan"),
    (500, "InternalError", "API action not part of the active license agreement"),
    (400, "400", ""),
    (400, "InvalidAction", "Unknown action: DescribeImageScanFindings"),
    (404, "UnknownOperationException", ""),
    (404, "404", "Not Found"),
    (400, "NotImplementedError", "nope"),
    (503, "ServiceUnavailable", "x"),
]
AWS_S = [
    (400, "RepositoryNotFoundException", "The repository with name 'x' does not exist"),
    (404, "NoSuchEntity", "The role with name x cannot be found."),
    (404, "NoSuchBucket", "The specified bucket does not exist"),
    (403, "AccessDenied", "Access Denied"),
    (400, "ValidationError", ""),
    (400, "InvalidParameterException", "No Fargate configuration exists for given values."),
]


@pytest.mark.parametrize(("status", "code", "message"), UNSUPPORTED)
def test_what_a_backend_lacks_is_not_judged(status: int, code: str, message: str) -> None:
    assert unsupported_answer(status, code, message)
    error = client_error(status, code, message)
    assert unsupported(error)
    assert judge(error, "", embedded=False)[0] == "not_judged"


@pytest.mark.parametrize(("status", "code", "message"), AWS_S)
def test_what_aws_refuses_is_still_failed(status: int, code: str, message: str) -> None:
    assert not unsupported_answer(status, code, message)
    assert judge(client_error(status, code, message), "", embedded=False)[0] == "failed"


def client_error(status: int, code: str, message: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "DescribeThings"
    )


def test_lacking_is_not_judged_anywhere() -> None:
    assert judge(Lacking("no clock"), "", embedded=False)[0] == "not_judged"
    assert judge(NotJudged("x"), "")[0] == "not_judged"


class _Half(BaseHTTPRequestHandler):
    """A backend that knows who it is, and nothing else; one operation breaks the connection."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self._say(404, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if "GetCallerIdentity" in body:
            return self._say(
                200,
                b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
                b"</GetCallerIdentityResult></GetCallerIdentityResponse>",
            )
        _Half.asked.append(self.headers.get("X-Amz-Target", ""))
        return self._say(400, b"")

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def test_a_grading_on_a_backend_with_nothing_judges_nothing_and_fails_nobody(root: Path, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Half)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    result = tmp_path / "grade.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fargrade.cli", "grade", "--item=1.2", f"--submission={root / 'solutions'}"),
            *(f"--backend=http://127.0.0.1:{server.server_port}", f"--json={result}", f"--reports={tmp_path}"),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    server.shutdown()
    graded = json.loads(result.read_text())
    assert {check["status"] for check in graded["items"][0]["checks"]} == {"not_judged"}, done.stdout
    assert done.returncode == 3
