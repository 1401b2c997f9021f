"""2.5 service: does a request to the load balancer reach the container? Asked of a service that ECS keeps."""

from types import SimpleNamespace

import pytest

from fargrade.given import network as given
from fargrade.given import roles, running
from fargrade.grading import check, expect, fail, t
from fargrade.semantics.network import Internet, connect, nodes

FILE = "service.py"
SERVICES = ("ec2", "elbv2", "ecs", "ecr", "iam")
PAGE = b"the cart of this run"
SERVER = """import http.server, sys
class Cart(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("page.txt", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Cart).serve_forever()
"""
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
LONG = 900
STARTS_AFTER = (40, 75, 60)  # seconds, in turn: within what the brief says, beyond what health checks wait for
REQUESTS = 12


@pytest.fixture(scope="module")
def place(world, rng):
    """Given: a load balancer with an empty target group, a cluster, and a task definition whose image is there."""
    vpc = given.vpc(world, second=rng.randrange(10, 250), way_out="nat")
    port = rng.randrange(3000, 9000)
    front = given.security_group(world, vpc.id, "front", [(80, "0.0.0.0/0")])
    balancer = given.load_balancer(world, f"web-{rng.randrange(10**5)}", vpc.public, [front])
    group = given.target_group(
        world,
        f"tasks-{rng.randrange(10**5)}",
        vpc.id,
        health_path="/health",
        HealthCheckIntervalSeconds=10,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )
    given.listener(world, balancer["LoadBalancerArn"], 80, group)
    cluster = f"shop-{rng.randrange(10**5)}"
    running.cluster(world, cluster)
    world.client("ecs").put_cluster_capacity_providers(
        cluster=cluster, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    client = given.interface(world, vpc.private[0], [given.security_group(world, vpc.id, "clients")])
    return SimpleNamespace(
        vpc=vpc,
        front_rules=rules_of(world, front),
        health=health_check(world, group),
        port=port,
        front=front,
        balancer=balancer,
        group=group,
        cluster=cluster,
        name=f"cart-{rng.randrange(10**5)}",
        count=rng.choice((3, 4)),
        definition=definition(world, rng, port),
        client=client["NetworkInterfaceId"],
    )


def definition(world, rng, port):
    """A task definition of two containers, in any order: one serves, after a while; the other has no port."""
    world.client("ecr").create_repository(repositoryName="cart/app")
    world.client("ecr").create_repository(repositoryName="cart/agent")
    world.push_image("cart/app", ["v1"], behaviour={"ports": [port], "ready_after": STARTS_AFTER, "answers": {}})
    world.push_image("cart/agent", ["v1"], behaviour={"ports": []})
    containers = [
        {
            "name": f"app-{rng.randrange(1000)}",
            "image": f"{world.registry}/cart/app:v1",
            "essential": True,
            "portMappings": [{"containerPort": port, "protocol": "tcp"}],
        },
        {"name": f"agent-{rng.randrange(1000)}", "image": f"{world.registry}/cart/agent:v1", "essential": False},
    ]
    rng.shuffle(containers)
    made = world.client("ecs").register_task_definition(
        family=f"cart-{rng.randrange(10**5)}",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="512",
        memory="1024",
        executionRoleArn=roles.execution_role(world),
        containerDefinitions=containers,
    )
    return made["taskDefinition"]["taskDefinitionArn"]


@pytest.fixture(scope="module")
def made(world, learner, place):
    """When: the service is made. What was returned, what the address answered then, and the service after a while."""
    claimed = learner.call(
        FILE,
        "create_service",
        place.cluster,
        place.name,
        place.definition,
        place.count,
        place.group,
        place.vpc.id,
        list(place.vpc.private),
        place.front,
    )
    answer = world.request(url_of(place)).status
    states = sorted(targets(world, place).values())
    services = world.client("ecs").describe_services(cluster=place.cluster, services=[place.name])["services"]
    if not services or services[0]["status"] != "ACTIVE":
        fail(t("there is no service called {name} in {cluster}", name=place.name, cluster=place.cluster))
    world.advance(LONG)
    return SimpleNamespace(**vars(place), claimed=claimed, answer=answer, states=states)


def url_of(place):
    return f"http://{place.balancer['DNSName']}/"


def tasks(world, made, status="RUNNING"):
    """The service's tasks, as described."""
    ecs = world.client("ecs")
    arns = ecs.list_tasks(cluster=made.cluster, serviceName=made.name, desiredStatus=status)["taskArns"]
    return ecs.describe_tasks(cluster=made.cluster, tasks=arns)["tasks"] if arns else []


def address_of(task):
    details = [one for attachment in task["attachments"] for one in attachment["details"]]
    return next((one["value"] for one in details if one["name"] == "privateIPv4Address"), "")


def targets(world, made):
    """(address, port) of each target, with its state."""
    said = world.client("elbv2").describe_target_health(TargetGroupArn=made.group)["TargetHealthDescriptions"]
    return {(one["Target"]["Id"], one["Target"]["Port"]): one["TargetHealth"]["State"] for one in said}


def served(world, made):
    """What many clients on the internet get."""
    return [world.request(url_of(made)) for _ in range(REQUESTS)]


def why(path):
    return t(path.stopped.why, **path.stopped.values) if path.stopped else t("it gets through")


def where_it_stops(world, made, path):
    """The hop where requests stop. Where no target is left, the way on to where tasks are started is asked."""
    network = world.network()
    balancer = network.find(made.balancer["LoadBalancerArn"])
    if path.stopped and path.stopped.kind in ("target group", "target"):
        for node in nodes(network, balancer):
            for task in started(world, made, network):
                onward = connect(network, node, task, made.port)
                if not onward.open:
                    return why(onward)
    return why(path)


def started(world, made, network):
    """A task in each subnet of the service, in the security groups that it has there."""
    placed = described(world, made)["networkConfiguration"]["awsvpcConfiguration"]
    for subnet in placed["subnets"]:
        name = t("a task in {subnet}", subnet=subnet)
        yield network.imagined(subnet, placed.get("securityGroups") or None, name=name)


@check(points=1, evidence="state", docs=ECS + "ecs_services.html")
def test_as_many_as_asked_for(world, made):
    """The service asks for the right number of tasks, on Fargate"""
    kept = described(world, made)
    providers = [one["capacityProvider"] for one in kept.get("capacityProviderStrategy", [])]
    kinds = providers or [kept.get("launchType", "EC2")]
    expect(
        kept["desiredCount"] == made.count and all(kind.startswith("FARGATE") for kind in kinds),
        expected=t("{count} tasks on Fargate", count=made.count),
        found=t("{count} tasks ({kinds})", count=kept["desiredCount"], kinds=", ".join(kinds)),
        on_aws=t("ECS keeps what the service asks for, no more and no less"),
        hint=t("desiredCount and launchType of create_service"),
    )
    subnets = set(kept.get("networkConfiguration", {}).get("awsvpcConfiguration", {}).get("subnets", []))
    expect(
        subnets == set(made.vpc.private),
        expected=t("in all of the subnets that were given: {subnets}", subnets=", ".join(sorted(made.vpc.private))),
        found=", ".join(sorted(subnets)) or "–",
        on_aws=t("with one subnet all tasks are in one zone, and are gone with it"),
        hint=t("networkConfiguration takes the whole list"),
    )


def described(world, made):
    """The service, as described."""
    return world.client("ecs").describe_services(cluster=made.cluster, services=[made.name])["services"][0]


@check(points=3, evidence="behaviour", docs=ECS + "service-load-balancing.html")
def test_requests_reach_the_containers(world, made):
    """A request to the load balancer reaches a container, and every task gets its share"""
    got = served(world, made)
    stopped = next((one for one in got if not (one.answered and one.status == 200)), None)
    if stopped:
        fail(
            t("a client on the internet gets {status}", status=stopped.status or t("no answer")),
            expected=t("200, from a container"),
            found=where_it_stops(world, made, stopped.path),
            on_aws=t("the browser shows 502, 503 or 504, or waits"),
            hint=t("walk the chain: target group, health, the tasks' security group, the container's port"),
        )
    answered = {one.by.get("task") for one in got}
    running_ones = {one["taskArn"] for one in tasks(world, made)}
    expect(
        answered == running_ones,
        expected=t("answers from all {count} tasks of the service", count=len(running_ones)),
        found=t("answers from {count} of them", count=len(answered & running_ones)),
    )


@check(points=3, evidence="behaviour", docs=ECS + "service-load-balancing.html")
def test_ecs_keeps_the_targets(world, made):
    """ECS registers the tasks: one that comes is in the target group by itself, one that goes is out of it"""
    before = {address_of(one) for one in tasks(world, made)}
    ecs = world.client("ecs")
    ecs.update_service(cluster=made.cluster, service=made.name, desiredCount=made.count + 1)
    world.advance(LONG)
    now = {address_of(one) for one in tasks(world, made)}
    healthy = {key for key, state in targets(world, made).items() if state == "healthy"}
    ecs.update_service(cluster=made.cluster, service=made.name, desiredCount=made.count)
    world.advance(LONG)
    after = {address_of(one) for one in tasks(world, made)}
    left = {key for key, state in targets(world, made).items() if state != "draining"}
    right = {(address, made.port) for address in now}
    expect(
        healthy == right and len(now) == made.count + 1 and before <= now,
        expected=t("{count} tasks run after one more is asked for, and each is a healthy target", count=made.count + 1),
        found=t("{count} tasks run; healthy targets: {targets}", count=len(now), targets=shown(healthy)),
        on_aws=t("a task that is in no target group works for nobody"),
        hint=t("loadBalancers of create_service: ECS registers what it starts, under the container's port"),
    )
    expect(
        left == {(address, made.port) for address in after},
        expected=t("after it is asked for no more, its target is gone"),
        found=shown(left),
        on_aws=t("clients are sent to tasks that are no more"),
    )


def shown(pairs):
    return ", ".join(f"{address}:{port}" for address, port in sorted(pairs)) or "–"


@check(points=2, evidence="behaviour", docs=ECS + "security-network.html")
def test_only_through_the_load_balancer(world, made):
    """Nobody but the load balancer reaches the tasks, and it only the container's port"""
    network = world.network()
    stranger = network.host(network.find(made.client))
    front = network.imagined(made.vpc.public[0], [made.front], name=t("the load balancer"))
    for task in started(world, made, network):
        for source, port in ((stranger, made.port), (front, 22), (front, made.port + 1), (Internet(), made.port)):
            path = connect(network, source, task, port)
            expect(
                not path.open,
                expected=t("{source} does not reach a task on port {port}", source=source.name, port=port),
                found=t(path.hops[-1].why, **path.hops[-1].values),
                on_aws=t("whoever gets into the network asks the containers past the load balancer"),
                hint=t("the source of the rule is the load balancer's group, its ports the container's"),
            )
    opened = rules_of(world, made.front)
    expect(
        opened == made.front_rules,
        expected=t("the load balancer's own group lets in what it let in before"),
        found=t("{count} rules, of which {before} were there", count=len(opened), before=len(made.front_rules)),
        on_aws=t("what was opened for a try stays open: that group stands towards the internet"),
        hint=t("the tasks get a group of their own; the load balancer's is only named in its rule"),
    )


def rules_of(world, group):
    """What a security group lets in, whatever the order."""
    rules = world.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return sorted(one["SecurityGroupRuleId"] for one in rules["SecurityGroupRules"] if not one["IsEgress"])


def health_check(world, group):
    """How the target group finds out who is well."""
    found = world.client("elbv2").describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    return {key: value for key, value in found.items() if key.startswith("HealthCheck") or key == "Matcher"}


@check(points=2, evidence="behaviour", docs=ECS + "load-balancer-healthcheck.html")
def test_no_task_is_stopped_while_it_starts(world, made):
    """No task is stopped because it is still starting"""
    world.client("ecs").update_service(cluster=made.cluster, service=made.name, forceNewDeployment=True)
    world.advance(LONG)
    stopped = [one for one in tasks(world, made, "STOPPED") if "health" in one.get("stoppedReason", "").lower()]
    expect(
        not stopped,
        expected=t("an application that answers after {seconds} seconds comes up", seconds=max(STARTS_AFTER)),
        found=t("{count} tasks were stopped: {reason}", count=len(stopped), reason=stopped[0]["stoppedReason"])
        if stopped
        else "",
        on_aws=t("the service starts and stops tasks for ever, and none of them ever answers"),
        hint=t("healthCheckGracePeriodSeconds of create_service"),
    )
    now = health_check(world, made.group)
    changed = sorted(key for key, value in now.items() if made.health.get(key) != value)
    expect(
        not changed,
        expected=t("the target group's health check is the one that was given"),
        found=t("changed: {what}", what=", ".join(changed)),
        on_aws=t("a check that everything passes finds the sick well, too: clients get their errors"),
        hint=t("healthCheckGracePeriodSeconds of create_service"),
    )


@check(points=1, evidence="behaviour", docs=ECS + "ecs_services.html")
def test_a_task_that_dies_is_replaced(world, made):
    """A task that dies is replaced, and clients are served by the new one"""
    ecs = world.client("ecs")
    victim = next(iter(tasks(world, made)), None)
    if victim is None:
        fail(t("there are no tasks to ask"))
    ecs.stop_task(cluster=made.cluster, task=victim["taskArn"], reason="an outage")
    world.advance(LONG)
    now = {one["taskArn"] for one in tasks(world, made)}
    answered = {one.by.get("task") for one in served(world, made) if one.status == 200}
    expect(
        len(now) == made.count and victim["taskArn"] not in now and answered == now,
        expected=t("{count} tasks, one of them new, all of which answer", count=made.count),
        found=t("{count} tasks, {answered} of which answer", count=len(now), answered=len(answered & now)),
        on_aws=t("a task started by hand is not missed by anybody"),
    )


@check(points=1, evidence="behaviour", docs=ECS + "service-load-balancing.html")
def test_returns_the_address_when_it_answers(made):
    """It returns when the address answers, and returns that address"""
    right = url_of(made).rstrip("/")
    expect(
        str(made.claimed).rstrip("/").lower() == right.lower(),
        expected=right,
        found=repr(made.claimed)[:200],
        hint=t("http:// and the DNSName of the load balancer in front of the target group"),
    )
    expect(
        made.answer == 200,
        expected=t("the address answers 200 when the function returns"),
        found=t("it answered {status}", status=made.answer or t("no answer")),
        on_aws=t("whatever is done next with the address fails, now and then"),
        hint=t("services_stable waits for tasks that run, target_in_service for targets that are healthy"),
    )
    expect(
        set(made.states) == {"healthy"},
        expected=t("all targets are healthy when the function returns"),
        found=", ".join(made.states),
        on_aws=t("one task carries the load of all, and the next step begins"),
        hint=t("services_stable waits for tasks that run, target_in_service for targets that are healthy"),
    )


@pytest.fixture(scope="module")
def real(world, made, containers):
    """The service's tasks in real containers, and a real proxy before the targets that stand in the target group."""
    # The tasks that ECS has just started: what was registered by hand is not theirs.
    world.client("ecs").update_service(cluster=made.cluster, service=made.name, forceNewDeployment=True)
    world.advance(LONG)
    image = containers.python({"serve.py": SERVER.encode(), "page.txt": PAGE})
    task = containers.task(served_by(made.port), world, images={"cart": image})
    healthy = {at for at, state in targets(world, made).items() if state == "healthy"}
    addresses = {address_of(one) for one in tasks(world, made)}
    proxy = containers.proxy((task.address, port) for address, port in healthy if address in addresses)
    yield proxy
    proxy.close()
    task.remove()


def served_by(port):
    return {
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "app", "image": "cart", "command": ["python", "serve.py", str(port)]}],
    }


@check(points=1, evidence="container", docs=ECS + "service-load-balancing.html")
def test_real_containers_answer(real, containers):
    """Behind a real proxy with the same targets, real containers answer"""
    answers = containers.through(real, "/", times=4)
    expect(
        answers and all(one and one.status == 200 and one.body == PAGE for one in answers),
        expected=t("every request through the proxy is answered by a container"),
        found=", ".join(str(one.status if one else "–") for one in answers),
        on_aws=t("502: the target is there, and nothing listens on its port; 503: there is no target"),
        hint=t("containerName and containerPort name the container that serves, and its port"),
    )
