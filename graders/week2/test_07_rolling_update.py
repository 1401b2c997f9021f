"""2.7 rolling update: good and bad images rolled out by the learner's script, while the service's tasks are counted."""

from types import SimpleNamespace

import pytest

from fargrade.given import containers, network, roles
from fargrade.grading import check, expect, not_judged, t

FILE = "deploy.py"
SERVICES = ("ecs", "ec2", "elbv2", "ecr", "iam", "logs")
GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
LONG = 1800  # seconds: whatever a deployment comes to, it has come to it
# What describing adds to a task definition, and what a new image changes.
ADDED = (
    "taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy",
)  # fmt: skip
KEPT = ("desiredCount", "loadBalancers", "networkConfiguration", "launchType", "healthCheckGracePeriodSeconds")


@pytest.fixture(scope="module")
def place(world, rng):
    """Given: a service of several tasks behind a load balancer, with a sidecar beside its web container."""
    if world.real:
        not_judged(t("counting tasks while the clock moves takes a world whose clock can be moved"))
    count = rng.randrange(2, 5)
    cluster, service = f"shop-{rng.randrange(10**5)}", f"web-{rng.randrange(10**5)}"
    world.client("ecs").create_cluster(clusterName=cluster)
    vpc = network.vpc(world, second=rng.randrange(10, 250), private=False)
    group = network.security_group(world, vpc.id, "web", [(80, "0.0.0.0/0")])
    balancer = network.load_balancer(world, service, vpc.public, [group])["LoadBalancerArn"]
    targets = network.target_group(world, service, vpc.id, HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
    network.listener(world, balancer, 80, targets)
    attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
    world.client("elbv2").modify_target_group_attributes(TargetGroupArn=targets, Attributes=attributes)
    execution, task = roles.execution_role(world), roles.task_role(world)
    repository = f"{service}/web"
    first = containers.image(world, repository, "v1")
    container = rng.choice(("web", "app", "shop", "api"))
    serving = {
        "name": container,
        "image": first,
        "portMappings": [{"containerPort": 80}],
        "environment": [{"name": "STAGE", "value": f"stage-{rng.randrange(1000)}"}],
    }
    side = {"name": "side", "portMappings": [], "essential": False}
    beside = containers.image(world, f"{service}/side", "v1", ports=[])
    more = {
        "taskRoleArn": task,
        "tags": [{"key": "team", "value": "shop"}],
        "volumes": [{"name": "scratch"}],
        "ephemeralStorage": {"sizeInGiB": rng.randrange(25, 60)},
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    }
    definition = containers.definition(world, service, beside, execution, container=side, beside=[serving], **more)
    world.client("ecs").create_service(
        cluster=cluster,
        serviceName=service,
        taskDefinition=definition,
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": list(vpc.public), "securityGroups": [group], "assignPublicIp": "ENABLED"}
        },
        loadBalancers=[{"targetGroupArn": targets, "containerName": container, "containerPort": 80}],
        healthCheckGracePeriodSeconds=10,
    )
    # Somebody tries something: the newest revision of the family is not the one that the service runs.
    tried = {**serving, "environment": [{"name": "STAGE", "value": "try"}]}
    containers.definition(world, service, beside, execution, container=side, beside=[tried], **more)
    world.advance(LONG)
    place = SimpleNamespace(
        cluster=cluster,
        service=service,
        container=container,
        count=count,
        repository=repository,
        first=first,
        definition=definition,
    )
    place.before = described(world, place)
    return place


def described(world, place):
    """The service now; an empty one where it is gone."""
    found = world.client("ecs").describe_services(cluster=place.cluster, services=[place.service])["services"]
    return found[0] if found else {}


def images(world, place):
    """The images that the containers that serve were started from, in the running tasks."""
    return sorted(
        one["image"]
        for task in containers.tasks(world, place.cluster)
        if task["lastStatus"] == "RUNNING"
        for one in task["containers"]
        if one["name"] == place.container
    )


def deployed(world, learner, place, image):
    """When: the learner deploys the image. What was said, what was so at that moment, and how many served meanwhile."""
    where = {"cluster": place.cluster, "service": place.service}
    world.control("watch_service", **where, region=world.region, seconds=2.0)
    before = len(world.calls("ecs", "UpdateService"))
    outcome = learner.attempt(FILE, "deploy", place.cluster, place.service, place.container, image)
    if outcome.error and outcome.error.type == "NotImplementedError":
        learner.call(FILE, "deploy", place.cluster, place.service, place.container, image)
    then = described(world, place)
    updates = [one.parameters for one in world.calls("ecs", "UpdateService")[before:] if one.ok]
    world.advance(LONG)
    served = world.control("watched_service", **where)
    return SimpleNamespace(
        image=image,
        outcome=outcome,
        then=then,
        now=described(world, place),
        images=images(world, place),
        least=min(served) if served else 0,
        asked=min((one["desiredCount"] for one in updates if "desiredCount" in one), default=place.count),
    )


@pytest.fixture(scope="module")
def missing(world, learner, place, rng):
    """A bad image, before anything else: it is not there."""
    return deployed(world, learner, place, f"{world.registry}/{place.repository}:v{rng.randrange(10, 99)}")


@pytest.fixture(scope="module")
def good(world, learner, place, missing):  # noqa: ARG001 - after a deployment that failed
    """A good image."""
    return deployed(world, learner, place, containers.image(world, place.repository, "v2"))


@pytest.fixture(scope="module")
def bad(world, learner, place, missing, good):
    """The two bad images, the first before the good one; the second answers 500. Each with what served before."""
    sick = containers.image(world, place.repository, "v4", ports=[80], otherwise=500)
    serving = good.images[0] if good.images else place.first
    return [(place.first, missing), (serving, deployed(world, learner, place, sick))]


def claim(found):
    """What the learner's function said, in words."""
    outcome = found.outcome
    return t("it returned {value}", value=repr(outcome.value)) if outcome.ok else outcome.sentence()


@check(points=2, evidence="behaviour", docs=GUIDE + "deployment-type-ecs.html")
def test_a_good_image_runs(place, good):
    """After deploying a good image, all of the service's tasks run it"""
    expect(
        good.images == [good.image] * place.count,
        expected=t("{count} tasks of {image}", count=place.count, image=good.image),
        found=t("tasks of {images}", images=", ".join(good.images) or "–"),
        on_aws=t("a task runs the image of its revision: pushing another changes nothing"),
        hint=t("register a new revision with the image, and have the service run it"),
    )


@check(points=2, evidence="state", docs=GUIDE + "update-task-definition.html")
def test_nothing_else_changes(world, place, good):
    """The new revision differs in one image only, and the service is otherwise as it was"""
    ecs = world.client("ecs")
    name = good.now.get("taskDefinition", "")
    if not name or name == place.definition:
        name = place.definition
    answers = [ecs.describe_task_definition(taskDefinition=one, include=["TAGS"]) for one in (place.definition, name)]
    old, new = (one["taskDefinition"] for one in answers)
    changed = ["tags"] if answers[0].get("tags") != answers[1].get("tags") else []
    changed += [key for key in {*old, *new} - {*ADDED, "containerDefinitions"} if old.get(key) != new.get(key)]
    boxes = {one["name"]: dict(one) for one in old["containerDefinitions"]}
    after = {one["name"]: dict(one) for one in new["containerDefinitions"]}
    for one in (boxes, after):
        one.get(place.container, {}).pop("image", None)
    changed += [box for box in {*boxes, *after} if boxes.get(box) != after.get(box)]
    changed += [key for key in KEPT if place.before.get(key) != good.now.get(key)]
    expect(
        not changed,
        expected=t("everything but the image of the container {name} is as it was", name=place.container),
        found=t("changed, too: {what}", what=", ".join(sorted(changed))),
        on_aws=t("a variable or a role that is lost in a deployment is found at night"),
        hint=t("begin with the task definition that the service runs, not with an empty one"),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "deployment-type-ecs.html")
def test_it_serves_all_along(place, good):
    """While a good image is rolled out, as many tasks serve as shall"""
    serves(place, good)


def serves(place, found):
    expect(
        found.least >= place.count,
        expected=t("never fewer than {count} tasks that serve", count=place.count),
        found=t("at one moment {count}", count=found.least),
        on_aws=t(
            "where minimumHealthyPercent lets it, ECS may stop old tasks before the new ones serve: requests get 503"
        ),
        hint=t("minimumHealthyPercent 100 and a maximumPercent above it: the new tasks come first"),
    )
    expect(
        found.asked >= place.count,
        expected=t("the service is never told to keep fewer than {count} tasks", count=place.count),
        found=t("UpdateService, desiredCount: {count}", count=found.asked),
        on_aws=t("ECS stops tasks when it sees that, whatever it is told a moment later: nobody knows who is faster"),
        hint=t("leave desiredCount out of the update: then it stays"),
    )


@check(points=3, evidence="behaviour", docs=GUIDE + "deployment-circuit-breaker.html")
def test_a_bad_image_rolls_back(place, bad):
    """A bad image does not stay: the service goes back to the one before"""
    for serving, found in bad:
        state = [one.get("rolloutState") for one in found.now.get("deployments", [])]
        expect(
            found.images == [serving] * place.count and state == ["COMPLETED"],
            expected=t("{count} tasks of {image}", count=place.count, image=serving)
            + t(", and no deployment under way"),
            found=t("tasks of {images}", images=", ".join(found.images) or "–")
            + t("; deployments: {states}", states=", ".join(map(str, state)) or "–"),
            on_aws=t("without the circuit breaker ECS tries for ever, and the next deployment starts from the bad one"),
            hint=t("deploymentCircuitBreaker takes enable and rollback"),
        )


@check(points=2, evidence="behaviour", docs=GUIDE + "deployment-circuit-breaker.html")
def test_the_old_one_serves_meanwhile(place, bad):
    """While a bad image fails, the old one serves"""
    for _, found in bad:
        serves(place, found)


@check(points=2, evidence="behaviour", docs=GUIDE + "deployment-circuit-breaker.html")
def test_what_it_says_is_true(good, bad):
    """It returns True for the image that serves, False for those that were rolled back, once that is decided"""
    for found, right in ((good, True), *((one, False) for _, one in bad)):
        expect(
            found.outcome.ok and found.outcome.value is right,
            expected=t("{right} for {image}", right=right, image=found.image),
            found=claim(found),
            on_aws=t("a pipeline goes on after a deployment that was none"),
            hint=t("a service is stable after a rollback, too: look at what it runs"),
        )
        states = [one.get("rolloutState") for one in found.then.get("deployments", [])]
        expect(
            len(states) == 1,  # stable, as the waiters have it: nothing of another deployment is left
            expected=t("the deployment is over when deploy returns"),
            found=t("; deployments: {states}", states=", ".join(map(str, states)) or "–").removeprefix("; "),
            hint=t('get_waiter("services_stable")'),
        )
