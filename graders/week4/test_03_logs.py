"""4.3 logs: given a container that talks, what it says must arrive, stay as long as it should, and be found."""

import json
from datetime import timedelta

import pytest

from fargrade.given import definitions, network, roles, running
from fargrade.grading import check, expect, fail, t

SERVICES = ("ec2", "ecr", "ecs", "iam", "logs")
CODE, DEFINITION = "logs.py", "task-definition.json"
DOCS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/"
ECS_DOCS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
API = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"
DAY = 86_400


# -- the lines of a container -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(world, answer, learner, rng):
    """When: the learner's task definition was run, in a group that the learner made; the task, its group, its lines."""
    name = f"orders-{rng.randrange(10**6)}"
    group, lines = f"/shop/{name}", [f"INFO listening on 8080 ({name})", f"WARN cache is cold: {rng.randrange(10**9)}"]
    world.client("ecr").create_repository(repositoryName=name)
    world.push_image(name, ["v1"], behaviour={"prints": lines})
    execution = roles.role(world, f"{name}-execution", managed=[roles.EXECUTION_POLICY])
    learner.call(CODE, "create_log_group", group, 7)
    answer.json(DEFINITION)  # says where JSON breaks
    text = answer.text(DEFINITION)
    image = f"{world.registry}/{name}:v1"
    filled = {"<IMAGE>": image, "<EXECUTION_ROLE>": execution, "<LOG_GROUP>": group, "<REGION>": world.region}
    for placeholder, value in filled.items():
        text = text.replace(placeholder, value)
    return run(world, name, json.loads(text)), group, lines


def run(world, name, definition):
    """The task of the definition, two minutes after it was started."""
    ecs, place = world.client("ecs"), network.vpc(world, private=False)
    running.cluster(world, name)
    group = network.security_group(world, place.id, name, [(8080, "0.0.0.0/0")])
    registered, refused = definitions.register(world, definition)
    if refused:
        fail(t("AWS refuses the task definition."), on_aws=refused)
    where = {"subnets": list(place.public), "securityGroups": [group], "assignPublicIp": "ENABLED"}
    started = ecs.run_task(
        cluster=name,
        taskDefinition=registered["taskDefinitionArn"],
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": where},
    )["tasks"][0]["taskArn"]
    world.advance(120)
    (task,) = ecs.describe_tasks(cluster=name, tasks=[started])["tasks"]
    ecs.stop_task(cluster=name, task=started)
    world.advance(120)
    return task


def streams_of(world, group):
    pages = world.client("logs").get_paginator("describe_log_streams").paginate(logGroupName=group)
    return [one["logStreamName"] for page in pages for one in page["logStreams"]]


@check(points=2, evidence="behaviour", docs=ECS_DOCS + "using_awslogs.html")
def test_the_task_starts(ran):
    """The task starts: its log driver finds what it needs"""
    task, _, _ = ran
    expect(
        task["lastStatus"] == "RUNNING",
        expected=t("the task runs"),
        found=t("{status}: {reason}", status=task["lastStatus"], reason=task.get("stoppedReason", "")),
        on_aws=t("a task whose log driver cannot start does not start either"),
        hint=t("the group, the region, and what the execution role may do"),
    )


@check(points=3, evidence="behaviour", docs=ECS_DOCS + "using_awslogs.html")
def test_the_lines_arrive(world, ran):
    """What the container writes arrives, in the stream of its task"""
    task, group, lines = ran
    stream_end = f"/orders/{task['taskArn'].rsplit('/', 1)[-1]}"
    names = streams_of(world, group)
    stream = next((one for one in names if one.endswith(stream_end)), None)
    expect(
        stream,
        expected=t("a stream PREFIX{end} in {group}", end=stream_end, group=group),
        found=", ".join(names) or t("no stream"),
        on_aws=t("what the container writes is gone with the task"),
        hint=t("logConfiguration of the container “orders”: awslogs-group, awslogs-region, awslogs-stream-prefix"),
    )
    events = world.client("logs").get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    messages = [one["message"] for one in events]
    expect(messages == lines, expected="; ".join(lines), found="; ".join(messages) or t("nothing"))


@check(points=1, evidence="container", docs=ECS_DOCS + "using_awslogs.html")
def test_a_real_containers_lines_arrive(world, ran, rng, containers):
    """What a real container of the task definition writes is found in the group"""
    task, group, _ = ran
    found = world.client("ecs").describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
    lines = [f"INFO order {rng.randrange(10**9)}", f"ERROR out of stock: {rng.randrange(10**9)}"]
    talk = "".join(f"print({line!r}, flush=True)\n" for line in lines)
    image = containers.python({"talk.py": talk.encode()}, command=["python", "talk.py"])
    real = containers.task(found, world, images={one["image"]: image for one in found["containerDefinitions"]})
    real.wait(20)
    containers.ship(real, world, f"{rng.getrandbits(128):032x}")
    real.remove()
    pages = world.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    messages = [one["message"] for page in pages for one in page["events"]]
    expect(
        set(lines) <= set(messages),
        expected="; ".join(lines),
        found="; ".join(messages) or t("nothing"),
        on_aws=t("what the container writes is gone with the task"),
        hint=t("logConfiguration of the container “orders”: awslogs-group, awslogs-region, awslogs-stream-prefix"),
    )


# -- how long they stay -------------------------------------------------------------------------------------


def a_group(rng):
    return f"/shop/kept-{rng.randrange(10**6)}"


@check(points=2, evidence="behaviour", docs=API + "API_PutRetentionPolicy.html")
def test_they_stay_as_long_as_they_should(world, learner, rng):
    """Lines stay for as many days as were asked for, and no longer"""
    logs, group, days = world.client("logs"), a_group(rng), rng.choice([3, 5])
    learner.call(CODE, "create_log_group", group, days)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    line = {"timestamp": milliseconds(world), "message": "kept"}
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[line])
    there = []
    for seconds in (days * DAY - 3600, 2 * 3600):
        world.advance(seconds)
        there.append(bool(logs.get_log_events(logGroupName=group, logStreamName="one")["events"]))
    expect(
        there == [True, False],
        expected=t("there an hour before {days} days are over, gone an hour after", days=days),
        found=t("before: {before}, after: {after}", before=shown(there[0]), after=shown(there[1])),
        on_aws=t("a group without retention keeps its events for ever, and you pay for them"),
        hint=t("put_retention_policy, with the days that were asked for"),
    )


def shown(there):
    return t("there") if there else t("gone")


def milliseconds(world, **before):
    return int((world.now() - timedelta(**before)).timestamp() * 1000)


@check(points=1, evidence="behaviour", docs=API + "API_CreateLogGroup.html")
def test_a_group_may_be_there(world, learner, rng):
    """A group that is there already gets the retention, and keeps what is in it"""
    logs, group = world.client("logs"), a_group(rng)
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    logs.create_log_stream(logGroupName=group, logStreamName="old")
    learner.call(CODE, "create_log_group", group, 14)
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    expect(
        found.get("retentionInDays") == 14 and streams_of(world, group) == ["old"],
        expected=t("14 days instead of 30, and the stream that was there"),
        found=t("{days} days, streams: {streams}", days=found.get("retentionInDays"),
                streams=", ".join(streams_of(world, group)) or t("none")),
        on_aws="ResourceAlreadyExistsException",
        hint=t("let that exception pass, and set the retention in any case"),
    )  # fmt: skip


# -- finding them -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def searched(world, learner, rng):
    """Given: thousands of lines in three streams. When: the learner looks for some. What there is, what was found."""
    logs, group, minutes = world.client("logs"), f"/shop/busy-{rng.randrange(10**6)}", rng.randint(30, 50)
    text = f"payment.failed (code {rng.randint(10, 99)}): retry"
    logs.create_log_group(logGroupName=group)
    planted, decoys = [], []
    for number in range(3):
        stream = f"shop/orders/{number}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = []
        for place in range(1100):
            at = milliseconds(world, seconds=(minutes - 1) * 60 * (1 - place / 1100) + number / 3)
            message = f"INFO {number}-{place} served"
            # At the beginning and at the very end: in between lies more than a page with nothing in it.
            if (place < 300 and place % 31 == 7 + number) or place == 1099:
                message = f"ERROR {number}-{place} {text} {rng.randrange(10**6)}"
                planted.append((at, message))
            elif place % 97 == 50:
                message = rng.choice([near(text), text.upper(), text.replace("(", "").replace(")", "")])
                decoys.append(message)
            events.append({"timestamp": at, "message": message})
        old = [{"timestamp": milliseconds(world, minutes=minutes + 20), "message": f"ERROR old {text}"}]
        decoys.append(old[0]["message"])
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=old)
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    claimed = learner.call(CODE, "find_lines", group, text, minutes)
    found = [one for one in claimed if isinstance(one, str)] if isinstance(claimed, list) else []
    return [message for _, message in sorted(planted)], decoys, found


def near(text):
    """A line that has the words, but not the text."""
    return text.replace(": ", ": no ")


@check(points=3, evidence="behaviour", docs=DOCS + "FilterAndPatternSyntax.html")
def test_all_of_them_are_found(searched):
    """find_lines finds every line with the text, oldest first"""
    planted, _, claimed = searched
    found = [one for one in claimed if one in set(planted)]
    expect(
        found == planted,
        expected=t("{count} lines, from “{first}” to “{last}”", count=len(planted), first=planted[0], last=planted[-1]),
        found=t("{count} of them{order}", count=len(set(found)),
                order=t(", in another order") if sorted(found) == sorted(planted) else ""),
        on_aws=t("a page may be empty and still have a nextToken; a query may still be Running"),
        hint=t("look to the end, take the text as it stands, sort by time"),
    )  # fmt: skip


@check(points=2, evidence="behaviour", docs=API + "API_FilterLogEvents.html")
def test_nothing_else_is_found(searched):
    """find_lines finds no other line: neither older ones nor those that only resemble it"""
    planted, _, claimed = searched
    expect(claimed, expected=t("some lines"), found=t("nothing"))
    others = [one for one in claimed if one not in set(planted)]
    expect(
        not others,
        expected=t("lines with exactly this text, of the last minutes"),
        found=t("also “{line}”", line=str(others[0])[:120]) if others else "",
        on_aws=t("words of a pattern may stand anywhere in the line; a text in quotation marks is one piece"),
        hint=t("startTime in milliseconds, and the text in quotation marks"),
    )


@check(points=1, evidence="behaviour", docs=API + "API_FilterLogEvents.html")
def test_nothing_there_is_an_empty_list(world, learner, rng):
    """find_lines returns an empty list where there is nothing"""
    group = a_group(rng)
    world.client("logs").create_log_group(logGroupName=group)
    claimed = learner.call(CODE, "find_lines", group, "lost: and found", 15)
    expect(claimed == [], expected="[]", found=repr(claimed)[:80], hint=t("no events are no error"))
