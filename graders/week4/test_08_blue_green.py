"""4.8 blue_green: versions are brought out while customers and testers keep asking at the load balancer."""

from dataclasses import dataclass

import pytest

from fargrade.given import delivery, roles
from fargrade.grading import check, expect, fail, t

SERVICES = ("ecr", "ec2", "elbv2", "ecs", "iam", "logs", "cloudwatch", "codedeploy")
FILE = "blue_green.py"
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html"
DEPLOY = "https://docs.aws.amazon.com/codedeploy/latest/userguide/"
EVERY = 10.0
APP = b"""
import http.server, pathlib
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = pathlib.Path("page.txt").read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
http.server.ThreadingHTTPServer(("", 8080), Page).serve_forever()
"""
LATE = 240.0  # when the alarm rings: within the five minutes that the brief asks for
PATIENCE = 120.0  # an hour of the world, with customers in it, on a machine that has other work


@dataclass(frozen=True)
class Visit:
    """What a customer (or a tester) got, and when."""

    at: float
    status: int
    image: str


@dataclass
class Deployment:
    """One call of the learner's `deploy`, and what was seen during it and for an hour after."""

    image: str
    before: str
    said: object
    began: float
    customers: list
    testers: list

    def first(self, visits):
        """When the version was first met."""
        return next((one.at for one in visits if one.image == self.image and one.status == 200), None)

    @property
    def errors(self):
        return [one for one in self.customers if not 200 <= one.status < 400]


class Stage:
    """Given: a load balancer with two target groups and two listeners, roles, an alarm, and the first version."""

    def __init__(self, world, learner, rng):
        self.world, self.learner, self.rng = world, learner.patient(PATIENCE), rng
        suffix = f"{rng.randrange(10**6):06}"
        self.running = delivery.running_service(
            world, suffix=suffix, container="web", balanced=True, groups=2, test_listener=True, service=False
        )
        self.alarm = f"shop-errors-{suffix}"
        world.client("cloudwatch").put_metric_alarm(
            AlarmName=self.alarm,
            Namespace="AWS/ApplicationELB",
            MetricName="HTTPCode_Target_5XX_Count",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=10,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )
        self.set_alarm("OK")
        self.roles = {
            "code_deploy": roles.code_deploy_role(world, f"codedeploy-{suffix}"),
            "ecs": roles.load_balancer_role(world, f"infrastructure-{suffix}"),
        }
        self.customers = f"http://{self.running.address}/"
        self.testers = f"http://{self.running.address}:9000/"
        self.first = self.version(self.running.image)

    def set_alarm(self, state):
        self.world.client("cloudwatch").set_alarm_state(
            AlarmName=self.alarm, StateValue=state, StateReason="a rehearsal"
        )

    def version(self, image):
        """Register a task definition that runs the image; its ARN."""
        made = self.running
        logs = f"/ecs/{made.service}"
        return delivery.register(
            self.world, made.family, made.container, image, made.port, made.execution_role, made.task_role, logs
        )

    def push(self, **behaviour):
        """Push another image, which behaves so; its reference."""
        tag = f"v{self.rng.randrange(10**6)}"
        self.world.push_image(self.running.repository, [tag], behaviour=behaviour or None)
        return f"{self.world.registry}/{self.running.repository}:{tag}"

    def create(self):
        """Call the learner's create_service, and open to the public."""
        self.learner.call(
            FILE,
            "create_service",
            name=self.running.service,
            cluster=self.running.cluster,
            task_definition=self.first,
            subnets=list(self.running.subnets),
            security_groups=[self.running.group],
            target_groups=[self.running.blue, self.running.green],
            listener=self.running.listener,
            test_listener=self.running.test_listener,
            alarm=self.alarm,
            roles=self.roles,
        )
        for url in (self.customers, self.testers):
            self.world.control("visit", url=url, region=self.world.region, every=EVERY)
        self.world.advance(60)

    def visits(self, url, since=0.0):
        return [
            Visit(one["at"], one["status"], one["body"])
            for one in self.world.control("visits", url=url)
            if one["at"] >= since
        ]

    def deploy(self, image, rings=False, draft=""):
        """Call the learner's deploy with a new version, and let an hour pass; `rings`: LATE after the switch.

        `draft` is an image that a colleague has registered another revision with meanwhile, for later.
        """
        revision, began = self.version(image), self.world.now().timestamp()
        if draft:
            self.version(draft)
        before = self.visits(self.customers)[-1].image
        if rings:
            state = {"AlarmName": self.alarm, "StateValue": "ALARM", "StateReason": "a rehearsal"}
            self.world.control(
                "once_seen",
                url=self.customers,
                body=image,
                seconds=LATE,
                service="cloudwatch",
                call="set_alarm_state",
                parameters=state,
                region=self.world.region,
            )
        said = self.learner.call(
            FILE,
            "deploy",
            name=self.running.service,
            cluster=self.running.cluster,
            task_definition=revision,
        )
        for _ in range(6):
            self.world.advance(600)
        return Deployment(
            image, before, said, began, self.visits(self.customers, began), self.visits(self.testers, began)
        )


@pytest.fixture(scope="module")
def stage(world, learner, rng):
    made = Stage(world, learner, rng)
    made.create()
    return made


@pytest.fixture(scope="module")
def good(stage):
    """When: a good version is brought out."""
    return stage.deploy(stage.push())


@pytest.fixture(scope="module")
def working(good):
    """Deployments that deploy: of those that never do it shows nothing that they go back."""
    if good.customers[-1].image != good.image:
        fail(
            t("A version that never comes shows nothing about the way back: see the second check."),
            found=t("customers still meet {image}", image=good.customers[-1].image or good.customers[-1].status),
        )
    return good


@pytest.fixture(scope="module")
def bad(stage, working):
    """When: a version is brought out that answers every request with 500."""
    del working  # it has to be there first
    return stage.deploy(stage.push(otherwise=500))


@pytest.fixture(scope="module")
def alarmed(stage, working):
    """When: a version is brought out, and the alarm rings four minutes after customers have met it."""
    del working  # it has to be there first
    made = stage.deploy(stage.push(), rings=True)
    stage.set_alarm("OK")
    return made


@check(
    points=1,
    evidence="behaviour",
    docs="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-types.html",
)
def test_the_first_version_is_served(stage):
    """After create_service customers get the first version"""
    seen = stage.visits(stage.customers)
    expect(
        seen and all(one.status == 200 and one.image == stage.running.image for one in seen),
        expected=t("customers get 200 from {image}", image=stage.running.image),
        found=", ".join(sorted({f"{one.status} {one.image}" for one in seen})) or "–",
        on_aws=t("503 as long as no task is healthy in the target group"),
        hint=t(
            "loadBalancers with the first target group, the container web and its port 8080; wait until it is stable"
        ),
    )


@check(points=2, evidence="behaviour", docs=ECS)
def test_a_good_version_gets_the_traffic(stage, good):
    """A good version gets all the traffic, and the old one's tasks go"""
    expect(
        good.customers[-1].image == good.image and good.customers[-1].status == 200,
        expected=t("customers meet {image}", image=good.image),
        found=f"{good.customers[-1].status} {good.customers[-1].image}",
        hint=t("deploy starts a deployment with the new task definition, and waits for its end"),
    )
    ecs = stage.world.client("ecs")
    tasks = ecs.list_tasks(cluster=stage.running.cluster)["taskArns"]
    found = ecs.describe_tasks(cluster=stage.running.cluster, tasks=tasks)["tasks"] if tasks else []
    images = {box["image"] for one in found if one["lastStatus"] == "RUNNING" for box in one["containers"]}
    expect(
        images == {good.image},
        expected=t("an hour later only tasks of the new version run"),
        found=", ".join(sorted(images)) or t("no task runs"),
        on_aws=t("both versions are paid for, for as long as nobody looks"),
        hint=t("the old tasks are ended after a while: TERMINATE, after terminationWaitTimeInMinutes"),
    )


@pytest.fixture(scope="module")
def really(stage, working, containers):
    """When: a version is brought out that was built by a real engine and pushed to a real registry."""
    del working  # it has to be there first
    made, page = stage.running, f"version {stage.rng.randrange(10**6)}"
    with containers.behind(stage.world) as registry:
        built = containers.python({"app.py": APP, "page.txt": page.encode()}, command=["python", "app.py"])
        digest = containers.push(stage.world, built, made.repository, page.replace(" ", "-"))
        image = f"{stage.world.registry}/{made.repository}@{digest}"
        seen = stage.deploy(image, draft=stage.push())
        met = seen.customers[-1].image
        name = f"{stage.world.account}/{stage.world.region}/{made.repository}"
        pulled = containers.pull(registry, name, digest) if met == image else ""
    return seen, page, pulled


def ports(stage):
    """The ports at which the healthy targets of both groups stand."""
    health = stage.world.client("elbv2").describe_target_health
    found = [
        one
        for group in (stage.running.blue, stage.running.green)
        for one in health(TargetGroupArn=group)["TargetHealthDescriptions"]
    ]
    return sorted({one["Target"]["Port"] for one in found if one["TargetHealth"]["State"] == "healthy"})


@check(points=1, evidence="container", docs=ECS)
def test_a_real_version_answers_customers(stage, really, containers):
    """Built and pushed for real, the very version that was asked for answers customers from its container"""
    seen, page, pulled = really
    expect(
        pulled,
        expected=t("customers meet {image}", image=seen.image),
        found=f"{seen.customers[-1].status} {seen.customers[-1].image}",
        on_aws=t(
            "a colleague's draft goes out, or nothing does: the family's newest revision is not the one asked for"
        ),
        hint=t("deploy the task definition that deploy was given, with its revision"),
    )
    ecs = stage.world.client("ecs")
    arns = ecs.list_tasks(cluster=stage.running.cluster)["taskArns"]
    tasks = ecs.describe_tasks(cluster=stage.running.cluster, tasks=arns)["tasks"]
    revision = ecs.describe_task_definition(taskDefinition=tasks[0]["taskDefinitionArn"])["taskDefinition"]
    task = containers.task(revision, stage.world, images={seen.image: pulled})
    proxy = containers.proxy((task.address, port) for port in ports(stage))
    answers = containers.through(proxy, "/", times=2)
    proxy.close()
    task.remove()
    said = [one.body.decode("utf-8", "replace") if one else t("nothing") for one in answers]
    expect(
        all(one == page for one in said),
        expected=t("the container answers “{page}” to customers", page=page),
        found=", ".join(said),
    )


@check(points=2, evidence="behaviour", docs=ECS)
def test_customers_are_served_all_along(good, alarmed):
    """No customer gets an error while versions change"""
    expect(
        len(good.customers) > 10 and not good.errors and not alarmed.errors,
        expected=t("every answer to a customer is a good one"),
        found=t(
            "{count} of {all} were not: {statuses}",
            count=len(good.errors + alarmed.errors),
            all=len(good.customers + alarmed.customers),
            statuses=", ".join(sorted({str(one.status) for one in good.errors + alarmed.errors})),
        ),
        on_aws=t("these are customers who have gone elsewhere"),
    )


@check(points=2, evidence="behaviour", docs=DEPLOY + "deployment-steps-ecs.html")
def test_testers_meet_it_first(working):
    """Testers meet the new version before customers do"""
    tested, met = working.first(working.testers), working.first(working.customers)
    expect(
        tested is not None and met is not None and tested < met,
        expected=t("the test listener leads to the new version before the customers' listener does"),
        found=t("testers met it at the same time, or never") if tested is None or met is not None else "–",
        on_aws=t("the first test of a version is made by customers"),
        hint=t("testTrafficRoute, or testListenerRule: the listener at port 9000"),
    )


@check(points=2, evidence="behaviour", docs=DEPLOY + "deployments-rollback-and-redeploy.html")
def test_a_bad_version_gets_no_traffic(bad):
    """A version that never gets healthy gets no customer, and deploy says False"""
    met = [one for one in bad.customers if one.image == bad.image or one.status >= 500]
    expect(
        not met and bad.customers[-1].image == bad.before,
        expected=t("customers go on with {image}", image=bad.before),
        found=t("{count} of {all} customers met the bad one or got an error", count=len(met), all=len(bad.customers)),
        on_aws=t("the health check knew it before the customers did"),
        hint=t("traffic shifts only when the new tasks are healthy"),
    )
    says(bad, False)


def says(made, truth):
    """deploy's answer is a claim: it must agree with what was seen."""
    expect(
        made.said is truth,
        expected=t("deploy returns {value}", value=truth),
        found=repr(made.said),
        hint=t("look how the deployment has ended, and say it"),
    )


@check(points=1, evidence="behaviour", docs=DEPLOY + "deployments-view-details.html")
def test_deploy_tells_of_a_success(working):
    """For the good version deploy says True"""
    says(working, True)


@check(points=3, evidence="behaviour", docs=DEPLOY + "monitoring-create-alarms.html")
def test_the_alarm_brings_it_back(alarmed):
    """When the alarm rings after the switch, the traffic goes back, and deploy says False"""
    expect(
        alarmed.first(alarmed.customers) is not None,
        expected=t("the version gets the traffic first: it is healthy"),
        found=t("customers never met it"),
    )
    expect(
        alarmed.customers[-1].image == alarmed.before and alarmed.customers[-1].status == 200,
        expected=t("an hour later customers are back at {image}", image=alarmed.before),
        found=f"{alarmed.customers[-1].status} {alarmed.customers[-1].image}",
        on_aws=t("the alarm rings all night, and the bad version serves all night"),
        hint=t("the deployment must know the alarm, roll back on it, and keep the old tasks for some minutes"),
    )
    says(alarmed, False)
