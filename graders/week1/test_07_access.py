"""1.7 access: the two policies are asked, call by call, what the two roles may do."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from fargrade.grading import check, expect, fail, t
from fargrade.semantics.iam import Decision, MalformedPolicy, Policy, Request, access_denied, decide, parse_policy

PUSH_FILE, PULL_FILE = "push-policy.json", "pull-policy.json"
DOCS = "https://docs.aws.amazon.com/"

# As the brief gives them.
ACCOUNT, REGION, NAME = "111122223333", "eu-central-1", "shop"
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{NAME}"
ROLES = {PUSH_FILE: "shop-ci", PULL_FILE: "shop-execution"}

LOGIN = "ecr:GetAuthorizationToken"
PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
# BatchCheckLayerAvailability is in AWS's examples, but a pull does without: the managed PullOnly policy lacks it.
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
UPLOAD = PUSH[1:]
ON_THE_REPOSITORY = (
    "ecr:BatchDeleteImage",
    "ecr:DeleteRepository",
    "ecr:SetRepositoryPolicy",
    "ecr:DeleteRepositoryPolicy",
    "ecr:PutLifecyclePolicy",
    "ecr:PutImageTagMutability",
    "ecr:PutImageScanningConfiguration",
)


def _means(action: str) -> str:
    """What a call does, for whoever is told that it was refused."""
    return {
        LOGIN: t("log in to the registry"),
        "ecr:BatchCheckLayerAvailability": t("ask which layers are there already"),
        "ecr:InitiateLayerUpload": t("begin the upload of a layer"),
        "ecr:UploadLayerPart": t("upload a layer"),
        "ecr:CompleteLayerUpload": t("finish the upload of a layer"),
        "ecr:PutImage": t("put the image in place, with its tag"),
        "ecr:BatchGetImage": t("read the image's manifest"),
        "ecr:GetDownloadUrlForLayer": t("download a layer"),
    }[action]


@pytest.fixture(scope="module")
def elsewhere(rng: random.Random) -> list[str]:
    """Repositories that are none of the roles' business; the names differ from run to run."""
    word = rng.choice(["evil", "admin", "backup", "legacy", "internal"])
    account = f"{rng.randrange(10**11, 10**12)}"
    return [
        _repository(f"{NAME}-{word}"),
        _repository(f"{NAME}/{word}"),
        _repository(f"{word}/{NAME}"),
        _repository(rng.choice(["payments", "search", "base-images"])),
        _repository(NAME, region="eu-west-1"),
        _repository(NAME, region="us-east-1"),
        _repository(NAME, account=account),
        _repository(NAME[:-1] + rng.choice("etwr")),
    ]


def _repository(name: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"


class Role:
    """One of the two roles, with the learner's policy attached and nothing else."""

    def __init__(self, file: str, policy: Policy, rng: random.Random) -> None:
        self.file, self.policy = file, policy
        session = f"{ROLES[file]}-{rng.randrange(1000, 9999)}"
        self.principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLES[file]}/{session}"

    def ask(self, action: str, resource: str) -> tuple[Request, Decision]:
        """The decision on one call, made over TLS from the runner's address, as every call of an SDK is."""
        fields = resource.split(":")
        context = {
            "aws:SecureTransport": "true",
            "aws:RequestedRegion": (fields[3] if len(fields) > 3 else "") or REGION,
            "aws:PrincipalType": "AssumedRole",
            "aws:ResourceAccount": (fields[4] if len(fields) > 4 else "") or ACCOUNT,
            "aws:SourceIp": "198.51.100.17",
            "aws:CurrentTime": "2026-11-20T12:00:00Z",
            "aws:ViaAWSService": "false",
        }
        request = Request(self.principal, action, resource, context)
        return request, decide(request, identity=[self.policy])

    def must(self, actions: Iterable[str], resource: str, expected: str, hint: str) -> None:
        """Fail the check at the first of `actions` that is denied."""
        for action in actions:
            request, decision = self.ask(action, resource)
            expect(
                decision.allowed,
                expected=expected,
                found=t(
                    "{action} ({means}): {who}", action=action, means=_means(action), who=self._denied_by(decision)
                ),
                on_aws="" if decision.allowed else access_denied(request, decision),
                hint=hint,
            )

    def must_not(self, calls: Iterable[tuple[str, str]], expected: str, on_aws: str, hint: str) -> None:
        """Fail the check at the first of `calls` (action, resource) that is allowed.

        A role that may do nothing is kept from nothing: its denials are no evidence of a good policy.
        """
        expect(
            any(self.ask(action, REPOSITORY)[1].allowed for action in (*PUSH, *PULL)),
            expected=expected,
            found=t(
                "the role may do nothing at all on {resource}, so it has not shown what it is kept from",
                resource=REPOSITORY,
            ),
            hint=t("first let it do its work"),
        )
        allowed = [(action, resource) for action, resource in calls if self.ask(action, resource)[1].allowed]
        if not allowed:
            return
        action, resource = allowed[0]
        statement = self.ask(action, resource)[1].statement
        found = t(
            "statement {statement} of {file} allows {action} on {resource}",
            statement=statement.label if statement else "",
            file=self.file,
            action=action,
            resource=resource,
        )
        if len(allowed) > 1:
            found = t("{found} ({count} such calls in all)", found=found, count=len(allowed))
        expect(False, expected=expected, found=found, on_aws=on_aws, hint=hint)

    def _denied_by(self, decision: Decision) -> str:
        if decision.statement:
            return t("statement {statement} of {file} denies it", statement=decision.statement.label, file=self.file)
        return t("no statement of {file} allows it", file=self.file)


def _read(answer: Any, file: str) -> Policy:
    answer.json(file)  # says where JSON breaks better than IAM does
    return parse_policy(answer.text(file), name=file)


def _role(answer: Any, file: str, rng: random.Random) -> Role:
    try:
        return Role(file, _read(answer, file), rng)
    except MalformedPolicy as refusal:
        fail(t("IAM refuses {file}, so the role has no rights at all: {why}.", file=file, why=_why(refusal)))


def _why(refusal: MalformedPolicy) -> str:
    return t(refusal.reason).format(**refusal.values)


@pytest.fixture(scope="module")
def ci(answer: Any, rng: random.Random) -> Role:
    return _role(answer, PUSH_FILE, rng)


@pytest.fixture(scope="module")
def execution(answer: Any, rng: random.Random) -> Role:
    return _role(answer, PULL_FILE, rng)


def _accepted(answer: Any, file: str) -> None:
    try:
        _read(answer, file)
    except MalformedPolicy as refusal:
        expect(
            False,
            expected=t("IAM takes {file} as a policy of a role", file=file),
            found=_why(refusal),
            on_aws=f"{refusal.code}: {refusal.message}",
            hint=t("compare it with the example in the brief: Version, Statement, Effect, Action, Resource"),
        )


def _login(role: Role) -> None:
    role.must(
        [LOGIN],
        "*",
        t("the role may log in: GetAuthorizationToken is asked of the whole registry, so its Resource is *"),
        t("GetAuthorizationToken knows no repository; give it a statement of its own"),
    )


def _more(rng: random.Random) -> list[tuple[str, str]]:
    """Calls that neither role has any reason to make."""
    admin = f"arn:aws:iam::{ACCOUNT}:role/{rng.choice(['admin', 'deployer', 'root-access'])}"
    return [
        *((action, REPOSITORY) for action in ON_THE_REPOSITORY),
        ("ecr:CreateRepository", REPOSITORY),
        ("ecr:CreateRepository", _repository(f"new-{rng.randrange(1000)}")),
        ("ecr-public:PutImage", f"arn:aws:ecr-public::{ACCOUNT}:repository/{NAME}"),
        ("ecr:PutRegistryPolicy", "*"),
        ("ecr:PutReplicationConfiguration", "*"),
        ("iam:AttachRolePolicy", admin),
        ("iam:PassRole", admin),
        ("sts:AssumeRole", admin),
        ("s3:GetObject", f"arn:aws:s3:::{NAME}-customers/{rng.randrange(1000)}.csv"),
        ("ecs:UpdateService", f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{NAME}/web"),
    ]


# -- the CI role --------------------------------------------------------------------------------------------


@check(points=1, evidence="behaviour", docs=DOCS + "IAM/latest/UserGuide/reference_policies_grammar.html")
def test_push_accepted(answer: Any) -> None:
    """IAM accepts push-policy.json"""
    _accepted(answer, PUSH_FILE)


@check(points=1, evidence="behaviour", docs=DOCS + "AmazonECR/latest/userguide/image-push-iam.html")
def test_push_login(ci: Role) -> None:
    """The CI role can log in to the registry"""
    _login(ci)


@check(points=2, evidence="behaviour", docs=DOCS + "AmazonECR/latest/userguide/image-push-iam.html")
def test_push_pushes(ci: Role) -> None:
    """The CI role can push to the repository"""
    ci.must(
        PUSH,
        REPOSITORY,
        t("all five calls of a push are allowed on {resource}", resource=REPOSITORY),
        t("a push asks which layers are there, begins, uploads and finishes each layer, and puts the image"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "IAM/latest/UserGuide/reference_policies_elements_resource.html")
def test_push_only_here(ci: Role, elsewhere: list[str]) -> None:
    """The CI role reaches no other repository"""
    ci.must_not(
        [(action, resource) for resource in elsewhere for action in (*UPLOAD, *PULL)],
        t("images are written and read in {resource} only", resource=REPOSITORY),
        t("whoever takes over the build can overwrite the images of that repository too"),
        t("a Resource without * and ? matches one repository"),
    )


@check(
    points=2, evidence="behaviour", docs=DOCS + "AmazonECR/latest/userguide/security_iam_id-based-policy-examples.html"
)
def test_push_nothing_more(ci: Role, rng: random.Random) -> None:
    """The CI role deletes and administers nothing, and calls no other service"""
    ci.must_not(
        _more(rng),
        t("nothing is deleted, no setting is changed, no other service is called"),
        t("the call succeeds: a build gone wrong, or taken over, does what only an administrator should"),
        t("name the actions that are needed, one by one"),
    )


# -- the task execution role --------------------------------------------------------------------------------


@check(points=1, evidence="behaviour", docs=DOCS + "IAM/latest/UserGuide/reference_policies_grammar.html")
def test_pull_accepted(answer: Any) -> None:
    """IAM accepts pull-policy.json"""
    _accepted(answer, PULL_FILE)


@check(points=1, evidence="behaviour", docs=DOCS + "AmazonECS/latest/developerguide/task_execution_IAM_role.html")
def test_pull_login(execution: Role) -> None:
    """The task execution role can log in to the registry"""
    _login(execution)


@check(points=2, evidence="behaviour", docs=DOCS + "AmazonECS/latest/developerguide/task_execution_IAM_role.html")
def test_pull_pulls(execution: Role) -> None:
    """The task execution role can pull from the repository"""
    execution.must(
        PULL,
        REPOSITORY,
        t("both calls of a pull are allowed on {resource}", resource=REPOSITORY),
        t("a pull reads the manifest and downloads each layer"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "IAM/latest/UserGuide/reference_policies_elements_resource.html")
def test_pull_only_here(execution: Role, elsewhere: list[str]) -> None:
    """The task execution role reaches no other repository"""
    execution.must_not(
        [(action, resource) for resource in elsewhere for action in (*PULL, *UPLOAD)],
        t("images are read in {resource} only", resource=REPOSITORY),
        t("a task definition with this role can start any image of the account"),
        t("a Resource without * and ? matches one repository"),
    )


@check(points=2, evidence="behaviour", docs=DOCS + "AmazonECS/latest/developerguide/task_execution_IAM_role.html")
def test_pull_nothing_more(execution: Role, rng: random.Random) -> None:
    """The task execution role pushes, deletes and administers nothing, and calls no other service"""
    execution.must_not(
        [*((action, REPOSITORY) for action in UPLOAD), *_more(rng)],
        t("the role reads images, and that is all"),
        t("the call succeeds: whatever starts tasks could also replace the image that they run"),
        t("name the actions that are needed, one by one"),
    )
