"""4.9 github_actions: the learner's workflow is run for pushes and pull requests; its role is asked who may come in."""

import json
from dataclasses import dataclass

import pytest

from fargrade.given import delivery, roles
from fargrade.grading import check, expect, fail, not_judged, t
from fargrade.lint import LinterMissing
from fargrade.lint.workflow import lint_workflow
from fargrade.semantics.iam import MalformedPolicy, parse_policy
from fargrade.semantics.workflow import ISSUER, Repository, WorkflowError, claims, parse, trusted

SERVICES = ("ecr", "ec2", "elbv2", "ecs", "iam", "sts", "logs")
FILE, TRUST = ".github/workflows/deploy.yml", "trust-policy.json"
ACTIONS = "https://docs.github.com/en/actions/"
OIDC = "https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws"
# As the brief gives them.
ACCOUNT = "111122223333"
SHOP = Repository("acme", "shop", 4021873, 715220946)
MAIN = "refs/heads/main"
DOCKERFILE = b'FROM python:3.12-slim\nWORKDIR /app\nCOPY app.py .\nUSER 10001\nCMD ["python", "app.py"]\n'
PASSING, FAILING = b"echo all is well\n", b"echo 1 test failed >&2\nexit 1\n"


@pytest.fixture(scope="module")
def workflow(answer):
    """The learner's workflow, as GitHub reads it."""
    answer.text(FILE)
    try:
        return parse(answer.text(FILE))
    except WorkflowError as error:
        fail(
            t("GitHub cannot read this workflow."),
            found=str(error),
            on_aws=t("the push starts nothing; the Actions tab shows “Invalid workflow file”"),
        )


@pytest.fixture(scope="module")
def trust(answer, world):
    """The learner's trust policy, in this world's account."""
    answer.json(TRUST)
    text = answer.text(TRUST).replace(ACCOUNT, world.account)
    try:
        return parse_policy(text, "trust", TRUST)
    except MalformedPolicy as error:
        fail(t("IAM refuses this trust policy."), found=error.message)


def lets_in(world, trust, **token):
    """Whether the role lets a token in."""
    role = f"arn:aws:iam::{world.account}:role/deploy"
    return trusted(trust, role, world.account, claims(**token)).allowed


@pytest.fixture(scope="module")
def environments(workflow):
    """The environments that jobs with a token name; "" for those that name none."""
    return sorted({one.environment for one in workflow.jobs.values() if one.permissions.get("id-token") == "write"})


@pytest.fixture(scope="module")
def with_ids(world, trust, environments):
    """The form of `sub` that this repository's tokens have: the one that the learner's policy lets in."""
    return not any(
        lets_in(world, trust, repository=SHOP, event="push", ref=MAIN, environment=one) for one in environments
    )


@dataclass
class Pushed:
    """A push, or a pull request, and what became of it."""

    commit: str
    source: bytes
    before: tuple
    run: object
    at_its_end: dict
    after: tuple
    image: str

    def sentence(self):
        return self.run.sentence()


class Shop:
    """Given: a running service, the repository's files and variables, the role with the learner's trust policy."""

    def __init__(self, world, workflows, answer, workflow, rng, with_ids):
        self.world, self.workflows, self.workflow, self.rng = world, workflows, workflow, rng
        self.text, self.with_ids = answer.text(FILE).encode(), with_ids
        self.running = delivery.running_service(
            world, suffix=f"{rng.randrange(10**6):06}", container=f"web{rng.randrange(100)}"
        )
        world.client("iam").create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
        self.variables = {
            "AWS_REGION": world.region,
            "ECR_REPOSITORY": self.running.repository,
            "ECS_CLUSTER": self.running.cluster,
            "ECS_SERVICE": self.running.service,
            "CONTAINER_NAME": self.running.container,
        }

    def rights(self):
        """What a delivery takes."""
        images = f"arn:aws:ecr:{self.world.region}:{self.world.account}:repository/{self.running.repository}"
        to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        return [
            {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {
                "Action": ["ecr:*Layer*", "ecr:PutImage", "ecr:BatchGetImage", "ecr:DescribeImages"],
                "Resource": images,
            },
            {"Action": ["ecs:Describe*", "ecs:List*", "ecs:RegisterTaskDefinition"], "Resource": "*"},
            {"Action": "ecs:UpdateService", "Resource": "*"},
            {"Action": "iam:PassRole", "Resource": self.running.roles, "Condition": to_tasks},
        ]

    def role(self, document):
        """Create the role with this trust policy; it may do what a delivery takes."""
        name = f"deploy-{self.running.service}"
        self.variables["AWS_ROLE_ARN"] = roles.role(self.world, name, document, statements=self.rights())

    def key(self):
        """A user's access key, with the same rights: nobody asked for it to be used."""
        iam, name = self.world.client("iam"), f"key-{self.running.service}"
        iam.create_user(UserName=name)
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in self.rights()]}
        iam.put_user_policy(UserName=name, PolicyName="deploy", PolicyDocument=json.dumps(document))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        self.secrets = {
            "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        }

    def pulls_are_refused(self):
        """The tasks' execution role may not pull: no new task starts. `pulls_are_allowed` ends it."""
        name = self.running.execution_role.rpartition("/")[2]
        self.world.client("iam").detach_role_policy(RoleName=name, PolicyArn=roles.EXECUTION_POLICY)

    def pulls_are_allowed(self):
        name = self.running.execution_role.rpartition("/")[2]
        self.world.client("iam").attach_role_policy(RoleName=name, PolicyArn=roles.EXECUTION_POLICY)

    def state(self):
        """What must not change by itself: the service's revision and the repository's tags."""
        ecs, ecr = self.world.client("ecs"), self.world.client("ecr")
        found = ecs.describe_services(cluster=self.running.cluster, services=[self.running.service])["services"][0]
        images = ecr.describe_images(repositoryName=self.running.repository)["imageDetails"]
        return found["taskDefinition"], tuple(sorted(tag for one in images for tag in one.get("imageTags", ())))

    def push(self, event="push", ref=MAIN, tests=PASSING):
        """A commit arrives, and whatever it starts runs to its end."""
        rng, ecs = self.rng, self.world.client("ecs")
        commit, source = f"{rng.getrandbits(160):040x}", f'print("build {rng.getrandbits(64):x}")\n'.encode()
        before = self.state()
        definition = ecs.describe_task_definition(taskDefinition=before[0])["taskDefinition"]
        definition.pop("registeredAt", None)
        files = {
            "Dockerfile": DOCKERFILE,
            "app.py": source,
            "test.sh": tests,
            "task-definition.json": json.dumps(definition, indent=2, default=str).encode(),
            FILE: self.text,
        }
        run = self.workflows.push(
            self.workflow,
            files,
            SHOP,
            path=FILE,
            event=event,
            ref=ref,
            commit=commit,
            variables=self.variables,
            secrets=self.secrets,
            with_ids=self.with_ids,
        )
        service = ecs.describe_services(cluster=self.running.cluster, services=[self.running.service])["services"][0]
        self.world.advance(900)
        image = delivery.images_of(self.world, self.running)[self.running.container]
        return Pushed(commit, source, before, run, service, self.state(), image)

    def arrived(self, pushed):
        """Whether the service runs an image that was built from the pushed source."""
        return delivery.built_from(self.world, delivery.digest_of(self.world, pushed.image), pushed.source)


@pytest.fixture(scope="module")
def shop(world, workflows, answer, workflow, rng, with_ids):
    from botocore.exceptions import ClientError

    made = Shop(world, workflows, answer, workflow, rng, with_ids)
    try:
        made.role(json.loads(answer.text(TRUST).replace(ACCOUNT, world.account)))
        made.key()
    except ClientError as error:
        fail(t("IAM refuses this trust policy."), found=error.response["Error"]["Message"])
    return made


@pytest.fixture(scope="module")
def first(shop):
    """When: a commit is pushed to main."""
    return shop.push()


@pytest.fixture(scope="module")
def working(shop, first):
    """A workflow that delivers: of one that never does it shows nothing that it stops in time."""
    if not shop.arrived(first):
        fail(
            t("A workflow that never delivers shows nothing about when it stops: see the first check."),
            found=first.sentence(),
        )
    return first


@check(points=3, evidence="behaviour", docs=ACTIONS + "how-tos/deploy/deploy-to-third-party-platforms/amazon-ecs")
def test_a_push_to_main_reaches_the_service(shop, first):
    """After a push to main the service runs the image that was built from that commit"""
    expect(
        first.run.started,
        expected=t("a push to main starts the workflow"),
        found=first.sentence(),
        hint="on: {push: {branches: [main]}}",
    )
    expect(
        shop.arrived(first) and first.run.succeeded,
        expected=t("the service runs an image built from the commit, and the workflow is green"),
        found=t("it runs {image}; {ending}", image=first.image, ending=first.sentence()),
        on_aws=t("the same step is red on GitHub, with the same message"),
        hint=t("read the failing step's message; mostly it is the token, the registry or the container's name"),
    )


@pytest.fixture(scope="module")
def really(world, shop, working, containers):
    """When: a commit arrives once more, for a real engine and a real registry: of a workflow that delivers."""
    assert working
    with containers.behind(world) as registry:
        pushed = shop.push()
        containers.truth(world.docker_log())
        if not shop.arrived(pushed):
            not_judged(t("The real engine did not come to an end in time: {ending}", ending=pushed.sentence()))
        yield registry, pushed


@check(points=1, evidence="container", docs=ACTIONS + "how-tos/deploy/deploy-to-third-party-platforms/amazon-ecs")
def test_a_real_image_is_delivered(really, world, shop, containers):
    """Built by a real engine and pushed to a real registry, the commit's image is the one that the service names"""
    registry, pushed = really
    wanted = delivery.digest_of(world, pushed.image)
    name = f"{world.account}/{world.region}/{shop.running.repository}"
    tag = pushed.image.rpartition(":")[2] if "@" not in pushed.image else wanted
    expect(
        registry.digest(name, tag) == wanted,
        expected=t("the registry holds {digest}", digest=wanted),
        found=registry.digest(name, tag) or t("nothing under {tag}", tag=tag),
        on_aws=t("the tasks of the new revision cannot pull their image"),
    )
    container = containers.run(containers.pull(registry, name, wanted))
    container.wait(20)
    said = container.log().strip()
    expect(
        said and f'"{said}"'.encode() in pushed.source,
        expected=t("the container prints what the commit's app.py says"),
        found=said or t("nothing"),
    )


@check(
    points=1,
    evidence="behaviour",
    docs="https://docs.aws.amazon.com/cli/latest/reference/ecs/wait/services-stable.html",
)
def test_it_waits_for_the_service(shop, working):
    """The workflow ends when the service runs the new version, and is red if it never does"""
    deployments = working.at_its_end["deployments"]
    ours = [one for one in deployments if one["taskDefinition"] == working.after[0]]
    expect(
        len(deployments) == 1 and ours and ours[0]["runningCount"] == ours[0]["desiredCount"],
        expected=t("at the workflow's end the service is stable with the new revision"),
        found=t(
            "there are {count} deployments, the new one with {running} of {desired} tasks",
            count=len(deployments),
            running=ours[0]["runningCount"] if ours else 0,
            desired=ours[0]["desiredCount"] if ours else "?",
        ),
        on_aws=t("the workflow is green, and minutes later the new tasks fail: nobody looks any more"),
        hint=t("wait-for-service-stability: true, or aws ecs wait services-stable"),
    )
    shop.pulls_are_refused()
    pushed = shop.push()
    shop.pulls_are_allowed()
    shop.world.advance(900)
    expect(
        not pushed.run.succeeded,
        expected=t("a red workflow when the new version's tasks cannot start"),
        found=t("it is green, and the new version has never run"),
        on_aws=t("the workflow is green, and minutes later the new tasks fail: nobody looks any more"),
        hint=t("to sleep is not to wait: wait-for-service-stability: true, or aws ecs wait services-stable"),
    )


@check(points=1, evidence="state", docs=ACTIONS + "reference/workflows-and-actions/contexts#github-context")
def test_the_tag_is_the_commit(world, shop, working):
    """The image is tagged with the commit"""
    found = world.client("ecr").describe_images(
        repositoryName=shop.running.repository, imageIds=[{"imageDigest": delivery.digest_of(world, working.image)}]
    )["imageDetails"][0]
    tags = found.get("imageTags", [])
    expect(
        any(working.commit[:7] in tag for tag in tags),
        expected=t("a tag with the commit {commit}, or its beginning", commit=working.commit),
        found=", ".join(tags) or "–",
        on_aws=t("the task definition cannot tell which code runs"),
        hint="${{ github.sha }}",
    )


@pytest.mark.usefixtures("working")
@check(points=2, evidence="behaviour", docs=ACTIONS + "reference/workflows-and-actions/workflow-syntax")
def test_failed_tests_deploy_nothing(shop):
    """When the tests fail, the workflow fails, and nothing is pushed or deployed"""
    pushed = shop.push(tests=FAILING)
    expect(
        not pushed.run.succeeded,
        expected=t("a red workflow"),
        found=pushed.sentence(),
        on_aws=t("nobody learns that the tests have failed"),
        hint=t("no continue-on-error, no “|| true”"),
    )
    unchanged(pushed)


def unchanged(pushed):
    """Nothing has been pushed, and the service runs what it ran."""
    expect(
        pushed.before == pushed.after,
        expected=t("the service and the registry as they were"),
        found=t(
            "the service runs {revision}; new tags: {tags}",
            revision=pushed.after[0].rpartition("/")[2],
            tags=", ".join(sorted(set(pushed.after[1]) - set(pushed.before[1]))) or "–",
        ),
        on_aws=t("customers get what nobody has approved"),
    )


@pytest.mark.usefixtures("working")
@check(points=2, evidence="behaviour", docs=ACTIONS + "reference/workflows-and-actions/events-that-trigger-workflows")
def test_only_main_is_deployed(shop, rng):
    """A push to another branch and a pull request deploy nothing"""
    unchanged(shop.push(ref=f"refs/heads/feature-{rng.randrange(10**6)}"))
    unchanged(shop.push(event="pull_request", ref=MAIN))


@check(points=2, evidence="state", docs=OIDC)
def test_only_this_repository_may(world, trust, environments, rng):
    """The role lets in this repository's jobs, and those of no other"""
    mine = [
        lets_in(world, trust, repository=SHOP, event="push", ref=MAIN, environment=one, with_ids=ids)
        for one in environments or [""]
        for ids in (False, True)
    ]
    expect(
        any(mine),
        expected=t("the token of a push to main of acme/shop is let in"),
        found=t("it is refused"),
        on_aws=t("Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        hint=t("sub is repo:acme/shop:ref:refs/heads/main, or …:environment:NAME if the job names one"),
    )
    number = rng.randrange(10**6, 10**9)
    strangers = {
        t("another repository of the owner"): Repository("acme", f"tools-{number}", SHOP.owner_id, number),
        t("a repository of the same name, of somebody else"): Repository(
            f"mallory-{number}", "shop", number, number + 1
        ),
        t("a repository whose name begins the same"): Repository("acme", "shop-evil", SHOP.owner_id, number),
        t("an owner whose name begins the same"): Repository("acme-evil", "shop", number, number + 2),
    }
    for who, repository in strangers.items():
        for environment in {"", *environments}:
            for ids in (False, True):
                token = {"repository": repository, "event": "push", "ref": MAIN, "environment": environment}
                expect(
                    not lets_in(world, trust, **token, with_ids=ids),
                    expected=t("{who} is refused", who=who),
                    found=t("{sub} is let in", sub=claims(**token, with_ids=ids)["sub"]),
                    on_aws=t("whoever owns that repository deploys to your account"),
                    hint=t("sub from its beginning up to the colon behind the name, without wildcards in it"),
                )
    heir = Repository("acme", "shop", number + 3, number + 4)
    for environment in {"", *environments}:
        token = {"repository": heir, "event": "push", "ref": MAIN, "environment": environment, "with_ids": True}
        expect(
            not lets_in(world, trust, **token),
            expected=t("{who} is refused", who=t("a stranger who has taken the name acme/shop, with other ids")),
            found=t("{sub} is let in", sub=claims(**token)["sub"]),
            on_aws=t("whoever owns that repository deploys to your account"),
            hint=t("sub with the very ids, without wildcards in it"),
        )


@check(points=2, evidence="state", docs=OIDC)
def test_only_its_main_branch_may(world, trust, environments, rng):
    """The role lets in neither pull requests nor other branches"""
    expect(
        any(
            lets_in(world, trust, repository=SHOP, event="push", ref=MAIN, environment=one, with_ids=ids)
            for one in environments or [""]
            for ids in (False, True)
        ),
        expected=t("the token of a push to main of acme/shop is let in"),
        found=t("it is refused"),
    )
    others = (
        ("push", f"refs/heads/feature-{rng.randrange(10**6)}", ""),
        ("push", f"refs/tags/v{rng.randrange(100)}", ""),
        ("pull_request", "refs/pull/7/merge", ""),
        # An environment's name stands in place of the ref: whoever lets in any environment lets in any branch.
        ("push", f"refs/heads/feature-{rng.randrange(10**6)}", f"staging-{rng.randrange(10**6)}"),
    )
    for event, ref, environment in others:
        for ids in (False, True):
            token = {"repository": SHOP, "event": event, "ref": ref, "environment": environment}
            expect(
                not lets_in(world, trust, **token, with_ids=ids),
                expected=t("only jobs for main are let in"),
                found=t("{sub} is let in", sub=claims(**token, with_ids=ids)["sub"]),
                on_aws=t("whoever may push a branch can bring a workflow of their own, and deploy with your role"),
                hint=t("name the branch or the environment in sub: no star behind the repository"),
            )


@check(points=1, evidence="behaviour", docs=OIDC)
def test_no_long_lived_keys(world, shop, first):
    """It comes in by its token, without any key of long life"""
    came = [one for one in world.calls("sts", "AssumeRoleWithWebIdentity") if one.ok]
    expect(
        came and first.run.started,
        expected=t("credentials from AssumeRoleWithWebIdentity"),
        found=t("the workflow never came in by a token"),
        on_aws=t("a key in the secrets is good for ever, and for everyone who gets hold of it"),
        hint="aws-actions/configure-aws-credentials: role-to-assume",
    )
    used = world.client("iam").get_access_key_last_used(AccessKeyId=shop.secrets["AWS_ACCESS_KEY_ID"])
    expect(
        "LastUsedDate" not in used["AccessKeyLastUsed"],
        expected=t("no call with a key of long life"),
        found=t("the key in the repository's secrets has been used"),
        on_aws=t("a key in the secrets is good for ever, and for everyone who gets hold of it"),
    )


@check(points=1, evidence="state", docs=ACTIONS + "reference/security/oidc")
def test_no_more_permissions_than_needed(workflow):
    """The jobs' permissions are those that the work takes"""
    with_token = [one for one in workflow.jobs.values() if one.permissions.get("id-token") == "write"]
    expect(
        with_token,
        expected=t("a job with the permission id-token: write"),
        found=t("none has it: without, GitHub gives out no token"),
        hint="permissions: {id-token: write, contents: read}",
    )
    for job in workflow.jobs.values():
        more = sorted(name for name, level in job.permissions.items() if level == "write" and name != "id-token")
        expect(
            not more,
            expected=t("the job {job} writes nothing at GitHub", job=job.identity),
            found=", ".join(f"{name}: write" for name in more),
            on_aws=t("an action that has been taken over can rewrite the repository with the job's token"),
            hint="permissions: {id-token: write, contents: read}",
        )


@check(points=1, evidence="state", docs=ACTIONS + "reference/workflows-and-actions/workflow-syntax")
def test_the_workflow_is_valid(answer, workflow):
    """The file is what GitHub's schema asks for"""
    del workflow  # what GitHub cannot read at all has been said
    try:
        remarks = lint_workflow(answer.text(FILE))
    except LinterMissing as missing:
        not_judged(str(missing))
    expect(
        not remarks,
        expected=t("no remark of GitHub's schema"),
        found="; ".join(remarks[:3]),
        on_aws=t("GitHub shows “Invalid workflow file”, or leaves out what it does not know"),
    )
