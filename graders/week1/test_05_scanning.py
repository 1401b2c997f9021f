"""1.5 scanning: given images with planted findings, the learner's functions must see them all, and stop the bad."""

import pytest

from fargrade.grading import check, expect, t

NOT_ON_AN_ACCOUNT = "scanning may be switched on for a whole registry"
FILE = "scanning.py"
API = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"
LESSER = ("HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
MORE_THAN_ANY_PAGE = (1010, 1200)  # a page holds 1,000 findings at the most
MORE_THAN_TWO = (2010, 2200)


@pytest.fixture(scope="module")
def repository(world, rng):
    """Given: a repository that scans nothing yet."""
    name = f"shop/api-{rng.randrange(10**6)}"
    world.client("ecr").create_repository(repositoryName=name)
    return name


def image(world, repository, tag, findings=(), status="COMPLETE"):
    """Push an image whose scan came to `findings`; returns its tag."""
    digest = world.push_image(repository, [tag])
    world.seed_findings(repository, digest, list(findings), status=status)
    return tag


def some_findings(rng, amount, severities=LESSER):
    return [
        {"name": f"CVE-{rng.randrange(2015, 2027)}-{number:05}", "severity": rng.choice(severities)}
        for number in rng.sample(range(100_000), amount)
    ]


@check(points=2, evidence="behaviour", docs=GUIDE + "image-scanning.html")
def test_a_push_is_scanned(world, learner, rng):
    """After enable_scanning, an image that is pushed is scanned"""
    ecr = world.client("ecr")
    repositories = [f"media/web-{rng.randrange(10**6)}", f"ops/{rng.randrange(10**6)}"]
    for name in repositories:
        ecr.create_repository(repositoryName=name)
        learner.call(FILE, "enable_scanning", name)
    for name in repositories:
        digest = world.push_image(name, ["v1"])
        expect(
            scanned(ecr, name, digest),
            expected=t("an image pushed to {repository} is scanned", repository=name),
            found=t("there is no scan of it"),
            on_aws=t("DescribeImageScanFindings answers ScanNotFoundException"),
            hint=t("scanOnPush of the repository, or a registry rule whose filter matches its name"),
        )


def scanned(ecr, repository, digest):
    try:
        ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageDigest": digest})
    except ecr.exceptions.ScanNotFoundException:
        return False
    return True


@check(points=2, evidence="behaviour", docs=API + "API_DescribeImageScanFindings.html")
def test_every_finding_is_read(world, learner, repository, rng):
    """All findings of an image are read, to the last page"""
    findings = [some_findings(rng, amount) for amount in (rng.randrange(3, 9), rng.randint(*MORE_THAN_TWO))]
    tags = [image(world, repository, f"many-{number}", planted) for number, planted in enumerate(findings)]
    told = learner.call_each(FILE, "finding_names", [(repository, tag) for tag in tags])
    for planted, claimed in zip(findings, told, strict=True):
        names = sorted(one["name"] for one in planted)
        found = sorted(map(str, claimed)) if isinstance(claimed, list) else []
        expect(
            found == names,
            expected=t("the {count} names of the image's findings, each once", count=len(names)),
            found=t("{count} names, {right} of them right", count=len(found), right=len(set(found) & set(names))),
            on_aws=t("a page holds 100 findings, 1,000 at the most, and nextToken leads to the next"),
            hint=t("get_paginator walks all pages"),
        )


@check(points=2, evidence="behaviour", docs=GUIDE + "image-scanning.html")
def test_a_critical_finding_stops_the_release(world, learner, repository, rng):
    """An image with a critical finding may not be released, wherever in the list it stands"""
    cases = {}
    for number, place in enumerate((0, rng.randrange(100, 900), -1)):
        planted = some_findings(rng, rng.randint(*MORE_THAN_ANY_PAGE))
        planted[place]["severity"] = "CRITICAL"
        tag = image(world, repository, f"critical-{number}", planted)
        cases[tag] = t("one critical finding among {count}", count=len(planted))
    image(world, repository, "clean-and-newer")
    gate(world, learner, repository, False, cases)


@check(points=1, evidence="behaviour", docs=GUIDE + "image-scanning.html")
def test_lesser_findings_do_not(world, learner, repository, rng):
    """A clean image, or one with lesser findings only, may be released"""
    planted = some_findings(rng, rng.randrange(5, 30), LESSER)
    cases = {
        image(world, repository, "clean"): t("scanned, nothing found"),
        image(world, repository, "lesser", planted): t("nothing worse than HIGH"),
        image(world, repository, "watched", some_findings(rng, 3), status="ACTIVE"): t(
            "continuous scanning is active, nothing critical found"
        ),
    }
    image(world, repository, "bad-and-newer", some_findings(rng, 1, ("CRITICAL",)))
    gate(world, learner, repository, True, cases)


@check(points=2, evidence="behaviour", docs=API + "API_ImageScanStatus.html")
def test_what_was_not_scanned_is_stopped(world, learner, repository):
    """An image whose scan is missing, running or failed may not be released"""
    cases = {
        image(world, repository, "unscanned", status=""): t("never scanned"),
        image(world, repository, "running", status="IN_PROGRESS"): t("its scan is still running"),
        image(world, repository, "failed", status="FAILED"): t("its scan failed"),
    }
    image(world, repository, "scanned-and-newer")
    gate(world, learner, repository, False, {**cases, "not-there": t("there is no such image")})


def gate(world, learner, repository, right, cases):
    """The gate's answer for each of these images must be the right one, and all it does is answer."""
    ecr = world.client("ecr")
    before = ecr.list_images(repositoryName=repository)["imageIds"]
    told = learner.call_each(FILE, "may_release", [(repository, tag) for tag in cases])
    for why, claimed in zip(cases.values(), told, strict=True):
        expect(
            claimed is right,
            expected=t("may_release is {right} for an image like this: {why}", right=right, why=why),
            found=t("it is {value}", value=repr(claimed)),
            on_aws=t("what the gate lets through is what runs"),
            hint=t("ask for a finished scan first, and only then for its severities"),
        )
    left = ecr.list_images(repositoryName=repository)["imageIds"]
    expect(
        len(left) == len(before),
        expected=t("the gate answers, and every image stays where it is"),
        found=t("of {all} images {count} are left", all=len(before), count=len(left)),
        on_aws=t("what is deleted does not come back, and may be running"),
        hint=t("a gate only reads"),
    )
