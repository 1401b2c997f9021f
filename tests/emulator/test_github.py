"""GitHub's tokens in the world, and STS that lets them in or not."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from fargrade.backends.embedded import EmbeddedWorld
from fargrade.given import roles
from fargrade.semantics.workflow import ISSUER, Repository, claims

SHOP = Repository("acme", "shop", 583231, 1296269)
TOKEN = claims(SHOP, "push", "refs/heads/main")


def trust(world: EmbeddedWorld, subject: str) -> dict[str, object]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{world.account}:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": subject}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def ask(world: EmbeddedWorld, bearer: str, audience: str = "sts.amazonaws.com") -> str:
    port = world.listen()
    try:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/_fargrade/github/token?audience={audience}",
            headers={"Authorization": f"bearer {bearer}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["value"])
    finally:
        world.close_listeners()


def code(world: EmbeddedWorld, role: str, token: str) -> str:
    """ "" where STS lets the token in, else the error's code."""
    try:
        world.client("sts").assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=token)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.fixture
def role(world: EmbeddedWorld) -> str:
    world.client("iam").create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    return roles.role(world, "deploy", trust(world, TOKEN["sub"]))


def test_a_token_of_the_repository_is_let_in(world: EmbeddedWorld, role: str) -> None:
    assert code(world, role, ask(world, world.control("github_job", claims=TOKEN))) == ""


def test_others_are_not(world: EmbeddedWorld, role: str) -> None:
    bearer = world.control("github_job", claims=claims(SHOP, "push", "refs/heads/feature"))
    assert code(world, role, ask(world, bearer)) == "AccessDenied"
    assert code(world, role, "e30.e30.e30") == "InvalidIdentityToken"
    assert code(world, role, ask(world, bearer, "https://github.com/acme")) == "InvalidIdentityToken"
    token = ask(world, world.control("github_job", claims=TOKEN))
    assert code(world, f"{role}x", token) == "AccessDenied"
    world.advance(600)
    assert code(world, role, token) == "ExpiredTokenException"


def test_without_a_provider_nobody_is(world: EmbeddedWorld) -> None:
    role = roles.role(world, "deploy", trust(world, TOKEN["sub"]))
    assert code(world, role, ask(world, world.control("github_job", claims=TOKEN))) == "InvalidIdentityToken"


def test_a_job_without_the_permission_gets_no_token(world: EmbeddedWorld) -> None:
    with pytest.raises(urllib.error.HTTPError):
        ask(world, "guessed")
