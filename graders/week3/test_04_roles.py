"""3.4 roles: three roles are asked, call by call, what AWS would decide, however their policies are written."""

import pytest

from fargrade.given import roles as given
from fargrade.grading import check, expect, t
from fargrade.semantics.iam import Request, access_denied, ecs_assumes, may_assume, may_pass, service_may_assume

NOT_ON_AN_ACCOUNT = "the learner makes roles, and could give itself any right"
FILE = "roles.py"
SERVICES = ("iam", "s3", "ecr", "sts")
TASKS = "ecs-tasks.amazonaws.com"
ECS_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
IAM_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
READING = ("s3:GetObject", "s3:ListBucket")


@pytest.fixture(scope="module")
def bucket(world, rng):
    """Given: a bucket with files in it, and others that are called nearly the same."""
    name = f"reports-{rng.randrange(10**9)}"
    s3 = world.client("s3")
    for one in (name, f"{name}-evil"):
        # us-east-1 alone is not named: docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
        place = {"LocationConstraint": world.region} if world.region != "us-east-1" else {}
        s3.create_bucket(Bucket=one, **({"CreateBucketConfiguration": place} if place else {}))
    s3.put_object(Bucket=name, Key="2026/may.csv", Body=b"1;2;3")
    return name


@pytest.fixture(scope="module")
def execution(world, learner, rng):
    """The execution role as the learner made it."""
    name = f"start-{rng.randrange(10**6)}"
    learner.call(FILE, "create_execution_role", name)
    return world.role(name)


@pytest.fixture(scope="module")
def task(world, learner, bucket, rng):
    """The task role as the learner made it."""
    name = f"app-{rng.randrange(10**6)}"
    learner.call(FILE, "create_task_role", name, bucket)
    return world.role(name)


@pytest.fixture(scope="module")
def passing(world, learner, rng):
    """A deployer whom the learner lets pass two roles: (the deployer, the two, roles it has nothing to do with)."""
    mine = [given.role(world, f"{kind}-{rng.randrange(10**6)}") for kind in ("exec", "shop")]
    others = [given.role(world, f"{kind}-{rng.randrange(10**6)}") for kind in ("admin", "billing")]
    deployer = given.deployer(world, name=f"deployer-{rng.randrange(10**6)}").rsplit("/", 1)[-1]
    learner.call(FILE, "let_pass", deployer, mine)
    return world.role(deployer), mine, [*others, f"{mine[1]}-admin"]


def must(world, role, calls, expected, hint):
    """Fail the check at the first call (action, resource) that the role may not make."""
    for action, resource in calls:
        decision = world.decide(role, action, resource)
        expect(
            decision.allowed,
            expected=expected,
            found=t("{action} on {resource} is denied", action=action, resource=resource),
            on_aws="" if decision.allowed else access_denied(Request(role.session("web"), action, resource), decision),
            hint=hint,
        )


def must_not(world, role, work, calls, expected, on_aws, hint):
    """Fail the check at the first call that the role may make; without its own `work` it shows nothing."""
    expect(
        any(world.decide(role, *one).allowed for one in work),
        expected=expected,
        found=t("the role may do none of its own work, so it has not shown what it is kept from"),
        hint=t("first let it do its work"),
    )
    for action, resource in calls:
        decision = world.decide(role, action, resource)
        where = decision.policy.name if decision.policy else ""
        expect(
            not decision.allowed,
            expected=expected,
            found=t("{action} on {resource} is allowed, by {policy}", action=action, resource=resource, policy=where),
            on_aws=on_aws,
            hint=hint,
        )


def starting(world, rng):
    """The calls by which ECS starts a task."""
    place = f"{world.region}:{world.account}"
    repository = f"arn:aws:ecr:{place}:repository/{rng.choice(['shop', 'media', 'ops'])}/web-{rng.randrange(1000)}"
    stream = f"arn:aws:logs:{place}:log-group:/ecs/web-{rng.randrange(1000)}:log-stream:web/web/{rng.randrange(10**9)}"
    return [
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:BatchGetImage", repository),
        ("ecr:GetDownloadUrlForLayer", repository),
        ("logs:CreateLogStream", stream),
        ("logs:PutLogEvents", stream),
    ]


def beyond(world, rng):
    """Calls that no role of a task has any reason to make."""
    admin = f"arn:aws:iam::{world.account}:role/admin-{rng.randrange(1000)}"
    return [
        ("iam:PassRole", admin),
        ("iam:AttachRolePolicy", admin),
        ("sts:AssumeRole", admin),
        ("ecs:UpdateService", f"arn:aws:ecs:{world.region}:{world.account}:service/shop/web"),
        ("ecr:PutImage", f"arn:aws:ecr:{world.region}:{world.account}:repository/shop/web"),
    ]


# -- who may become the roles ---------------------------------------------------------------------------------


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "task-iam-roles.html")
def test_tasks_assume_the_execution_role(world, execution):
    """ECS may assume the execution role for a task"""
    tasks_assume(world, execution)


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "task-iam-roles.html")
def test_tasks_assume_the_task_role(world, task):
    """ECS may assume the task role for a task"""
    tasks_assume(world, task)


def tasks_assume(world, role):
    decision = service_may_assume(role, TASKS, ecs_assumes(world.region, world.account))
    expect(
        decision.allowed,
        expected=t("the trust policy of {role} lets {service} assume it", role=role.name, service=TASKS),
        found=t("it lets in {named}", named=", ".join(lets_in(role)) or t("nobody")),
        on_aws=t("the task does not start: ECS was unable to assume the role"),
        hint=t("the Principal is the service {service}", service=TASKS),
    )


def lets_in(role):
    """Whom the role's trust policy names, as it is written."""
    named = (one.principals for one in role.trust.statements if one.allows and one.principals)
    return [name for principals in named for _, names in principals.by_kind for name in names]


@check(points=1, evidence="behaviour", docs=IAM_GUIDE + "id_roles_update-role-trust-policy.html")
def test_nobody_else_assumes_them(world, execution, task, rng):
    """Nobody else may assume the two roles"""
    stranger = f"{rng.randrange(10**11, 10**12)}"
    for role in (execution, task):
        for principal in ("ec2.amazonaws.com", "lambda.amazonaws.com", "ecs.amazonaws.com"):
            decision = service_may_assume(role, principal, ecs_assumes(world.region, world.account))
            kept(role, principal, decision)
        for account in (stranger, world.account):
            who = f"arn:aws:sts::{account}:assumed-role/ops/ann"
            request = Request(who, "sts:AssumeRole", role.arn)
            kept(role, who, may_assume(request, role.trust, same_account=account == world.account))


def kept(role, principal, decision):
    expect(
        not decision.allowed,
        expected=t("only ECS tasks may assume {role}", role=role.name),
        found=t("{principal} may, too", principal=principal),
        on_aws=t("whoever assumes the role can do all that it can"),
        hint=t("the Principal is the service {service}", service=TASKS),
    )


# -- the execution role ---------------------------------------------------------------------------------------


@check(points=2, evidence="behaviour", docs=ECS_GUIDE + "task_execution_IAM_role.html")
def test_the_execution_role_starts_tasks(world, execution, rng):
    """The execution role pulls images and writes logs"""
    must(
        world,
        execution,
        starting(world, rng),
        t("ECS logs in to ECR, pulls the image, opens a log stream and writes to it"),
        t("AWS has a managed policy for this: AmazonECSTaskExecutionRolePolicy"),
    )


@check(points=1, evidence="behaviour", docs=ECS_GUIDE + "task_execution_IAM_role.html")
def test_the_execution_role_has_no_data(world, execution, bucket, rng):
    """The execution role has no access to data"""
    must_not(
        world,
        execution,
        starting(world, rng),
        [
            ("s3:GetObject", f"arn:aws:s3:::{bucket}/2026/may.csv"),
            ("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
            ("s3:PutObject", f"arn:aws:s3:::{bucket}/new"),
            *beyond(world, rng),
        ],
        t("it starts tasks, and that is all"),
        t("the application does not have this role's rights, but everybody who may pass the role does"),
        t("what the application needs belongs to the task role"),
    )


# -- the task role --------------------------------------------------------------------------------------------


@check(points=2, evidence="behaviour", docs=IAM_GUIDE + "reference_policies_examples_s3_rw-bucket.html")
def test_the_task_role_reads_the_bucket(world, task, bucket, rng):
    """The task role lists the bucket and reads what is in it"""
    keys = ["2026/may.csv", f"{rng.randrange(1000)}.txt", f"a/b/c/{rng.randrange(1000)}"]
    must(
        world,
        task,
        [("s3:ListBucket", f"arn:aws:s3:::{bucket}"), *(("s3:GetObject", f"arn:aws:s3:::{bucket}/{k}") for k in keys)],
        t("the application lists {bucket} and reads every object in it", bucket=bucket),
        t("ListBucket is asked of the bucket, GetObject of the object: BUCKET/*"),
    )


@check(points=2, evidence="behaviour", docs=IAM_GUIDE + "best-practices.html")
def test_the_task_role_does_nothing_else(world, task, bucket, rng):
    """The task role reads no other bucket, and writes and deletes nothing"""
    others = [f"{bucket}-evil", f"{bucket}{rng.randrange(10)}", f"old-{bucket}", f"payroll-{rng.randrange(10**6)}"]
    must_not(
        world,
        task,
        [("s3:GetObject", f"arn:aws:s3:::{bucket}/2026/may.csv"), ("s3:ListBucket", f"arn:aws:s3:::{bucket}")],
        [
            *(("s3:GetObject", f"arn:aws:s3:::{one}/2026/may.csv") for one in others),
            *(("s3:ListBucket", f"arn:aws:s3:::{one}") for one in others),
            ("s3:PutObject", f"arn:aws:s3:::{bucket}/2026/may.csv"),
            ("s3:DeleteObject", f"arn:aws:s3:::{bucket}/2026/may.csv"),
            ("s3:DeleteBucket", f"arn:aws:s3:::{bucket}"),
            ("s3:PutBucketPolicy", f"arn:aws:s3:::{bucket}"),
            ("ecr:BatchGetImage", f"arn:aws:ecr:{world.region}:{world.account}:repository/shop/web"),
            *beyond(world, rng),
        ],
        t("it reads {bucket}, and nothing else at all", bucket=bucket),
        t("the call succeeds: whoever breaks into the container can make it"),
        t("name the actions one by one, and end the bucket's ARN where its name ends"),
    )


# -- passing them on ------------------------------------------------------------------------------------------


@check(points=2, evidence="behaviour", docs=IAM_GUIDE + "id_roles_use_passrole.html")
def test_the_deployer_passes_both(passing):
    """The deployer may pass both roles to ECS tasks"""
    deployer, mine, _ = passing
    for arn in mine:
        decision = may_pass(deployer, arn, TASKS)
        expect(
            decision.allowed,
            expected=t("{deployer} may register a task definition that names {role}", deployer=deployer.name, role=arn),
            found=t("iam:PassRole is denied"),
            on_aws=""
            if decision.allowed
            else access_denied(Request(deployer.session("ci"), "iam:PassRole", arn), decision),
            hint=t(
                "iam:PassRole on the ARNs that are in `roles`, when iam:PassedToService is {service}", service=TASKS
            ),
        )


@check(points=2, evidence="behaviour", docs=IAM_GUIDE + "id_roles_use_passrole.html")
def test_the_deployer_passes_nothing_else(passing):
    """The deployer may pass no other role, and to no other service"""
    deployer, mine, others = passing
    expect(
        any(may_pass(deployer, arn, TASKS).allowed for arn in mine),
        expected=t("{deployer} may pass these two roles, and no others", deployer=deployer.name),
        found=t("it may pass none at all, so it has not shown what it is kept from"),
        hint=t("first let it do its work"),
    )
    cases = [(arn, TASKS) for arn in others]
    cases += [(arn, to) for arn in mine for to in ("ec2.amazonaws.com", "lambda.amazonaws.com", "ecs.amazonaws.com")]
    for arn, service in cases:
        expect(
            not may_pass(deployer, arn, service).allowed,
            expected=t("{deployer} may pass these two roles, and to ECS tasks only", deployer=deployer.name),
            found=t("it may pass {role} to {service}", role=arn, service=service),
            on_aws=t("a deployer who can pass any role to anything is an administrator in all but name"),
            hint=t(
                "iam:PassRole on the ARNs that are in `roles`, when iam:PassedToService is {service}", service=TASKS
            ),
        )
