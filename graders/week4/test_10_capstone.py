"""4.10 capstone: the learner's stack is built in an empty account, and used as users use it."""

from dataclasses import dataclass, field

import pytest

from fargrade.given import delivery, network
from fargrade.grading import check, expect, fail, hop, show_path, t

SERVICES = (
    "ecr",
    "ec2",
    "elbv2",
    "ecs",
    "iam",
    "sts",
    "s3",
    "logs",
    "cloudwatch",
    "application-autoscaling",
    "codebuild",
    "codepipeline",
    "codeconnections",
)
FILE, SPEC = "stack.py", "buildspec.yml"
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
PIPELINE = "https://docs.aws.amazon.com/codepipeline/latest/userguide/ecs-cd-pipeline.html"
GOOD = b'FROM python:3.12-slim\nWORKDIR /app\nCOPY app.py .\nEXPOSE 80\nCMD ["python", "app.py"]\n'
PASSING, FAILING = b"echo all is well\n", b"echo 1 test failed >&2\nexit 1\n"


@dataclass
class Delivered:
    """A commit that was pushed, what became of it, and what users got meanwhile."""

    source: bytes
    executions: list
    visits: list = field(default_factory=list)

    @property
    def execution(self):
        return self.executions[-1] if self.executions else None

    def sentence(self):
        return self.execution.sentence() if self.execution else t("no execution was started")


class Stack:
    """The learner's stack, and the grader's way through it from one end to the other."""

    def __init__(self, world, learner, pipelines, answer, rng):
        self.world, self.pipelines, self.rng = world, pipelines, rng
        self.spec = answer.text(SPEC).encode()
        self.name = f"shop{rng.randrange(10**6):06}"
        self.repository, self.branch = f"acme/{self.name}", rng.choice(("trunk", "release", "production"))
        self.first = self.source()
        pipelines.commit(self.repository, self.branch, self.files(self.first))
        learner.patient(90).call(
            FILE,
            "build",
            name=self.name,
            connection_arn=pipelines.connect(f"github-{self.name}"),
            repository=self.repository,
            branch=self.branch,
        )
        pipelines.settle()
        world.advance(900)

    def source(self):
        return f'print("build {self.rng.getrandbits(64):x}")\n'.encode()

    def files(self, source, tests=PASSING):
        return {"Dockerfile": GOOD, "app.py": source, "test.sh": tests, SPEC: self.spec}

    def service(self):
        """The service, as described. Fails where there is none of that name."""
        from botocore.exceptions import ClientError

        try:
            found = self.world.client("ecs").describe_services(cluster=self.name, services=[self.name])["services"]
        except ClientError:
            found = []
        if not found:
            fail(t("There is no service {name} in a cluster {name}.", name=self.name))
        return found[0]

    def balancers(self):
        """The load balancers that the service stands behind, as described."""
        groups = [
            one.get("targetGroupArn") for one in self.service().get("loadBalancers", ()) if one.get("targetGroupArn")
        ]
        if not groups:
            return []
        elb = self.world.client("elbv2")
        described = elb.describe_target_groups(TargetGroupArns=groups[:1])["TargetGroups"][0]
        balancers = described.get("LoadBalancerArns") or []
        return elb.describe_load_balancers(LoadBalancerArns=balancers[:1])["LoadBalancers"] if balancers else []

    def address(self):
        """The DNS name of the service's load balancer; "" where it has none."""
        found = self.balancers()
        return found[0]["DNSName"] if found else ""

    def image(self):
        """The image of the service's revision that is not a public one, else the first."""
        definition = self.world.client("ecs").describe_task_definition(taskDefinition=self.service()["taskDefinition"])
        images = [one["image"] for one in definition["taskDefinition"]["containerDefinitions"]]
        return next((one for one in images if one.startswith(self.world.registry)), images[0])

    def tasks(self):
        """The service's running tasks, as described."""
        ecs = self.world.client("ecs")
        arns = ecs.list_tasks(cluster=self.name, serviceName=self.name)["taskArns"]
        found = ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"] if arns else []
        return [one for one in found if one["lastStatus"] == "RUNNING"]

    def arrived(self, source, body):
        """Whether what answered is an image that was built from this source."""
        return body.startswith(self.world.registry) and delivery.built_from(
            self.world, delivery.digest_of(self.world, body), source
        )

    def get(self):
        """What a user gets at the load balancer."""
        return self.world.request(f"http://{self.address() or 'nowhere.invalid'}/")

    def push(self, tests=PASSING, watched=False):
        """Push a commit, and let everything come to its end; `watched`: with users asking all the while."""
        source, began = self.source(), self.world.now().timestamp()
        url = f"http://{self.address()}/"
        if watched:
            self.world.control("visit", url=url, region=self.world.region, every=10)
        executions = self.pipelines.push(self.repository, self.branch, self.files(source, tests), "a change")
        self.world.advance(900)
        made = Delivered(source, executions)
        if watched:
            made.visits = [one for one in self.world.control("visits", url=url) if one["at"] >= began]
        return made


@pytest.fixture(scope="module")
def stack(world, learner, pipelines, answer, rng):
    return Stack(world, learner, pipelines, answer, rng)


@pytest.fixture(scope="module")
def served(stack):
    """What a user gets, when the pipeline has run for the commit that was there first."""
    return stack.get()


@pytest.fixture(scope="module")
def working(stack, served):
    """A stack that delivers: of one that never does it shows nothing that it stops in time."""
    if not stack.arrived(stack.first, served.body):
        fail(t("A stack that never delivers shows nothing more about its pipeline: see the first check."))


def way(stack, served):
    """The whole way, hop by hop: (name, whether it is well, what decided)."""
    executions = stack.pipelines.executions()
    last = executions[-1] if executions else None
    yield t("commit"), bool(last), last.commit[:12] if last else t("no execution was started")
    for category in ("Source", "Build"):
        run = next((one for one in last.actions if one.category == category), None) if last else None
        yield category, bool(run and run.status == "Succeeded"), run.message[:200] if run else t("it never ran")
    image = stack.image()
    digest = delivery.digest_of(stack.world, image)
    yield "ECR", bool(digest), image
    deploy = next((one for one in last.actions if one.category == "Deploy"), None) if last else None
    yield "Deploy", bool(deploy and deploy.status == "Succeeded"), deploy.message[:200] if deploy else t("it never ran")
    tasks = stack.tasks()
    yield "ECS/Fargate", len(tasks) >= 2, t("{count} tasks run", count=len(tasks))
    blocked = next((one for one in served.path.hops if one.passed is False), None)
    yield t("load balancer"), served.answered, f"{blocked.kind} {blocked.subject}" if blocked else stack.address()
    fresh = stack.arrived(stack.first, served.body)
    yield t("users"), served.status == 200 and fresh, f"{served.status} {served.body[:120]}"


@check(points=4, evidence="behaviour", docs=PIPELINE)
def test_a_commit_reaches_the_users(stack, served):
    """The commit in the repository answers at the load balancer"""
    hops = list(way(stack, served))
    first_bad = next((number for number, (_, good, _) in enumerate(hops) if not good), len(hops))
    show_path(
        t("From the commit to the users"),
        [
            hop(name, "passed" if good else "failed" if number <= first_bad else "not_judged", detail)
            for number, (name, good, detail) in enumerate(hops)
        ],
    )
    bad = hops[first_bad] if first_bad < len(hops) else None
    expect(
        bad is None,
        expected=t("every hop from the commit to the users is well"),
        found=t("{hop}: {detail}", hop=bad[0], detail=bad[2]) if bad else "",
        on_aws=t("users get the old page, or 503"),
        hint=t("the first red hop of the picture is where to look"),
    )


@pytest.mark.usefixtures("working")
@check(points=2, evidence="behaviour", docs=ECS + "deployment-type-ecs.html")
def test_the_next_version_comes_without_an_error(stack):
    """The next commit comes, and every user gets an answer meanwhile"""
    made = stack.push(watched=True)
    now = stack.get()
    expect(
        stack.arrived(made.source, now.body),
        expected=t("the second commit answers at the load balancer"),
        found=f"{now.status} {now.body[:120]}; {made.sentence()}",
    )
    image = {"imageDigest": delivery.digest_of(stack.world, now.body)}
    found = stack.world.client("ecr").describe_images(repositoryName=stack.name, imageIds=[image])["imageDetails"][0]
    commit = made.execution.commit
    expect(
        any(commit[:7] in tag for tag in found.get("imageTags", ())),
        expected=t("a tag with the commit {commit}, or its beginning", commit=commit),
        found=", ".join(found.get("imageTags", ())) or "–",
        on_aws=t("the task definition cannot tell which code runs"),
        hint="CODEBUILD_RESOLVED_SOURCE_VERSION",
    )
    errors = [one["status"] for one in made.visits if one["status"] != 200]
    expect(
        made.visits and not errors,
        expected=t("200 for every user while the versions change"),
        found=t(
            "{count} of {all} got {statuses}",
            count=len(errors),
            all=len(made.visits),
            statuses=str(sorted(set(errors))),
        ),
        on_aws=t("these are users who have gone elsewhere"),
    )


@pytest.mark.usefixtures("working")
@check(
    points=2, evidence="behaviour", docs="https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html"
)
def test_failed_tests_change_nothing(stack):
    """A commit whose tests fail is not delivered"""
    before, images = stack.service()["taskDefinition"], tags(stack)
    made = stack.push(tests=FAILING)
    expect(
        stack.service()["taskDefinition"] == before and tags(stack) == images,
        expected=t("the service and the ECR repository as they were"),
        found=made.sentence(),
        on_aws=t("users get what has failed its tests"),
        hint=t("post_build runs after a failed build, too: look at CODEBUILD_BUILD_SUCCEEDING"),
    )


def tags(stack):
    found = stack.world.client("ecr").describe_images(repositoryName=stack.name)["imageDetails"]
    return sorted(tag for one in found for tag in one.get("imageTags", ()))


@check(points=2, evidence="behaviour", docs=ECS + "networking-outbound.html")
def test_two_zones_and_one_door(stack, world):
    """Two tasks in two zones, and no way to them but the load balancer"""
    tasks = stack.tasks()
    zones = {one.get("availabilityZone") for one in tasks}
    expect(
        len(tasks) >= 2 and len(zones) >= 2,
        expected=t("at least two running tasks, in two availability zones"),
        found=t("{count} tasks, in {zones}", count=len(tasks), zones=", ".join(sorted(map(str, zones))) or "–"),
        on_aws=t("when a zone fails, everything stands still"),
        hint=t("desiredCount of 2 or more, subnets of two zones"),
    )
    definition = world.client("ecs").describe_task_definition(taskDefinition=stack.service()["taskDefinition"])
    ports = [
        mapping["containerPort"]
        for one in definition["taskDefinition"]["containerDefinitions"]
        for mapping in one.get("portMappings", ())
    ]
    for address in public_addresses(world, tasks):
        for port in ports:
            answer = world.request(f"http://{address}:{port}/")
            expect(
                not answer.answered,
                expected=t("a task's own address does not answer to the internet"),
                found=t("http://{address}:{port}/ answers {status}", address=address, port=port, status=answer.status),
                on_aws=t("scanners find it within the hour"),
                hint=t("the tasks' security group lets in the load balancer's group, and nobody else"),
            )

    neighbours = neighbours_of(world, tasks, stack.balancers())
    for interface in interfaces_of(world, tasks):
        for port in ports:
            answers = [
                world.request(f"http://{interface['PrivateIpAddress']}:{port}/", source=one) for one in neighbours
            ]
            expect(
                not any(answer.answered for answer in answers),
                expected=t("a neighbour in the same VPC does not reach a task on port {port}", port=port),
                found=t("{address} answers it", address=interface["PrivateIpAddress"]),
                on_aws=t("whoever gets into one machine of the network is past the load balancer already"),
                hint=t("as the source of the rule, the load balancer's security group: no range of addresses"),
            )


def neighbours_of(world, tasks, balancers):
    """Interfaces beside the tasks and beside the load balancer, in a security group that nobody knows."""
    subnets = {one["SubnetId"] for one in interfaces_of(world, tasks)} | {
        zone["SubnetId"] for one in balancers for zone in one["AvailabilityZones"]
    }
    ec2 = world.client("ec2")
    vpcs = {one["SubnetId"]: one["VpcId"] for one in ec2.describe_subnets(SubnetIds=sorted(subnets))["Subnets"]}
    made = {}
    for vpc in sorted(set(vpcs.values())):
        made[vpc] = network.security_group(world, vpc, "neighbour", [])
    return [network.interface(world, subnet, [made[vpc]])["NetworkInterfaceId"] for subnet, vpc in sorted(vpcs.items())]


def interfaces_of(world, tasks):
    """The tasks' network interfaces, as described."""
    named = [
        detail["value"]
        for task in tasks
        for attachment in task["attachments"]
        for detail in attachment["details"]
        if detail["name"] == "networkInterfaceId"
    ]
    if not named:
        return []
    return world.client("ec2").describe_network_interfaces(NetworkInterfaceIds=named)["NetworkInterfaces"]


def public_addresses(world, tasks):
    """The public addresses of the tasks' interfaces."""
    found = interfaces_of(world, tasks)
    return [one["Association"]["PublicIp"] for one in found if one.get("Association", {}).get("PublicIp")]


@check(points=1, evidence="behaviour", docs=ECS + "using_awslogs.html")
def test_lines_arrive_and_go_some_day(stack, world, rng):
    """What the container writes arrives in CloudWatch Logs, and does not stay for ever"""
    line = f"order {rng.randrange(10**9)} received"
    world.control("print_lines", cluster=stack.name, lines=[line], region=world.region, service=stack.name)
    world.advance(60)
    logs = world.client("logs")
    definition = world.client("ecs").describe_task_definition(taskDefinition=stack.service()["taskDefinition"])
    groups = {
        one.get("logConfiguration", {}).get("options", {}).get("awslogs-group")
        for one in definition["taskDefinition"]["containerDefinitions"]
    } - {None}
    found = [
        group
        for group in logs.describe_log_groups()["logGroups"]
        if group["logGroupName"] in groups
        and logs.filter_log_events(logGroupName=group["logGroupName"], filterPattern=f'"{line}"')["events"]
    ]
    expect(
        found,
        expected=t("the line “{line}” in the service's log group", line=line),
        found=t("it is not there"),
        on_aws=t("when something breaks at night, there is nothing to read"),
        hint=t("logConfiguration awslogs with group, region and stream prefix; the group must exist"),
    )
    expect(
        all(group.get("retentionInDays") for group in found),
        expected=t("a retention in days"),
        found=t("the lines stay for ever"),
        on_aws=t("the bill for logs grows as long as the service lives"),
        hint="put_retention_policy",
    )


@pytest.fixture(scope="module")
def busy(stack, world):
    """When: half an hour of work for four tasks, then more than six can do. The alarm's states, and most tasks."""
    cloudwatch, states, most = world.client("cloudwatch"), [], 0
    world.load(stack.name, stack.name, [0.8] * 10 + [2.6] * 30 + [5.0] * 40 + [0.3] * 60)
    for minute in range(140):
        world.advance(60)
        found = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        ringing = {
            one["AlarmName"]
            for kind in ("MetricAlarms", "CompositeAlarms")
            for one in found.get(kind, ())
            if one["StateValue"] == "ALARM" and not one["AlarmName"].startswith("TargetTracking-")
        }
        desired = stack.service()["desiredCount"]
        states.append((minute, ringing, desired))
        most = max(most, desired)
    return states, most


@check(
    points=2,
    evidence="behaviour",
    docs="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-metrics.html",
)
def test_the_alarm_rings_when_it_should(busy):
    """An alarm rings when the CPU is above 80 % for minutes, and not before"""
    states, _ = busy
    early = {name for minute, ringing, _ in states if minute < 9 for name in ringing}
    late = {name for minute, ringing, _ in states if 11 <= minute < 80 for name in ringing} - early
    expect(
        late,
        expected=t("an alarm of yours rings in the hour of high load, and not in the quiet minutes before"),
        found=t("none rang")
        if not early
        else t("{names} rang before there was a load", names=", ".join(sorted(early))),
        on_aws=t("users are the first to notice"),
        hint=t("AWS/ECS CPUUtilization with both dimensions, ClusterName and ServiceName; greater than 80"),
    )


@check(points=2, evidence="behaviour", docs=ECS + "service-autoscaling-targettracking.html")
def test_it_follows_the_load(busy):
    """Tasks follow the load, between two and six, and go again"""
    states, most = busy
    expect(
        most == 6,
        expected=t("under a load for more than six tasks it grows to six, and to no more"),
        found=t("at most {count} tasks", count=most),
        on_aws=t("everyone waits"),
        hint=t("register_scalable_target with MinCapacity 2 and MaxCapacity 6, and a policy that holds 70"),
    )
    _, _, middling = states[39]
    expect(
        4 <= middling <= 5,
        expected=t("4 or 5 tasks after half an hour of work that would fill 2.6 tasks: about 70 % each"),
        found=t("{count} tasks, busy to {cpu} % each", count=middling, cpu=round(min(100, 260 / max(1, middling)))),
        on_aws=t("too few: slow; too many: paid for"),
        hint=t("is the target 70, in per cent, on the service's average CPU?"),
    )
    expect(
        states[-1][2] == 2,
        expected=t("two tasks again, an hour after the load has gone"),
        found=t("{count} tasks", count=states[-1][2]),
        on_aws=t("you pay for tasks that have nothing to do"),
        hint=t("do not disable scale-in"),
    )


@check(points=1, evidence="state", docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html")
def test_rights_are_small(stack, world, rng):
    """The pipeline passes the service's roles and no others; no role is an administrator's"""
    from botocore.exceptions import ClientError

    try:
        pipeline = world.client("codepipeline").get_pipeline(name=stack.name)["pipeline"]
    except ClientError:
        fail(t("There is no pipeline {name}.", name=stack.name))
    role, build = pipeline["roleArn"], build_role(world, pipeline)
    to_tasks = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    admin = f"arn:aws:iam::{world.account}:role/admin-{rng.randrange(10**6)}"
    for passed in (admin, role, build or role):
        expect(
            not world.decide(role, "iam:PassRole", passed, to_tasks).allowed,
            expected=t("iam:PassRole on the two roles only"),
            found=t("it may pass {role}, too", role=passed.rpartition("/")[2]),
            on_aws=t("whoever can change the pipeline can run a container as administrator"),
            hint=t("name the two ARNs under Resource"),
        )
    for one in filter(None, (role, build)):
        expect(
            not world.decide(one, "iam:CreateUser", f"arn:aws:iam::{world.account}:user/x").allowed,
            expected=t("roles for the pipeline and the build with what their work takes"),
            found=t("{role} may make users", role=one.rpartition("/")[2]),
            on_aws=t("whatever a Dockerfile or a dependency runs in the build may do it, too"),
            hint=t("a role for each: the build pushes, the pipeline deploys"),
        )
    definition = world.client("ecs").describe_task_definition(taskDefinition=stack.service()["taskDefinition"])
    own = definition["taskDefinition"].get("taskRoleArn")
    starts = definition["taskDefinition"].get("executionRoleArn")
    if starts:
        expect(
            not world.decide(starts, "iam:CreateUser", f"arn:aws:iam::{world.account}:user/x").allowed,
            expected=t("an execution role that pulls the image and writes the logs"),
            found=t("{role} may make users", role=starts.rpartition("/")[2]),
            on_aws=t("whoever may pass this role to a task of theirs is an administrator"),
            hint="AmazonECSTaskExecutionRolePolicy",
        )
    if own:
        expect(
            not world.decide(own, "iam:CreateUser", f"arn:aws:iam::{world.account}:user/x").allowed,
            expected=t("a task role with what the application takes"),
            found=t("the application may do everything in the account"),
            on_aws=t("a hole in the application is a hole in the account"),
        )


def build_role(world, pipeline):
    """The role of the pipeline's build; "" where there is no such project."""
    names = [
        action["configuration"]["ProjectName"]
        for stage in pipeline["stages"]
        for action in stage["actions"]
        if action["actionTypeId"]["provider"] == "CodeBuild"
    ]
    found = world.client("codebuild").batch_get_projects(names=names)["projects"] if names else []
    return found[0]["serviceRole"] if found else ""
