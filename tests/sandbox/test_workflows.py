"""A workflow run by act in the sandbox, with stand-ins for the actions of a delivery."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import roles
from fargrade.plugin.workflows import Run, Workflows, act_binary
from fargrade.sandbox import open_sandbox
from fargrade.semantics.workflow import ISSUER, Repository, parse

SHOP = Repository("acme", "shop", 583231, 1296269)
COMMIT = "4f1c" * 10
TEXT = """
on: {push: {branches: [main]}}
permissions: {id-token: write, contents: read}
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: aws-actions/configure-aws-credentials@v4
        with: {role-to-assume: "${{ vars.ROLE }}", aws-region: us-east-1}
      - uses: aws-actions/amazon-ecr-login@v2
        id: ecr
      - uses: docker/build-push-action@v6
        with: {context: ., push: true, tags: "${{ steps.ecr.outputs.registry }}/shop:${{ github.sha }}"}
"""


@pytest.fixture(scope="module")
def workflows() -> Iterator[Workflows]:
    world = EmbeddedWorld.start(["iam", "sts", "ecr"])
    world.reset(7)
    sandbox = open_sandbox(world.listen)
    if not act_binary(confined=sandbox.confinement.confined):
        pytest.skip("act is not installed")
    world.client("iam").create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    subject = {"StringEquals": {f"{ISSUER}:sub": "repo:acme/shop:ref:refs/heads/main"}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{world.account}:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": subject,
    }
    rights = [{"Action": "ecr:*", "Resource": "*"}]
    roles.role(world, "deploy", {"Version": "2012-10-17", "Statement": [statement]}, statements=rights)
    world.client("ecr").create_repository(repositoryName="shop")
    made = Workflows(sandbox, world)
    made.world = world  # type: ignore[attr-defined]
    yield made
    sandbox.close()
    world.close()


def push(workflows: Workflows, text: str = TEXT, ref: str = "refs/heads/main", *, with_ids: bool = False) -> Run:
    world = workflows._world
    files = {"Dockerfile": b"FROM python:3.12-slim\nCOPY a.py .\n", "a.py": b"1"}
    role = {"ROLE": f"arn:aws:iam::{world.account}:role/deploy"}
    return workflows.push(parse(text), files, SHOP, ref=ref, commit=COMMIT, variables=role, with_ids=with_ids)


def test_a_push_builds_and_pushes(workflows: Workflows) -> None:
    run = push(workflows)
    assert run.succeeded, run.sentence()
    images = workflows._world.client("ecr").describe_images(repositoryName="shop")["imageDetails"]
    assert [one["imageTags"] for one in images] == [[COMMIT]]


def test_tags_by_rules(workflows: Workflows) -> None:
    meta = """      - uses: docker/metadata-action@v5
        id: meta
        with:
          images: ${{ steps.ecr.outputs.registry }}/shop
          tags: |
            type=sha,prefix=,format=short
            type=raw,value=stable
      - uses: docker/build-push-action@v6
        with: {context: ., push: true, tags: "${{ steps.meta.outputs.tags }}"}
"""
    run = push(workflows, TEXT[: TEXT.index("      - uses: docker/build-push")] + meta)
    assert run.succeeded, run.sentence()
    images = workflows._world.client("ecr").describe_images(repositoryName="shop")["imageDetails"]
    assert {COMMIT[:7], "stable"} <= {tag for one in images for tag in one["imageTags"]}


def test_another_branch_starts_nothing(workflows: Workflows) -> None:
    assert not push(workflows, ref="refs/heads/feature").started


@pytest.mark.parametrize(
    ("text", "with_ids", "said"),
    [
        (TEXT, True, "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        (TEXT.replace("id-token: write, ", ""), False, "set the `id-token` permission"),
        (TEXT.replace("contents: read", ""), False, "not found"),
        (TEXT.replace("- uses: actions/checkout@v4", "- run: 'true'"), False, "failed to read dockerfile"),
    ],
)
def test_what_github_would_fail_fails(workflows: Workflows, text: str, with_ids: bool, said: str) -> None:
    run = push(workflows, text, with_ids=with_ids)
    assert not run.succeeded
    assert said in run.sentence()
