"""Stand-ins for the actions of a delivery workflow: what each would do to AWS and Docker is done to the world.

`python3 actions.py NAME`, run by a composite action; its inputs are JSON in $INPUTS. As on GitHub's runners an error is
said with `::error::`, and outputs and variables go into the files that the runner names.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

Inputs = dict[str, str]
ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
NOT_REGISTERED = (
    *("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt"),
    *("registeredBy", "deregisteredAt"),
)


def main() -> int:
    name = sys.argv[1]
    given = {str(key): str(value or "") for key, value in json.loads(os.environ.get("INPUTS") or "{}").items()}
    try:
        ACTIONS[name](given)
    except Failed as failed:
        print(f"::error::{failed}", flush=True)
        return 1
    return 0


class Failed(Exception):
    """The action fails with this message."""


def yes(value: str) -> bool:
    return value.strip().lower() == "true"


def run(*argv: str, given: str | None = None) -> str:
    """Run a program and return what it printed. Raises Failed."""
    ended = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    sys.stderr.write(ended.stderr)
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
        raise Failed(f"{argv[0]} {argv[1] if len(argv) > 1 else ''}: {last}")
    return ended.stdout


def aws(*argv: str) -> Any:
    said = run("aws", *argv, "--output", "json")
    return json.loads(said) if said.strip() else {}


def write(which: str, name: str, value: str) -> None:
    """Set an output, or a variable of the steps that follow."""
    mark = f"end-of-{name}"
    with open(os.environ[which], "a", encoding="utf-8") as file:
        file.write(f"{name}<<{mark}\n{value}\n{mark}\n")


def output(name: str, value: str) -> None:
    write("GITHUB_OUTPUT", name, value)


def checkout(given: Inputs) -> None:
    if os.environ.get("FARGRADE_CONTENTS") not in ("read", "write"):
        raise Failed(f"fatal: repository 'https://github.com/{os.environ.get('GITHUB_REPOSITORY')}/' not found")
    target = os.path.join(os.environ["GITHUB_WORKSPACE"], given.get("path") or ".")
    shutil.copytree(os.environ["FARGRADE_CHECKOUT"], target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))


def configure_aws_credentials(given: Inputs) -> None:
    region = given.get("aws-region", "")
    if not re.fullmatch(r"[a-z]{2}-[a-z-]+-\d", region):
        raise Failed(f"Input required and not supplied or invalid: aws-region {region}")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        write("GITHUB_ENV", name, region)
        os.environ[name] = region
    role = given.get("role-to-assume", "")
    if given.get("aws-access-key-id"):
        found = {"AccessKeyId": given["aws-access-key-id"], "SecretAccessKey": given.get("aws-secret-access-key", "")}
        if role:
            os.environ |= {"AWS_ACCESS_KEY_ID": found["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"]}
            found = aws("sts", "assume-role", "--role-arn", role, "--role-session-name", session_name(given))[
                "Credentials"
            ]
    elif role:
        found = by_oidc(role, given)
    else:
        raise Failed("Could not load credentials from any providers")
    for name, key in (
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
    ):
        if found.get(key):
            write("GITHUB_ENV", name, found[key])
            os.environ[name] = found[key]
    output("aws-account-id", aws("sts", "get-caller-identity")["Account"])


def session_name(given: Inputs) -> str:
    return given.get("role-session-name") or "GitHubActions"


def by_oidc(role: str, given: Inputs) -> dict[str, str]:
    """Credentials for the job's own token."""
    address, bearer = (os.environ.get(f"ACTIONS_ID_TOKEN_REQUEST_{what}") for what in ("URL", "TOKEN"))
    if not address or not bearer:
        raise Failed(
            "Credentials could not be loaded, please check your action inputs: Could not load credentials from any "
            "providers. It looks like you might be trying to authenticate with OIDC. Did you mean to set the "
            "`id-token` permission?"
        )
    audience = urllib.parse.quote(given.get("audience") or "sts.amazonaws.com")
    request = urllib.request.Request(f"{address}&audience={audience}", headers={"Authorization": f"bearer {bearer}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        token = json.load(answer)["value"]
    arguments = ["--role-arn", role, "--role-session-name", session_name(given), "--web-identity-token", token]
    try:
        made: dict[str, str] = aws("sts", "assume-role-with-web-identity", *arguments)["Credentials"]
    except Failed as failed:
        raise Failed(f"Could not assume role with OIDC: {str(failed).rpartition('operation: ')[2]}") from None
    return made


def ecr_login(given: Inputs) -> None:
    if given.get("registry-type") == "public":
        password = run("aws", "ecr-public", "get-login-password", "--region", "us-east-1").strip()
        registry = "public.ecr.aws"
    else:
        data = aws("ecr", "get-authorization-token")["authorizationData"][0]
        registry = data["proxyEndpoint"].removeprefix("https://")
        password = base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]
    run("docker", "login", "--username", "AWS", "--password-stdin", registry, given=password)
    output("registry", registry)


def docker_login(given: Inputs) -> None:
    registry, password, user = given.get("registry", ""), given.get("password", ""), given.get("username", "")
    found = ECR.search(registry)
    if found and not (user == "AWS" and password):
        user, password = "AWS", run("aws", "ecr", "get-login-password", "--region", found["region"]).strip()
    if not user or not password:
        raise Failed("Username and password required")
    run("docker", "login", "--username", user, "--password-stdin", registry, given=password)


def lines(value: str) -> list[str]:
    return [one.strip() for part in value.splitlines() for one in part.split(",") if one.strip()]


def build_push(given: Inputs) -> None:
    # Without a context the action builds from the repository itself, checked out or not.
    context = given.get("context") or os.environ["FARGRADE_CHECKOUT"]
    tags = lines(given.get("tags", ""))
    argv = ["docker", "build"]
    for option, value in (("--file", given.get("file", "")), ("--target", given.get("target", ""))):
        argv += [option, value] if value else []
    for option, values in (
        ("--tag", tags),
        ("--platform", [given["platforms"]] if given.get("platforms") else []),
        ("--build-arg", given.get("build-args", "").splitlines()),
        ("--label", given.get("labels", "").splitlines()),
    ):
        argv += [part for value in values if value.strip() for part in (option, value.strip())]
    run(*argv, context)
    if not yes(given.get("push", "")):
        return
    if not tags:
        raise Failed("tag is needed when pushing to registry")
    digest = ""
    for tag in tags:
        found = re.search(r"digest: (sha256:[0-9a-f]{64})", run("docker", "push", tag))
        digest = found[1] if found else digest
    output("digest", digest)


def render(given: Inputs) -> None:
    definition = task_definition(given)
    wanted, container = given.get("container-name", ""), None
    for one in definition.get("containerDefinitions") or ():
        if one.get("name") == wanted:
            container = one
    if container is None:
        raise Failed("Invalid task definition: Could not find container definition with matching name")
    container["image"] = given.get("image", "")
    variables = [one.partition("=") for one in given.get("environment-variables", "").splitlines() if "=" in one]
    for name, _, value in variables:
        kept = [one for one in container.get("environment", []) if one.get("name") != name.strip()]
        container["environment"] = [*kept, {"name": name.strip(), "value": value.strip()}]
    folder = os.environ.get("RUNNER_TEMP") or tempfile.gettempdir()
    os.makedirs(folder, exist_ok=True)
    handle, path = tempfile.mkstemp(prefix="task-definition-", suffix=".json", dir=folder)
    with open(handle, "w", encoding="utf-8") as file:
        json.dump(definition, file)
    output("task-definition", path)


def task_definition(given: Inputs) -> dict[str, Any]:
    """The task definition that an action is given: a file of the repository, or one that ECS holds."""
    for key in ("task-definition-arn", "task-definition-family"):
        if given.get(key):
            reference = given[key]
            if key == "task-definition-family" and given.get("task-definition-revision"):
                reference += f":{given['task-definition-revision']}"
            described = aws("ecs", "describe-task-definition", "--task-definition", reference)
            held: dict[str, Any] = described["taskDefinition"]
            return held
    path = os.path.join(os.environ["GITHUB_WORKSPACE"], given.get("task-definition", ""))
    try:
        with open(path, encoding="utf-8") as file:
            read = json.load(file)
    except FileNotFoundError:
        raise Failed(f"Task definition file does not exist: {given.get('task-definition')}") from None
    except (OSError, ValueError) as error:
        raise Failed(f"Task definition file cannot be read: {error}") from None
    if not isinstance(read, dict):
        raise Failed("Invalid task definition format: containerDefinitions section is not present or is not an array")
    return read


def deploy(given: Inputs) -> None:
    definition = {key: one for key, one in task_definition(given).items() if key not in NOT_REGISTERED and one}
    made = aws("ecs", "register-task-definition", "--cli-input-json", json.dumps(definition))["taskDefinition"]
    output("task-definition-arn", made["taskDefinitionArn"])
    if not given.get("service"):
        return
    where = ["--cluster", given.get("cluster") or "default"]
    found = aws("ecs", "describe-services", *where, "--services", given["service"])
    if found.get("failures"):
        raise Failed(f"{found['failures'][0].get('arn')} is {found['failures'][0].get('reason')}")
    if found["services"][0]["status"] != "ACTIVE":
        raise Failed(f"Service is {found['services'][0]['status']}")
    controller = (found["services"][0].get("deploymentController") or {}).get("type", "ECS")
    if controller != "ECS":
        raise Failed(f"Unsupported deployment controller: {controller}")
    argv = [*where, "--service", given["service"], "--task-definition", made["taskDefinitionArn"]]
    if given.get("desired-count"):
        argv += ["--desired-count", given["desired-count"]]
    if yes(given.get("force-new-deployment", "")):
        argv.append("--force-new-deployment")
    aws("ecs", "update-service", *argv)
    if yes(given.get("wait-for-service-stability", "")):
        run("aws", "ecs", "wait", "services-stable", *where, "--services", given["service"])


def metadata(given: Inputs) -> None:
    """Tags by docker/metadata-action's rules, as far as a push to a branch needs them: sha, raw, ref."""
    branch = re.sub(r"[^\w.-]+", "-", os.environ.get("GITHUB_REF_NAME", ""))
    commit = os.environ.get("GITHUB_SHA", "")
    names = []
    for rule in given.get("tags", "").splitlines() or ["type=ref,event=branch"]:
        parts = dict(one.strip().partition("=")[::2] for one in rule.split(",") if one.strip())
        if not parts:
            continue
        kind = parts.get("type", "raw" if "value" in parts else "")
        if kind == "sha":
            short = commit if parts.get("format") == "long" else commit[:7]
            names.append(parts.get("prefix", "sha-") + short + parts.get("suffix", ""))
        elif kind == "raw":
            names.append(parts.get("value", ""))
        elif kind == "ref":
            names += [branch] if parts.get("event") == "branch" else []
        else:
            raise Failed(f"Unknown tag type attribute: {kind}")
    images = lines(given.get("images", ""))
    output("tags", "\n".join(f"{image}:{name}" for image in images for name in names if name))
    output("version", names[0] if names else "")
    output("labels", f"org.opencontainers.image.revision={commit}")


def nothing(given: Inputs) -> None:
    """What it would do needs no doing here."""
    del given


ACTIONS: dict[str, Callable[[Inputs], None]] = {
    "actions/checkout": checkout,
    "actions/cache": nothing,
    "actions/setup-python": nothing,
    "docker/setup-buildx-action": nothing,
    "docker/setup-qemu-action": nothing,
    "docker/login-action": docker_login,
    "docker/metadata-action": metadata,
    "docker/build-push-action": build_push,
    "aws-actions/configure-aws-credentials": configure_aws_credentials,
    "aws-actions/amazon-ecr-login": ecr_login,
    "aws-actions/amazon-ecs-render-task-definition": render,
    "aws-actions/amazon-ecs-deploy-task-definition": deploy,
}


if __name__ == "__main__":
    sys.exit(main())
