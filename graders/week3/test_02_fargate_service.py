"""3.2 Fargate service: do the tasks run, and if not, which link of the image's way to them is missing?"""

from types import SimpleNamespace

import pytest

from fargrade.given import network as given
from fargrade.given import running
from fargrade.grading import check, expect, fail, t
from fargrade.semantics.ecs import parse_image
from fargrade.semantics.iam import Request, ecs_assumes, may_assume, service_may_assume
from fargrade.semantics.network import pull_needs, way_to_service

FILE = "fargate.py"
SERVICES = ("ec2", "ecs", "ecr", "iam", "logs", "sts")
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
LONG = 600
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


@pytest.fixture(scope="module")
def place(world, rng):
    """Given: a VPC with subnets of three kinds, and a cluster that takes Fargate."""
    second = rng.randrange(10, 250)
    vpc = given.vpc(world, second=second, way_out="nat")
    zones = given.zone_names(world)[:2]
    isolated = [given.subnet(world, vpc.id, f"10.{second}.{200 + n}.0/24", zone) for n, zone in enumerate(zones)]
    given.route_table(world, vpc.id, isolated)
    cluster = f"shop-{rng.randrange(10**5)}"
    running.cluster(world, cluster)
    world.client("ecs").put_cluster_capacity_providers(
        cluster=cluster, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    subnets = {"isolated": isolated, "private": list(vpc.private), "public": list(vpc.public)}
    return SimpleNamespace(cluster=cluster, subnets=subnets)


@pytest.fixture(scope="module")
def services(world, learner, place, rng):
    """When: two services are deployed, one for each kind of processor. Judged by what is there, however it ended."""
    kinds = rng.sample([("X86_64", "amd64"), ("ARM64", "arm64")], 2)
    counts = rng.sample((1, 2, 3), 2)
    return [
        deployed(world, learner, place, rng, platform, machine, count)
        for (platform, machine), count in zip(kinds, counts, strict=True)
    ]


def deployed(world, learner, place, rng, platform, machine, count):
    """Push an image, have the learner deploy it, and read what is there then."""
    name = f"{rng.choice(('cart', 'mail', 'stock'))}-{rng.randrange(10**5)}"
    repository, tag = f"shop/{name}", f"{rng.randrange(16**7):07x}"
    world.client("ecr").create_repository(repositoryName=repository)
    world.push_image(repository, ["old"], architecture=machine)
    digest = world.push_image(repository, [tag], architecture=machine)
    arguments = (place.cluster, name, repository, tag, platform, count, place.subnets)
    outcome = learner.attempt(FILE, "deploy", *arguments)
    ecs = world.client("ecs")
    found = ecs.describe_services(cluster=place.cluster, services=[name])["services"]
    if not found and outcome.error is not None and outcome.error.type == "NotImplementedError":
        learner.call(FILE, "deploy", *arguments)
    if not found:
        fail(
            t("there is no service called {name} in {cluster}", name=name, cluster=place.cluster),
            expected=t("deploy makes it"),
            found=outcome.sentence() if outcome.kind != "returned" else repr(outcome.value)[:200],
        )
    world.advance(LONG)
    definition = ecs.describe_task_definition(taskDefinition=found[0]["taskDefinition"])["taskDefinition"]
    return SimpleNamespace(
        name=name,
        repository=repository,
        tag=tag,
        digest=digest,
        platform=platform,
        count=count,
        cluster=place.cluster,
        outcome=outcome,
        then=found[0],
        definition=definition,
        role=definition.get("executionRoleArn", ""),
    )


def tasks(world, service, status):
    ecs = world.client("ecs")
    arns = ecs.list_tasks(cluster=service.cluster, serviceName=service.name, desiredStatus=status)["taskArns"]
    return ecs.describe_tasks(cluster=service.cluster, tasks=arns)["tasks"] if arns else []


def listed(values):
    return ", ".join(sorted(map(str, values))) or "–"


def execution_role(world, service):
    """The execution role, read with all that is attached to it."""
    iam = world.client("iam")
    try:
        return world.role(service.role)
    except iam.exceptions.NoSuchEntityException:
        fail(t("{service}: there is no role {role}", service=service.name, role=service.role or "–"))


@check(points=3, evidence="behaviour", docs=ECS + "service-event-messages.html")
def test_the_tasks_run(world, services):
    """The tasks run, on Fargate, from the image that was pushed"""
    for service in services:
        found = [one for one in tasks(world, service, "RUNNING") if one["lastStatus"] == "RUNNING"]
        reasons = [one.get("stoppedReason", "") for one in tasks(world, service, "STOPPED")]
        expect(
            len(found) == service.count,
            expected=t("{service}: {count} tasks running", service=service.name, count=service.count),
            found=t("{count} running; {reason}", count=len(found), reason=(reasons or ["–"])[0]),
            on_aws=t("the service tries again and again, and says why in its events"),
            hint=t("the other checks go through the links of the chain one by one"),
        )
        digests = {one.get("imageDigest") for task in found for one in task["containers"]}
        kinds = {one.get("launchType") for one in found}
        expect(
            service.digest in digests and kinds == {"FARGATE"},
            expected=t("{service}: the image {tag}, on Fargate", service=service.name, tag=service.tag),
            found=t(
                "images {digests}, on {kinds}", digests=", ".join(map(str, digests)), kinds=", ".join(map(str, kinds))
            ),
        )


@check(points=2, evidence="behaviour", docs=ECS + "task_execution_IAM_role.html")
def test_ecs_may_assume_the_role(world, services, rng):
    """1, 2: there is an execution role, and ECS may assume it, nobody else"""
    for service in services:
        role = execution_role(world, service)
        decision = service_may_assume(role, "ecs-tasks.amazonaws.com", ecs_assumes(world.region, world.account))
        expect(
            decision.allowed,
            expected=t("{service}: ecs-tasks.amazonaws.com may assume {role}", service=service.name, role=role.name),
            found=t("its trust policy lets it not"),
            on_aws=t("ECS was unable to assume the role: no task starts"),
            hint=t("Principal of the role's trust policy"),
        )
        for who in lets_in(world, role, f"{rng.randrange(10**11, 10**12)}"):
            fail(
                t("{who} may assume {role}, too", who=who, role=role.name),
                expected=t(
                    "{service}: ecs-tasks.amazonaws.com may assume {role}", service=service.name, role=role.name
                ),
                on_aws=t("whoever assumes the role can do all that it can"),
                hint=t("Principal of the role's trust policy"),
            )


def lets_in(world, role, stranger):
    """Who may assume the role besides tasks: other services, and whoever has an account of their own."""
    for name in ("ec2.amazonaws.com", "ecs.amazonaws.com", "lambda.amazonaws.com"):
        if service_may_assume(role, name, ecs_assumes(world.region, world.account)).allowed:
            yield name
    for account in (stranger, world.account):
        who = f"arn:aws:sts::{account}:assumed-role/ops/ann"
        asked = Request(who, "sts:AssumeRole", role.arn)
        if may_assume(asked, role.trust, same_account=account == world.account).allowed:
            yield who


@check(points=2, evidence="behaviour", docs=ECS + "task_execution_IAM_role.html")
def test_the_role_pulls(world, services):
    """3: the execution role may log in to ECR and fetch the image"""
    for service in services:
        held = f"arn:aws:ecr:{world.region}:{world.account}:repository/{service.repository}"
        role = execution_role(world, service)
        for action, resource in [("ecr:GetAuthorizationToken", "*"), *((action, held) for action in PULL)]:
            expect(
                world.decide(role, action, resource).allowed,
                expected=t("{role} may do {action} on {resource}", role=role.name, action=action, resource=resource),
                found=t("it may not"),
                on_aws=t("CannotPullContainerError or ResourceInitializationError: AccessDeniedException"),
                hint=t("AmazonECSTaskExecutionRolePolicy, attached to the execution role"),
            )


@check(points=1, evidence="behaviour", docs=IAM + "best-practices.html")
def test_the_role_does_no_more(world, services, rng):
    """3: and it may do nothing else"""
    for service in services:
        held = f"arn:aws:ecr:{world.region}:{world.account}:repository/{service.repository}"
        role = execution_role(world, service)
        here = f"{world.region}:{world.account}"
        more = [
            ("ecr:PutImage", held),
            ("ecr:DeleteRepository", held),
            ("logs:DeleteLogGroup", f"arn:aws:logs:{here}:log-group:/ecs/billing-{rng.randrange(10**6)}:*"),
            ("s3:GetObject", f"arn:aws:s3:::payroll-{rng.randrange(10**6)}/2026.csv"),
            ("iam:CreateUser", f"arn:aws:iam::{world.account}:user/mallory"),
            (
                "ecs:UpdateService",
                f"arn:aws:ecs:{here}:service/{service.cluster}/{service.name}",
            ),
            (
                "secretsmanager:GetSecretValue",
                f"arn:aws:secretsmanager:{here}:secret:db-AbCdEf",
            ),
        ]
        for action, resource in more:
            expect(
                not world.decide(role, action, resource).allowed,
                expected=t("{role} may not do {action}", role=role.name, action=action),
                found=t("it may"),
                on_aws=t("whoever can register a task definition with this role can do all of that"),
                hint=t("the managed policy for execution roles, and no other"),
            )


@check(points=2, evidence="behaviour", docs=ECS + "fargate-task-networking.html")
def test_there_is_a_way_out(world, services):
    """4: from each subnet that the tasks may start in there is a way to ECR and S3"""
    network = world.network()
    for service in services:
        placed = service.then["networkConfiguration"]["awsvpcConfiguration"]
        public = placed.get("assignPublicIp") == "ENABLED"
        needs = pull_needs(world.region, world.account, service.repository, f"{service.role}")
        for subnet in placed["subnets"]:
            name = t("a task in {subnet}", subnet=subnet)
            task = network.imagined(subnet, placed.get("securityGroups") or None, public=public, name=name)
            for need in needs:
                path = way_to_service(network, task, need)
                expect(
                    path.open,
                    expected=t("{task} reaches {service}", task=name, service=need.service),
                    found=t(path.stopped.why, **path.stopped.values) if path.stopped else "",
                    on_aws=t("the task waits for the registry, and is stopped: dial tcp: i/o timeout"),
                    hint=t("private subnets with NAT, or public ones with assignPublicIp"),
                )


@check(points=2, evidence="behaviour", docs=ECS + "create-task-definition.html")
def test_the_image_is_there(world, services):
    """5: the task definition names the image that was pushed, with its registry"""
    ecr = world.client("ecr")
    for service in services:
        named = [one["image"] for one in service.definition["containerDefinitions"]]
        images = [parse_image(one) for one in named]
        mine = [
            one for one in images if one and one.registry == world.registry and one.repository == service.repository
        ]
        digests = set()
        for one in mine:
            wanted = {"imageDigest": one.digest} if one.digest else {"imageTag": one.tag}
            found = ecr.batch_get_image(repositoryName=service.repository, imageIds=[wanted])["images"]
            digests |= {each["imageId"]["imageDigest"] for each in found}
        expect(
            service.digest in digests,
            expected=t("an image of {registry}/{repository}", registry=world.registry, repository=service.repository)
            + f":{service.tag}",
            found=", ".join(named),
            on_aws=t("CannotPullContainerError: not found, or another image than the one just pushed"),
            hint=t("repositoryUri of describe_repositories, and the tag"),
        )


@check(points=1, evidence="state", docs=ECS + "fargate-tasks-services.html")
def test_the_platform_matches(services):
    """6: the tasks run on the processors that the image was built for"""
    for service in services:
        platform = service.definition.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
        expect(
            platform == service.platform,
            expected=t("{service}: {platform}", service=service.name, platform=service.platform),
            found=platform,
            on_aws=t("image Manifest does not contain descriptor matching platform, or exec format error"),
            hint=t("runtimePlatform of register_task_definition"),
        )


@check(points=1, evidence="state", docs=ECS + "ecs_services.html")
def test_returns_when_stable(services):
    """It returns when as many tasks run as were asked for, with the service's ARN"""
    for service in services:
        returned = service.outcome.kind == "returned"
        expect(
            returned and service.outcome.value == service.then["serviceArn"],
            expected=service.then["serviceArn"],
            found=repr(service.outcome.value)[:200] if returned else service.outcome.sentence(),
        )
        counts = service.then["runningCount"], service.then["desiredCount"]
        expect(
            counts == (service.count, service.count),
            expected=t("{count} of {count} tasks run when the function returns", count=service.count),
            found=t("{running} of {desired} do", running=counts[0], desired=counts[1]),
            hint=t("the waiter services_stable"),
        )
