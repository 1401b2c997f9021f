"""Workflows as GitHub reads them: events, permissions, tokens and the trust of an AWS role."""

from __future__ import annotations

import json

import pytest

from fargrade.semantics.iam import parse_policy
from fargrade.semantics.workflow import (
    ISSUER,
    Event,
    Repository,
    WorkflowError,
    claims,
    parse,
    rendered,
    subjects,
    triggered,
    trusted,
)
from fargrade.semantics.workflow.triggers import matches

SHOP = Repository("acme", "shop", 583231, 1296269)
MAIN = "refs/heads/main"
TEXT = """
on:
  push: {branches: [main, "release/**", "!release/old"]}
permissions: {contents: read}
jobs:
  test: {runs-on: ubuntu-latest, steps: [{run: make}]}
  deploy:
    needs: test
    runs-on: ubuntu-latest
    environment: {name: production}
    permissions: {id-token: write, contents: read}
    steps: [{uses: actions/checkout@v4}, {run: make}]
"""


def test_a_workflow_is_read() -> None:
    workflow = parse(TEXT)
    assert list(workflow.events) == ["push"]
    assert workflow.jobs["test"].permissions == {"contents": "read"}
    deploy = workflow.jobs["deploy"]
    assert (deploy.needs, deploy.environment, deploy.uses) == (("test",), "production", ("actions/checkout@v4",))
    assert deploy.permissions["id-token"] == "write"
    again = parse(rendered(workflow, {"deploy": {"TOKEN": "yes"}}))
    assert again.jobs["deploy"].raw["env"] == {"TOKEN": "yes"}
    assert again.events == workflow.events


@pytest.mark.parametrize(
    "wrong", ["", "on: push", "on: push\njobs: {a: {needs: b, steps: []}}", "jobs: {a: {steps: []}}", "on: [\n", "a"]
)
def test_what_github_does_not_run(wrong: str) -> None:
    with pytest.raises(WorkflowError):
        parse(wrong)


def test_permissions_come_from_whoever_says_so() -> None:
    def of(text: str) -> dict[str, str]:
        return dict(parse(f"on: push\n{text}\njobs: {{a: {{steps: []}}}}").jobs["a"].permissions)

    assert "id-token" not in of("")
    assert of("permissions: write-all")["id-token"] == "write"
    assert "id-token" not in of("permissions: read-all")
    assert of("permissions: {}") == {}


@pytest.mark.parametrize(
    ("event", "starts"),
    [
        (Event("push", MAIN), True),
        (Event("push", "refs/heads/release/1/2"), True),
        (Event("push", "refs/heads/release/old"), False),
        (Event("push", "refs/heads/feature"), False),
        (Event("push", "refs/tags/v1"), False),
        (Event("pull_request", MAIN), False),
        (Event("workflow_dispatch", MAIN), False),
    ],
)
def test_what_starts_it(event: Event, starts: bool) -> None:
    assert triggered(parse(TEXT), event) == starts


def test_other_filters() -> None:
    def starts(filters: str, event: Event) -> bool:
        return triggered(parse(f"on: {{push: {filters}}}\njobs: {{a: {{steps: []}}}}"), event)

    assert starts("", Event("push", "refs/heads/x"))
    assert starts("", Event("push", "refs/tags/v1"))
    assert not starts("{tags: ['v*']}", Event("push", MAIN))
    assert starts("{branches-ignore: [dev]}", Event("push", MAIN))
    assert not starts("{paths: ['app/**']}", Event("push", MAIN, ("README.md",)))
    assert starts("{paths-ignore: ['*.md']}", Event("push", MAIN, ("README.md", "app.py")))


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        ("feature/*", "feature/a", True),
        ("feature/*", "feature/a/b", False),
        ("**", "a/b", True),
        ("v[12].[0-9]+", "v1.10", True),
        ("v[12].[0-9]+", "v3.1", False),
        ("*.jsx?", "page.js", True),
        ("*", "a/b", False),
        ("a" + "*?" * 200, "a" * 200 + "/", False),
    ],
)
def test_patterns(pattern: str, name: str, found: bool) -> None:
    assert matches(pattern, name) == found


def test_subjects() -> None:
    assert subjects(SHOP, "push", MAIN) == (
        "repo:acme/shop:ref:refs/heads/main",
        "repo:acme@583231/shop@1296269:ref:refs/heads/main",
    )
    assert subjects(SHOP, "push", MAIN, "production")[0] == "repo:acme/shop:environment:production"
    assert subjects(SHOP, "pull_request", MAIN)[0] == "repo:acme/shop:pull_request"


@pytest.mark.parametrize(
    ("condition", "ours", "branch", "fork"),
    [
        ({"StringEquals": {"sub": "repo:acme/shop:ref:refs/heads/main"}}, True, False, False),
        ({"StringLike": {"sub": "repo:acme/shop:*"}}, True, True, False),
        ({"StringLike": {"sub": "repo:*"}}, True, True, True),
        ({"StringEquals": {"sub": "repo:acme/shop:*"}}, False, False, False),
        ({"StringEquals": {"aud": "sts.amazonaws.com"}, "StringLike": {"sub": "repo:*"}}, True, True, True),
        (
            {"StringEquals": {"repository_id": "1296269", "ref": MAIN}, "StringLike": {"sub": "repo:acme*"}},
            True,
            False,
            False,
        ),
    ],
)
def test_trust(condition: dict[str, dict[str, str]], ours: bool, branch: bool, fork: bool) -> None:
    account = "111122223333"
    written = {kind: {f"{ISSUER}:{key}": one for key, one in keys.items()} for kind, keys in condition.items()}
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{ISSUER}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": written,
            }
        ],
    }
    trust = parse_policy(json.dumps(document), "trust")
    mallory = Repository("mallory", "shop", 1, 2)

    def lets_in(token: dict[str, str]) -> bool:
        return trusted(trust, f"arn:aws:iam::{account}:role/deploy", account, token).allowed

    assert lets_in(claims(SHOP, "push", MAIN)) == ours
    assert lets_in(claims(SHOP, "push", "refs/heads/x")) == branch
    assert lets_in(claims(mallory, "push", MAIN)) == fork
