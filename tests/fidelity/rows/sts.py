"""STS: who may assume what."""

from __future__ import annotations

from tests.fidelity.rows.iam import PROVIDER, trust
from tests.fidelity.table import Service

sts, iam, world = Service("sts"), Service("iam"), Service("world")
API = "https://docs.aws.amazon.com/STS/latest/APIReference/API_{}.html"
ASSUME, WEB = API.format("AssumeRole"), API.format("AssumeRoleWithWebIdentity")
GITHUB = "https://token.actions.githubusercontent.com"


def made(document: str) -> object:
    return iam.step("CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": document}, saves={"role": "Role.Arn"})


OURS = made(trust({"AWS": "<account>"}))
TASKS = made(trust())
PARTNER = made(trust({"AWS": "<account>"}, Condition={"StringEquals": {"sts:ExternalId": "42"}}))
CI = made(
    trust(
        {"Federated": "arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com"},
        "sts:AssumeRoleWithWebIdentity",
        Condition={"StringLike": {"token.actions.githubusercontent.com:sub": "repo:shop/web:*"}},
    )
)
ME = {"RoleArn": "<role>", "RoleSessionName": "me"}


def token(subject: str, audience: str = "sts.amazonaws.com") -> dict[str, str]:
    return {"issuer": GITHUB, "subject": subject, "audience": audience}


ROWS = [
    sts.accepts("GetCallerIdentity", {}, "who am I", shows={"Account": "<account>"},
                source=API.format("GetCallerIdentity")),
    sts.accepts("AssumeRole", ME, "a role that trusts the account", given=[OURS],
                shows={"AssumedRoleUser.Arn": "arn:aws:sts::<account>:assumed-role/r/me"}, source=ASSUME),
    sts.refuses("AssumeRole", ME, "AccessDenied", "a role that trusts ECS only", given=[TASKS],
                says="is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::", source=ASSUME),
    sts.refuses("AssumeRole", {**ME, "RoleArn": "arn:aws:iam::<account>:role/none"}, "AccessDenied",
                "a role that is not there", source=ASSUME),
    sts.refuses("AssumeRole", {**ME, "RoleArn": "not-the-arn-of-a-role"}, "ValidationError", "what is no role's ARN",
                says="is invalid", source=ASSUME),
    sts.refuses("AssumeRole", {**ME, "DurationSeconds": 7200}, "ValidationError", "a session longer than the role's",
                given=[OURS], says="MaxSessionDuration", source=ASSUME),
    sts.refuses("AssumeRole", {**ME, "DurationSeconds": 60}, "ValidationError", "a session of a minute",
                given=[OURS], source=ASSUME),
    sts.refuses("AssumeRole", {**ME, "RoleSessionName": "my session"}, "ValidationError",
                "a session's name with a space", given=[OURS], source=ASSUME),
    sts.refuses("AssumeRole", {**ME, "Policy": "{"}, "MalformedPolicyDocument", "a session policy that is none",
                given=[OURS], source=ASSUME),
    sts.refuses("AssumeRole", ME, "AccessDenied", "a role that wants an external id, without it", given=[PARTNER],
                source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"),
    sts.accepts("AssumeRole", {**ME, "ExternalId": "42"}, "a role that wants an external id, with it", given=[PARTNER],
                source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"),
    sts.refuses("AssumeRoleWithWebIdentity", {**ME, "WebIdentityToken": "nonsense"}, "InvalidIdentityToken",
                "a token that is none", given=[PROVIDER, CI], source=WEB),
    sts.refuses(
        "AssumeRoleWithWebIdentity", {**ME, "WebIdentityToken": "<token>"}, "InvalidIdentityToken",
        "a token of a provider that the account does not have",
        given=[CI, world.step("identity_token", token("repo:shop/web:ref:refs/heads/main"), saves={"token": "@"})],
        says="No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com",
        source="observed: https://github.com/aws-actions/configure-aws-credentials/issues/280",
    ),
    sts.refuses(
        "AssumeRoleWithWebIdentity", {**ME, "WebIdentityToken": "<token>"}, "InvalidIdentityToken",
        "a token for another audience",
        given=[PROVIDER, CI,
               world.step("identity_token", token("repo:shop/web:ref:x", "sigstore"), saves={"token": "@"})],
        says="Incorrect token audience",
        source="observed: https://github.com/aws-actions/configure-aws-credentials/issues/775",
    ),
    sts.refuses(
        "AssumeRoleWithWebIdentity", {**ME, "WebIdentityToken": "<token>"}, "AccessDenied",
        "a token of another repository",
        given=[PROVIDER, CI, world.step("identity_token", token("repo:evil/web:ref:x"), saves={"token": "@"})],
        says="Not authorized to perform sts:AssumeRoleWithWebIdentity", source=WEB,
    ),
    sts.refuses(
        "AssumeRoleWithWebIdentity", {**ME, "WebIdentityToken": "<token>"}, "ExpiredTokenException",
        "a token that has expired",
        given=[PROVIDER, CI, world.step("identity_token", token("repo:shop/web:ref:x"), saves={"token": "@"}),
               world.step("advance", {"seconds": 600})],
        source=WEB,
    ),
    sts.accepts(
        "AssumeRoleWithWebIdentity", {**ME, "WebIdentityToken": "<token>"}, "a token of the repository",
        given=[PROVIDER, CI, world.step("identity_token", token("repo:shop/web:ref:x"), saves={"token": "@"})],
        shows={"SubjectFromWebIdentityToken": "repo:shop/web:ref:x"}, source=WEB,
    ),
]  # fmt: skip
