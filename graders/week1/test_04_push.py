"""1.4 push: given repositories in several regions, the learner's script must bring there what it has just built."""

import hashlib
from dataclasses import dataclass

import pytest

from fargrade.grading import check, expect, fail, not_judged, t

FILE = "push.sh"
GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"
BASH = "https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html"
REGIONS = ("eu-central-1", "eu-north-1", "us-west-2", "ap-southeast-2", "sa-east-1", "ca-central-1", "us-east-2")
GOOD = 'FROM python:3.12-slim\nWORKDIR /app\nCOPY app.py .\nUSER 10001\nCMD ["python", "app.py"]\n'
BROKEN = GOOD.replace("COPY app.py .", "COPY app.py lost.py ./")


@dataclass
class Delivery:
    """One run of the script: what it was asked for, how it ended, and what the engine was asked meanwhile."""

    region: str
    repository: str
    commit: str
    source: str
    outcome: object
    log: list

    @property
    def succeeded(self):
        return self.outcome.kind == "exited" and self.outcome.exit_code == 0


class Deliveries:
    """Makes repositories and sources, and runs the learner's script on them."""

    def __init__(self, world, learner, rng):
        self.world, self.learner, self.rng = world, learner, rng
        self.regions = rng.sample(REGIONS, 2)

    def ecr(self, region):
        return self.world.client("ecr", region)

    def address(self, region, repository):
        return f"{self.world.account}.dkr.ecr.{region}.amazonaws.com/{repository}"

    def run(self, region, dockerfile=GOOD, exists=True, before=()):
        """One delivery to a repository of its own, in which images with the tags `before` lie already."""
        repository = f"shop/{self.rng.choice(('api', 'web', 'jobs'))}-{self.rng.randrange(10**6)}"
        commit = f"{self.rng.getrandbits(160):040x}"
        source = f'print("build {self.rng.getrandbits(64):x}")\n'
        if exists:
            self.ecr(region).create_repository(repositoryName=repository)
        for tag in before:
            self.world.push_image(repository, [tag], region=region)
        asked = len(self.world.docker_log())
        outcome = self.learner.elsewhere(AWS_REGION=region, AWS_DEFAULT_REGION=region).shell(
            FILE,
            self.address(region, repository),
            commit,
            files={"app/Dockerfile": dockerfile.encode(), "app/app.py": source.encode()},
        )
        return Delivery(region, repository, commit, source, outcome, self.world.docker_log()[asked:])

    def images(self, delivery):
        """(tags, digest) of every image in the delivery's repository."""
        found = self.ecr(delivery.region).describe_images(repositoryName=delivery.repository)["imageDetails"]
        return [(one.get("imageTags", []), one["imageDigest"]) for one in found]

    def digest(self, delivery):
        """The digest under the commit's tag, None where there is none."""
        return next((digest for tags, digest in self.images(delivery) if delivery.commit in tags), None)

    def tags(self, delivery):
        return sorted(tag for tags, _ in self.images(delivery) for tag in tags)


@pytest.fixture(scope="module")
def deliveries(world, learner, rng):
    return Deliveries(world, learner, rng)


@pytest.fixture(scope="module")
def first(deliveries):
    """Given: a repository, an application that builds, and the script's first run."""
    return deliveries.run(deliveries.regions[0])


@pytest.fixture(scope="module")
def working(deliveries, first):
    """The first run, which brought something to the registry: without that, stopping is no virtue."""
    if not first.succeeded or not deliveries.images(first):
        fail(
            t("A script that never pushes shows nothing about when it stops: see the first check."),
            found=ending(first),
        )
    return first


def ending(delivery):
    """How the script ended, with the last that it said."""
    outcome = delivery.outcome
    said = (outcome.stderr or outcome.stdout).strip().splitlines()
    return outcome.sentence() + (f" “{said[-1][:300]}”" if said else "")


@check(points=2, evidence="behaviour", docs=GUIDE + "docker-push-ecr-image.html")
def test_the_image_arrives(deliveries, first):
    """The image arrives in the repository, with the commit as its tag"""
    expect(
        deliveries.digest(first) and first.succeeded,
        expected=t(
            "an image tagged {commit} in {repository}, and status 0", commit=first.commit, repository=first.repository
        ),
        found=t("the tags {tags}; {ending}", tags=", ".join(deliveries.tags(first)) or "–", ending=ending(first)),
        on_aws=t("a task definition that names the commit's tag fails with CannotPullContainerError"),
        hint=t("docker push takes the whole address: REPOSITORY:COMMIT"),
    )


@check(points=2, evidence="behaviour", docs="https://docs.docker.com/build/concepts/context/")
def test_it_is_built_from_this_source(deliveries, first):
    """It is the image that was built from app/ in this run"""
    expect(
        holds_its_source(deliveries, first),
        expected=t("the image under the commit's tag holds this run's app.py"),
        found=t("nothing that the engine built from it lies there"),
        on_aws=t("ECR takes any image: whether the tag tells the truth is your script's business"),
        hint=t("docker build --tag REPOSITORY:COMMIT app"),
    )


def holds_its_source(deliveries, delivery):
    """Whether the image under the tag is one that the engine built, in this run, from the delivery's source."""
    digest = deliveries.digest(delivery)
    pushed = next((one for one in delivery.log if digest and one.get("digest") == digest), {})
    built = (one for one in delivery.log if one["command"] == "build" and one.get("image") == pushed.get("image"))
    source = hashlib.sha256(delivery.source.encode()).hexdigest()
    return any(source in one.get("holds", ()) for one in built)


@check(points=2, evidence="behaviour", docs=GUIDE + "registry_auth.html")
def test_another_commit_goes_to_another_region(deliveries, working):
    """Another commit, to another region, arrives as well, and the first stays what it was"""
    before = deliveries.digest(working)
    older = [f"{deliveries.rng.getrandbits(160):040x}" for _ in range(2)]
    second = deliveries.run(deliveries.regions[1], before=older)
    expect(
        holds_its_source(deliveries, second) and second.succeeded,
        expected=t(
            "{commit}, built from its own source, in {address}",
            commit=second.commit,
            address=deliveries.address(second.region, second.repository),
        ),
        found=t("the tags {tags}; {ending}", tags=", ".join(deliveries.tags(second)) or "–", ending=ending(second)),
        on_aws=t("a password is good for the registries of its region only; an address leads to one region"),
        hint=t("take the registry from the first argument and the region from $AWS_REGION"),
    )
    expect(
        before and deliveries.digest(working) == before,
        expected=t("{commit} still names the image of the first run", commit=working.commit),
        found=deliveries.digest(working) or t("it is gone"),
    )
    tags = deliveries.tags(second)
    expect(
        set(older) <= set(tags),
        expected=t("the images of earlier commits are still there: {tags}", tags=", ".join(older)),
        found=", ".join(tags) or "–",
        on_aws=t("tasks that run an older image cannot be started again: CannotPullContainerError"),
        hint=t("what goes, and when, is the business of the lifecycle policy"),
    )


@check(points=1, evidence="behaviour", docs="https://docs.docker.com/reference/cli/docker/login/#password-stdin")
def test_the_password_goes_through_standard_input(world, working):
    """The login's password goes through standard input, and into no log"""
    logins = [one for one in working.log if one["command"] == "login"]
    expect(
        any(one["exit"] == 0 for one in logins) and all(one.get("password") == "stdin" for one in logins),
        expected=t("docker login … --password-stdin"),
        found=t("the password came as an argument") if logins else t("there was no docker login"),
        on_aws=t("the password is good for 12 hours, for whoever reads it in the list of processes or the build's log"),
        hint="aws ecr get-login-password | docker login --username AWS --password-stdin …",
    )
    printed = working.outcome.stdout + working.outcome.stderr
    expect(
        not any(world.issued_token(word.strip("'\"")) for word in printed.split()),
        expected=t("the password in no line of the script's output"),
        found=t("the script prints it"),
        on_aws=t("everyone who may read the build's log may push for 12 hours"),
        hint=t("no echo of it, and no set -x around it"),
    )


@check(points=2, evidence="behaviour", docs=BASH)
def test_a_broken_build_pushes_nothing(deliveries, working):
    """When the build breaks, the script fails and pushes nothing"""
    broken = deliveries.run(working.region, BROKEN)
    expect(
        not deliveries.images(broken),
        expected=t("an empty repository after a build that failed"),
        found=t(
            "the tags {tags}: an older image, under the new commit", tags=", ".join(deliveries.tags(broken)) or "–"
        ),
        on_aws=t("the service is updated and runs the old code: every light is green"),
        hint="set -euo pipefail",
    )
    expect(
        broken.outcome.kind == "exited" and broken.outcome.exit_code,
        expected=t("a status other than 0"),
        found=ending(broken),
        on_aws=t("the pipeline goes on and deploys an image that is not there"),
        hint="set -euo pipefail",
    )


@check(points=1, evidence="behaviour", docs=GUIDE + "common-errors-docker.html")
def test_a_refused_push_fails(deliveries, working):
    """When ECR refuses the push, the script fails"""
    refused = deliveries.run(working.region, exists=False)
    expect(
        refused.outcome.kind == "exited" and refused.outcome.exit_code,
        expected=t("a status other than 0, since the repository does not exist"),
        found=ending(refused),
        on_aws=t("name unknown: the repository does not exist; and the pipeline deploys all the same"),
        hint=t("let docker push decide the script's end: set -e, or the last command"),
    )


@pytest.fixture(scope="module")
def really(deliveries, containers, world, learner, rng):
    """Given: the course's docker with a real engine behind it, and a real registry; one run of the script on them."""
    with containers.behind(world) as registry:
        delivery = Deliveries(world, learner.patient(150), rng).run(deliveries.regions[0])
        containers.truth(delivery.log)
        if delivery.outcome.kind == "timed_out":
            not_judged(t("The real engine did not come to an end in time: {ending}", ending=ending(delivery)))
        yield registry, delivery


@check(points=2, evidence="container", docs=GUIDE + "docker-push-ecr-image.html")
def test_it_really_arrives(really, deliveries, containers, world):
    """Built by a real engine, the image arrives in a real registry, and what is pulled from there runs"""
    registry, delivery = really
    name = f"{world.account}/{delivery.region}/{delivery.repository}"
    arrived = registry.digest(name, delivery.commit)
    expect(
        delivery.succeeded and arrived and arrived == deliveries.digest(delivery),
        expected=t("the registry and ECR hold one image, by one digest, under {commit}", commit=delivery.commit),
        found=t(
            "the registry has {registry}, ECR {ecr}; {ending}",
            registry=arrived or "–",
            ecr=deliveries.digest(delivery) or "–",
            ending=ending(delivery),
        ),
        on_aws=t("the digest is what a task definition can rely on: a tag may be moved, a digest cannot"),
    )
    container = containers.run(containers.pull(registry, name, arrived))
    container.wait(20)
    said = container.log().strip()
    expect(
        said and f'"{said}"' in delivery.source,
        expected=t("the container prints what this run's app.py says"),
        found=said or t("nothing"),
        on_aws=t("ECS pulls exactly this, and runs it"),
    )
