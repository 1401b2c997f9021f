"""3.1 sizing: the learner's two functions against Fargate's table of sizes and the course's table of prices."""

import pytest

from fargrade.grading import check, expect, t
from fargrade.semantics.ecs import cpu_units, fargate_size, fargate_sizes, memory_mib, smallest_size
from fargrade.semantics.pricing import INSTANCES, ec2_month, fargate_month, instances_for

FILE = "sizing.py"
ECS_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
FARGATE_PRICES = "https://aws.amazon.com/fargate/pricing/"
EC2_PRICES = "https://aws.amazon.com/ec2/pricing/on-demand/"
MACHINE = INSTANCES["m5.large"]
CENT = 0.011  # half a cent either way, and what floating point adds


def sized(learner, vcpu, gb):
    """The size that the learner's function gives: (cpu units, MiB), None where it gives none."""
    return read(learner.call(FILE, "smallest_size", vcpu, gb))


def read(claimed):
    if not isinstance(claimed, dict):
        return None
    cpu, memory = cpu_units(claimed.get("cpu")), memory_mib(claimed.get("memory"))
    return (cpu, memory) if cpu and memory else None


def said(size):
    return t("{cpu} units and {memory} MiB", cpu=size[0], memory=size[1]) if size else t("no size")


@pytest.fixture(scope="module")
def needs(rng):
    """Needs, (vCPU, GB), that lie between sizes: of little and of much, balanced and not."""
    return [
        (rng.choice([0.1, 0.2, 0.24]), rng.choice([0.3, 0.7, 1.5])),
        (rng.choice([0.1, 0.2]), rng.choice([2.5, 3.2, 3.9])),
        (rng.choice([0.3, 0.45]), rng.choice([4.2, 6.5, 7.7])),
        (rng.choice([1.1, 1.7]), rng.choice([0.5, 1.2, 3.3])),
        (rng.choice([4.2, 6.0]), rng.choice([18.5, 37.0, 50.2])),
    ]


@pytest.fixture(scope="module")
def claims(learner, needs):
    """What smallest_size returns for each need."""
    return {need: learner.call(FILE, "smallest_size", *need) for need in needs}


@pytest.fixture(scope="module")
def sizes(claims):
    return {need: read(claimed) for need, claimed in claims.items()}


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "fargate-tasks-services.html")
def test_the_size_exists_and_fits(claims, sizes):
    """The size is one of Fargate's, and large enough"""
    for (vcpu, gb), size in sizes.items():
        fits = size is not None and fargate_size(*size) and size[0] >= vcpu * 1024 and size[1] >= gb * 1024
        expect(
            fits,
            expected=t("a Fargate size with {vcpu} vCPU and {gb} GB at least", vcpu=vcpu, gb=gb),
            found=said(size),
            on_aws=t("the size is refused, or the container is killed when its memory runs out"),
            hint=t("the table in the brief; cpu and memory must both be enough, and be a pair"),
        )
    for claimed in claims.values():
        expect(
            all(isinstance(claimed[key], str) for key in ("cpu", "memory")),
            expected=t("cpu and memory as texts, as a task definition has them"),
            found=repr(claimed),
            on_aws="Parameter validation failed: Invalid type for parameter cpu, valid types: <class 'str'>",
            hint=t("“512” in quotes, not 512: str() makes a text of a number"),
        )


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "fargate-tasks-services.html")
def test_the_size_is_the_smallest(sizes):
    """No smaller size would do"""
    for (vcpu, gb), size in sizes.items():
        right = smallest_size(vcpu * 1024, gb * 1024)
        expect(
            size is None or size <= (right.cpu, right.memory),
            expected=t("{size} for {vcpu} vCPU and {gb} GB", size=said((right.cpu, right.memory)), vcpu=vcpu, gb=gb),
            found=said(size),
            on_aws=t("what is too much is paid for every second"),
            hint=t("go through the sizes in ascending order, and stop at the first that fits"),
        )


@check(points=1, evidence="behaviour", docs=ECS_GUIDE + "fargate-tasks-services.html")
def test_the_limits_are_met_exactly(learner, rng):
    """A need that equals a size gets that size, and one beyond them all gets none"""
    everything = list(fargate_sizes())
    for size in rng.sample(everything, 2):
        found = sized(learner, size.vcpu, size.gigabytes)
        right = smallest_size(size.cpu, size.memory)
        expect(
            found == (right.cpu, right.memory),
            expected=t("{size} for a need of just that", size=said((right.cpu, right.memory))),
            found=said(found),
            hint=t("at least means that equal is enough"),
        )
    for vcpu, gb in ((rng.choice([33, 40.5]), 8), (1, rng.choice([245.5, 300]))):
        claimed = learner.call(FILE, "smallest_size", vcpu, gb)
        expect(
            claimed is None,
            expected=t("None for {vcpu} vCPU and {gb} GB: no task is that large", vcpu=vcpu, gb=gb),
            found=repr(claimed),
            on_aws=t("such a task can run on EC2 only"),
            hint=t("the function returns None when the table is at its end"),
        )


# -- the month ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cases(rng):
    """(vCPU, GB, tasks by the hour): steady and full, with a peak at noon, tiny, and hungry for memory."""

    def noon(low, high):
        return [high if 11 <= hour < 14 else low for hour in range(24)]

    return [
        (0.5, 1.75, [rng.randrange(40, 50) * 4] * 24),
        (1.0, 4.0, noon(1, rng.randrange(20, 30) * 2 + 1)),
        (0.25, 0.5, [rng.randrange(1, 3) for _ in range(24)]),
        (0.25, 2.5, noon(rng.randrange(3, 6), rng.choice([13, 14, 16, 17]))),
    ]


@pytest.fixture(scope="module")
def compared(learner, cases):
    """What compare() says of each case; {} where it is no dict."""
    found = [learner.call(FILE, "compare", *case) for case in cases]
    return [one if isinstance(one, dict) else {} for one in found]


def number(value):
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def close(value, right):
    found = number(value)
    return found is not None and abs(found - float(right)) <= CENT


def about(vcpu, gb, day):
    return t("tasks of {vcpu} vCPU and {gb} GB, {low} to {high} of them", vcpu=vcpu, gb=gb, low=min(day), high=max(day))


@check(points=2, evidence="behaviour", docs=FARGATE_PRICES)
def test_what_fargate_costs(cases, compared):
    """The month on Fargate is reckoned by the task and the hour"""
    for (vcpu, gb, day), one in zip(cases, compared, strict=True):
        size = smallest_size(vcpu * 1024, gb * 1024)
        right = fargate_month(size, day)
        expect(
            close(one.get("fargate"), right),
            expected=t("${cost} for {what}", cost=f"{right:.2f}", what=about(vcpu, gb, day)),
            found=t("${cost}", cost=one.get("fargate")),
            hint=t(
                "{cpu} units and {memory} MiB a task; {hours} task-hours a day; 730 hours a month",
                cpu=size.cpu,
                memory=size.memory,
                hours=sum(day),
            ),
        )


@check(points=2, evidence="behaviour", docs=EC2_PRICES)
def test_what_ec2_costs(cases, compared):
    """The month on EC2 is reckoned by the machines of the busiest hour"""
    for (vcpu, gb, day), one in zip(cases, compared, strict=True):
        count = instances_for(MACHINE, vcpu, gb, max(day))
        right = ec2_month(MACHINE, count)
        expect(
            number(one.get("instances")) == count and close(one.get("ec2"), right),
            expected=t(
                "{count} machines, ${cost} a month, for {what}",
                count=count,
                cost=f"{right:.2f}",
                what=about(vcpu, gb, day),
            ),
            found=t("{count} machines, ${cost}", count=one.get("instances"), cost=one.get("ec2")),
            hint=t(
                "{each} tasks fit on a machine, {peak} run in the busiest hour, and there are two machines at least",
                each=MACHINE.holds(vcpu, gb),
                peak=max(day),
            ),
        )


@check(points=2, evidence="behaviour", docs=FARGATE_PRICES)
def test_the_choice_follows_from_the_numbers(cases, compared):
    """The choice is the cheaper of the two"""
    for (vcpu, gb, day), one in zip(cases, compared, strict=True):
        fargate, ec2 = number(one.get("fargate")), number(one.get("ec2"))
        expect(
            fargate is not None and ec2 is not None,
            expected=t("both costs, as numbers, for {what}", what=about(vcpu, gb, day)),
            found=repr(one),
            hint=t("the keys are fargate, ec2, instances and choice"),
        )
        cheaper = {"fargate"} if fargate < ec2 else {"ec2"} if ec2 < fargate else {"fargate", "ec2"}
        expect(
            one.get("choice") in cheaper,
            expected=t("{choice}, by its own numbers: ${fargate} against ${ec2}",
                       choice=", ".join(sorted(cheaper)), fargate=fargate, ec2=ec2),
            found=repr(one.get("choice")),
            hint=t("the smaller number wins"),
        )  # fmt: skip


@check(points=1, evidence="behaviour", docs=EC2_PRICES)
def test_a_task_too_large_for_the_machine(learner, rng):
    """A task that no m5.large can hold goes to Fargate"""
    for vcpu, gb in ((rng.choice([2.5, 4.0]), 4.0), (1.0, 7.75)):
        claimed = learner.call(FILE, "compare", vcpu, gb, [rng.randrange(1, 5)] * 24)
        claimed = claimed if isinstance(claimed, dict) else {}
        expect(
            claimed.get("choice") == "fargate" and claimed.get("ec2") is None and claimed.get("instances") is None,
            expected=t("fargate, and None for ec2 and instances: {vcpu} vCPU, {gb} GB do not fit", vcpu=vcpu, gb=gb),
            found=repr(claimed),
            on_aws=t("no container instance meets the task's requirements, and it is never placed"),
            hint=t("how many fit on a machine may be 0"),
        )
