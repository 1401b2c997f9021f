"""4.6 service_autoscaling: given a load balancer, the learner's service must hold its CPU at 70 %, and serve on."""

from math import ceil

import pytest

from fargrade.given import load, network, running
from fargrade.grading import check, expect, level, line, show_series, t

SERVICES = ("application-autoscaling", "cloudwatch", "ec2", "ecr", "ecs", "elbv2", "iam")
FILE = "autoscaling.py"
ECS_DOCS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
SCALING_DOCS = "https://docs.aws.amazon.com/autoscaling/application/userguide/"
LEAST, MOST, CPU, PORT = 2, 10, 70, 8080
NOON = 69  # its last minute, in a day of customers


class Stage:
    """A load balancer of its own, with the learner's service behind it."""

    def __init__(self, world, learner, rng, place):
        self.place = place
        self.world, self.cluster, self.service = world, f"shop-{rng.randrange(10**6)}", f"web-{rng.randrange(10**6)}"
        running.cluster(world, self.cluster)
        doors = network.security_group(world, place.id, f"{self.cluster}-alb", [(80, "0.0.0.0/0")])
        inside = network.security_group(world, place.id, f"{self.cluster}-tasks", [(PORT, doors)])
        self.balancer = network.load_balancer(world, self.cluster, place.public, [doors])
        self.group = network.target_group(world, self.cluster, place.id, port=PORT)
        network.listener(world, self.balancer["LoadBalancerArn"], 80, self.group)
        definition = running.definition(world, self.cluster, port=PORT)
        learner.call(FILE, "deploy", self.cluster, self.service, definition, self.group, list(place.public), inside)
        world.advance(600)
        self.turned_away, self.targets = [], []

    def described(self):
        found = self.world.client("ecs").describe_services(cluster=self.cluster, services=[self.service])["services"]
        return found[0] if found else {"runningCount": 0, "desiredCount": 0, "status": "MISSING"}

    def states(self):
        """The states of the group's targets, by address."""
        health = self.world.client("elbv2").describe_target_health(TargetGroupArn=self.group)
        every = health["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in every}

    def ask(self):
        """What a customer gets at the load balancer."""
        return self.world.request(f"http://{self.balancer['DNSName']}/").status

    def play(self, title, curve):
        def look(minute):
            if (status := self.ask()) != 200:
                self.turned_away.append((minute, status))
            self.targets.append(self.states())

        played = load.play(self.world, self.cluster, self.service, curve, each_minute=look)
        show_series(
            title,
            [line(t("CPU, %"), played.cpu), line(t("tasks"), played.tasks, axis="right", steps=True)],
            x_label=t("minutes"),
            levels=[level("70 %", CPU)],
        )
        return played


@pytest.fixture(scope="module")
def place(world):
    """Given: a network with two public subnets."""
    return network.vpc(world, private=False)


@pytest.fixture(scope="module")
def stage(world, learner, rng, place):
    """Given: a load balancer; when: the learner's service was deployed behind it. As often as one is asked for."""
    return lambda: Stage(world, learner, rng, place)


@pytest.fixture(scope="module")
def day(stage, rng):
    """When: a day of customers passes: a quiet morning, a busy noon, an empty night."""
    the, noon = stage(), rng.uniform(3.4, 4.6)
    before = (the.described(), the.states(), the.ask())
    played = the.play(t("A day of customers"), [1.3] * 10 + [noon] * 60 + [0.2] * 60)
    return the, noon, before, played


@check(points=2, evidence="behaviour", docs=ECS_DOCS + "service-load-balancing.html")
def test_it_answers_behind_the_load_balancer(day):
    """The service begins with two tasks, and answers behind the load balancer"""
    the, _, (service, states, status), _ = day
    healthy = sum(state == "healthy" for state in states.values())
    expect(
        (service["runningCount"], healthy, status) == (LEAST, LEAST, 200),
        expected=t("2 tasks run, 2 targets are healthy, and the load balancer answers 200"),
        found=t("{tasks} run, {healthy} are healthy ({states}), status {status}", tasks=service["runningCount"],
                healthy=healthy, states=", ".join(sorted(states.values())) or t("no targets"), status=status),
        on_aws=t("a load balancer without healthy targets answers 503"),
        hint=t("loadBalancers, networkConfiguration with a public IP, desiredCount"),
    )  # fmt: skip
    given = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {}).get("subnets", [])
    expect(
        set(given) == set(the.place.public),
        expected=t("its tasks start in all subnets that were given: {subnets}", subnets=", ".join(the.place.public)),
        found=", ".join(given) or "–",
        on_aws=t("each subnet is in a zone of its own: with one of them, all tasks are gone when that zone fails"),
        hint=t("“subnets” takes the whole list"),
    )


@check(points=3, evidence="behaviour", docs=ECS_DOCS + "service-autoscaling-targettracking.html")
def test_it_holds_the_cpu_at_70(day):
    """Under load, it runs as many tasks as hold the CPU at 70 %"""
    _, noon, _, played = day
    enough, busy = ceil(noon / (CPU / 100) - 0.15), played.cpu[NOON] or 0
    expect(
        played.tasks[NOON] >= enough and busy >= 53,
        expected=t("about {enough} tasks after an hour of load, busy to 70 % or a little less", enough=enough),
        found=t("{tasks}, busy to {cpu} %", tasks=played.tasks[NOON], cpu=round(busy)),
        on_aws=t("too few: slow; too many: paid for"),
        hint=t("a target of 70 on the service's average CPU"),
    )


@check(points=2, evidence="behaviour", docs=ECS_DOCS + "service-load-balancing.html")
def test_new_tasks_get_requests(day):
    """New tasks appear in the target group by themselves, and are healthy"""
    the, _, _, played = day
    healthy = sum(state == "healthy" for state in the.targets[NOON].values())
    expect(
        played.tasks[NOON] > LEAST and healthy == played.tasks[NOON],
        expected=t("as many healthy targets as tasks, more than two"),
        found=t("{tasks} tasks, {healthy} healthy targets", tasks=played.tasks[NOON], healthy=healthy),
        on_aws=t("a task that is no target gets no request, and relieves nobody"),
        hint=t("the service has to know the target group; nobody registers targets by hand"),
    )


@check(points=2, evidence="behaviour", docs=ECS_DOCS + "service-autoscaling-targettracking.html")
def test_tasks_go_by_draining(day):
    """When the load is gone, tasks go by draining, and nobody was ever turned away"""
    the, _, _, played = day
    drained = any("draining" in states.values() for states in the.targets[NOON + 1 :])
    expect(
        played.tasks[-1] == LEAST and drained and not the.turned_away,
        expected=t("2 tasks in the end, targets seen draining, and the load balancer answered 200 in every minute"),
        found=t("{tasks} tasks, draining: {drained}, turned away in {count} minutes", tasks=played.tasks[-1],
                drained=t("yes") if drained else t("no"), count=len(the.turned_away)),
        on_aws=t("a task that is stopped while it is still a target takes its customers with it"),
        hint=t("ECS deregisters what it registered; scale-in must not be disabled"),
    )  # fmt: skip


@check(points=2, evidence="behaviour", docs=SCALING_DOCS + "application-auto-scaling-scalable-targets.html")
def test_never_more_than_ten(stage):
    """It never runs more than ten tasks, and reaches them when the load is too much"""
    played = stage().play(t("Too much"), [1.3] * 4 + [30.0] * 50)
    expect(
        max(played.tasks) == MOST,
        expected=t("10 tasks, and never more"),
        found=t("{tasks}", tasks=max(played.tasks)),
        on_aws=t("the maximum is what keeps a mistake, or an attack, from becoming a bill"),
        hint="MinCapacity, MaxCapacity",
    )


@check(points=2, evidence="behaviour", docs=ECS_DOCS + "service-autoscaling-targettracking.html")
def test_66_percent_changes_nothing(stage):
    """At a steady 66 % nothing changes"""
    played = stage().play(t("A steady load"), [LEAST * 0.66] * 40)
    expect(
        set(played.tasks) == {LEAST} and any(played.cpu),
        expected=t("two tasks all along"),
        found=t("{tasks}", tasks=", ".join(map(str, sorted(set(played.tasks))))),
        on_aws=t("tracking 70 %: out above 70, in below 63"),
        hint=t("is the target 70?"),
    )
