"""Task definitions run with real containers: one network, in order, within sizes, with credentials at 169.254.170.2."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.containers import Ownership
from fargrade.containers.finding import split_reference
from fargrade.containers.proxy import Proxy
from fargrade.containers.running import http_get
from fargrade.containers.tasks import RealTask, start_task

pytestmark = pytest.mark.docker
CREDENTIALS = {
    "RoleArn": "arn:aws:iam::123456789012:role/reader",
    "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
    "SecretAccessKey": "secret",
    "Token": "token",
    "Expiration": "2099-01-01T00:00:00Z",
}


@pytest.fixture(autouse=True)
def _images(image: Callable[[str], str]) -> None:
    image("python")
    image("nginx")


@pytest.fixture
def start(owner: Ownership) -> Callable[..., RealTask]:
    def started(*containers: dict[str, Any], **options: Any) -> RealTask:
        definition = {"family": "shop", "cpu": "512", "memory": "512", "containerDefinitions": list(containers)}
        return start_task(owner, definition, image=lambda reference: reference, **options)

    return started


def logged(task: RealTask, name: str) -> str:
    """What the container wrote first, waited for."""
    until = time.monotonic() + 20
    while not task.log(name) and time.monotonic() < until:
        time.sleep(0.1)
    return task.log(name)


def python(name: str, code: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "python:3.12-slim", "command": ["python", "-u", "-c", code], **more}


def test_nginx_answers_through_a_proxy(start: Callable[..., RealTask]) -> None:
    task = start({"name": "web", "image": "nginx:1.27", "portMappings": [{"containerPort": 80}]})
    assert task.ask(port=80)
    proxy = Proxy([(task.address, 80)])
    answer = http_get("127.0.0.1", proxy.port, "/")
    assert (answer.status, b"Welcome to nginx" in answer.body) == (200, True)
    proxy.targets = [(task.address, 81)]
    assert http_get("127.0.0.1", proxy.port, "/").status == 502
    proxy.targets = []
    assert http_get("127.0.0.1", proxy.port, "/").status == 503
    proxy.close()
    task.stop("Task stopped by user")
    found = task.describe()
    assert (found["lastStatus"], found["stoppedReason"], found["stopCode"]) == (
        "STOPPED",
        "Task stopped by user",
        "UserInitiated",
    )


def test_containers_of_a_task_share_localhost_and_environment_is_theirs(start: Callable[..., RealTask]) -> None:
    task = start(
        {"name": "web", "image": "nginx:1.27"},
        python(
            "asks",
            "import os, time, urllib.request\n"
            "time.sleep(1)\n"
            "print(urllib.request.urlopen('http://127.0.0.1/').status, os.environ['GREETING'])\n",
            environment=[{"name": "GREETING", "value": "hello"}],
            essential=False,
        ),
    )
    assert task["asks"].running
    assert task["asks"].running.wait(15) == 0
    assert task.log("asks") == "200 hello\n"
    assert task.describe()["lastStatus"] == "RUNNING"  # it was not essential


def test_an_essential_container_ends_the_task_with_its_exit_code(start: Callable[..., RealTask]) -> None:
    task = start(
        {"name": "web", "image": "nginx:1.27"}, python("dies", "import sys, time; time.sleep(.3); sys.exit(7)")
    )
    found = task.wait(20)
    assert (found["lastStatus"], found["stoppedReason"]) == ("STOPPED", "Essential container in task exited")
    assert found["stopCode"] == "EssentialContainerExited"
    exits = {one["name"]: one.get("exitCode") for one in found["containers"]}
    assert exits["dies"] == 7
    assert exits["web"] is not None


def test_depends_on_is_kept(start: Callable[..., RealTask]) -> None:
    task = start(
        python(
            "app",
            "import time; print(time.time()); time.sleep(60)",
            dependsOn=[
                {"containerName": "migrate", "condition": "SUCCESS"},
                {"containerName": "db", "condition": "HEALTHY"},
            ],
        ),
        python("migrate", "import time; time.sleep(.5); print(time.time())", essential=False),
        python("db", "import time; time.sleep(60)", healthCheck={"command": ["CMD-SHELL", "exit 0"], "interval": 5}),
    )
    assert float(logged(task, "app")) > float(task.log("migrate"))
    assert task["db"].health() == "HEALTHY"


def test_a_dependency_that_failed_starts_nothing(start: Callable[..., RealTask]) -> None:
    task = start(
        python("app", "print('started')", dependsOn=[{"containerName": "migrate", "condition": "SUCCESS"}]),
        python("migrate", "raise SystemExit(1)", essential=False),
    )
    found = task.wait(10)
    assert found["lastStatus"] == "STOPPED"
    assert task["app"].running is None


def test_health_is_what_the_check_says(start: Callable[..., RealTask]) -> None:
    check = {"command": ["CMD-SHELL", "exit 1"], "interval": 5, "retries": 1}
    sick = start(python("app", "import time; time.sleep(60)", healthCheck=check))
    assert not sick.wait_healthy(6)
    assert sick.describe()["healthStatus"] == "UNHEALTHY"
    fit = start(python("app", "import time; time.sleep(60)", healthCheck={"command": ["CMD", "python", "-V"]}))
    assert fit.wait_healthy(15)


def test_what_cannot_start_is_told_as_ecs_tells_it(start: Callable[..., RealTask]) -> None:
    task = start({"name": "app", "image": "python:3.12-slim", "entryPoint": ["/no/such/program"]})
    found = task.describe()
    assert found["lastStatus"] == "STOPPED"
    assert found["containers"][0]["reason"].startswith("CannotStartContainerError")


def test_entry_point_user_and_read_only_are_taken(start: Callable[..., RealTask]) -> None:
    task = start(
        {
            "name": "app",
            "image": "nginx:1.27",
            "entryPoint": ["sh", "-c"],
            "command": ["id -u; pwd; echo x > /x"],
            "user": "1234",
            "workingDirectory": "/tmp",
            "readonlyRootFilesystem": True,
        }
    )
    assert task.wait(15)["containers"][0]["exitCode"] != 0
    said = task.log("app")
    assert {"1234", "/tmp"} <= set(said.splitlines())  # the two streams come in any order, line by line
    assert "Read-only file system" in said


def test_memory_is_a_limit(start: Callable[..., RealTask]) -> None:
    task = start(python("app", "x = bytearray(400 << 20); print(len(x))", memory=128))
    (one,) = task.wait(30)["containers"]
    assert one["exitCode"] == 137
    assert one["reason"].startswith("OutOfMemoryError")


ASKS = """
import json, os, urllib.request
where = "http://169.254.170.2" + os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
print(json.dumps(json.load(urllib.request.urlopen(where))))
try:
    urllib.request.urlopen("http://169.254.170.2/v2/credentials/another")
except OSError as error:
    print(error)
"""


def test_credentials_are_where_ecs_has_them_and_port_80_is_the_tasks_own(start: Callable[..., RealTask]) -> None:
    task = start({"name": "web", "image": "nginx:1.27"}, python("asks", ASKS, essential=False), credentials=CREDENTIALS)
    assert task.ask(port=80)
    assert task["asks"].running
    assert task["asks"].running.wait(15) == 0, task.log("asks")
    first, second = task.log("asks").splitlines()
    assert json.loads(first) == CREDENTIALS
    assert "400" in second


def test_without_a_task_role_there_are_no_credentials(start: Callable[..., RealTask]) -> None:
    code = "import os; print('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI' in os.environ)"
    task = start(python("app", code))
    task.wait(10)
    assert task.log("app") == "False\n"


def test_aws_answers_in_the_tasks_network(start: Callable[..., RealTask], embedded: EmbeddedWorld) -> None:
    code = (
        "import os, urllib.request\n"
        "asked = b'Action=GetCallerIdentity&Version=2011-06-15'\n"
        "request = urllib.request.Request(os.environ['AWS_ENDPOINT_URL'], data=asked)\n"
        "scope = 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sts/aws4_request, x'\n"
        "request.add_header('Authorization', scope)\n"
        "request.add_header('Content-Type', 'application/x-www-form-urlencoded')\n"
        "print(urllib.request.urlopen(request).read().decode())\n"
    )
    task = start(python("app", code), listen=embedded.listen)
    assert task.wait(20)["containers"][0]["exitCode"] == 0, task.log("app")
    assert embedded.account in task.log("app")


def test_nothing_of_a_task_stays(owner: Ownership, start: Callable[..., RealTask]) -> None:
    start({"name": "web", "image": "nginx:1.27"}, credentials=CREDENTIALS)
    owner.close()
    label = {"label": f"fargrade.run={owner.run}"}
    time.sleep(0.1)
    assert owner.engine.client.containers.list(all=True, filters=label) == []
    assert owner.engine.client.networks.list(filters=label) == []


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("nginx", ("nginx", "latest")),
        ("public.ecr.aws/nginx/nginx:1.27", ("public.ecr.aws/nginx/nginx", "1.27")),
        ("127.0.0.1:5000/x", ("127.0.0.1:5000/x", "latest")),
        ("a/b@sha256:0", ("a/b", "sha256:0")),
    ],
)
def test_a_reference_has_a_name_and_a_tag(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts


def test_a_task_definition_gets_nothing_of_the_host(owner: Ownership) -> None:
    """What ECS on EC2 would give to a container, and Fargate never."""
    greedy = python(
        "greedy",
        "import time; time.sleep(60)",
        privileged=True,
        user="0",
        linuxParameters={
            "capabilities": {"add": ["SYS_ADMIN", "NET_ADMIN"]},
            "devices": [{"hostPath": "/dev/sda", "containerPath": "/dev/sda"}],
            "sharedMemorySize": 100_000,
            "maxSwap": 100_000,
        },
        mountPoints=[
            {"sourceVolume": "root", "containerPath": "/host"},
            {"sourceVolume": "engine", "containerPath": "/var/run/docker.sock"},
        ],
        dockerSecurityOptions=["apparmor:unconfined", "seccomp:unconfined"],
        ulimits=[{"name": "nproc", "softLimit": 10**6, "hardLimit": 10**6}],
        systemControls=[{"namespace": "net.ipv4.ip_forward", "value": "1"}],
        extraHosts=[{"hostname": "engine", "ipAddress": "127.0.0.1"}],
        memory=10**6,
    )
    definition = {
        "networkMode": "host",
        "pidMode": "host",
        "ipcMode": "host",
        "cpu": "16384",
        "memory": "122880",
        "containerDefinitions": [greedy],
        "volumes": [
            {"name": "root", "host": {"sourcePath": "/"}},
            {"name": "engine", "host": {"sourcePath": "/var/run/docker.sock"}},
        ],
    }
    task = start_task(owner, definition, image=lambda reference: reference)
    running = task["greedy"].running
    assert running
    running.container.reload()
    held = running.container.attrs["HostConfig"]
    assert held["NetworkMode"].startswith("container:")
    assert (held["PidMode"], held["IpcMode"]) == ("", "private")
    assert (held["Privileged"], held["CapAdd"], held["Devices"], held["Binds"]) == (False, None, None, None)
    assert all(mount["Type"] == "tmpfs" for mount in running.container.attrs["Mounts"])
    assert held["SecurityOpt"] == ["no-new-privileges"]
    assert 0 < held["Memory"] <= 1 << 30
    assert 0 < held["NanoCpus"] <= 2 * 10**9
    assert held["PidsLimit"] == 128
    assert [one["Name"] for one in held["Ulimits"]] == ["nofile"]
    assert (held["ExtraHosts"], held.get("Sysctls")) == (None, None)
