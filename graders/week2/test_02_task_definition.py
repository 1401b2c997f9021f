"""2.2 task_definition: the file is registered, a task of it is run, and its health check is tried on three servers."""

import re

import pytest

from fargrade.given import definitions, network, running
from fargrade.given import roles as given
from fargrade.grading import check, expect, fail, t
from fargrade.semantics.ecs import Size, cpu_units, fargate_size, memory_mib, parse_image

ACCOUNT_DOLLARS = 0.0  # a definition and a role cost nothing; no task is started there
FILE = "task-definition.json"
SERVICES = ("ecs", "ec2", "iam", "elbv2")
WANTED = Size(256, 512)
NGINX = {"docker.io/library/nginx", "public.ecr.aws/nginx/nginx", "public.ecr.aws/docker/library/nginx"}
VARIABLES = {"SITE_NAME": "shop", "WORKERS": "2"}
STARTS_NGINX = re.compile(r"(?:^|[\s/;&|])nginx(?:-debug)?(?=\s|$).*daemon\s+off", re.S)
ECS_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
STARTED = 240  # seconds in which a task of this size has long been started

# What curl and wget in the container would meet: an nginx that says STATUS, or none at all.
ASK = r"""
meet() {  # the status that nginx answers to a URL; nothing where nobody listens
  case "$1" in
    http://localhost|http://127.0.0.1|http://[[]::1[]]|localhost|127.0.0.1) path=/ ;;
    http://localhost/*|http://127.0.0.1/*|http://[[]::1[]]/*|localhost/*|127.0.0.1/*) path=/${1#*//*/} ;;
    http://localhost:80|http://127.0.0.1:80|localhost:80|127.0.0.1:80) path=/ ;;
    http://localhost:80/*|http://127.0.0.1:80/*|localhost:80/*|127.0.0.1:80/*) path=/${1#*:80/} ;;
    *) return ;;
  esac
  case "$path" in localhost/|127.0.0.1/|/localhost/|/127.0.0.1/) path=/ ;; esac
  [ "$STATUS" = refused ] && return
  case "$path" in /|/index.html|"/?"*) echo "$STATUS" ;; *) [ "$STATUS" = 200 ] && echo 404 || echo "$STATUS" ;; esac
}
"""
CURL = (
    "#!/bin/sh\n"
    + ASK
    + r"""
fail=; format=; quiet=; head=; url=
while [ $# -gt 0 ]; do
  case "$1" in
    --fail|--fail-with-body) fail=1 ;;
    --max-time|--connect-timeout|--retry|--retry-delay|--header|--user-agent|--request|--resolve) shift ;;
    --output) quiet=1; shift ;;
    --write-out) format=$2; shift ;;
    --head|--include) head=1 ;;
    --*) ;;
    -*) case "$1" in *f*) fail=1 ;; esac
        case "$1" in *[Ii]*) head=1 ;; esac
        case "$1" in
          *o) quiet=1; shift ;;
          *w) format=$2; shift ;;
          *m|*H|*A|*X) shift ;;
        esac ;;
    *) url=$1 ;;
  esac
  shift
done
status=$(meet "$url")
[ -n "$format" ] && printf '%s' "$format" | sed "s/%{http_code}/${status:-000}/g; s/%{response_code}/${status:-000}/g"
[ -z "$status" ] && { echo "curl: (7) Failed to connect to $url" >&2; exit 7; }
if [ "$status" -ge 400 ] && [ -n "$fail" ]; then
  echo "curl: (22) The requested URL returned error: $status" >&2
  exit 22
fi
[ -n "$quiet" ] && exit 0
if [ -n "$head" ]; then
  case "$status" in 200) why=OK ;; 404) why="Not Found" ;; *) why="Internal Server Error" ;; esac
  printf 'HTTP/1.1 %s %s\r\nServer: nginx\r\n\r\n' "$status" "$why"
  exit 0
fi
[ "$status" = 200 ] && echo "<title>Welcome to nginx!</title>" || echo "<title>$status</title>"
exit 0
"""
)
WGET = (
    "#!/bin/sh\n"
    + ASK
    + r"""
url=; quiet=
while [ $# -gt 0 ]; do
  case "$1" in
    -O|-T|-t|-U|-o) [ "$1" = -O ] && [ "$2" != - ] && quiet=1; shift ;;
    --spider) quiet=1 ;;
    *O-|--output-document=-) ;;
    *O/dev/null|--output-document=*) quiet=1 ;;
    -*O) [ "$2" != - ] && quiet=1; shift ;;
    -*) ;;
    *) url=$1 ;;
  esac
  shift
done
status=$(meet "$url")
[ -z "$status" ] && { echo "wget: can't connect: Connection refused" >&2; exit 4; }
[ "$status" -ge 400 ] && { echo "wget: server returned error: HTTP/1.1 $status" >&2; exit 8; }
[ -n "$quiet" ] || echo "<title>Welcome to nginx!</title>"
exit 0
"""
)
NO_WGET = "#!/bin/sh\necho 'sh: wget: not found' >&2\nexit 127\n"  # the images on Debian have curl only
# Makes the two programs the only ones of their names, then becomes what it is given.
PREPARE = (
    "mkdir -p here && cp stand-in-curl here/curl && cp stand-in-wget here/wget && chmod +x here/* && "
    'PATH="$PWD/here:$PATH" && exec "$@"'
)


@pytest.fixture(scope="module")
def registered(world, answer):
    """(the definition as AWS has it, or {}; why it was refused)."""
    given.execution_role(world)
    return definitions.register(world, answer.json(FILE))


@pytest.fixture(scope="module")
def definition(answer, registered):
    """The definition as AWS has it; as it is in the file where AWS refused it: one mistake is no other."""
    document = answer.json(FILE)
    return registered[0] or (document if isinstance(document, dict) else {})


@pytest.fixture(scope="module")
def container(definition):
    """The container that is essential (the first, where none says so)."""
    listed = definition.get("containerDefinitions")
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not found:
        fail(t("The task definition has no container."), hint=t("containerDefinitions is a list of objects"))
    return next((one for one in found if one.get("essential", True)), found[0])


def pairs(container, name):
    """A list of objects of the container's, without what is none."""
    entries = container.get(name)
    return [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


@check(points=2, evidence="state", docs=API + "API_RegisterTaskDefinition.html")
def test_aws_registers_it(answer, registered):
    """AWS registers the task definition as web, and it can run on Fargate"""
    definition, refused = registered
    expected = t("RegisterTaskDefinition takes task-definition.json")
    expect(
        not refused, expected=expected, found=t("it is refused"), on_aws=refused, hint=t("AWS says what does not fit")
    )
    expect(
        "FARGATE" in definition.get("compatibilities", []),
        expected=t("it is compatible with Fargate"),
        found=t("it is compatible with {names}", names=", ".join(definition.get("compatibilities", []))),
        hint=t("requiresCompatibilities, networkMode awsvpc, and a size that Fargate has"),
    )
    family = str(answer.json(FILE).get("family"))
    expect(
        family == "web",
        expected=t("a revision of the family {family}", family="web"),
        found=t("one of the family {family}", family=family),
        on_aws=t("whoever starts web gets an older revision, or none at all"),
        hint=t("family is the name of the task definition"),
    )


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "task-lifecycle-explanation.html")
def test_a_task_of_it_runs(world, registered):
    """A task of it, started on Fargate, comes to RUNNING"""
    definition, refused = registered
    expected = t("a task is started from it, and runs")
    expect(not refused, expected=expected, found=t("there is no such task definition: it is refused"), on_aws=refused)
    world.advance(0)  # where no time can pass no task is started: it would be paid for, and nobody would wait for it
    place = network.vpc(world, private=False)
    running.cluster(world, "try")
    ecs = world.client("ecs")
    started = ecs.run_task(
        cluster="try",
        taskDefinition=definition["taskDefinitionArn"],
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": list(place.public), "assignPublicIp": "ENABLED"}},
    )["tasks"][0]
    world.advance(STARTED)
    task = ecs.describe_tasks(cluster="try", tasks=[started["taskArn"]])["tasks"][0]
    reasons = [one.get("reason", "") for one in task.get("containers", [])]
    expect(
        task["lastStatus"] == "RUNNING",
        expected=expected,
        found=t("it is {status}", status=task["lastStatus"]),
        on_aws=" ".join(text for text in (task.get("stoppedReason", ""), *reasons) if text),
        hint=t("an image that exists, and programs that run in it"),
    )
    words = [
        word
        for one in definition["containerDefinitions"]
        if "nginx" in one.get("image", "")
        for word in (*one.get("entryPoint", []), *one.get("command", []))
    ]
    expect(
        not words or STARTS_NGINX.search(" ".join(words)),
        expected=t("what runs in the container is nginx"),
        found=t("the container starts: {command}", command=" ".join(words)),
        on_aws=t("the task is RUNNING, nothing listens on port 80, and the container is UNHEALTHY"),
        hint=t("the image starts nginx by itself: leave entryPoint and command out"),
    )


@check(points=1, evidence="state", docs=ECS_GUIDE + "fargate-tasks-services.html")
def test_it_has_the_size(definition):
    """It has 0.25 vCPU and 0.5 GB, neither more nor less"""
    cpu, memory = definition.get("cpu"), definition.get("memory")
    expect(
        fargate_size(cpu, memory) == WANTED,
        expected=t("the task has 0.25 vCPU and 0.5 GB"),
        found=t("cpu is {cpu} units, memory is {memory} MiB", cpu=cpu_units(cpu), memory=memory_mib(memory)),
        on_aws=t("Fargate bills by the size, whether it is used or not"),
        hint=t("cpu and memory at the top: 1024 units are one vCPU, 1024 MiB are one GB"),
    )


@check(points=1, evidence="state", docs=API + "API_ContainerDefinition.html")
def test_the_image_is_one_version_of_nginx(container):
    """The image is nginx, in a version that is named"""
    written = str(container.get("image", ""))
    image = parse_image(written)
    expect(
        image is not None and image.name in NGINX,
        expected=t("the official nginx image, from Docker Hub or ECR Public"),
        found=written or t("no image"),
        hint=t("nginx:TAG or public.ecr.aws/nginx/nginx:TAG"),
    )
    expect(
        image.digest or any(letter.isdigit() for letter in image.tag),
        expected=t("a tag that names a version, or a digest"),
        found=t("the tag {tag}", tag=image.tag),
        on_aws=t("the next task that starts may run another nginx than this one"),
        hint=t("look up the tags on Docker Hub: 1.27, 1.27.5, 1.27-alpine"),
    )


@check(points=1, evidence="state", docs=API + "API_PortMapping.html")
def test_port_80_is_mapped(container):
    """Port 80 of the container is mapped"""
    ports = [(one.get("containerPort"), one.get("protocol") or "tcp") for one in pairs(container, "portMappings")]
    expect(
        (80, "tcp") in ports,
        expected=t("a port mapping for containerPort 80"),
        found=", ".join(f"{port}/{protocol}" for port, protocol in ports) or t("no port mapping"),
        on_aws=t("a load balancer cannot send requests to a port that is not mapped"),
        hint=t("portMappings is a list of objects with containerPort"),
    )


@check(points=1, evidence="state", docs=ECS_GUIDE + "taskdef-envfiles.html")
def test_the_variables_are_set(container):
    """The container finds SITE_NAME and WORKERS in its environment"""
    environment = {str(one.get("name")): str(one.get("value")) for one in pairs(container, "environment")}
    for name, value in VARIABLES.items():
        expect(
            environment.get(name) == value,
            expected=t("{name} is {value}", name=name, value=value),
            found=t("{name} is {value}", name=name, value=environment.get(name, t("not set"))),
            hint=t("environment is a list of objects with name and value"),
        )


# -- the health check -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def health(learner, container):
    """Runs the health check's command beside an nginx that answers `status`; returns how it ended."""
    checked = container.get("healthCheck")
    command = checked.get("command") if isinstance(checked, dict) else None
    command = [str(word) for word in command] if isinstance(command, list) else []
    kind, rest = (command[0], command[1:]) if command else ("", [])
    if kind not in ("CMD", "CMD-SHELL") or not rest:
        fail(
            t("There is no health check that ECS could run."),
            expected=t('a command list that begins with "CMD" or "CMD-SHELL"'),
            found=str(command) if command else t("no command"),
            hint=t("healthCheck of the container, with its command"),
        )
    argv = ["/bin/sh", "-c", " ".join(rest)] if kind == "CMD-SHELL" else rest
    argv = [word.removeprefix("/usr/bin/") if word.startswith("/usr/bin/") else word for word in argv]
    image = parse_image(str(container.get("image", "")))
    wget = WGET if image and "alpine" in (image.tag or "") else NO_WGET
    stand_ins = {"stand-in-curl": CURL.encode(), "stand-in-wget": wget.encode()}

    def run(status):
        return learner.container("bash", "-c", PREPARE, "bash", *argv, env={"STATUS": status}, files=stand_ins)

    return run


@check(points=1, evidence="behaviour", docs=API + "API_HealthCheck.html")
def test_healthy_while_nginx_answers(health):
    """The container is healthy while nginx answers"""
    outcome = health("200")
    expect(
        outcome.exit_code == 0,
        expected=t("beside an nginx that answers with 200, the command ends with 0"),
        found=t("it ended with {code}: {said}", code=outcome.exit_code, said=(outcome.stderr or outcome.stdout)[-200:]),
        on_aws=t("the container is UNHEALTHY from the start, and a service replaces it for ever"),
        hint=t("ask http://localhost/, port 80, with curl (wget is in the alpine images only)"),
    )


@check(points=2, evidence="behaviour", docs=API + "API_HealthCheck.html")
def test_unhealthy_when_it_does_not(health):
    """The container is unhealthy when nginx answers with an error, or not at all"""
    expect(
        health("200").exit_code == 0,
        expected=t("the command tells a good nginx from a bad one"),
        found=t("it calls the good one bad"),
        hint=t("ask http://localhost/, port 80, with curl (wget is in the alpine images only)"),
    )
    for status, what in (("500", t("an nginx that answers with 500")), ("refused", t("no nginx at all"))):
        expect(
            health(status).exit_code != 0,
            expected=t("beside {what}, the command ends with another status than 0", what=what),
            found=t("it ended with 0"),
            on_aws=t("the container stays HEALTHY, and nobody replaces it"),
            hint=t("curl -f fails where the answer is an error; and nothing may turn the failure into success"),
        )


@check(points=2, evidence="container", docs=ECS_GUIDE + "healthcheck.html")
def test_it_runs_in_a_real_container(world, registered, containers):
    """Run in a real container as it is written, nginx answers on port 80, and its own health check finds it healthy"""
    definition, refused = registered
    expected = t("nginx answers on port 80, and the container is HEALTHY")
    expect(not refused, expected=expected, found=t("there is no such task definition: it is refused"), on_aws=refused)
    task = containers.task(definition, world, images={})
    answer = task.ask(port=80)
    healthy = task.wait_healthy(60) if answer else False
    found = task.describe()
    said = " ".join(text for one in found["containers"] if (text := one.get("reason", "")))
    task.remove()
    expect(
        answer and answer.status == 200 and healthy,
        expected=expected,
        found=t(
            "it answers {status}; the container is {health}. {said}",
            status=answer.status if answer else "–",
            health=found["healthStatus"],
            said=said or found.get("stoppedReason", ""),
        ),
        on_aws=t("ECS stops a task whose essential container is unhealthy, and starts another, for ever"),
        hint=t("docker run the image, and try the command of the health check in it"),
    )
