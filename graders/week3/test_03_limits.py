"""3.3 limits: the definition runs on Fargate, and does what the old one did."""

import pytest

from fargrade.given import definitions, network, running
from fargrade.given import roles as given
from fargrade.grading import check, expect, t
from fargrade.semantics.ecs import cpu_units, fargate_size, memory_mib, same_image, smallest_size

ACCOUNT_DOLLARS = 0.0  # a definition and a role cost nothing; no task is started there
FILE = "task-definition.json"
REGION = "us-east-1"  # the task definition is a file, and names it
SERVICES = ("ecs", "ec2", "iam", "ecr", "ssm", "logs", "elbv2")
ECS_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
GROUP = "/ecs/checkout"
LEDGER = "10.0.4.20"
STARTED = 300

# What the old containers were: image (its registry apart), cpu, memory, command, essential.
OLD = {
    "app": ("checkout/app:3.2.0", 512, 1200, [], True),
    "cache": ("redis:7.4", 128, 300, ["redis-server", "--maxmemory", "200mb"], True),
    "shipper": ("checkout/shipper:1.9.4", 64, 200, [], False),
}
KEPT = {"app": {"CURRENCY": "EUR"}, "shipper": {"FROM": "/orders"}}


@pytest.fixture(scope="module", autouse=True)
def surroundings(world):
    """Given: the images, the secret, the log group and the execution role."""
    reads = {"Action": "ssm:GetParameters", "Resource": f"arn:aws:ssm:*:{world.account}:parameter/checkout/*"}
    given.role(world, "ecsTaskExecutionRole", managed=[given.EXECUTION_POLICY], statements=[reads])
    if world.real:  # nothing is started there: what a task would take is not needed
        return
    ecr = world.client("ecr")
    for name in ("app", "shipper"):
        image = OLD[name][0]
        ecr.create_repository(repositoryName=image.partition(":")[0])
        world.push_image(image.partition(":")[0], [image.partition(":")[2]])
    world.client("ssm").put_parameter(Name="/checkout/db-password", Value="s3cret", Type="SecureString")
    world.client("logs").create_log_group(logGroupName=GROUP)


@pytest.fixture(scope="module")
def registered(world, answer):
    """(the definition as AWS has it, or {}; why it was refused)."""
    return definitions.register(world, answer.json(FILE))


@pytest.fixture(scope="module")
def definition(world, answer, registered):
    """The definition as AWS has it; as it is in the file where AWS refused it: one mistake is no other."""
    document = definitions.localized(world, answer.json(FILE))
    return registered[0] or (document if isinstance(document, dict) else {})


def entries(holder, name):
    """A list of objects, without what is none."""
    listed = holder.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


@pytest.fixture(scope="module")
def containers(definition):
    """The containers by their names."""
    return {str(one.get("name")): one for one in entries(definition, "containerDefinitions")}


def variables(container):
    return {str(one.get("name")): str(one.get("value")) for one in entries(container, "environment")}


# -- it runs --------------------------------------------------------------------------------------------------


@check(points=2, evidence="state", docs=ECS_GUIDE + "fargate-tasks-services.html")
def test_fargate_takes_it(registered):
    """AWS registers it for Fargate"""
    definition, refused = registered
    expect(
        not refused,
        expected=t("RegisterTaskDefinition takes task-definition.json"),
        found=t("it is refused"),
        on_aws=refused,
        hint=t("the table in the brief says what Fargate has instead"),
    )
    expect(
        "FARGATE" in definition.get("compatibilities", []),
        expected=t("it can run on Fargate"),
        found=t("it can run on {names} only", names=", ".join(definition.get("compatibilities", []))),
        hint=t("requiresCompatibilities FARGATE makes AWS say what is in the way"),
    )


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "task-lifecycle-explanation.html")
def test_a_task_of_it_runs(world, registered):
    """A task of it runs on Fargate, with all that is essential"""
    definition, refused = registered
    expected = t("a task of it comes to RUNNING, and stays there")
    expect(not refused, expected=expected, found=t("there is no such task definition: it is refused"), on_aws=refused)
    world.advance(0)  # where no time can pass no task is started: it would be paid for, and nobody would wait for it
    place = network.vpc(world, private=False)
    running.cluster(world, "shop")
    ecs = world.client("ecs")
    placed = {"awsvpcConfiguration": {"subnets": list(place.public), "assignPublicIp": "ENABLED"}}
    answer = ecs.run_task(
        cluster="shop",
        taskDefinition=definition["taskDefinitionArn"],
        launchType="FARGATE",
        networkConfiguration=placed,
    )
    world.advance(STARTED)
    task = ecs.describe_tasks(cluster="shop", tasks=[answer["tasks"][0]["taskArn"]])["tasks"][0]
    reasons = [one.get("reason", "") for one in task.get("containers", [])]
    expect(
        task["lastStatus"] == "RUNNING",
        expected=expected,
        found=t("it is {status}", status=task["lastStatus"]),
        on_aws=" ".join(text for text in (task.get("stoppedReason", ""), *reasons) if text),
        hint=t("images, secret, logs: all of it is fetched with the execution role"),
    )


# -- it does what it did --------------------------------------------------------------------------------------


@check(points=1, evidence="state", docs=API + "API_ContainerDefinition.html")
def test_the_programs_are_the_same(world, containers):
    """The three programs are still there, started as before"""
    for name, (image, _, _, command, essential) in OLD.items():
        container = containers.get(name)
        expect(
            container is not None,
            expected=t("a container {name}", name=name),
            found=t("there is none"),
            hint=t("what was taken out to please Fargate may be needed"),
        )
        whole = f"{world.registry}/{image}" if "/" in image else image
        written = str(container.get("image", "")).replace(".us-east-1.", f".{world.region}.")
        same = (
            same_image(written, whole),
            [str(word) for word in container.get("command") or []] == command,
            container.get("essential", True) is essential,
        )
        expect(
            all(same),
            expected=t("{name} is started as before: image, command, essential", name=name),
            found=", ".join(
                what for what, right in zip(("image", "command", "essential"), same, strict=True) if not right
            ),
            on_aws=t("another program runs than the one that was to be moved"),
            hint=t("compare with the definition that you were given"),
        )
        environment = variables(container)
        for key, value in KEPT.get(name, {}).items():
            expect(
                environment.get(key) == value,
                expected=t("{key} is {value}", key=key, value=value),
                found=t("{key} is {value}", key=key, value=environment.get(key, t("not set"))),
                hint=t("compare with the definition that you were given"),
            )
    app, cache = containers["app"], containers["cache"]
    waits = [(one.get("containerName"), one.get("condition")) for one in entries(app, "dependsOn")]
    checked = cache.get("healthCheck")
    expect(
        ("cache", "HEALTHY") in waits and isinstance(checked, dict) and "redis-cli" in str(checked.get("command")),
        expected=t("app starts when the cache is healthy"),
        found=t("it does not wait for it"),
        hint=t("dependsOn and healthCheck are the same on Fargate"),
    )
    pace = {key: checked.get(key) or usual for key, usual in (("interval", 30), ("retries", 3))}  # AWS's own defaults
    expect(
        pace == {"interval": 10, "retries": 3},
        expected=t("the cache is asked every {interval} seconds, {retries} times at most", interval=10, retries=3),
        found=t("every {interval} seconds, {retries} times", **pace),
        on_aws=t("it takes longer until a cache that hangs is noticed, and until the app may start"),
        hint=t("compare with the definition that you were given"),
    )


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "task-networking-awsvpc.html")
def test_they_find_each_other(containers):
    """The app finds the cache, and the ledger"""
    environment = variables(containers.get("app", {}))
    cache, ledger = environment.get("CACHE_HOST", ""), environment.get("LEDGER_HOST", "")
    expect(
        cache in ("localhost", "127.0.0.1"),
        expected=t("CACHE_HOST is where the cache is: in the same task, at the same address"),
        found=cache or t("not set"),
        on_aws=t("the name was made by links, which Fargate does not have: nobody can resolve it"),
        hint=t("the containers of a task share its network, localhost too"),
    )
    expect(
        ledger == LEDGER,
        expected=t("LEDGER_HOST is where the ledger is: {address}", address=LEDGER),
        found=ledger or t("not set"),
        on_aws=t("the name was made by extraHosts, which Fargate does not have: nobody can resolve it"),
        hint=t("the machine has an address, and no name"),
    )


@check(points=1, evidence="state", docs=API + "API_PortMapping.html")
def test_the_apps_port_is_named(containers):
    """The app's port is named: 8080, over TCP"""
    mapped = entries(containers.get("app", {}), "portMappings")
    ports = [f"{one.get('protocol') or 'tcp'} {one.get('containerPort')}" for one in mapped]
    expect(
        "tcp 8080" in ports,
        expected=t("containerPort 8080, where the program listens"),
        found=", ".join(ports) or t("no port mapping"),
        on_aws=t("a load balancer or Service Connect is tied to a port of the definition, and to no other"),
        hint=t("with awsvpc the task's own address has the container's own port"),
    )


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "bind-mounts.html")
def test_the_folder_is_shared(definition, containers):
    """The shipper reads what the app writes"""
    volumes = {str(one.get("name")): one for one in entries(definition, "volumes")}
    writes, written = mounted(containers.get("app", {}), "/var/spool/orders")
    reads, only_read = mounted(containers.get("shipper", {}), "/orders")
    expect(
        writes and reads and writes == reads and writes in volumes and not written,
        expected=t("one volume, at /var/spool/orders of app (to write) and at /orders of shipper"),
        found=t("app has {one}, shipper has {other}", one=writes or t("none"), other=reads or t("none")),
        on_aws=t("the orders stay in a folder that nobody else sees"),
        hint=t("a volume with a name and no host is shared by the containers of the task"),
    )
    expect(
        only_read,
        expected=t("the shipper may read the orders, and not change them"),
        found=t("readOnly of its mount point is gone"),
        on_aws=t("a mistake in the shipper deletes orders that nobody has read yet"),
        hint=t("mountPoints are the same on Fargate, with all that is in them"),
    )


def mounted(container, path):
    """(the volume that the container has at the path, "" for none; whether it may only read there)."""
    for one in entries(container, "mountPoints"):
        if str(one.get("containerPath", "")).rstrip("/") == path:
            return str(one.get("sourceVolume", "")), bool(one.get("readOnly"))
    return "", False


@check(points=1, evidence="state", docs=ECS_GUIDE + "using_awslogs.html")
def test_everything_is_logged(containers):
    """What the containers print goes to the log group"""
    for name, container in containers.items():
        log = container.get("logConfiguration")
        log = log if isinstance(log, dict) else {}
        options = log.get("options") if isinstance(log.get("options"), dict) else {}
        expect(
            log.get("logDriver") == "awslogs" and options.get("awslogs-group") == GROUP,
            expected=t("{name} logs to {group}", name=name, group=GROUP),
            found=str(log.get("logDriver") or t("nothing is logged")),
            on_aws=t("there is no machine to log in to: what is not sent to a log group is lost"),
            hint=t("logDriver awslogs, with group, region and stream prefix"),
        )


@check(points=1, evidence="state", docs=API + "API_ContainerDefinition.html")
def test_what_was_allowed_is_kept(containers):
    """The secret, the open files and the profiler's capability are kept"""
    app = containers.get("app", {})
    secrets = {str(one.get("name")): str(one.get("valueFrom")) for one in entries(app, "secrets")}
    files = [one.get("softLimit") for one in entries(app, "ulimits") if one.get("name") == "nofile"]
    linux = app.get("linuxParameters")
    capabilities = linux.get("capabilities") if isinstance(linux, dict) else None
    added = capabilities.get("add") if isinstance(capabilities, dict) else None
    kept = {
        t("the secret DB_PASSWORD"): secrets.get("DB_PASSWORD", "").endswith("/checkout/db-password"),
        t("65536 open files"): 65536 in files,
        "SYS_PTRACE": "SYS_PTRACE" in (added or []),
    }
    expect(
        all(kept.values()),
        expected=t("Fargate allows {what}, so they stay", what=", ".join(kept)),
        found=t("gone: {what}", what=", ".join(what for what, there in kept.items() if not there)),
        on_aws=t("the program fails later, when it needs them"),
        hint=t("take out what Fargate refuses, entry by entry, not whole sections"),
    )


@check(points=2, evidence="state", docs=ECS_GUIDE + "fargate-tasks-services.html")
def test_it_has_the_smallest_size(definition, containers):
    """The task has the smallest size that holds what its containers had"""
    smallest = smallest_size(sum(one[1] for one in OLD.values()), sum(one[2] for one in OLD.values()))
    size = fargate_size(definition.get("cpu"), definition.get("memory"))
    expected = t("{cpu} units and {memory} MiB for the task", cpu=smallest.cpu, memory=smallest.memory)
    expect(
        size == smallest,
        expected=expected,
        found=t(
            "{cpu} and {memory}", cpu=cpu_units(definition.get("cpu")), memory=memory_mib(definition.get("memory"))
        ),
        on_aws=t("too small, and a container is killed for want of memory; too large, and it is paid for all month"),
        hint=t("add up what the containers have, and take the next pair of the table"),
    )
    for name, container in containers.items():
        _, cpu, memory, _, _ = OLD.get(name, ("", 0, 0, [], True))
        given_cpu, given_memory = container.get("cpu") or cpu, container.get("memory") or memory
        expect(
            int(given_cpu) >= cpu and int(given_memory) >= memory,
            expected=t("{name} has {cpu} units and {memory} MiB, as before", name=name, cpu=cpu, memory=memory),
            found=t("{cpu} and {memory}", cpu=given_cpu, memory=given_memory),
            on_aws=t(
                "too small, and a container is killed for want of memory; too large, and it is paid for all month"
            ),
            hint=t("leave the containers' own limits as they were, or leave them out"),
        )
