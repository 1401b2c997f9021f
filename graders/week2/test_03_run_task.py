"""2.3 run_task: a task started by hand, looked at from outside; and what the learner says when none comes up."""

from types import SimpleNamespace

import pytest

from fargrade.given import containers, network, roles
from fargrade.grading import check, expect, fail, not_judged, t

FILE = "run_task.py"
SERVICES = ("ecs", "ec2", "ecr", "iam", "ssm", "elbv2", "logs")
GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
LONG = 300  # seconds: whatever comes up has come up, whatever stops has stopped
HEAVY = 900  # MiB: two of them do not fit on a t3.micro


@pytest.fixture(scope="module")
def place(world, rng):
    """Given: a public network, a cluster in which somebody else's task runs, and a web server's image."""
    cluster = f"jobs-{rng.randrange(10**6)}"
    world.client("ecs").create_cluster(clusterName=cluster, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    vpc = network.vpc(world, second=rng.randrange(10, 250), private=False)
    group = network.security_group(world, vpc.id, "web", [(80, "0.0.0.0/0")])
    execution = roles.execution_role(world)
    image = containers.image(world, "jobs/web", "v1")
    family = f"web-{rng.randrange(10**6)}"
    definition = containers.definition(world, family, image, execution)
    containers.definition(world, family, image, execution, port=8080)  # the newest revision is not the one asked for
    where = {"subnets": list(vpc.public), "securityGroups": [group]}
    world.client("ecs").run_task(
        cluster=cluster,
        taskDefinition=definition,
        launchType="FARGATE",
        startedBy="somebody-else",
        networkConfiguration={"awsvpcConfiguration": {**where, "assignPublicIp": "ENABLED"}},
    )
    world.advance(LONG)
    return SimpleNamespace(
        cluster=cluster,
        vpc=vpc,
        group=group,
        execution=execution,
        image=image,
        definition=definition,
        where=where,
        family=family,
    )


def others(world, place):
    """The tasks that are somebody else's."""
    return [one for one in containers.tasks(world, place.cluster) if one.get("startedBy") == "somebody-else"]


def own(world, place):
    """The tasks that run or shall run and are the learner's."""
    return [one for one in containers.tasks(world, place.cluster) if one.get("startedBy") != "somebody-else"]


def ended(world, place):
    """The tasks that have stopped."""
    return containers.tasks(world, place.cluster, stopped=True)


@pytest.fixture(scope="module")
def started(world, learner, place):
    """When: the learner has started a task. What was returned, and all tasks as they were at that moment."""
    claimed = learner.call(FILE, "start", place.cluster, place.definition, place.where)
    then = own(world, place)
    world.advance(LONG)
    now = own(world, place)
    if not now:
        gone = ended(world, place)
        reason = gone[-1].get("stoppedReason", "") if gone else t("none was started")
        fail(t("no task of yours is running: {reason}", reason=reason))
    return SimpleNamespace(claimed=claimed, then=then, task=now[0], all=now)


@check(points=2, evidence="state", docs=GUIDE + "standalone-task-create.html")
def test_one_task_is_run_by_hand(world, place, started):
    """Exactly one task runs, and it was started by hand"""
    services = world.client("ecs").list_services(cluster=place.cluster)["serviceArns"]
    kept = [one for one in started.all if one["group"].startswith("service:")]
    expect(
        len(started.all) == 1 and not services and not kept,
        expected=t("one task of {definition}, and no service", definition=place.family),
        found=t("{count} tasks of yours, {services} services", count=len(started.all), services=len(services)),
        on_aws=t("a service starts its task again and again, and each task is paid for"),
        hint=t("run_task, once"),
    )
    expect(
        started.task["taskDefinitionArn"] == place.definition,
        expected=t("a task of {definition}", definition=place.definition),
        found=started.task["taskDefinitionArn"],
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "task-lifecycle-explanation.html")
def test_it_waits_until_the_task_runs(started):
    """start returns the task's ARN when it is RUNNING, not before"""
    states = {one["taskArn"]: one["lastStatus"] for one in started.then}
    expect(
        started.claimed == started.task["taskArn"],
        expected=t("the ARN {arn}", arn=started.task["taskArn"]),
        found=t("it returned {value}", value=repr(started.claimed)),
    )
    expect(
        states.get(started.claimed) == "RUNNING",
        expected=t("the task is RUNNING when start returns"),
        found=t("it was {state}", state=states.get(started.claimed, "–")),
        on_aws=t("run_task answers while the task is PROVISIONING: it has no address, and may never run"),
        hint=t('get_waiter("tasks_running")'),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "fargate-task-networking.html")
def test_its_address_is_found(world, learner, place, started):
    """address is the task's own, and a request to it from the internet is answered"""
    right = containers.public_address(world, started.task)
    claimed = learner.call(FILE, "address", place.cluster, started.task["taskArn"])
    expect(
        bool(right) and claimed == right,
        expected=t("the public address of the task's interface, {address}", address=right or "–"),
        found=t("it returned {value}", value=repr(claimed)),
        on_aws=t("a private address is of no use outside of the VPC"),
        hint=t("the task names its network interface; EC2 knows that interface's public address"),
    )
    served = world.request(f"http://{claimed}/")
    expect(
        served.status == 200,
        expected=t("a request from the internet is answered"),
        found=t("status {status}", status=served.status),
    )


@check(points=2, evidence="behaviour", docs=API + "API_StopTask.html")
def test_it_is_stopped(world, learner, place, started):
    """stop returns when the task has stopped; other people's tasks go on"""
    task = started.task["taskArn"]
    learner.call(FILE, "stop", place.cluster, task)
    found = world.client("ecs").describe_tasks(cluster=place.cluster, tasks=[task])["tasks"][0]
    expect(
        found["lastStatus"] == "STOPPED" and found.get("stopCode") == "UserInitiated",
        expected=t("the task is STOPPED when stop returns, by your request"),
        found=t("it is {state}", state=f"{found['lastStatus']} ({found.get('stopCode', '–')})"),
        on_aws=t("stop_task only asks: the containers get up to thirty seconds to end"),
        hint=t('get_waiter("tasks_stopped")'),
    )
    world.advance(LONG)
    expect(
        len(others(world, place)) == 1,
        expected=t("somebody else's task is still running"),
        found=t("it was stopped"),
        hint=t("stop the one task that you were given"),
    )
    left = own(world, place)
    expect(
        not left,
        expected=t("nothing of yours is left running"),
        found=t("{count} tasks of yours, {services} services", count=len(left), services="–"),
        on_aws=t("what runs is paid for, by the second"),
    )


def says(learner, place, definition, word, **more):
    """start must raise an exception whose text holds AWS's reason, known by its `word`."""
    tells(tried(learner, place, definition, **more), word)


def tried(learner, place, definition, *, where=None, launch_type="FARGATE"):
    """What became of the learner's start; the stub's own way to end is that the item is to do."""
    outcome = learner.attempt(FILE, "start", place.cluster, definition, where, launch_type)
    if not_begun(outcome):
        learner.call(FILE, "start", place.cluster, definition, where, launch_type)
    return outcome


def tells(outcome, word):
    """The exception's text holds AWS's reason, known by its `word`."""
    text = f"{outcome.error.message}" if outcome.error else ""
    expect(
        outcome.kind == "raised" and word in text,
        expected=t("an exception that says {words}", words=word),
        found=outcome.sentence() if outcome.kind != "returned" else t("it returned {value}", value=repr(outcome.value)),
        on_aws=t("the reason is in stoppedReason, or in failures, and nowhere else"),
        hint=t("put AWS's own reason into the text of the exception"),
    )


def not_begun(outcome):
    """The stub's own way to end: then the item is to do, and not wrong."""
    return outcome.error is not None and outcome.error.type == "NotImplementedError"


@check(points=2, evidence="behaviour", docs=GUIDE + "stopped-task-error-codes.html")
def test_a_task_that_stops_is_reported(world, learner, place, rng):
    """Where the task stops instead of running, the exception says why"""
    nowhere = f"{world.registry}/jobs/web:v{rng.randrange(2, 99)}"
    missing = containers.definition(world, "missing", nowhere, place.execution)
    before = len(world.calls("ecs", "RunTask"))
    says(learner, place, missing, "CannotPullContainerError", where=place.where)
    tries = len(world.calls("ecs", "RunTask")) - before
    expect(
        tries == 1,
        expected=t("RunTask is called once, and not tried again"),
        found=t("{count} calls", count=tries),
        on_aws=t("each try is paid for; a migration that failed half-way is not to be run again unasked"),
        hint=t("run_task, once"),
    )
    options = {"awslogs-group": "/jobs/none", "awslogs-region": world.region, "awslogs-stream-prefix": "web"}
    silent = {"logConfiguration": {"logDriver": "awslogs", "options": options}}
    unlogged = containers.definition(world, "unlogged", place.image, place.execution, container=silent)
    says(learner, place, unlogged, "ResourceInitializationError", where=place.where)


@check(points=2, evidence="behaviour", docs=API + "API_RunTask.html")
def test_a_full_cluster_is_reported(world, learner, place):
    """Where no instance has room, RunTask succeeds with a list of failures: the exception says what it says"""
    roles.instance_role(world)
    containers.instance(world, place.cluster, place.vpc.public[0], [place.group], kind="t3.micro")
    definition = containers.definition(
        world,
        "heavy",
        place.image,
        place.execution,
        requiresCompatibilities=["EC2"],
        networkMode="bridge",
        memory=str(HEAVY),
        container={"portMappings": [{"containerPort": 80, "hostPort": 0}]},
    )
    first = learner.call(FILE, "start", place.cluster, definition, None, "EC2")
    world.advance(LONG)
    running = [one for one in own(world, place) if one["taskArn"] == first]
    expect(
        len(running) == 1,
        expected=t("the first task runs on the instance"),
        found=t("it returned {value}", value=repr(first)),
        hint=t("without a network there is no networkConfiguration to give"),
    )
    says(learner, place, definition, "RESOURCE:MEMORY", launch_type="EC2")


MIGRATES = "import os, sys; print('migrating', flush=True); sys.exit(int(os.environ['LEFT']))"
SERVES = ["python", "-m", "http.server", "80"]
PYTHON = "python:3.12-slim"
SECONDS = 20  # of the world, that migrating takes: long enough to be seen


def in_two_steps(world, place, rehearse, left, rng):
    """Register a task whose `migrate` ends with `left` before its `web` may start, and do for real what it says.

    What the real containers did is what the world's do. Returns (ARN, what DescribeTasks would say, the answer).
    """
    image = f"{world.registry}/jobs/shop:{left}"
    migrate = {
        "name": "migrate",
        "image": image,
        "essential": False,
        "entryPoint": ["python", "-c"],
        "command": [MIGRATES],
        "environment": [{"name": "LEFT", "value": str(left)}],
    }
    after = {"image": place.image, "command": SERVES, "memory": rng.randrange(96, 256)}
    after["dependsOn"] = [{"containerName": "migrate", "condition": "SUCCESS"}]
    definition = containers.definition(
        world, f"shop-{left}", place.image, place.execution, container=after, beside=[migrate]
    )
    described = world.client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
    real = rehearse.task(described, world, images=dict.fromkeys((place.image, image), PYTHON))
    answer = real.ask(port=80) if real.describe()["lastStatus"] == "RUNNING" else None
    found = real.describe()
    real.remove()
    code = next(one.get("exitCode") for one in found["containers"] if one["name"] == "migrate")
    if code != left:
        not_judged(t("The real containers did not do what the task definition says: {found}", found=found))
    containers.image(world, "jobs/shop", str(left), ports=[], exits=code, exits_after=SECONDS)
    return definition, found, answer


@check(points=2, evidence="container", docs=GUIDE + "task_definition_parameters.html#container_definition_dependson")
def test_a_task_of_real_containers(world, learner, place, rng, containers):
    """Of real containers that run one after the other, start waits for the last, and tells when the first fails"""
    left = rng.randrange(2, 100)
    works, real, answer = in_two_steps(world, place, containers, 0, rng)
    if real["lastStatus"] != "RUNNING" or answer is None or answer.status != 200:
        not_judged(t("The real containers did not do what the task definition says: {found}", found=real))
    claimed = learner.call(FILE, "start", place.cluster, works, place.where)
    task = next((one for one in own(world, place) if one["taskDefinitionArn"] == works), None)
    expect(
        task and claimed == task["taskArn"] and task["lastStatus"] == "RUNNING",
        expected=t("the task is RUNNING when start returns"),
        found=t("it was {state}", state=task["lastStatus"] if task else "–"),
        on_aws=t("migrate has ended with 0, as it should, and web answers: the task runs when its last container does"),
        hint=t("look at the task's lastStatus, not at its containers'"),
    )
    world.client("ecs").stop_task(cluster=place.cluster, task=task["taskArn"])
    fails, real, _ = in_two_steps(world, place, containers, left, rng)
    if real["lastStatus"] != "STOPPED":
        not_judged(t("The real containers did not do what the task definition says: {found}", found=real))
    outcome = tried(learner, place, fails, where=place.where)
    world.advance(LONG)
    stopped = ended(world, place)
    reason = next((one["stoppedReason"] for one in stopped if one["taskDefinitionArn"] == fails), "")
    expect(reason, expected=t("a task of {definition}", definition=fails), found=t("none was started"))
    tells(outcome, reason)
