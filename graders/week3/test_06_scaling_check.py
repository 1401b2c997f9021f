"""3.6 scaling_check: given services under load, the learner's scaling must follow it, within minimum and maximum."""

import re
from math import ceil

import pytest

from fargrade.given import load, network, running
from fargrade.grading import check, expect, level, line, show_series, t

SERVICES = ("application-autoscaling", "cloudwatch", "ec2", "ecr", "ecs", "iam")
FILE = "scaling.py"
DOCS = "https://docs.aws.amazon.com/autoscaling/application/userguide/"
ECS_DOCS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"


class Stage:
    """A service of its own, with the learner's scaling on it."""

    def __init__(self, world, learner, rng, place, *, minimum=2, maximum=12, tasks=4):
        cpu = rng.choice((55, 65, 70))  # not the brief's example
        self.world, self.cluster, self.service = world, f"shop-{rng.randrange(10**6)}", f"web-{rng.randrange(10**6)}"
        self.minimum, self.maximum, self.tasks, self.cpu = minimum, maximum, tasks, cpu
        running.cluster(world, self.cluster)
        running.service(world, self.cluster, self.service, tasks, place=place)
        running.service(world, self.cluster, "jobs", 2, place=place)
        world.advance(300)
        learner.call(FILE, "enable_scaling", self.cluster, self.service, minimum, maximum, cpu)

    def work(self, share):
        """The work that keeps the tasks, as many as there are at first, busy to `share` of the target."""
        return self.tasks * self.cpu * share / 100

    def play(self, title, curve, neighbours=None):
        played = load.play(self.world, self.cluster, self.service, curve, neighbours=neighbours)
        show_series(
            title,
            [line(t("CPU, %"), played.cpu), line(t("tasks"), played.tasks, axis="right", steps=True)],
            x_label=t("minutes"),
            levels=[level(t("target"), self.cpu)],
        )
        return played

    def unchanged(self, played, what):
        """Nothing may have changed."""
        changes = ([(0, played.before)] if played.before != self.tasks else []) + played.changes()
        expect(
            not changes,
            expected=t("the service keeps its {tasks} tasks: {what}", tasks=self.tasks, what=what),
            found=t("after minute {minute} it has {tasks}", minute=changes[0][0], tasks=changes[0][1])
            if changes
            else "",
            on_aws=t("target tracking goes out after three minutes above the target, in after fifteen below 0.9 of it"),
            hint=t("look at the metric, its dimensions and how many minutes the alarms wait for"),
        )


@pytest.fixture(scope="module")
def place(world):
    """Given: a network for all of the services."""
    return network.vpc(world, private=False)


@pytest.fixture(scope="module")
def stage(world, learner, rng, place):
    """Given: a new service that runs, scaled by the learner, as often as one is asked for."""
    return lambda **how: Stage(world, learner, rng, place, **how)


@check(points=3, evidence="behaviour", docs=ECS_DOCS + "service-autoscaling-targettracking.html")
def test_it_grows_with_the_load(stage, rng):
    """It runs more tasks while the load is there, enough for the target"""
    the = stage(tasks=rng.randint(2, 3))
    stays = the.work(0.93)
    grown = rng.uniform(4.6, 6.0) * the.cpu / 100
    played = the.play(t("A load that grows and stays"), [stays] * 5 + [grown] * 55)
    enough = ceil(grown / (the.cpu / 100) - 0.25)
    expect(
        played.tasks[14] > the.tasks and played.tasks[-1] >= enough,
        expected=t("more than {few} tasks ten minutes after the load has grown, and in the end at least {enough}",
                   few=the.tasks, enough=enough),
        found=t("{early} after ten minutes, {late} in the end, busy to {cpu} %", early=played.tasks[14],
                late=played.tasks[-1], cpu=round(played.cpu[-1] or 0)),
        on_aws=t("the tasks stay at their limit, and requests pile up"),
        hint=t("a registered target, a policy on the service's average CPU, a target in per cent"),
    )  # fmt: skip
    expect(
        played.tasks[-1] <= enough * 1.6 + 1,
        expected=t("about as many tasks as the load takes: {enough}", enough=enough),
        found=t("{tasks} tasks in the end", tasks=played.tasks[-1]),
        on_aws=t("every task that is not needed is paid for"),
        hint=t("is the target the one that was asked for?"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "target-tracking-scaling-policy-overview.html")
def test_it_shrinks_when_the_load_falls(stage, rng):
    """It runs fewer tasks when the load has slowly gone, down to the minimum"""
    the = stage(minimum=rng.randint(2, 3), tasks=rng.randint(7, 9))
    falling = [the.work(0.93) * max(0.05, 1 - minute / 40) for minute in range(40)]
    played = the.play(t("A slow fall"), falling + [0.1] * 110)
    expect(
        played.tasks[-1] == the.minimum,
        expected=t("the minimum, {minimum} tasks, after two quiet hours", minimum=the.minimum),
        found=t("{tasks} tasks in the end", tasks=played.tasks[-1]),
        on_aws=t("every task that is not needed is paid for"),
        hint=t("MinCapacity is the floor, and something has to bring the count down to it"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "application-auto-scaling-scalable-targets.html")
def test_it_stays_within_the_limits(stage, rng):
    """It never runs more than the maximum, and reaches it when the load is too much"""
    most = rng.randint(5, 7)
    the = stage(tasks=3, maximum=most)
    played = the.play(t("Too much load"), [the.work(0.93)] * 4 + [40.0] * 60)
    expect(
        max(played.tasks) == most,
        expected=t("{most} tasks, and never more", most=most),
        found=t("{tasks} tasks at the most", tasks=max(played.tasks)),
        on_aws=t("Application Auto Scaling clamps every count to MinCapacity and MaxCapacity"),
        hint=t("both limits are arguments of the function"),
    )


@check(points=2, evidence="behaviour", docs=ECS_DOCS + "service-autoscaling-targettracking.html")
def test_a_steady_load_changes_nothing(stage):
    """A steady load, one busy minute and a pause of four change nothing"""
    the = stage()
    steady = the.work(0.96)
    busy, pause = [the.tasks * 1.0], [the.work(0.15)] * 4
    curve = [steady] * 12 + busy + [steady] * 12 + pause + [steady] * 20
    the.unchanged(the.play(t("A steady load"), curve), t("the load is what it was, a minute and a pause apart"))


@check(points=1, evidence="behaviour", docs=DOCS + "target-tracking-scaling-policy-overview.html")
def test_missing_data_change_nothing(stage):
    """A gap in the data changes nothing"""
    the = stage()
    steady = the.work(0.96)
    played = the.play(t("A gap in the data"), [steady] * 10 + [None] * 40 + [steady] * 10)
    the.unchanged(played, t("nothing was measured for forty minutes"))


@check(points=1, evidence="behaviour", docs=ECS_DOCS + "available-metrics.html")
def test_a_busy_neighbour_changes_nothing(stage):
    """A busy neighbour changes nothing"""
    the = stage()
    curve = [the.work(0.96)] * 30
    played = the.play(t("A busy neighbour"), curve, neighbours={"jobs": [9.0] * 30})
    the.unchanged(played, t("another service of the cluster is busy, this one is not"))


@check(points=2, evidence="behaviour", docs=DOCS + "application-auto-scaling-scaling-activities.html")
def test_the_history_is_read(stage, world, learner, rng):
    """scaling_history reads every count that scaling has set, oldest first"""
    the = stage(minimum=1, maximum=40, tasks=2)
    scaling = world.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{the.cluster}/{the.service}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    neighbour = {**target, "ResourceId": f"service/{the.cluster}/jobs"}
    scaling.register_scalable_target(**neighbour, MinCapacity=5, MaxCapacity=9)
    least = 6
    for _ in range(56):  # more than a page: the limits are moved to and fro, and the service with them
        least = rng.choice([count for count in range(6, 14) if count != least])  # of one digit and of two
        scaling.register_scalable_target(**target, MinCapacity=least, MaxCapacity=least)
    pages = scaling.get_paginator("describe_scaling_activities").paginate(**target)
    newest_first = [one for page in pages for one in page["ScalingActivities"] if one["StatusCode"] == "Successful"]
    set_to = [int(re.search(r"\d+", one["Description"])[0]) for one in reversed(newest_first)]
    claimed = learner.call(FILE, "scaling_history", the.cluster, the.service)
    expect(
        claimed == set_to,
        expected=t("{count} counts, {first} … {last}", count=len(set_to), first=set_to[:3], last=set_to[-3:]),
        found=described(claimed),
        on_aws=t("DescribeScalingActivities returns the newest first, 50 a page"),
        hint=t("all pages, only the successful ones, and in the other order"),
    )


def described(claimed):
    if not isinstance(claimed, list):
        return repr(claimed)[:80]
    return t("{count} counts, {first} … {last}", count=len(claimed), first=claimed[:3], last=claimed[-3:])
