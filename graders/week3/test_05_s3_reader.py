"""3.5 s3_reader: the container is run as its definition says, with the task role's credentials and no others."""

import ast
import json
import re

import pytest

from fargrade.given import definitions
from fargrade.given import roles as given
from fargrade.grading import check, expect, t

READER, DEFINITION = "reader.py", "task-definition.json"
REGION = "us-east-1"  # the task definition is a file, and names it
SERVICES = ("iam", "s3", "ecs", "sts", "ecr")
BUCKET, PREFIX = "acme-reports", "2026/"
ECS_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
S3_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
KEY = re.compile(r"(?<![A-Z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
KEY_NAMES = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
KEYWORDS = {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
WORDS = ("Umsätze", "выручка", "収益", "ñandú")  # none of them is the same in ASCII or Latin-1


@pytest.fixture(scope="module")
def roles(world):
    """Given: the two roles of the brief. The application's may read the reports, but not what is sealed."""
    whole = f"arn:aws:s3:::{BUCKET}"
    return {
        "execution": given.execution_role(world),
        "task": given.task_role(
            world,
            "reports-reader",
            [
                {"Action": ["s3:ListBucket"], "Resource": [whole, f"{whole}-archive"]},
                {"Action": "s3:GetObject", "Resource": [f"{whole}/*", f"{whole}-archive/*"]},
                {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{whole}/sealed/*"},
            ],
        ),
    }


@pytest.fixture(scope="module")
def files(world, rng):
    """Given: buckets with files, bucket → key → text, of which no text is known before."""

    def text():
        return f"{rng.choice(WORDS)} {rng.randrange(10**9)}\n"

    written = {
        BUCKET: {
            **{f"2026/{month:02}.txt": text() for month in rng.sample(range(1, 13), 4)},
            "2026/Q1/sum total.txt": text(),
            "2026/empty.txt": "",
            "2025/12.txt": text(),
            "sealed/1 open.txt": text(),
        },
        f"{BUCKET}-archive": {f"2019/{rng.randrange(1000)}.txt": text(), "index.txt": text()},
        "acme-payroll": {"2026/salaries.txt": text()},
    }
    s3 = world.client("s3")
    for bucket, texts in written.items():
        s3.create_bucket(Bucket=bucket)
        for key, content in texts.items():
            s3.put_object(Bucket=bucket, Key=key, Body=content.encode())
    return written


@pytest.fixture(scope="module")
def written(answer):
    """The learner's task definition, as it is in the file."""
    document = answer.json(DEFINITION)
    return document if isinstance(document, dict) else {}


@pytest.fixture(scope="module")
def container(written):
    """The container of the learner's task definition that is essential."""
    found = [one for one in written.get("containerDefinitions") or [] if isinstance(one, dict)]
    return next((one for one in found if one.get("essential", True)), {})


@pytest.fixture(scope="module")
def run(world, learner, roles, container):
    """Runs the container: its command, its environment (with overrides), the task role's credentials."""
    world.control("short_lists", keys=3)  # of a thousand keys the last would be just as missing
    inside = learner.within(world.task_environment(roles["task"]))
    entries = container.get("environment") or []
    environment = {str(one.get("name")): str(one.get("value")) for one in entries if isinstance(one, dict)}
    argv = [*(container.get("entryPoint") or []), *(container.get("command") or [])] or ["python", READER]

    def start(**overrides):
        program = [str(word).replace("/app/", "") for word in argv]
        return Ended(inside.container(*program, env={**environment, **overrides}))

    return start


class Ended:
    """How a run of the container ended: whether well, what it printed, and what it complained of."""

    def __init__(self, outcome):
        self.well = outcome.kind == "returned" or (outcome.kind == "exited" and not outcome.exit_code)
        self.printed = outcome.stdout.strip()
        raised = f"{outcome.error.type}: {outcome.error.message}" if outcome.error else ""
        self.complaint = "\n".join(text for text in (outcome.stderr.strip(), raised) if text)
        self.sentence = outcome.sentence()

    def texts(self):
        """The JSON object it printed; None where that is not what it printed."""
        try:
            found = json.loads(self.printed)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def said(self):
        last = (self.complaint or self.printed).splitlines()[-1:] or [""]
        return f"{self.sentence} {last[0][:300]}".strip()


def reads(ended, wanted):
    """The run must have printed exactly the texts `wanted`."""
    expected = t("it prints the texts of {count} objects as one JSON object", count=len(wanted))
    hint = t("collect key → text in a dict, and print(json.dumps(…)) at the end")
    expect(ended.well, expected=expected, found=ended.said(), hint=t("run it by itself: what does it complain of?"))
    texts = ended.texts()
    expect(
        texts is not None, expected=expected, found=t("it printed {text}", text=repr(ended.printed[:200])), hint=hint
    )
    missing, more = sorted(set(wanted) - set(texts)), sorted(set(texts) - set(wanted))
    cut = bool(missing) and sorted(wanted)[: len(texts)] == sorted(texts)
    expect(
        not missing,
        expected=expected,
        found=t("{key} is missing", key=", ".join(missing)),
        on_aws=t("a list comes in pages: what follows the first is not seen") if cut else "",
        hint=t('get_paginator("list_objects_v2"), or ask again with NextContinuationToken') if cut else hint,
    )
    expect(
        not more,
        expected=expected,
        found=t("{key} is there, which was not asked for", key=", ".join(more)),
        hint=t("list_objects_v2 takes a Prefix"),
    )
    other = next((key for key in wanted if texts[key] != wanted[key]), "")
    expect(
        not other,
        expected=t("{key} is {text}", key=other, text=repr(wanted.get(other))),
        found=t("it is {text}", text=repr(texts.get(other))),
        hint=t("the bytes of the body are UTF-8: decode them as such, and change nothing"),
    )


def below(texts, prefix):
    return {key: text for key, text in texts.items() if key.startswith(prefix)}


def told(container):
    return {str(one.get("name")) for one in container.get("environment") or [] if isinstance(one, dict)}


# -- the task definition --------------------------------------------------------------------------------------


@check(points=1, evidence="state", docs=ECS_GUIDE + "task_definition_parameters.html")
@pytest.mark.usefixtures("roles")
def test_fargate_takes_the_definition(world, written):
    """AWS registers the task definition for Fargate"""
    definition, refused = definitions.register(world, written)
    expect(
        not refused and "FARGATE" in definition.get("compatibilities", ["FARGATE"]),
        expected=t("RegisterTaskDefinition takes task-definition.json, for Fargate"),
        found=t("it is refused") if refused else t("it can run on EC2 only"),
        on_aws=refused,
        hint=t("start from the stub, and add the two roles"),
    )
    expect(
        "FARGATE" in (written.get("requiresCompatibilities") or ["FARGATE"]),
        expected=t("RegisterTaskDefinition takes task-definition.json, for Fargate"),
        found=t("requiresCompatibilities does not name FARGATE"),
        hint=t("start from the stub, and add the two roles"),
    )


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "task-iam-roles.html")
@pytest.mark.usefixtures("roles")
def test_the_application_has_the_task_role(world, written):
    """The application runs with a role that may read the reports"""
    named = str(written.get("taskRoleArn") or "")
    hint = t("taskRoleArn at the top of the task definition: the application's role")
    expected = t("the task's role may read {bucket}", bucket=BUCKET)
    expect(
        named,
        expected=expected,
        found=t("the task definition names no task role"),
        on_aws=t("the program ends: Unable to locate credentials"),
        hint=hint,
    )
    arn = role_named(world, named)
    decision = world.decide(arn, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/{PREFIX}01.txt")
    expect(
        decision.allowed,
        expected=expected,
        found=t("{role} may not", role=named),
        on_aws=t("the application gets AccessDenied"),
        hint=hint,
    )


@check(points=1, evidence="behaviour", docs=ECS_GUIDE + "task_execution_IAM_role.html")
@pytest.mark.usefixtures("roles")
def test_ecs_has_the_execution_role(world, written):
    """ECS starts the task with a role that may pull the image"""
    named = str(written.get("executionRoleArn") or "")
    hint = t("executionRoleArn at the top of the task definition: the role that ECS pulls and logs with")
    expected = t("the execution role may pull images from ECR")
    expect(named, expected=expected, found=t("the task definition names no execution role"), hint=hint)
    repository = f"arn:aws:ecr:{world.region}:{world.account}:repository/reports"
    expect(
        world.decide(role_named(world, named), "ecr:BatchGetImage", repository).allowed,
        expected=expected,
        found=t("{role} may not", role=named),
        on_aws=t("the task stops before it runs: CannotPullContainerError"),
        hint=hint,
    )


def role_named(world, name):
    """The role that a task definition names, by ARN or by name."""
    arn = definitions.localized(world, name)
    expect(
        not arn.startswith("arn:") or f":{world.account}:" in arn,
        expected=t("a role of the account {account}", account=definitions.BRIEF_ACCOUNT),
        found=name,
        hint=t("arn:aws:iam::ACCOUNT:role/NAME"),
    )
    return world.role(arn)


@check(points=2, evidence="state", docs=ECS_GUIDE + "security-iam-bestpractices.html")
def test_no_keys_anywhere(answer, container):
    """No access keys stand in the code or in the task definition"""
    expected = t("the code and the task definition hold no keys")
    on_aws = t("the keys can be read by everybody who may describe the task definition, and they never change")
    hint = t('take them out: boto3.client("s3") finds the task role\'s credentials by itself')
    secret = {str(one.get("name")) for one in container.get("secrets") or [] if isinstance(one, dict)}
    named = sorted((told(container) | secret) & KEY_NAMES)
    found = t("{name} in the environment", name=", ".join(named))
    expect(not named, expected=expected, found=found, on_aws=on_aws, hint=hint)
    for file in (READER, DEFINITION):
        found = KEY.search(answer.text(file))
        expect(not found, expected=expected, found=t("an access key in {file}", file=file), on_aws=on_aws, hint=hint)
    expect(
        not keys_given(answer.text(READER)),
        expected=expected,
        found=t("an access key in {file}", file=READER),
        on_aws=on_aws,
        hint=hint,
    )


def keys_given(source):
    """Whether the code hands credentials, written out, to anything."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    return any(
        node.arg in KEYWORDS and isinstance(node.value, ast.Constant) and bool(node.value.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
    )


# -- the container --------------------------------------------------------------------------------------------


@check(points=3, evidence="behaviour", docs=ECS_GUIDE + "task-iam-roles.html")
def test_the_container_reads_the_reports(run, files):
    """The container reads the reports with the task role's credentials alone"""
    reads(run(), below(files[BUCKET], PREFIX))


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "use-environment-variables.html")
def test_it_reads_what_it_is_told(run, files):
    """It reads whatever bucket and prefix its environment names"""
    archive = f"{BUCKET}-archive"
    reads(run(BUCKET=archive, PREFIX="2019/"), below(files[archive], "2019/"))
    reads(run(BUCKET=archive, PREFIX=""), files[archive])
    reads(run(BUCKET=archive, PREFIX="nothing-here/"), {})


@check(points=2, evidence="behaviour", docs=S3_GUIDE + "troubleshoot-403-errors.html")
@pytest.mark.usefixtures("files")
def test_a_refusal_is_seen(run):
    """Where the role may not read, it ends with AccessDenied and prints no JSON"""
    refused(run(BUCKET="acme-payroll", PREFIX=PREFIX))


@check(points=1, evidence="behaviour", docs=S3_GUIDE + "troubleshoot-403-errors.html")
@pytest.mark.usefixtures("files")
def test_nothing_is_passed_over(run):
    """A single object that it may not read is not passed over in silence"""
    refused(run(BUCKET=BUCKET, PREFIX=""))


def refused(ended):
    """The run must have ended badly, with AccessDenied, and without a result."""
    hint = t("let AWS's ClientError through, or say it on stderr and exit with 1")
    expected = t("AWS refuses to let it read: AccessDenied on stderr, an exit status other than 0, no JSON")
    printed = repr(ended.printed[:200])
    expect(not ended.well, expected=expected, found=t("it ended well and printed {text}", text=printed), hint=hint)
    expect("AccessDenied" in ended.complaint, expected=expected, found=ended.said(), hint=hint)
    expect(ended.texts() is None, expected=expected, found=t("it printed {text}", text=printed), hint=hint)


# -- the same, in a real container ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def task(answer, world, written, containers):
    """Runs the task in real containers: the role's credentials are at 169.254.170.2, and nowhere else."""
    arn = role_named(world, str(written.get("taskRoleArn") or "")).arn if written.get("taskRoleArn") else ""
    image = containers.python(answer.files, boto3=True)
    members = [one for one in written.get("containerDefinitions") or [] if isinstance(one, dict)]
    main = next((one for one in members if one.get("essential", True)), {})
    argv = {} if main.get("command") or main.get("entryPoint") else {"command": ["python", READER]}
    definition = {**written, "containerDefinitions": [{"image": "reports", "name": "reader", **main, **argv}]}

    def start(**told):
        images = {definition["containerDefinitions"][0]["image"]: image}
        running = containers.task(definition, world, images=images, role=arn, environment=told)
        found = running.wait(90)["containers"][0]
        said = running.log(definition["containerDefinitions"][0]["name"])
        running.remove()
        return found, said

    return start


@check(points=2, evidence="container", docs=ECS_GUIDE + "task-iam-roles.html")
@pytest.mark.usefixtures("roles")
def test_it_reads_in_a_real_container(files, task):
    """In a real container it reads the reports with what 169.254.170.2 gives it, and is refused the rest"""
    wanted = below(files[BUCKET], PREFIX)
    found, said = task()
    expect(
        found.get("exitCode") == 0 and printed_texts(said) == wanted,
        expected=t("it prints the texts of {count} objects as one JSON object", count=len(wanted)),
        found=t("exit code {code}: {said}", code=found.get("exitCode", "–"), said=said[-300:] or "–"),
        on_aws=t("the container has no keys: boto3 asks 169.254.170.2 for the task role's"),
    )
    found, said = task(BUCKET="acme-payroll")
    expect(
        found.get("exitCode") and printed_texts(said) is None,
        expected=t("AWS refuses to let it read: AccessDenied on stderr, an exit status other than 0, no JSON"),
        found=t("exit code {code}: {said}", code=found.get("exitCode", "–"), said=said[-300:] or "–"),
    )


def printed_texts(said):
    """The JSON object that a container printed; None where it printed none."""
    try:
        found = json.loads(said)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
