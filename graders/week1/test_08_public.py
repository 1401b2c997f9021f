"""1.8 public: given sessions in several regions, the learner's functions must find the right registry and login."""

from itertools import product

import pytest

from fargrade.grading import check, expect, t

NOT_ON_AN_ACCOUNT = "what is published is public to everybody"
FILE = "public.py"
GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"
PUBLIC_GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/public/"
PUBLIC_HOST = "public.ecr.aws"


@pytest.fixture(scope="module")
def regions(rng):
    """Given: sessions in two regions, of which neither is where ECR Public's API is."""
    return rng.sample(["eu-central-1", "ap-southeast-2", "eu-west-1", "us-west-2", "sa-east-1"], 2)


@check(points=2, evidence="behaviour", docs=PUBLIC_GUIDE + "what-is-ecr.html")
def test_the_right_registry_is_chosen(learner):
    """The registry is chosen by what it can do"""
    calls = list(product([False, True], repeat=3))
    outcomes = learner.attempt_each(FILE, "choose_registry", calls)
    for (anonymous, scanning, lifecycle), outcome in zip(calls, outcomes, strict=True):
        impossible = anonymous and (scanning or lifecycle)
        right = "ValueError" if impossible else "public" if anonymous else "private"
        found = outcome.value if outcome.kind == "returned" else raised(outcome)
        expect(
            found == right,
            expected=t(
                "{right} for anonymous_pull={anonymous}, scanning={scanning}, lifecycle={lifecycle}",
                right=right,
                anonymous=anonymous,
                scanning=scanning,
                lifecycle=lifecycle,
            ),
            found=repr(found),
            on_aws=t(
                "ECR Public has no scanning and no lifecycle policies; the private registry lets nobody in unasked"
            ),
            hint=t("read the brief's table by columns"),
        )


def raised(outcome):
    """What was raised: a ValueError of the learner's own making is a ValueError."""
    if outcome.error is None:
        return outcome.kind
    return "ValueError" if "ValueError" in outcome.error.bases else outcome.error.type


@check(points=1, docs=GUIDE + "Registries.html")
def test_a_private_image_is_named_right(world, learner, regions, rng):
    """A private image is named by account and region"""
    for region in regions:
        name, tag = f"shop/api-{rng.randrange(10**6)}", f"v{rng.randrange(100)}"
        made = world.client("ecr", region).create_repository(repositoryName=name)["repository"]
        before = len(world.calls())
        claimed = learner.elsewhere(**in_region(region)).call(FILE, "image_reference", "private", name, tag)
        named(claimed, f"{made['repositoryUri']}:{tag}", region)
        looks_up_only(world.calls()[before:])


@check(points=1, docs=PUBLIC_GUIDE + "public-registries.html")
def test_a_public_image_is_named_right(world, learner, regions, rng):
    """A public image is named by the account's alias"""
    for region in regions:
        name, tag = f"tool-{rng.randrange(10**6)}", f"v{rng.randrange(100)}"
        made = world.client("ecr-public").create_repository(repositoryName=name)["repository"]
        before = len(world.calls())
        claimed = learner.elsewhere(**in_region(region)).call(FILE, "image_reference", "public", name, tag)
        named(claimed, f"{made['repositoryUri']}:{tag}", region)
        looks_up_only(world.calls()[before:])


def looks_up_only(calls):
    """Whoever asks for a name must not get a repository with it: no call may make or remove one, or try to."""
    changing = [one.operation for one in calls if one.operation.startswith(("Create", "Delete", "Put"))]
    expect(
        not changing,
        expected=t("image_reference only says a name"),
        found=t("it calls {operations}", operations=", ".join(dict.fromkeys(changing))),
        on_aws=t("asking for a name that is misspelt would leave a repository of that name behind"),
        hint=t("the name follows from account, region and alias: no repository is needed to say it"),
    )


def in_region(region):
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def named(claimed, right, region):
    expect(
        claimed == right,
        expected=t("{reference} for a session in {region}", reference=right, region=region),
        found=repr(claimed),
        on_aws=t("docker push goes where the name says, and nowhere else"),
        hint=t("the account comes from sts, the region from the client, the alias from describe_registries"),
    )


@check(points=2, evidence="behaviour", docs=GUIDE + "registry_auth.html")
def test_the_private_login_works(world, learner, regions):
    """The private login is a real one, for the registry of the session's region"""
    for region in regions:
        claimed = learner.elsewhere(**in_region(region)).call(FILE, "login", "private")
        works(world, claimed, f"{world.account}.dkr.ecr.{region}.amazonaws.com", region)


@check(points=2, evidence="behaviour", docs=PUBLIC_GUIDE + "public-registry-auth.html")
def test_the_public_login_works(world, learner, regions):
    """The public login is a real one, for public.ecr.aws, from any region"""
    for region in regions:
        claimed = learner.elsewhere(**in_region(region)).call(FILE, "login", "public")
        works(world, claimed, PUBLIC_HOST, region)


def works(world, claimed, registry, region):
    """The login must have been issued by this world, for this registry."""
    given = claimed if isinstance(claimed, dict) else {}
    issued_for = world.issued_token(str(given.get("password", "")))
    expect(
        issued_for == registry,
        expected=t("a password that AWS issued for {registry} (session in {region})", registry=registry, region=region),
        found=t("one issued for {registry}", registry=issued_for) if issued_for else t("a password AWS never issued"),
        on_aws=t("docker login answers 400 Bad Request, or the push says: no basic auth credentials"),
        hint=t("each registry has an API and a token of its own; the password is what stands after the colon"),
    )
    expect(
        given.get("registry") == registry and given.get("username") == "AWS",
        expected=t("the user AWS at {registry}", registry=registry),
        found=t("the user {user} at {registry}", user=given.get("username"), registry=given.get("registry")),
        on_aws=t("docker keeps a login for exactly the host that it is given"),
        hint=t("proxyEndpoint begins with https://, the host does not"),
    )


@check(points=2, docs=PUBLIC_GUIDE + "public-repository-create.html")
def test_the_public_repository_is_published(world, learner, regions, rng):
    """The public repository exists, with its description, and its URI is returned"""
    name = f"tool-{rng.randrange(10**6)}"
    description = f"Tool number {rng.randrange(10**6)}, for everybody"
    before = len(world.calls("ecr", "CreateRepository"))
    claimed = learner.elsewhere(**in_region(regions[0])).call(FILE, "publish_repository", name, description)
    public = world.client("ecr-public")
    made = public.describe_repositories(repositoryNames=[name])["repositories"][0]
    catalog = public.get_repository_catalog_data(repositoryName=name)["catalogData"]
    expect(
        catalog.get("description") == description,
        expected=t("the description “{text}”", text=description),
        found=t("the description “{text}”", text=catalog.get("description", "")),
        on_aws=t("the gallery shows catalog data; without it nobody knows what the image is for"),
        hint=t("create_repository of ecr-public takes catalogData"),
    )
    private = [one for one in world.calls("ecr", "CreateRepository")[before:] if one.ok]  # in whatever region
    expect(
        not private,
        expected=t("one repository called {name}, the public one", name=name),
        found=t("a private one of that name beside it"),
        on_aws=t("docker push goes where the name says, and nowhere else"),
        hint=t("create_repository of ecr-public is all it takes"),
    )
    expect(
        claimed == made["repositoryUri"],
        expected=made["repositoryUri"],
        found=repr(claimed),
        on_aws=t("docker push goes where the name says, and nowhere else"),
        hint=t("the answer holds repository → repositoryUri"),
    )
