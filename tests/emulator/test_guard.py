"""What may pass the gateway, and every way round it that moto alone would follow."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from fargrade.emulator.errors import Response
from fargrade.emulator.gateway import MAX_BODY, Gateway

TARGET = "AmazonEC2ContainerRegistry_V20150921."
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def opened() -> Gateway:
    return Gateway(["ecr", "iam", "s3", "sts", "ec2"], "us-east-1")


@pytest.fixture
def gateway(opened: Gateway) -> Iterator[Gateway]:
    opened.reset(3, "210987654321")
    yield opened
    assert opened.faults == []


def signed(service: str, region: str = "us-east-1", **headers: str) -> dict[str, str]:
    scope = (
        f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
    return {"Authorization": scope, **{name.replace("_", "-"): value for name, value in headers.items()}}


def ecr(gateway: Gateway, operation: str, given: Any = None, path: str = "/", **headers: str) -> Response:
    sent = signed("ecr", Content_Type="application/x-amz-json-1.1", X_Amz_Target=TARGET + operation, **headers)
    return gateway.from_learner("POST", path, sent, json.dumps(given or {}).encode())


def code(response: Response) -> str:
    return response.headers.get("x-amzn-ErrorType", "")


def said(response: Response) -> Any:
    return json.loads(response.body)


def made(gateway: Gateway) -> list[str]:
    return [one["repositoryName"] for one in said(ecr(gateway, "DescribeRepositories"))["repositories"]]


def test_a_signed_call_passes(gateway: Gateway) -> None:
    answered = said(ecr(gateway, "CreateRepository", {"repositoryName": "shop"}))
    assert answered["repository"]["repositoryArn"] == "arn:aws:ecr:us-east-1:210987654321:repository/shop"


@pytest.mark.parametrize(
    "path",
    [
        "/moto-api/reset",
        "/moto-api/data.json",
        "/moto-api/seed?a=1",
        "/moto-api/config",
        "/moto-api/recorder/start-recording",
        "/moto-api/static/athena/query-results",
        "/moto-api/state-manager/set-transition",
        "/moto-api/proxy/passthrough",
        "/%6doto-api/reset",
        "/moto%2dapi/reset",
        "//moto-api/reset",
        "/./moto-api/reset",
        "/x/../moto-api/reset",
        "/moto-api%2freset",
        "/MOTO-API/reset",
        "/latest/meta-data/iam/security-credentials/",
        "/latest/dynamic/x",
    ],
)
@pytest.mark.parametrize("service", ["", "ecr", "iam", "s3"])
def test_motos_own_addresses_are_not_there(gateway: Gateway, path: str, service: str) -> None:
    ecr(gateway, "CreateRepository", {"repositoryName": "stays"})
    for method in ("POST", "GET", "DELETE"):
        answered = gateway.from_learner(method, path, signed(service) if service else {}, b"{}")
        assert answered.status >= 400 or service == "s3", answered.body
        assert b"accesskeyid" not in answered.body.lower()
        assert b"moto_api" not in answered.body
    assert made(gateway) == ["stays"]


def test_the_account_cannot_be_chosen(gateway: Gateway) -> None:
    for header in ("x-moto-account-id", "X-Moto-Account-Id", "X_MOTO_ACCOUNT_ID"):
        ecr(gateway, "CreateRepository", {"repositoryName": f"by-{len(made(gateway))}"}, **{header: "999999999999"})
    assert len(made(gateway)) == 3


def test_what_is_not_signed_is_refused(gateway: Gateway) -> None:
    answered = gateway.from_learner(
        "POST",
        "/",
        {"X-Amz-Target": TARGET + "DescribeRepositories", "Content-Type": "application/x-amz-json-1.1"},
        b"{}",
    )
    assert (answered.status, code(answered)) == (403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("service", ["lambda", "dynamodb", "sns", "sqs", "cloudformation", "apigateway", "route53"])
def test_a_service_that_is_none_of_the_courses(gateway: Gateway, service: str) -> None:
    answered = gateway.from_learner("POST", "/", signed(service), b"{}")
    assert (answered.status, code(answered)) == (403, "AccessDeniedException")


@pytest.mark.parametrize("region", ["us-east-9", "mars-north-1", "cn-north-1", "us-east-1a"])
def test_a_region_that_does_not_exist(gateway: Gateway, region: str) -> None:
    sent = signed(
        "ecr", region, Content_Type="application/x-amz-json-1.1", X_Amz_Target=TARGET + "DescribeRepositories"
    )
    assert code(gateway.from_learner("POST", "/", sent, b"{}")) == "UnknownEndpoint"


def test_the_region_is_the_signatures_not_the_hosts(gateway: Gateway) -> None:
    ecr(gateway, "CreateRepository", {"repositoryName": "here"}, Host="api.ecr.eu-west-1.amazonaws.com")
    assert made(gateway) == ["here"]


def test_one_spelling_of_the_operation(gateway: Gateway) -> None:
    """moto takes an Action from the query string before the target: what was decoded must be what is answered."""
    ecr(gateway, "CreateRepository", {"repositoryName": "stays"})
    ecr(gateway, "DescribeRepositories", {"repositoryName": "stays"}, "/?Action=DeleteRepository&repositoryName=stays")
    form = signed("iam", Content_Type=FORM, X_Amz_Target="X.DeleteRole")
    answered = gateway.from_learner(
        "POST", "/?Action=DeleteRole&RoleName=x", form, b"Action=ListRoles&Version=2010-05-08"
    )
    assert answered.status == 200
    assert b"ListRolesResponse" in answered.body
    assert made(gateway) == ["stays"]


@pytest.mark.parametrize("path", ["/?Action=ListBuckets", "/bucket?Action=DeleteBucket"])
def test_an_action_has_no_place_in_rest(gateway: Gateway, path: str) -> None:
    assert gateway.from_learner("GET", path, signed("s3"), b"").status == 405


def test_a_form_that_uploads_has_no_place_in_rest(gateway: Gateway) -> None:
    sent = signed("s3", Content_Type="multipart/form-data; boundary=x")
    assert gateway.from_learner("POST", "/bucket", sent, b"--x--").status == 405


@pytest.mark.parametrize("path", ["/shop", "/v2/_catalog", "/../../etc/passwd", "/%00"])
def test_json_services_have_one_address(gateway: Gateway, path: str) -> None:
    assert ecr(gateway, "DescribeRepositories", path=path).status == 404


@pytest.mark.parametrize("operation", ["FlyToTheMoon", "", "__init__", "describe_repositories"])
def test_an_operation_that_is_none_of_the_services(gateway: Gateway, operation: str) -> None:
    answered = ecr(gateway, operation)
    assert (answered.status, code(answered)) == (400, "UnknownOperationException")


def test_an_action_that_is_none_of_the_services(gateway: Gateway) -> None:
    answered = gateway.from_learner("POST", "/", signed("ec2", Content_Type=FORM), b"Action=Fly&Version=2016-11-15")
    assert b"<Code>InvalidAction</Code>" in answered.body


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b'{"a":' * 5000, b"x" * 100_000])
def test_a_body_that_cannot_be_read(gateway: Gateway, body: bytes) -> None:
    sent = signed("ecr", Content_Type="application/x-amz-json-1.1", X_Amz_Target=TARGET + "CreateRepository")
    answered = gateway.from_learner("POST", "/", sent, body)
    assert answered.status == 400
    assert code(answered) in ("SerializationException", "InvalidParameterException")


def test_gzip_is_unpacked_but_not_without_end(gateway: Gateway) -> None:
    target = {"Content_Type": "application/x-amz-json-1.1", "X_Amz_Target": TARGET + "CreateRepository"}
    packed = signed("ecr", Content_Encoding="gzip", **target)
    assert gateway.from_learner("POST", "/", packed, gzip.compress(b'{"repositoryName": "zipped"}')).status == 200
    bomb = gzip.compress(b" " * (MAX_BODY + 1))
    assert code(gateway.from_learner("POST", "/", packed, bomb)) == "RequestEntityTooLarge"
    assert code(gateway.from_learner("POST", "/", packed, b"no gzip")) == "SerializationException"


def test_public_ecr_is_in_one_region(gateway: Gateway) -> None:
    answered = gateway.from_learner("POST", "/", signed("ecr-public", "eu-west-1"), b"{}")
    assert code(answered) == "UnknownEndpoint"


def test_what_was_refused_is_recorded_too(gateway: Gateway) -> None:
    gateway.from_learner("POST", "/moto-api/reset", {}, b"")
    ecr(gateway, "CreateRepository", {"repositoryName": "Shop"})
    first, second = gateway.recording.as_json()
    assert (first["service"], first["status"], "moto-api" in first["operation"]) == ("?", 403, True)
    assert (second["operation"], second["error"]) == ("CreateRepository", "InvalidParameterException")
    assert "repositoryName" in second["message"]


def test_the_graders_own_calls_are_not_the_learners(gateway: Gateway) -> None:
    sent = signed("ecr", Content_Type="application/x-amz-json-1.1", X_Amz_Target=TARGET + "DescribeRepositories")
    assert gateway.from_grader("POST", "/", sent, b"{}").status == 200
    assert gateway.recording.as_json() == []


def test_iam_is_one_for_all_regions_and_ecr_public_is_not(gateway: Gateway) -> None:
    """With an endpoint of its own a client signs IAM's calls for its own region; AWS's endpoint rules say us-east-1."""
    asked = b"Action=ListRoles&Version=2010-05-08"
    listed = gateway.from_learner("POST", "/", signed("iam", "eu-west-1", Content_Type=FORM), asked)
    assert listed.status == 200
    public = signed("ecr-public", "eu-west-1", Content_Type="application/x-amz-json-1.1", X_Amz_Target="Spencer.x")
    assert gateway.from_learner("POST", "/", public, b"{}").status == 404
