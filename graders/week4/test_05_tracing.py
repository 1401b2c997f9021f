"""4.5 tracing: given a task as the learner defines it, what its code sends must arrive at X-Ray, one trace an order."""

import json
import re
from datetime import timedelta
from itertools import pairwise

import pytest

from fargrade.given import definitions, roles
from fargrade.grading import check, expect, fail, t
from fargrade.semantics.tracing import BadSegment, parse_segment

SERVICES = ("ecr", "ecs", "iam", "xray")
CODE, DEFINITION = "tracing.py", "task-definition.json"
DOCS = "https://docs.aws.amazon.com/xray/latest/devguide/"
# Images that take X-Ray's segments on 2000/udp: the daemon, the CloudWatch agent, collectors with the awsxray receiver.
TAKES_SEGMENTS = re.compile(
    r"(?:^|/)(?:aws-xray-daemon|cloudwatch-agent|aws-otel-collector|opentelemetry-collector)(?:-|:|@|$)"
)
HERE = ("127.0.0.1", "localhost", "0.0.0.0", "::1", "[::1]")


class Task:
    """The learner's task: its definition registered with roles and image filled in."""

    def __init__(self, world, answer, learner, rng):
        self.world, self.learner = world, learner
        self.app = f"orders-{rng.randrange(10**6)}"
        self.task_role, self.execution_role = f"{self.app}-task", f"{self.app}-execution"
        self.arns = {
            "<TASK_ROLE>": roles.role(world, self.task_role),
            "<EXECUTION_ROLE>": roles.role(world, self.execution_role, managed=[roles.EXECUTION_POLICY]),
        }
        world.client("ecr").create_repository(repositoryName=self.app)
        world.push_image(self.app, ["v1"])
        learner.call(CODE, "allow_tracing", self.task_role, self.execution_role)
        answer.json(DEFINITION)  # says where JSON breaks
        text = answer.text(DEFINITION)
        filled = {**self.arns, "<IMAGE>": f"{world.registry}/{self.app}:v1", "<REGION>": world.region}
        for placeholder, value in filled.items():
            text = text.replace(placeholder, value)
        self.definition, refused = definitions.register(world, json.loads(text))
        expect(
            not refused,
            expected=t("RegisterTaskDefinition takes task-definition.json"),
            found=t("it is refused"),
            on_aws=refused,
            hint=t("start from the stub, and add what the task says"),
        )

    @property
    def sidecar(self):
        """The container that takes segments, None if there is none."""
        every = self.definition["containerDefinitions"]
        return next((one for one in every if TAKES_SEGMENTS.search(one["image"]) and one["name"] != "orders"), None)

    def address(self):
        """Where the definition tells the application that the daemon listens; "" if it says nothing."""
        app = next((one for one in self.definition["containerDefinitions"] if one["name"] == "orders"), {})
        told = {one["name"]: one["value"] for one in app.get("environment") or []}
        return told.get("AWS_XRAY_DAEMON_ADDRESS", "")

    def segments_to(self):
        """Its host and port for segments: X-Ray's SDKs take "tcp:HOST:PORT udp:HOST:PORT", too."""
        address = self.address()
        told = next((one.removeprefix("udp:") for one in address.split() if one.startswith("udp:")), address)
        return told.rpartition(":")[::2]

    def environment(self):
        """What the application's container finds in its environment."""
        role = self.definition.get("taskRoleArn")
        told = {"AWS_REGION": self.world.region, "AWS_DEFAULT_REGION": self.world.region}
        if role:
            told = dict(self.world.task_environment(role))
        if self.address():
            told["AWS_XRAY_DAEMON_ADDRESS"] = self.address()
        if self.sidecar:
            told["FARGRADE_SIDECAR"] = "xray" if "aws-xray-daemon" in self.sidecar["image"] else "collector"
        return told

    def handle(self, order, steps):
        """Have the application handle an order, in its task; how that ended."""
        return self.learner.within(self.environment()).attempt(CODE, "handle_order", order, steps)

    def handle_each(self, orders):
        """Have one process of the application handle the orders, one after another."""
        self.learner.within(self.environment()).attempt_each(CODE, "handle_order", orders)

    def traces(self, order):
        """The traces at X-Ray that name the order, each as its segment documents."""
        xray, now = self.world.client("xray"), self.world.now()
        found = xray.get_trace_summaries(
            StartTime=now - timedelta(hours=2), EndTime=now + timedelta(minutes=1),
            FilterExpression=f'annotation.order_id = "{order}"',
        )["TraceSummaries"]  # fmt: skip
        ids = [one["Id"] for one in found]
        whole = [
            one
            for place in range(0, len(ids), 5)
            for one in xray.batch_get_traces(TraceIds=ids[place : place + 5])["Traces"]
        ]
        return [[json.loads(segment["Document"]) for segment in one["Segments"]] for one in whole]


@pytest.fixture(scope="module")
def task(world, answer, learner, rng):
    """Given: the learner's task definition, registered, and the rights that the learner gave."""
    return Task(world, answer, learner, rng)


def some_steps(rng, fails=False):
    names = rng.sample(["load", "check-stock", "reserve", "charge", "pack", "notify"], 3)
    steps = [{"name": name, "seconds": rng.randint(2, 9) / 10, "fails": False} for name in names]
    steps[1]["fails"] = fails
    return steps


def traced(task, rng, fails=False):
    """(the order, its steps, how handling it ended, its traces)"""
    order, steps = f"A-{rng.randrange(10**8)}", some_steps(rng, fails)
    return order, steps, task.handle(order, steps), task.traces(order)


@pytest.fixture(scope="module")
def good(task, rng):
    """When: the application handles an order."""
    return traced(task, rng)


@pytest.fixture(scope="module")
def bad(task, rng):
    """When: the application handles an order whose second step fails."""
    return traced(task, rng, fails=True)


@pytest.fixture(scope="module")
def series(task, rng):
    """When: one process handles an order that fails and two more; their steps and traces, by order."""
    orders = {f"A-{rng.randrange(10**8)}": some_steps(rng, fails) for fails in (True, False, False)}
    for number, steps in enumerate(orders.values(), 1):
        for step in steps:
            step.update(name=f"{step['name']}-{number}", seconds=0.1)
    task.handle_each(list(orders.items()))
    return {order: (steps, task.traces(order)) for order, steps in list(orders.items())[1:]}


def the_segment(task, traces):
    """The segment of the one trace there must be."""
    if len(traces) != 1 or len(traces[0]) != 1:
        fail(
            t("There is not one trace of the order, with one segment."),
            expected=t("one trace with the annotation order_id, and one segment in it"),
            found=t("{traces} traces, {segments} segments", traces=len(traces), segments=sum(map(len, traces))),
            on_aws=why_not(task),
            hint=t("is it a header line, a line break and a whole document, sent over UDP to 127.0.0.1:2000?"),
        )
    return traces[0][0]


def why_not(task):
    """What X-Ray said to what was sent, if anything came."""
    calls = [one for one in task.world.calls("xray") if one.operation == "PutTraceSegments"]
    if not calls:
        return t("nothing was ever sent to X-Ray by this task")
    last = calls[-1]
    if last.error:
        return f"{last.error}: {last.message}"
    for call in reversed(calls):
        for document in call.parameters.get("TraceSegmentDocuments") or []:
            try:
                parse_segment(str(document))
            except BadSegment as bad:
                return t("X-Ray did not process a segment: {code}", code=bad.code)
    return t("X-Ray processed all that was sent")


@check(points=2, evidence="state", docs=DOCS + "xray-daemon-ecs.html")
def test_the_sidecar_is_there(task):
    """The task has a container that takes traces, where the application sends them"""
    expect(
        task.sidecar,
        expected=t("beside “orders”, a container with the X-Ray daemon (or the CloudWatch agent, or a collector)"),
        found=", ".join(f"{one['name']}: {one['image']}" for one in task.definition["containerDefinitions"]),
        on_aws=t("segments are sent to a port where nobody listens, and nobody complains"),
        hint="public.ecr.aws/xray/aws-xray-daemon",
    )
    host, port = task.segments_to()
    expect(
        not task.address() or (host in HERE and port == "2000"),
        expected=t("the application is told 127.0.0.1:2000, or nothing"),
        found=task.address(),
        on_aws=t("containers of an awsvpc task share the loopback address; a container's name is no host name there"),
        hint="AWS_XRAY_DAEMON_ADDRESS",
    )


@check(
    points=1, evidence="state", docs="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html"
)
def test_the_task_has_its_role(task):
    """The task runs with the task role, and is started with the execution role"""
    found = (task.definition.get("taskRoleArn"), task.definition.get("executionRoleArn"))
    expect(
        found == (task.arns["<TASK_ROLE>"], task.arns["<EXECUTION_ROLE>"]),
        expected=t("taskRoleArn is the task role, executionRoleArn the execution role"),
        found=t("taskRoleArn {task}, executionRoleArn {execution}", task=found[0] or "–", execution=found[1] or "–"),
        on_aws=t("without a task role, the containers have no credentials at all"),
        hint=t("two members of the definition, and two placeholders"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "security_iam_id-based-policy-examples.html")
def test_the_task_role_may_send(task):
    """The task role may send traces"""
    for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords"):
        expect(
            task.world.decide(task.task_role, action, "*").allowed,
            expected=t("the task role may {action}", action=action),
            found=t("it may not"),
            on_aws=t("AccessDeniedException, which only the daemon's log says"),
            hint=t("X-Ray's actions know no resource: *"),
        )


@check(points=1, evidence="behaviour", docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html")
def test_nobody_may_more(task):
    """The task role may nothing else, and the execution role may not send traces"""
    object_arn = "arn:aws:s3:::customers/1.csv"
    for role, action, resource in (
        (task.execution_role, "xray:PutTraceSegments", "*"),
        (task.task_role, "xray:BatchGetTraces", "*"),
        (task.task_role, "xray:DeleteGroup", "*"),
        (task.task_role, "xray:PutEncryptionConfig", "*"),
        (task.task_role, "xray:PutResourcePolicy", "*"),
        (task.task_role, "s3:GetObject", object_arn),
        (task.task_role, "iam:PassRole", task.arns["<TASK_ROLE>"]),
    ):
        expect(
            not task.world.decide(role, action, resource).allowed,
            expected=t("{role} may not {action}", role=role, action=action),
            found=t("it may"),
            on_aws=t("what an application may do beyond its task is what an intruder may do"),
            hint=t("the two actions, on the one role that needs them"),
        )


@check(points=3, evidence="behaviour", docs=DOCS + "xray-api-segmentdocuments.html")
def test_a_trace_arrives(task, good):
    """One trace of the order arrives: the segment “orders” with the order's number"""
    order, _, outcome, traces = good
    expect(
        outcome.kind == "returned",
        expected=t("handle_order returns"),
        found=outcome.sentence(),
        hint=t("the code runs with the task role's credentials, and those alone"),
    )
    segment = the_segment(task, traces)
    expect(
        segment["name"] == "orders" and not segment.get("in_progress") and not segment.get("fault"),
        expected=t("a segment “orders” that is over and marked as no fault"),
        found=t("“{name}”, in progress: {open}, fault: {fault}", name=segment["name"],
                open=bool(segment.get("in_progress")), fault=bool(segment.get("fault"))),
    )  # fmt: skip
    expect(
        (segment.get("annotations") or {}).get("order_id") == order,
        expected=t("the annotation order_id at the segment: {order}", order=order),
        found=t("annotations of the segment: {annotations}", annotations=segment.get("annotations") or t("none")),
        on_aws=t("an order whose first step never began would not be found"),
        hint=t("“annotations” beside the segment's name and times"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "xray-concepts.html")
def test_each_step_is_a_subsegment(task, good):
    """Each step is a subsegment, with the time that it took"""
    _, steps, _, traces = good
    segment = the_segment(task, traces)
    parts = segment.get("subsegments") or []
    expect(
        [one["name"] for one in parts] == [step["name"] for step in steps],
        expected=t("a subsegment for each step, in their order: {names}", names=", ".join(s["name"] for s in steps)),
        found=", ".join(one["name"] for one in parts) or t("none"),
        hint=t("a dictionary of its own in “subsegments” for each step"),
    )
    ids = [segment["id"], *(one["id"] for one in parts)]
    expect(
        len(set(ids)) == len(ids),
        expected=t("the segment and each subsegment with an id of its own"),
        found=", ".join(ids),
        on_aws=t("an id must be unique within its trace; who refers to it would mean two things"),
        hint="secrets.token_hex(8)",
    )
    for before, after in pairwise(parts):
        expect(
            after["start_time"] >= before["end_time"] - 0.001,
            expected=t("“{after}” begins when “{before}” is over", after=after["name"], before=before["name"]),
            found=t("it begins {early} s earlier", early=f"{before['end_time'] - after['start_time']:.2f}"),
            on_aws=t("the timeline shows where the time went, or a lie"),
            hint=t("start_time right before the work, end_time right after it"),
        )
    for part, step in zip(parts, steps, strict=True):
        took = part["end_time"] - part["start_time"]
        inside = segment["start_time"] - 0.001 <= part["start_time"] and part["end_time"] <= segment["end_time"] + 0.001
        expect(
            step["seconds"] * 0.8 <= took <= step["seconds"] + 1.5 and inside,
            expected=t("“{name}” takes about {seconds} s, within the segment's time", name=step["name"],
                       seconds=step["seconds"]),
            found=t("{took} s, {where}", took=f"{took:.2f}", where=t("inside") if inside else t("outside")),
            on_aws=t("the timeline shows where the time went, or a lie"),
            hint=t("start_time right before the work, end_time right after it"),
        )  # fmt: skip


@check(points=2, evidence="behaviour", docs=DOCS + "xray-concepts.html")
def test_a_failure_is_seen(task, bad):
    """A step that fails is marked as fault, and the trace arrives all the same"""
    _, steps, outcome, traces = bad
    segment = the_segment(task, traces)
    parts = segment.get("subsegments") or []
    faults = [one["name"] for one in parts if one.get("fault")]
    expect(
        segment.get("fault") and faults == [steps[1]["name"]],
        expected=t("fault at the segment and at the subsegment “{name}”", name=steps[1]["name"]),
        found=t("fault at the segment: {segment}; at subsegments: {parts}", segment=bool(segment.get("fault")),
                parts=", ".join(faults) or t("none")),
        on_aws=t("nobody who searches for faults finds this order"),
        hint=t("mark both where the exception passes, and send in finally"),
    )  # fmt: skip
    expect(
        len(parts) == 2,
        expected=t("no subsegment for the step that was not done"),
        found=", ".join(one["name"] for one in parts),
    )
    expect(
        outcome.kind == "raised" and outcome.error is not None and outcome.error.type == "RuntimeError",
        expected=t("the exception of the step goes on to the caller"),
        found=outcome.sentence(),
        on_aws=t("the customer is told that all is well"),
        hint=t("raise, after marking"),
    )


@check(points=1, evidence="behaviour", docs=DOCS + "xray-api-sendingdata.html")
def test_each_order_is_its_own_trace(good, bad, series):
    """Each order is a trace of its own"""
    ids = [segment.get("trace_id") for _, _, _, traces in (good, bad) for one in traces for segment in one]
    expect(
        len(ids) == 2 and len(set(ids)) == 2,
        expected=t("two orders, two trace ids"),
        found=", ".join(map(str, ids)) or t("none"),
        on_aws=t("two requests in one trace are one story with two endings"),
        hint=t("a new random trace id for each order"),
    )
    names = {step["name"] for steps, _ in series.values() for step in steps}
    for steps, traces in series.values():
        segments = [segment for one in traces for segment in one]
        foreign = [
            part["name"]
            for segment in segments
            for part in segment.get("subsegments") or []
            if any(name in part["name"] for name in names - {step["name"] for step in steps})
        ]
        expect(
            len(segments) == 1 and not foreign and not segments[0].get("fault"),
            expected=t("an application that handles one order after another sends a trace of each, also after a fault"),
            found=t("of a later order: {segments} segments, fault: {fault}, steps of another order: {foreign}",
                    segments=len(segments), fault=any(one.get("fault") for one in segments),
                    foreign=", ".join(foreign) or t("none")),
            on_aws=t("the application is one process that runs for days: what it keeps from one order is in the next"),
            hint=t("make the segment anew within handle_order: nothing of it belongs at the top of the file"),
        )  # fmt: skip
