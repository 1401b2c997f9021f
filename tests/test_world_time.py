"""The learner's waiting moves the world's clock, and nothing sleeps."""

from __future__ import annotations

import textwrap
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import containers as given_containers
from fargrade.given import network as given_network
from fargrade.given import roles as given_roles
from fargrade.sandbox import Command, Job, Outcome, PythonCall, Sandbox


@pytest.fixture(autouse=True)
def new_world(embedded: EmbeddedWorld) -> None:
    embedded.reset(1)


def run(sandbox: Sandbox, embedded: EmbeddedWorld, code: str, *argv: str) -> Outcome:
    entry: Any = Command(argv) if argv else PythonCall("answer.py", "f")
    files = {"answer.py": textwrap.dedent(code).encode()}
    return sandbox.run(Job(files=files, entry=entry, env=embedded.environment))


def moved(embedded: EmbeddedWorld, outcome: Outcome) -> timedelta:
    """How far the world is ahead of this machine, now that the job has run in no time of ours."""
    assert outcome.seconds < 6, outcome
    return embedded.now() - datetime.now(UTC)


@pytest.mark.parametrize(
    ("code", "argv"),
    [
        ("import time\ndef f(): time.sleep(600)", ()),
        ("from time import sleep\ndef f():\n for _ in range(40): sleep(15)", ()),
        ("", ("bash", "-c", "sleep 5m; sleep 300")),
        ("", ("python3", "-c", "import time; time.sleep(600)")),
        (
            "import time\ndef f():\n until = time.time() + 600\n while time.time() < until: time.sleep(5)",
            (),
        ),
        (
            "import datetime as d, time\ndef f():\n until = d.datetime.now() + d.timedelta(minutes=10)\n"
            " while d.datetime.now() < until: time.sleep(5)",
            (),
        ),
    ],
)
def test_sleeping_moves_the_world(sandbox: Sandbox, embedded: EmbeddedWorld, code: str, argv: tuple[str, ...]) -> None:
    outcome = run(sandbox, embedded, code, *argv)
    assert outcome.ok, outcome
    assert timedelta(seconds=590) < moved(embedded, outcome) < timedelta(seconds=650)


def test_the_learner_sees_the_worlds_time(sandbox: Sandbox, embedded: EmbeddedWorld) -> None:
    embedded.advance(86_400)
    outcome = run(
        sandbox,
        embedded,
        """
        import time
        from datetime import datetime, timezone
        def f():
            now = datetime.now(timezone.utc)
            return [time.time(), now.timestamp(), isinstance(now, datetime), datetime(2020, 1, 1).isoformat()]
        """,
    )
    assert outcome.ok, outcome
    seconds = embedded.now().timestamp()
    assert abs(outcome.value[0] - seconds) < 10
    assert abs(outcome.value[1] - seconds) < 10
    assert outcome.value[2:] == [True, "2020-01-01T00:00:00"]


def test_a_waiter_that_waits_for_more_than_an_hour_ends_as_boto3s_do(sandbox: Sandbox, embedded: EmbeddedWorld) -> None:
    embedded.client("ecr").create_repository(repositoryName="shop")
    digest = embedded.push_image("shop", ["1"])
    embedded.seed_findings("shop", digest, [], status="IN_PROGRESS")
    outcome = run(
        sandbox,
        embedded,
        """
        import boto3
        def f():
            waiter = boto3.client("ecr").get_waiter("image_scan_complete")
            config = {"Delay": 60, "MaxAttempts": 10000}
            waiter.wait(repositoryName="shop", imageId={"imageTag": "1"}, WaiterConfig=config)
        """,
    )
    assert outcome.error is not None, outcome
    assert outcome.error.type == "WaiterError", outcome.error
    assert "Max attempts exceeded" in outcome.error.message


def test_an_endless_wait_ends_within_its_hour(sandbox: Sandbox, embedded: EmbeddedWorld) -> None:
    outcome = run(sandbox, embedded, "import time\ndef f():\n while True: time.sleep(5)")
    assert outcome.kind == "raised"
    assert outcome.error is not None
    assert outcome.error.type == "TimeoutError"
    assert moved(embedded, outcome) < timedelta(hours=1, minutes=1)


def test_without_a_world_a_sleep_is_short_and_real(sandbox: Sandbox, embedded: EmbeddedWorld) -> None:
    job = Job(
        files={"answer.py": b"import time\ndef f(): time.sleep(30)"},
        entry=PythonCall("answer.py", "f"),
        env={**embedded.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    )
    started = time.monotonic()
    assert sandbox.run(job).ok
    assert time.monotonic() - started < 5


def test_each_call_takes_a_moment(sandbox: Sandbox, embedded: EmbeddedWorld) -> None:
    outcome = run(
        sandbox,
        embedded,
        """
        import boto3
        def f():
            sts = boto3.client("sts")
            for _ in range(50): sts.get_caller_identity()
        """,
    )
    assert outcome.ok, outcome
    assert timedelta(seconds=9) < moved(embedded, outcome) < timedelta(seconds=20)


def test_the_cli_waits_in_the_worlds_time(sandbox: Sandbox, embedded: EmbeddedWorld) -> None:
    vpc = given_network.vpc(embedded, private=False)
    image = given_containers.image(embedded, "web", "1")
    definition = given_containers.definition(embedded, "web", image, given_roles.execution_role(embedded))
    embedded.client("ecs").create_cluster(clusterName="shop")
    script = f"""
        set -e
        network='awsvpcConfiguration={{subnets=[{vpc.public[0]}],assignPublicIp=ENABLED}}'
        aws ecs create-service --cluster shop --service-name web --task-definition {definition} --desired-count 1 \\
            --launch-type FARGATE --network-configuration "$network" > /dev/null
        aws ecs wait services-stable --cluster shop --services web
        aws ecs describe-services --cluster shop --services web --query 'services[0].runningCount'
        for i in 1 2 3 4 5 6 7 8 9 10; do sleep 30; done
    """
    outcome = run(sandbox, embedded, "", "bash", "-c", textwrap.dedent(script))
    assert outcome.ok, outcome.stderr
    assert outcome.stdout.strip() == "1"
    assert embedded.now() - datetime.now(UTC) > timedelta(seconds=300)
    assert outcome.seconds < 20


def test_a_cli_that_is_a_binary_waits_so_too(sandbox: Sandbox, embedded: EmbeddedWorld) -> None:
    embedded.client("ecr").create_repository(repositoryName="shop")
    digest = embedded.push_image("shop", ["1"])
    embedded.seed_findings("shop", digest, [], status="IN_PROGRESS")
    script = """
        mkdir own && printf '#!/bin/sh\\nexit 99\\n' > own/aws && chmod +x own/aws
        PATH=${PATH%%:*}:$PWD/own:${PATH#*:}
        aws sts get-caller-identity; echo "own: $?"
        aws ecr wait image-scan-complete --repository-name shop --image-id imageTag=1; echo "wait: $?"
        aws ecr wait nothing; echo "none: $?"
    """
    outcome = run(sandbox, embedded, "", "bash", "-c", textwrap.dedent(script))
    assert outcome.stdout.split("\n")[:3] == ["own: 99", "wait: 255", "none: 252"], (outcome.stdout, outcome.stderr)
    assert "Max attempts exceeded" in outcome.stderr
    assert moved(embedded, outcome) > timedelta(seconds=200)
