"""4.4 alarm: given CPU curves as ECS publishes them, the learner's alarm must ring when it should, and only then."""

from datetime import timedelta

import pytest

from fargrade.given import network, running
from fargrade.grading import check, expect, level, line, show_series, t

SERVICES = ("cloudwatch", "ecs", "ec2", "ecr", "iam")
FILE = "alarm.py"
DOCS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/"
MINUTE = 60
LATEST = 6  # the busy minute by whose end it must ring
RESERVED = 1024.0


class Play:
    """A stage of its own for each scenario: a cluster, a service, a topic, and the learner's alarm for them."""

    def __init__(self, world, learner, rng):
        self.world, self.rng = world, rng
        self.cluster = f"shop-{rng.randrange(10**6)}"
        self.service = f"web-{rng.randrange(10**6)}"
        self.topic = f"arn:aws:sns:{world.region}:{world.account}:ops-{rng.randrange(10**6)}"
        learner.call(FILE, "create_alarm", self.cluster, self.service, self.topic)
        expect(
            self.alarms(),
            expected=t("there is an alarm that tells the topic {topic} when it rings", topic=self.topic),
            found=self.what_is_there(),
            on_aws=t("nobody is told of the alarm"),
            hint=t("the topic's ARN belongs into AlarmActions, and actions must not be switched off"),
        )

    def alarms(self):
        """The alarms that tell the topic, metric alarms and composite ones."""
        pages = self.world.client("cloudwatch").get_paginator("describe_alarms")
        every = [
            alarm
            for page in pages.paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
            for alarm in page["MetricAlarms"] + page["CompositeAlarms"]
        ]
        return [one for one in every if self.topic in one["AlarmActions"] and one["ActionsEnabled"]]

    def what_is_there(self):
        alarms = self.world.client("cloudwatch").describe_alarms()["MetricAlarms"]
        mine = [one for one in alarms if self.topic in str(one)]
        if not mine:
            return t("no alarm knows the topic")
        return t("{alarm} has the topic, but it would not be told", alarm=mine[0]["AlarmName"])

    def ringing(self):
        return any(alarm["StateValue"] == "ALARM" for alarm in self.alarms())

    def run(self, own, others=None):
        """Play the curves (a value a minute, None: nothing is measured); whether it rings after each minute.

        `others` are other services' curves, by (cluster, service).
        """
        curves = {(self.cluster, self.service): own, **(others or {})}
        now = self.world.now()
        self.world.advance(MINUTE - now.timestamp() % MINUTE + 1)
        rung = []
        for minute in range(len(own)):
            at = self.world.now() - timedelta(seconds=1)
            for cluster in {cluster for cluster, _ in curves}:
                there = {name: curve[minute] for (of, name), curve in curves.items() if of == cluster}
                self.publish(cluster, {name: cpu for name, cpu in there.items() if cpu is not None}, at)
            self.world.advance(MINUTE)
            rung.append(self.ringing())
        return rung

    def publish(self, cluster, busy, at):
        """What ECS and Container Insights publish in a minute of each service; of the cluster, nothing."""
        measure = self.world.measure
        for service, cpu in busy.items():
            own = {"ClusterName": cluster, "ServiceName": service}
            for of_task in tasks(cpu):
                measure("AWS/ECS", "CPUUtilization", own, of_task, at=at, unit="Percent")
                measure("AWS/ECS", "MemoryUtilization", own, 30.0, at=at, unit="Percent")
                measure("ECS/ContainerInsights", "CpuUtilized", own, of_task / 100 * RESERVED, at=at)
                measure("ECS/ContainerInsights", "CpuReserved", own, RESERVED, at=at)
            measure("ECS/ContainerInsights", "RunningTaskCount", own, 3, at=at, unit="Count")

    def some(self, count, low, high):
        """`count` minutes of a load between the two."""
        return [float(self.rng.randint(low, high)) for _ in range(count)]


def tasks(average):
    """Three tasks that are not equally busy, a sample each: only their average is the service's.

    Maximum is the busiest task, Minimum the laziest:
    docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html.
    """
    apart = max(min(25.0, 100 - average, average), 0.0)
    return average - apart, average, average + apart


@pytest.fixture(scope="module")
def stage(world, learner, rng):
    """Given: a new cluster and service, with the learner's alarm, as often as one is asked for."""
    return lambda: Play(world, learner, rng)


def never(rung, curve, what, hint):
    """The alarm must not have rung in any minute."""
    first = next((minute for minute, ringing in enumerate(rung) if ringing), None)
    expect(
        first is None,
        expected=t("the alarm does not ring: {what}", what=what),
        found=t("it rings after minute {minute}; CPU until then: {values}", minute=(first or 0) + 1,
                values=shown(curve[: (first or 0) + 1])),
        on_aws=t("somebody is woken for nothing"),
        hint=hint,
    )  # fmt: skip


def shown(values):
    return ", ".join("–" if one is None else f"{one:.0f}" for one in values[-12:])


@check(points=3, evidence="behaviour", docs=DOCS + "alarm-evaluation.html")
def test_a_busy_service_rings(stage):
    """It rings when the CPU stays above 80 % for three minutes"""
    play = stage()
    idle = (play.cluster, "jobs")
    quiet, busy = play.some(5, 35, 60), play.some(10, 84, 89)
    rung = play.run(quiet + busy, {idle: [4.0] * 15})
    show_series(
        t("A load that stays"),
        [line("CPU, %", quiet + busy), line(t("rings"), [int(one) for one in rung], axis="right", steps=True)],
        x_label=t("minutes"),
        levels=[level("80 %", 80)],
    )
    expect(
        rung[len(quiet) + LATEST - 1],
        expected=t("after five quiet minutes and six above 80 % the alarm is in ALARM"),
        found=t("it is in {states}", states=", ".join(sorted({one["StateValue"] for one in play.alarms()}))),
        on_aws=t("the service is overloaded and nobody knows"),
        hint=t("namespace AWS/ECS, both dimensions ClusterName and ServiceName, one-minute averages, greater than 80"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "alarm-evaluation.html")
def test_less_than_80_is_quiet(stage):
    """It does not ring for a load below 80 %"""
    play = stage()
    curve = play.some(6, 20, 50) + play.some(12, 62, 79)
    never(
        play.run(curve),
        curve,
        t("the service's average CPU never gets to 80 %, only its busiest task does"),
        t("look at Threshold, Statistic (the average of the tasks, not the busiest) and the operator"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "alarm-evaluation.html")
def test_one_busy_minute_is_quiet(stage):
    """It does not ring for one busy minute or two, or for a load that jumps up and down"""
    play = stage()
    hiccups = [99.0, *play.some(5, 30, 50), 91.0, 88.0, *play.some(5, 30, 45)]
    curve = [*play.some(5, 30, 50), *hiccups, *([93.0, 41.0] * 5)]
    never(
        play.run(curve),
        curve,
        t("the CPU is never above 80 % for three minutes in a row"),
        t("three datapoints out of the last three: Period, EvaluationPeriods, DatapointsToAlarm"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "cloudwatch_concepts.html")
def test_a_busy_neighbour_is_quiet(stage):
    """It does not ring because another service is busy"""
    play = stage()
    own, busy = play.some(12, 30, 45), [97.0] * 12
    neighbours = {(play.cluster, f"jobs-{number}"): busy for number in range(6)}
    namesake = {(f"other-{play.cluster}", play.service): busy}
    never(
        play.run(own, {**neighbours, **namesake}),
        own,
        t("only other services of the cluster, and one of the same name in another, are busy"),
        t("a metric's dimensions are part of its identity: ClusterName and ServiceName"),
    )


@check(points=1, evidence="behaviour", docs=DOCS + "alarms-and-missing-data.html")
def test_silence_is_quiet(stage):
    """It does not ring because data are missing"""
    play = stage()
    curve = [*play.some(6, 30, 55), *([None] * 20)]
    never(
        play.run(curve),
        curve,
        t("the service was quiet, then nothing was measured any more"),
        t("TreatMissingData says what no data means"),
    )


@check(points=1, evidence="behaviour", docs=DOCS + "alarm-evaluation.html")
def test_it_stops_when_the_load_is_gone(stage):
    """It stops ringing when the load is gone"""
    play = stage()
    rung = play.run(play.some(4, 30, 55) + play.some(8, 85, 89) + play.some(12, 30, 50))
    expect(
        rung[11] and not rung[-1],
        expected=t("in ALARM at the end of the busy minutes, and no more twelve quiet minutes later"),
        found=t("it never rang") if not any(rung) else t("it still rings") if rung[-1] else t("it rang too early"),
        hint=t("as many periods as needed, and no more: an alarm that looks back for an hour rings for an hour"),
    )


# -- reading back ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def status(world, learner, rng):
    """Given: a service that runs, with an hour of its metrics; when: the learner's function was asked about it."""
    cluster, service, count = f"shop-{rng.randrange(10**6)}", f"api-{rng.randrange(10**6)}", rng.randint(2, 5)
    running.cluster(world, cluster)
    place = network.vpc(world, way_out="none")
    running.service(world, cluster, service, count, place=place)
    running.service(world, cluster, f"other-{service}", count + 2, place=place)
    world.advance(600)
    world.client("ecs").update_service(cluster=cluster, service=service, desiredCount=count + 2)  # two are on their way
    (found,) = world.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    minutes = rng.randint(8, 20)
    planted = {"CPUUtilization": float(rng.randint(50, 70)), "MemoryUtilization": float(rng.randint(25, 40))}
    measured(world, cluster, service, planted, minutes, found["runningCount"])
    claimed = learner.call(FILE, "service_status", cluster, service, minutes)
    return planted, found, minutes, claimed if isinstance(claimed, dict) else {}


def measured(world, cluster, service, planted, minutes, running_tasks):
    """An hour of metrics: alternating about the planted averages lately, something else before; tasks not alike.

    Until six minutes ago, there was a task less.
    """
    now, own = world.now(), {"ClusterName": cluster, "ServiceName": service}
    for ago in range(60):
        at = now - timedelta(minutes=ago)
        for metric, average in planted.items():
            lately = average + (20 if ago % 2 else -20)
            for of_task in tasks(lately if ago <= minutes + 1 else 3.0):
                world.measure("AWS/ECS", metric, own, of_task, at=at, unit="Percent")
        ran = running_tasks if ago <= 6 else running_tasks - 1
        world.measure("ECS/ContainerInsights", "RunningTaskCount", own, ran, at=at, unit="Count")
        for name in ("Cpu", "Memory"):
            share = planted[f"{name.upper() if name == 'Cpu' else name}Utilization"] + (20 if ago % 2 else -20)
            used = (share if ago <= minutes + 1 else 3.0) / 100 * RESERVED
            world.measure("ECS/ContainerInsights", f"{name}Utilized", own, used, at=at)
            world.measure("ECS/ContainerInsights", f"{name}Reserved", own, RESERVED, at=at)


@check(points=2, evidence="behaviour", docs=DOCS + "US_GetStatistics.html")
def test_cpu_and_memory_are_read_back(status):
    """service_status reads the averages of the service's CPU and memory"""
    planted, _, minutes, claimed = status
    for key, metric in (("cpu", "CPUUtilization"), ("memory", "MemoryUtilization")):
        value = claimed.get(key)
        expect(
            isinstance(value, int | float) and abs(value - planted[metric]) <= 5,
            expected=t("“{key}” is the average of the last {minutes} minutes, about {value} %", key=key,
                       minutes=minutes, value=f"{planted[metric]:.0f}"),
            found=t("it is {value}", value=repr(value)[:80]),
            on_aws=t("GetMetricStatistics returns a datapoint for each period, in no order"),
            hint=t("the metrics of this service alone, all datapoints of the last minutes, and their mean"),
        )  # fmt: skip


@check(points=1, evidence="behaviour", docs=DOCS + "Container-Insights-metrics-ECS.html")
def test_running_tasks_are_read_back(status):
    """service_status reads how many tasks of the service run"""
    _, found, _, claimed = status
    expect(
        claimed.get("running_tasks") == found["runningCount"],
        expected=t(
            "“running_tasks” is {count}: two more are wanted, and only on their way", count=found["runningCount"]
        ),
        found=t("it is {value}", value=repr(claimed.get("running_tasks"))[:80]),
        on_aws=t("ListTasks names tasks that should run, also those that are still starting"),
        hint=t("runningCount of describe_services, or the newest RunningTaskCount of Container Insights"),
    )
