"""`fargrade emulator`: the embedded AWS for anyone's client, on loopback unless told otherwise."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from tests.commands import FARGRADE, ROOT, fargrade, surroundings


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    started = subprocess.Popen(
        [*FARGRADE, "emulator", "--port", "0"], cwd=ROOT, env=surroundings(), stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    said = started.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found, said
    yield found[0]
    started.terminate()
    started.wait(20)


def ask(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answered:
        return json.loads(answered.read())


def client(url: str, service: str, region: str = "us-east-1") -> Any:
    return boto3.client(
        service, endpoint_url=url, region_name=region, aws_access_key_id="any", aws_secret_access_key="any"
    )


def test_its_health_is_localstacks(url: str) -> None:
    services = ask(f"{url}/_localstack/health")["services"]
    assert {"ecr", "ecs", "elbv2", "iam", "s3"} <= set(services)
    assert set(services.values()) == {"available"}


@pytest.mark.parametrize(
    ("service", "operation", "key"),
    [
        ("ecr", "describe_repositories", "repositories"),
        ("ecs", "list_clusters", "clusterArns"),
        ("ec2", "describe_vpcs", "Vpcs"),
        ("s3", "list_buckets", "Buckets"),
        ("iam", "list_roles", "Roles"),
        ("cloudwatch", "describe_alarms", "MetricAlarms"),
        ("codepipeline", "list_pipelines", "pipelines"),
    ],
)
def test_services_are_there_without_being_named(url: str, service: str, operation: str, key: str) -> None:
    assert isinstance(getattr(client(url, service), operation)()[key], list)


STACK = """
import sys

sys.path.insert(0, sys.argv[1])
import boto3
import stack

made = boto3.client("codeconnections").create_connection(ProviderType="GitHub", ConnectionName="mine")
stack.build("shop", made["ConnectionArn"], "acme/shop", "main")
"""


def test_a_whole_stack_stands_by_one_script(url: str) -> None:
    """Somebody's own script, in a process of its own and with nothing of ours in it, in another region than ours."""
    given = {
        **surroundings(), "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }  # fmt: skip
    script = [sys.executable, "-c", STACK, str(ROOT / "solutions" / "week4" / "10_capstone")]
    ran = subprocess.run(script, env=given, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    ask(f"{url}/_fargrade/clock", {"seconds": 600})
    (cluster,) = client(url, "ecs", "eu-central-1").list_clusters()["clusterArns"]
    names = client(url, "ecs", "eu-central-1").list_services(cluster=cluster)["serviceArns"]
    (service,) = client(url, "ecs", "eu-central-1").describe_services(cluster=cluster, services=names)["services"]
    assert service["runningCount"] == service["desiredCount"] > 0
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    group = service["loadBalancers"][0]["targetGroupArn"]
    health = client(url, "elbv2", "eu-central-1").describe_target_health(TargetGroupArn=group)
    assert {one["TargetHealth"]["State"] for one in health["TargetHealthDescriptions"]} == {"healthy"}
    (pipeline,) = client(url, "codepipeline", "eu-central-1").list_pipelines()["pipelines"]
    assert pipeline["version"] == 1
    alarms = client(url, "cloudwatch", "eu-central-1").describe_alarms()["MetricAlarms"]
    assert len(alarms) >= 3  # its own, and those of target tracking


def test_its_clock_can_be_moved(url: str) -> None:
    before = datetime.fromisoformat(ask(f"{url}/_fargrade/clock")["now"])
    after = datetime.fromisoformat(ask(f"{url}/_fargrade/clock", {"seconds": 86_400})["now"])
    assert timedelta(days=1) <= after - before < timedelta(days=1, minutes=5)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        ask(f"{url}/_fargrade/clock", {"seconds": "many"})


def test_an_unknown_service_is_one_sentence() -> None:
    came = fargrade("emulator", "--services", "ecr,lambda")
    assert came.returncode == 2
    assert came.stderr.startswith("There is no service lambda")
    assert len(came.stderr.strip().splitlines()) == 1
