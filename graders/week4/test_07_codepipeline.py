"""4.7 codepipeline: commits are pushed, the learner's pipeline and buildspec run, and the service is looked at."""

from dataclasses import dataclass

import pytest

from fargrade.given import delivery
from fargrade.grading import check, expect, fail, not_judged, t

SERVICES = ("ecr", "ec2", "elbv2", "ecs", "iam", "s3", "logs", "codebuild", "codepipeline", "codeconnections")
FILE, SPEC = "pipeline.py", "buildspec.yml"
GUIDE = "https://docs.aws.amazon.com/codepipeline/latest/userguide/"
BUILDSPEC = "https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html"
GOOD = b'FROM python:3.12-slim\nWORKDIR /app\nCOPY app.py .\nUSER 10001\nCMD ["python", "app.py"]\n'
PASSING, FAILING = b"echo all is well\n", b"echo 1 test failed >&2\nexit 1\n"
BROKEN = GOOD.replace(b"COPY app.py .", b"COPY app.py lost.py ./")


@dataclass
class Way:
    """One pipeline of the learner's, and the service that it delivers to."""

    name: str
    running: object
    repository: str
    branch: str

    def push(self, pipelines, answer, source, dockerfile=GOOD, tests=PASSING, branch=None):
        """Push a commit; the executions that it started, when they have ended."""
        files = {"Dockerfile": dockerfile, "app.py": source, "test.sh": tests, SPEC: answer.text(SPEC).encode()}
        return pipelines.push(self.repository, branch or self.branch, files, "a change")


def source(rng):
    """An application as nobody has built it before."""
    return f'print("build {rng.getrandbits(64):x}")\n'.encode()


@pytest.fixture(scope="module")
def create(world, learner, pipelines, answer, rng):
    """Creates a pipeline with the learner's function, for a service of its own."""
    answer.text(SPEC)

    def make(container=None):
        suffix = f"{rng.randrange(10**6):06}"
        name = rng.choice(("web", "api", "front", "app"))
        running = delivery.running_service(world, suffix=suffix, container=f"{name}-{rng.randrange(100)}")
        bucket = f"artifacts-{suffix}-{rng.randrange(10**6)}"
        place = {"LocationConstraint": world.region}
        more = {"CreateBucketConfiguration": place} if world.region != "us-east-1" else {}
        world.client("s3").create_bucket(Bucket=bucket, **more)
        way = Way(f"deliver-{suffix}", running, f"acme/{name}-{suffix}", rng.choice(("trunk", "release", "production")))
        learner.patient(60).call(
            FILE,
            "create_pipeline",
            name=way.name,
            connection_arn=pipelines.connect(f"github-{suffix}"),
            repository=way.repository,
            branch=way.branch,
            bucket=bucket,
            image_repository=running.repository,
            cluster=running.cluster,
            service=running.service,
            container=container or running.container,
            task_roles=running.roles,
        )
        pipelines.settle()  # a new pipeline runs at once, and finds an empty repository
        return way

    return make


@pytest.fixture(scope="module")
def way(create):
    """Given: a running service, and the learner's pipeline to it."""
    return create()


@dataclass
class Delivery:
    """A commit that was pushed, and what became of it."""

    source: bytes
    before: str
    executions: list
    image: str
    revision: str

    @property
    def commit(self):
        return self.executions[-1].commit if self.executions else ""

    def sentence(self):
        return self.executions[-1].sentence() if self.executions else t("no execution was started")


def deliver(world, way, pipelines, answer, rng, **push):
    """Push a commit and look at the service, before and after."""
    before = revision_of(world, way)
    text = source(rng)
    executions = way.push(pipelines, answer, text, **push)
    world.advance(600)
    image = delivery.images_of(world, way.running).get(way.running.container, "")
    return Delivery(text, before, executions, image, revision_of(world, way))


def revision_of(world, way):
    ecs = world.client("ecs")
    described = ecs.describe_services(cluster=way.running.cluster, services=[way.running.service])["services"][0]
    return described["taskDefinition"]


@pytest.fixture(scope="module")
def first(world, way, pipelines, answer, rng):
    """When: the first commit is pushed."""
    return deliver(world, way, pipelines, answer, rng)


def arrived(world, made):
    """Whether the service runs an image that was built from the pushed source."""
    return delivery.built_from(world, delivery.digest_of(world, made.image), made.source)


@pytest.fixture(scope="module")
def working(world, first):
    """A pipeline that delivers: of one that never does it shows nothing that it stops in time."""
    if not arrived(world, first):
        fail(
            t("A pipeline that never delivers shows nothing about when it stops: see the first check."),
            found=first.sentence(),
        )
    return first


@check(points=3, evidence="behaviour", docs=GUIDE + "ecs-cd-pipeline.html")
def test_a_commit_reaches_the_service(world, way, first):
    """After a push the service runs the image that was built from that commit"""
    expect(
        first.executions and arrived(world, first),
        expected=t("the service runs an image built from the commit that was pushed"),
        found=t("it runs {image}; {ending}", image=first.image, ending=first.sentence()),
        on_aws=t("the console shows the action that failed in red, with the same message"),
        hint=t("read the message: it names the action, and mostly the right or the file that is missing")
        if first.executions
        else t("does the pipeline watch this branch of this repository? DetectChanges, BranchName, a trigger's filter"),
    )
    tasks = world.client("ecs").list_tasks(cluster=way.running.cluster, serviceName=way.running.service)["taskArns"]
    described = world.client("ecs").describe_tasks(cluster=way.running.cluster, tasks=tasks)["tasks"] if tasks else []
    running = [one for one in described if one["lastStatus"] == "RUNNING"]
    expect(
        running and all(one["taskDefinitionArn"] == first.revision for one in running),
        expected=t("every running task is of the new revision"),
        found=", ".join(sorted({one["taskDefinitionArn"].rpartition("/")[2] for one in running})) or t("no task runs"),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "action-reference-ECS.html")
def test_the_next_commit_too(world, way, pipelines, answer, rng, working):
    """The next commit brings the next image, and all else of the revision stays"""
    second = deliver(world, way, pipelines, answer, rng)
    expect(
        arrived(world, second) and second.image != working.image,
        expected=t("the service runs the image of the second commit, under another name than the first"),
        found=t("it runs {image}; {ending}", image=second.image, ending=second.sentence()),
        on_aws=t("a tag that stays the same tells nobody which code runs"),
        hint=t("the tag is the commit: CODEBUILD_RESOLVED_SOURCE_VERSION"),
    )
    ecs = world.client("ecs")
    was, now = (
        ecs.describe_task_definition(taskDefinition=one)["taskDefinition"] for one in (working.before, second.revision)
    )
    kept = ("cpu", "memory", "executionRoleArn", "taskRoleArn", "networkMode", "family")
    expect(
        all(was[key] == now[key] for key in kept),
        expected=t("the size, the roles and the network mode of the first revision"),
        found=t("they have changed"),
    )


@check(points=1, evidence="state", docs=BUILDSPEC)
def test_the_tag_is_the_commit(world, way, working):
    """The image is tagged with the commit that it was built from"""
    digest = delivery.digest_of(world, working.image)
    found = world.client("ecr").describe_images(
        repositoryName=way.running.repository, imageIds=[{"imageDigest": digest}]
    )["imageDetails"][0]
    tags = found.get("imageTags", [])
    expect(
        any(working.commit[:7] in tag for tag in tags),
        expected=t("a tag with the commit {commit}, or its beginning", commit=working.commit),
        found=", ".join(tags) or "–",
        on_aws=t("the task definition cannot tell which code runs"),
        hint='IMAGE="$REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION"',
    )


@pytest.mark.usefixtures("working")
@check(points=2, evidence="behaviour", docs=BUILDSPEC)
def test_a_broken_build_changes_nothing(world, way, pipelines, answer, rng):
    """When the image cannot be built, the execution fails, and nothing has changed"""
    nothing_changes(world, way, pipelines, answer, rng, dockerfile=BROKEN)


@pytest.mark.usefixtures("working")
@check(points=2, evidence="behaviour", docs=BUILDSPEC)
def test_failed_tests_change_nothing(world, way, pipelines, answer, rng):
    """When the tests fail, the execution fails, and nothing has been pushed"""
    nothing_changes(world, way, pipelines, answer, rng, tests=FAILING)


def nothing_changes(world, way, pipelines, answer, rng, **push):
    """Push a commit that must not be delivered, and compare the service and the repository with before."""
    images = world.client("ecr").describe_images
    before = len(images(repositoryName=way.running.repository)["imageDetails"])
    tags = all_tags(images(repositoryName=way.running.repository))
    broken = deliver(world, way, pipelines, answer, rng, **push)
    expect(
        broken.executions and broken.executions[-1].status == "Failed",
        expected=t("a failed execution"),
        found=broken.sentence(),
        on_aws=t("nothing says that the build is broken: what comes of it is deployed, or waited for"),
        hint=t("a command that fails must fail its phase: no “|| true”, no semicolons instead of lines"),
    )
    expect(
        broken.revision == broken.before,
        expected=t("the service runs what it ran"),
        found=broken.revision.rpartition("/")[2],
        on_aws=t("an old image goes out as a new version"),
        hint=t("post_build runs after a failed build, too: look at CODEBUILD_BUILD_SUCCEEDING"),
    )
    now = images(repositoryName=way.running.repository)
    expect(
        len(now["imageDetails"]) == before and all_tags(now) == tags,
        expected=t("the ECR repository as it was"),
        found=t("new in it: {tags}", tags=", ".join(sorted(all_tags(now) - tags)) or "–"),
        on_aws=t("an image that failed lies there under its commit, for everyone to deploy"),
        hint=t("post_build runs after a failed build, too: look at CODEBUILD_BUILD_SUCCEEDING"),
    )


def all_tags(described):
    return {tag for one in described["imageDetails"] for tag in one.get("imageTags", ())}


@pytest.mark.usefixtures("working")
@check(points=2, evidence="behaviour", docs=GUIDE + "file-reference.html")
def test_the_container_is_the_one_that_was_asked_for(world, create, pipelines, answer, rng):
    """The image goes to the container that was asked for: one that is not there fails the deploy, in AWS's words"""
    ghost = f"ghost-{rng.randrange(10**6)}"
    other = create(container=ghost)
    made = deliver(world, other, pipelines, answer, rng)
    failure = made.executions[-1].failure if made.executions else None
    expect(
        failure and failure.category == "Deploy" and f"container {ghost} does not exist" in failure.message,
        expected=t("the deploy fails: “The AWS ECS container {name} does not exist”", name=ghost),
        found=made.sentence(),
        on_aws=t("Invalid action configuration: The AWS ECS container {name} does not exist", name=ghost),
        hint=t("hand the container's name over to the build in an environment variable"),
    )
    expect(
        made.revision == made.before,
        expected=t("the service runs what it ran"),
        found=made.revision.rpartition("/")[2],
    )


@pytest.mark.usefixtures("working")
@check(points=1, evidence="behaviour", docs=GUIDE + "action-reference-CodestarConnectionSource.html")
def test_another_branch_starts_nothing(world, way, pipelines, answer, rng):
    """A commit on another branch starts nothing"""
    made = deliver(world, way, pipelines, answer, rng, branch=f"feature/{rng.randrange(10**6)}")
    expect(
        not made.executions and made.revision == made.before,
        expected=t("no execution for a branch that nobody asked to deliver"),
        found=made.sentence(),
    )


@pytest.fixture(scope="module")
def really(world, way, pipelines, answer, rng, working, containers):
    """When: a commit is delivered once more, by a real engine to a real registry: of a pipeline that delivers."""
    assert working
    before = len(world.docker_log())
    with containers.behind(world) as registry:
        made = deliver(world, way, pipelines, answer, rng)
        containers.truth(world.docker_log()[before:])
        if not arrived(world, made):
            not_judged(t("The real engine did not come to an end in time: {ending}", ending=made.sentence()))
        yield registry, made


@check(points=1, evidence="container", docs=GUIDE + "ecs-cd-pipeline.html")
def test_a_real_image_is_delivered(really, world, way, containers):
    """Built by a real engine and pushed to a real registry, the commit's image is the one that the service names"""
    registry, made = really
    wanted = delivery.digest_of(world, made.image)
    tag = made.image.rpartition(":")[2] if "@" not in made.image else wanted
    arrived_as = registry.digest(f"{world.account}/{world.region}/{way.running.repository}", tag)
    expect(
        arrived_as == wanted,
        expected=t("the registry holds {digest}", digest=wanted),
        found=arrived_as or t("nothing under {tag}", tag=tag),
        on_aws=t("the tasks of the new revision cannot pull their image"),
    )
    image = containers.pull(registry, f"{world.account}/{world.region}/{way.running.repository}", wanted)
    container = containers.run(image)
    container.wait(20)
    said = container.log().strip()
    expect(
        said and f'"{said}"'.encode() in made.source,
        expected=t("the container prints what the commit's app.py says"),
        found=said or t("nothing"),
    )


def role_of_pipeline(world, way):
    return world.client("codepipeline").get_pipeline(name=way.name)["pipeline"]["roleArn"]


@check(
    points=2,
    evidence="state",
    docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
)
def test_the_pipeline_passes_these_two_roles_only(world, way, rng):
    """The pipeline's role may pass the service's two roles to ECS tasks, and no other role to anybody"""
    role = role_of_pipeline(world, way)
    to_tasks = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    admin = f"arn:aws:iam::{world.account}:role/admin-{rng.randrange(10**6)}"
    for passed in way.running.roles:
        expect(
            world.decide(role, "iam:PassRole", passed, to_tasks).allowed,
            expected=t("iam:PassRole on {role}", role=passed.rpartition("/")[2]),
            found=t("it is denied"),
            hint=t("both roles of the task definition are passed on, the execution role and the task role"),
        )
    expect(
        not world.decide(role, "iam:PassRole", admin, to_tasks).allowed,
        expected=t("iam:PassRole on the two roles only"),
        found=t("the pipeline's role may pass any role of the account"),
        on_aws=t("whoever can change the pipeline can run a container as administrator"),
        hint=t("name the two ARNs under Resource"),
    )
    for passed in way.running.roles:
        other = f"{passed}-admin-{rng.randrange(100)}"
        expect(
            not world.decide(role, "iam:PassRole", other, to_tasks).allowed,
            expected=t("iam:PassRole on the two roles only"),
            found=t("it may pass {role}, too", role=other.rpartition("/")[2]),
            on_aws=t("a star at the end of a name takes in whatever somebody calls so tomorrow"),
            hint=t("name the two ARNs under Resource"),
        )


@check(
    points=1,
    evidence="state",
    docs="https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html",
)
def test_the_build_may_push_and_no_more(world, way, rng):
    """The build's role can push images, and neither deploy nor delete"""
    project = world.client("codebuild").batch_get_projects(names=[way.name])["projects"]
    expect(
        project,
        expected=t("a CodeBuild project {name}", name=way.name),
        found=t("there is none of that name"),
    )
    role = project[0]["serviceRole"]
    images = f"arn:aws:ecr:{world.region}:{world.account}:repository/{way.running.repository}"
    for action, resource in (
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:InitiateLayerUpload", images),
        ("ecr:UploadLayerPart", images),
        ("ecr:CompleteLayerUpload", images),
        ("ecr:PutImage", images),
    ):
        expect(
            world.decide(role, action, resource).allowed,
            expected=t("the build's role may {action}", action=action),
            found=t("it is denied"),
            hint=t("the push of 1.7: five actions on the repository, and GetAuthorizationToken on *"),
        )
    service = f"arn:aws:ecs:{world.region}:{world.account}:service/{way.running.cluster}/{way.running.service}"
    for action, resource in (
        ("ecs:UpdateService", service),
        ("iam:PassRole", way.running.task_role),
        ("ecr:DeleteRepository", images),
        ("iam:CreateUser", f"arn:aws:iam::{world.account}:user/mallory-{rng.randrange(10**6)}"),
    ):
        expect(
            not world.decide(role, action, resource).allowed,
            expected=t("the build's role may not {action}", action=action),
            found=t("it is allowed"),
            on_aws=t("whatever a Dockerfile or a dependency runs in the build may do it, too"),
            hint=t("a role for each: the build pushes, the pipeline deploys"),
        )
