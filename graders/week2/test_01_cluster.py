"""2.1 cluster: a new cluster and one that was there; then tasks are started, and counted where they went."""

from types import SimpleNamespace

import pytest

from fargrade.given import containers, network, roles
from fargrade.grading import check, expect, fail, not_judged, t

FILE = "cluster.py"
SERVICES = ("ecs", "ec2", "ecr", "iam")
GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
TASKS = 10
MACHINES = "machines"
ACCOUNT_DOLLARS = 0.0


@pytest.fixture(scope="module")
def wanted(world, rng):
    """Given: what the cluster shall be like. The weights share out what is beyond the base without a rest."""
    on_demand, weights = rng.choice([(2, (1, 3)), (4, (1, 2)), (1, (1, 2)), (4, (2, 1)), (5, (1, 4))])
    return SimpleNamespace(
        name=world.named(f"shop-{rng.randrange(10**6)}"),
        old=world.named(f"legacy-{rng.randrange(10**6)}"),
        environment=rng.choice(("production", "staging", "test")),
        on_demand=on_demand,
        weights=weights,
    )


def right(wanted):
    """How many of the tasks go to each provider."""
    rest = TASKS - wanted.on_demand
    spot = rest * wanted.weights[1] // sum(wanted.weights)
    return {"FARGATE": TASKS - spot, "FARGATE_SPOT": spot}


def make(learner, wanted, name):
    return learner.call(FILE, "create_cluster", name, wanted.environment, wanted.on_demand, *wanted.weights)


def described(world, name):
    """The cluster with all that is known of it. Fails the check if there is none."""
    include = ["SETTINGS", "TAGS", "CONFIGURATIONS"]
    found = world.client("ecs").describe_clusters(clusters=[name], include=include)["clusters"]
    if not found or found[0]["status"] != "ACTIVE":
        fail(t("there is no cluster called {name}", name=name))
    return found[0]


@pytest.fixture(scope="module")
def old(world, wanted):
    """Given: a cluster made by hand long ago, with machines of its own, a tag, and a setting for those who look in."""
    ecs = world.client("ecs")
    more = {}
    if not world.real:  # there its Auto Scaling group would have to be made, too
        group = f"arn:aws:autoscaling:{world.region}:{world.account}:autoScalingGroup:1:autoScalingGroupName/machines"
        own = {"autoScalingGroupArn": group}
        ecs.create_capacity_provider(name=MACHINES, autoScalingGroupProvider=own)
        more = {"capacityProviders": [MACHINES]}
    ecs.create_cluster(
        clusterName=wanted.old,
        tags=[{"key": "owner", "value": "platform"}],
        configuration={"executeCommandConfiguration": {"logging": "NONE"}},
        **more,
    )
    return described(world, wanted.old)


@pytest.fixture(scope="module")
def made(world, learner, wanted, old):  # noqa: ARG001 - the old one is there first
    """When: a new cluster has been made, beside the old one."""
    claimed = make(learner, wanted, wanted.name)
    return SimpleNamespace(claimed=claimed, **described(world, wanted.name))


@pytest.fixture(scope="module")
def launch(world, rng):
    """Starts the ten tasks in a cluster without a word about where they shall run; counts them by provider."""
    if world.real:
        not_judged(t("Where ten tasks go is asked of the embedded world: on an account they would cost money."))
    vpc = network.vpc(world, second=rng.randrange(10, 250), private=False)
    group = network.security_group(world, vpc.id, "web", [(80, "0.0.0.0/0")])
    image = containers.image(world, "shop/web", "v1")
    definition = containers.definition(world, "web", image, roles.execution_role(world))
    where = {"subnets": list(vpc.public), "securityGroups": [group], "assignPublicIp": "ENABLED"}

    def start(name, count=TASKS, **more):
        ecs = world.client("ecs")
        try:
            tasks = ecs.run_task(
                cluster=name,
                taskDefinition=definition,
                count=count,
                networkConfiguration={"awsvpcConfiguration": where},
                **more,
            )["tasks"]
        except ecs.exceptions.ClientError as error:
            fail(
                t("no task can be started: {error}", error=error.response["Error"]["Message"]),
                expected=t("tasks run where nobody says where"),
                hint=t("the cluster's default capacity provider strategy"),
            )
        by = [one.get("capacityProviderName", one["launchType"]) for one in tasks]
        return {name: by.count(name) for name in sorted(set(by))}

    return start


def shared(found, wanted, hint):
    expect(
        found == right(wanted),
        expected=t("of {count} tasks: {where}", count=TASKS, where=shown(right(wanted))),
        found=shown(found),
        on_aws=t("too little on demand is an outage when Spot is taken back; too much is paid for"),
        hint=hint,
    )


def shown(counts):
    return ", ".join(f"{count} × {name}" for name, count in sorted(counts.items()))


@check(points=1, evidence="state", docs=API + "API_CreateCluster.html")
def test_the_cluster_is_there(made):
    """The cluster is there, and its ARN is returned"""
    expect(
        made.claimed == made.clusterArn,
        expected=t("the ARN {arn}", arn=made.clusterArn),
        found=t("it returned {value}", value=repr(made.claimed)),
    )


@check(points=3, evidence="behaviour", docs=GUIDE + "fargate-capacity-providers.html")
def test_tasks_are_shared_out(made, launch, wanted):
    """Tasks that say nothing are shared between Fargate and Fargate Spot as asked"""
    shared(launch(made.clusterName), wanted, t("base and weight of the default strategy"))


@check(points=2, evidence="state", docs=GUIDE + "cloudwatch-container-insights.html")
def test_it_is_watched(made):
    """Container Insights is on"""
    watched(made.settings)


def watched(settings):
    value = next((one["value"] for one in settings if one["name"] == "containerInsights"), "disabled")
    expect(
        value in ("enabled", "enhanced"),
        expected=t("containerInsights is enabled"),
        found=t("it is {value}", value=value),
        on_aws=t("there is no metric of tasks and no memory of services to look back at"),
        hint=t("the cluster's settings"),
    )


@check(points=1, evidence="state", docs=API + "API_TagResource.html")
def test_it_is_tagged(made, wanted):
    """It carries the tag that was asked for"""
    tags = {one["key"]: one["value"] for one in made.tags}
    expect(
        tags.get("environment") == wanted.environment,
        expected=t("the tag environment = {value}", value=wanted.environment),
        found=t("tags: {tags}", tags=", ".join(f"{key} = {value}" for key, value in tags.items()) or "–"),
        hint=t("ECS writes key and value in small letters"),
    )


@check(points=3, evidence="behaviour", docs=API + "API_PutClusterCapacityProviders.html")
def test_an_old_cluster_is_brought_up_to_date(world, learner, wanted, old, launch):
    """A cluster that was there is as it shall be afterwards, and keeps what else it has"""
    launch(wanted.old, 1, launchType="FARGATE")
    make(learner, wanted, wanted.old)
    found = described(world, wanted.old)
    watched(found["settings"])
    tags = {one["key"]: one["value"] for one in found["tags"]}
    expect(
        tags == {"owner": "platform", "environment": wanted.environment},
        expected=t("its old tag and the new one"),
        found=t("tags: {tags}", tags=", ".join(f"{key} = {value}" for key, value in tags.items()) or "–"),
        hint=t("create_cluster changes nothing of a cluster that is there"),
    )
    kept = {
        t("its capacity provider {name}", name=MACHINES): set(old["capacityProviders"])
        <= set(found["capacityProviders"]),
        t("its configuration of execute-command"): found.get("configuration") == old.get("configuration"),
        t("the task that runs in it"): running(world, wanted.old) == 1,
    }
    expect(
        all(kept.values()),
        expected=t("what it had is still there: {what}", what=", ".join(kept)),
        found=t("lost: {what}", what=", ".join(name for name, there in kept.items() if not there)),
        on_aws=t("PutClusterCapacityProviders replaces the whole list; what is left out is taken from the cluster"),
        hint=t("describe the cluster first, and add to what it has"),
    )
    shared(launch(wanted.old), wanted, t("create_cluster changes nothing of a cluster that is there"))


def running(world, name):
    """How many tasks of the cluster are to run."""
    return len(world.client("ecs").list_tasks(cluster=name, desiredStatus="RUNNING")["taskArns"])


@check(points=1, evidence="behaviour", docs=API + "API_CreateCluster.html")
def test_again_is_no_other(world, learner, wanted, made):
    """Run again, it changes nothing and does not fail"""
    make(learner, wanted, wanted.name)
    again = described(world, wanted.name)
    keys = ("settings", "tags", "capacityProviders", "defaultCapacityProviderStrategy")
    changed = [key for key in keys if unordered(again[key]) != unordered(getattr(made, key))]
    expect(
        not changed,
        expected=t("the cluster is as it was"),
        found=t("changed: {what}", what=", ".join(changed)),
    )


def unordered(listed):
    """The same, whatever the order: ECS gives none of these lists a meaning by it."""
    return sorted(map(repr, listed))
