"""1.2 repository: given random names, tags and keys, the learner's function must leave the right repositories."""

import pytest
from botocore.exceptions import ClientError

from fargrade.grading import check, expect, t
from fargrade.semantics.iam import Request, decide, parse_policy

FILE = "repository.py"
FUNCTION = "create_repository"
ACCOUNT_DOLLARS = 0.01
# How tags could still be moved in a repository that was there, and by which tag that shows.
MADE_BY_HAND = (
    ({"imageTagMutability": "MUTABLE"}, "v1"),
    (
        {
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest*"}],
        },
        "latest",
    ),
)
GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"


class Made:
    """A repository the learner's function made, as the grader sees it."""

    def __init__(self, world, name, tags, key, uri):
        self.name, self.tags, self.key, self.claimed = name, tags, key, uri
        self.ecr = world.client("ecr")

    def now(self):
        return self.ecr.describe_repositories(repositoryNames=[self.name])["repositories"][0]

    def digests(self):
        return {image["imageDigest"] for image in self.ecr.describe_images(repositoryName=self.name)["imageDetails"]}

    def strangers_pull(self):
        """Whether another account's people may pull: theirs allows it, so this repository's policy decides."""
        try:
            policy = parse_policy(self.ecr.get_repository_policy(repositoryName=self.name)["policyText"], "resource")
        except self.ecr.exceptions.RepositoryPolicyNotFoundException:
            return False
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        theirs = parse_policy({"Version": "2012-10-17", "Statement": [everything]})
        request = Request("arn:aws:iam::210987654321:user/eve", "ecr:BatchGetImage", self.now()["repositoryArn"])
        return decide(request, (theirs,), (policy,), same_account=False).allowed

    def resource_tags(self):
        found = self.ecr.list_tags_for_resource(resourceArn=self.now()["repositoryArn"])["tags"]
        return {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].startswith("fargrade:")}


def some_name(world, rng):
    name = f"{rng.choice(['shop', 'media', 'ops'])}/{rng.choice(['api', 'web', 'worker'])}-{rng.randrange(10**6)}"
    return world.named(name)


def some_tags(rng):
    return {"team": rng.choice(["checkout", "search", "billing"]), "cost-center": str(rng.randrange(1000, 10000))}


def some_key(world, rng):
    key = f"{rng.getrandbits(32):08x}-1111-2222-3333-{rng.getrandbits(48):012x}"
    return f"arn:aws:kms:{world.region}:{world.account}:key/{key}"


@pytest.fixture(scope="module")
def made(world, learner, rng):
    """Given: two repositories made by the learner's function, one with a key and one without."""
    repositories = []
    for key in (None,) if world.real else (None, some_key(world, rng)):  # AWS looks whether the key is there
        name, tags = some_name(world, rng), some_tags(rng)
        world.client("ecr").create_repository(repositoryName=f"{name}-old")  # somebody else's, called nearly the same
        arguments = (name, tags, key) if key else (name, tags)
        repositories.append(Made(world, name, tags, key, learner.call(FILE, FUNCTION, *arguments)))
    return repositories


@check(points=1, docs=GUIDE + "repository-create.html")
def test_the_repository_is_there(made, world):
    """The private repository exists, and its URI is returned"""
    for one in made:
        expect(
            one.claimed == one.now()["repositoryUri"],
            expected=t("the function returns {uri}", uri=f"{world.registry}/{one.name}"),
            found=t("it returned {value}", value=repr(one.claimed)),
            on_aws=t("docker push is given this URI: with anything else the push goes nowhere"),
            hint=t("the answer of create_repository holds repository → repositoryUri"),
        )
        expect(
            not one.strangers_pull(),
            expected=t("nobody outside the account may pull from it"),
            found=t("its repository policy lets another account pull"),
            on_aws=t("whoever has any AWS account could take your images"),
            hint=t("a repository needs no policy for the account's own people: their roles decide"),
        )


@check(points=2, evidence="behaviour", docs=GUIDE + "image-tag-mutability.html")
def test_a_tag_cannot_be_moved(made, world, rng):
    """A tag that is taken cannot be moved to another image"""
    for one in made:
        for tag in ("latest", f"v{rng.randrange(9)}.{rng.randrange(9)}.0", f"dev-{rng.randrange(1000)}"):
            world.push_image(one.name, [tag])
            expect(
                refused(world, one.name, tag),
                expected=t("a second push as {tag} is refused", tag=tag),
                found=t(
                    "it went through: {tag} now names another image ({setting})",
                    tag=tag,
                    setting=one.now()["imageTagMutability"],
                ),
                on_aws=t("tasks that start later would run another image than the one that was tested"),
                hint=t("create_repository takes imageTagMutability; exclusion filters leave a way round"),
            )


def refused(world, repository, tag):
    """Whether a second, different image under the tag is refused."""
    try:
        world.push_image(repository, [tag])
    except ClientError as error:
        return error.response["Error"]["Code"] == "ImageTagAlreadyExistsException"
    return False


@check(points=1, docs=GUIDE + "encryption-at-rest.html")
def test_it_is_encrypted_as_asked(made):
    """It is encrypted with the given key, or with AES256 where none is given"""
    for one in made:
        found = one.now()["encryptionConfiguration"]
        kind = found["encryptionType"]
        expect(
            found.get("kmsKey") == one.key if one.key else kind == "AES256",
            expected=t("encrypted with {key}", key=one.key or "AES256"),
            found=t("encrypted with {found}", found=found.get("kmsKey") or kind),
            on_aws=t("encryption is set when the repository is made and can never be changed"),
            hint=t("encryptionConfiguration takes encryptionType and kmsKey"),
        )


@check(points=1, docs=GUIDE + "ecr-using-tags.html")
def test_it_carries_its_resource_tags(made):
    """It carries exactly the given resource tags"""
    for one in made:
        found = one.resource_tags()
        expect(
            found == one.tags,
            expected=t("the resource tags {tags}", tags=one.tags),
            found=t("the resource tags {tags}", tags=found),
            on_aws=t("what has no cost tag is on nobody's bill"),
            hint=t("tags is a list of Key and Value"),
        )


@check(
    points=2,
    evidence="behaviour",
    docs="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html",
)
def test_it_can_be_run_again(made, world, learner):
    """Run again, it keeps the repository with its images and returns the same URI"""
    one = made[0]
    digest = world.push_image(one.name, ["kept"])
    again = learner.call(FILE, FUNCTION, one.name, one.tags)
    kept = [image["imageDigest"] for image in one.ecr.describe_images(repositoryName=one.name)["imageDetails"]]
    expect(
        again == one.claimed and digest in kept,
        expected=t("the second run returns {uri} and every image is still there", uri=one.claimed),
        found=t("it returned {value}; images left: {count}", value=repr(again), count=len(kept)),
        on_aws=t("CreateRepository answers RepositoryAlreadyExistsException the second time"),
        hint=t("catch RepositoryAlreadyExistsException and describe the repository; never delete it"),
    )


@check(
    points=2,
    evidence="behaviour",
    docs="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html",
)
def test_an_existing_repository_is_brought_in_line(world, learner, rng):
    """A repository made by hand, with tags that move, is brought in line"""
    neighbour = existing(world, rng, {"imageTagMutability": "MUTABLE"})
    before = (neighbour.now()["imageTagMutability"], neighbour.resource_tags(), neighbour.digests())
    for setting, tag in MADE_BY_HAND:
        one = existing(world, rng, setting)
        kept = one.digests()
        one.tags = some_tags(rng)
        learner.call(FILE, FUNCTION, one.name, one.tags)
        expect(
            refused(world, one.name, tag) and kept <= one.digests(),
            expected=t("every image is kept, and no tag can be moved any more"),
            found=t(
                "{count} of {all} images are left; tags are {setting}, and {tag} could be pushed again",
                count=len(kept & one.digests()),
                all=len(kept),
                setting=one.now()["imageTagMutability"],
                tag=tag,
            )
            if kept <= one.digests()
            else t("{count} of {all} images are left", count=len(kept & one.digests()), all=len(kept)),
            on_aws=t("what is there already stays as it was until somebody changes it"),
            hint=t("put_image_tag_mutability changes a repository that exists; nothing in it is to be deleted"),
        )
        found = one.resource_tags()
        expect(
            found == one.tags,
            expected=t("the resource tags {tags}", tags=one.tags),
            found=t("the resource tags {tags}", tags=found),
            on_aws=t("what has no cost tag is on nobody's bill"),
            hint=t("tag_resource sets tags, untag_resource takes those away that are not wanted"),
        )
    after = (neighbour.now()["imageTagMutability"], neighbour.resource_tags(), neighbour.digests())
    expect(
        after == before,
        expected=t("a repository of another name stays as it is: {before}", before=before[:2]),
        found=t("it is changed: {after}", after=after[:2]),
        on_aws=t("other teams' repositories are in the same account"),
        hint=t("look for the repository by its whole name"),
    )


def existing(world, rng, setting):
    """A repository that somebody made by hand, with an image that has tags and one that has none."""
    name = some_name(world, rng)
    stale = {"owner": "nobody", "team": "unknown"}
    world.client("ecr").create_repository(
        repositoryName=name, tags=[{"Key": key, "Value": value} for key, value in stale.items()], **setting
    )
    world.push_image(name, ["v1", "latest"])
    world.push_image(name)
    return Made(world, name, stale, None, "")
