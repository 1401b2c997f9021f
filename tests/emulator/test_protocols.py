"""Every protocol that a client may speak reaches the same operation, and gets its answer in its own words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.exceptions import ClientError

from fargrade.emulator.gateway import Gateway

PROTOCOLS = ["json", "query", "smithy-rpc-v2-cbor"]


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    made = Gateway(["cloudwatch", "codebuild"], "us-east-1")
    made.reset(1)
    return made


@pytest.fixture
def clients(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes clients that speak a given protocol to the gateway."""

    def client(service: str, protocol: str) -> Any:
        from botocore.model import ServiceModel

        monkeypatch.setattr(ServiceModel, "resolved_protocol", property(lambda _: protocol))
        made = botocore.session.Session().create_client(
            service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
            endpoint_url="http://world.invalid",
        )  # fmt: skip
        made.meta.events.register("before-send", send)
        return made

    def send(request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse
        from botocore.compat import HTTPHeaders

        from fargrade.backends.embedded import _Raw

        headers = {k: v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        said = gateway.from_learner(request.method, urlsplit(request.url).path, headers, body)
        return AWSResponse(request.url, said.status, HTTPHeaders.from_dict(said.headers), _Raw(said.body))

    return client


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cloudwatch_speaks_it(clients: Any, gateway: Gateway, protocol: str) -> None:
    gateway.reset(1)
    cloudwatch = clients("cloudwatch", protocol)
    when = datetime.now(UTC).replace(microsecond=0)
    cloudwatch.put_metric_data(
        Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": 4.5, "Timestamp": when, "Unit": "Count"}]
    )
    cloudwatch.put_metric_alarm(
        AlarmName="many", Namespace="Shop", MetricName="Orders", Statistic="Sum", Period=60, EvaluationPeriods=3,
        Threshold=2.5, ComparisonOperator="GreaterThanThreshold",
        AlarmActions=["arn:aws:sns:us-east-1:123456789012:ops"],
    )  # fmt: skip
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["many"])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (2.5, 3)
    assert isinstance(alarm["StateUpdatedTimestamp"], datetime)
    assert cloudwatch.list_metrics(Namespace="Shop")["Metrics"][0]["MetricName"] == "Orders"
    assert {call["operation"] for call in gateway.recording.as_json()} == {
        "PutMetricData", "PutMetricAlarm", "DescribeAlarms", "ListMetrics",
    }  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refusal_comes_in_it(clients: Any, protocol: str) -> None:
    with pytest.raises(ClientError) as refused:
        clients("cloudwatch", protocol).put_metric_alarm(
            AlarmName="odd", Namespace="Shop", MetricName="Orders", Statistic="Median", Period=60,
            EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    assert refused.value.response["Error"]["Code"] in ("ValidationError", "ValidationException")
    assert "Median" in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor"])
def test_what_moto_answers_comes_in_it(clients: Any, protocol: str) -> None:
    assert clients("codebuild", protocol).list_projects()["projects"] == []
