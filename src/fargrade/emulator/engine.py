"""The docker engine in the world: what the learner's `docker` asks for is done, and recorded, here.

Evidence lies with this side: the store of images, the logins that were tried against tokens the world really
issued, and the pushes into the world's ECR. Who forges a request to it has done no more than run docker.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from fargrade.containers.building import BuildFailed
from fargrade.containers.finding import NoEngine
from fargrade.emulator import ecr, ecr_public, roles, rules
from fargrade.emulator.docker_commands import Arguments, UsageProblem, arguments
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op, learner_route, on_reset
from fargrade.emulator.images import image_manifest
from fargrade.emulator.real_engine import RealEngine, real_engine
from fargrade.semantics.dockerfile import Build, DockerfileError, build, sent
from fargrade.semantics.iam import Request, access_denied

ROUTE = "/_fargrade/engine"
# What a push takes: docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
PUSHING = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
MAX_LOG = 500
MAX_IMAGES = 200
MAX_HELD = 1000
PRIVATE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com")
REFERENCE = re.compile(
    r"(?:(?P<host>[a-z0-9.-]+(?:\.[a-z0-9.-]+|:\d+)+|localhost)/)?(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>\w[\w.-]{0,127}))?"
)


@dataclass
class Engine:
    """One engine: images by reference, logins by host, and the log."""

    images: dict[str, str] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=dict)
    running: bool = True
    log: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Came:
    """What a command came to: exit status, output, and what the log says of it."""

    exit: int
    stdout: str = ""
    stderr: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


_engine = Engine()


@on_reset
def _new() -> None:
    global _engine
    _engine = Engine()


@control_op("docker_log")
def docker_log() -> list[dict[str, Any]]:
    """What was asked of the engine, in order: command, exit status and detail of each.

    A build's `holds` are the SHA-256 of the files that its image holds.
    """
    return _engine.log


@control_op("docker_daemon")
def docker_daemon(*, running: bool, fresh: bool = False) -> None:
    """Start or stop the engine; `fresh`, on a machine that holds no image and no login.

    A CodeBuild build runs on such a machine, and without privileged mode has no engine at all.
    """
    _engine.running = running
    if fresh:
        _engine.images.clear()
        _engine.logins.clear()


@learner_route(ROUTE)
def asked(body: bytes) -> tuple[int, bytes]:
    """One command of the learner's `docker`: JSON with argv, stdin and files (base64), out comes JSON."""
    try:
        request = json.loads(body)
        argv = [str(word) for word in request["argv"]]
        stdin = str(request.get("stdin", ""))
        files = {str(name): base64.b64decode(content) for name, content in dict(request.get("files", {})).items()}
        folder = str(request.get("context", "."))
    except (ValueError, KeyError, TypeError, RecursionError):
        return 400, b'{"exit": 125, "stderr": "docker: the engine cannot read this request"}'
    came = _run(argv, stdin, files, folder)
    return 200, json.dumps({"exit": came.exit, "stdout": came.stdout, "stderr": came.stderr}).encode()


def _run(argv: list[str], stdin: str, files: dict[str, bytes], folder: str) -> Came:
    try:
        given = arguments(argv)
        came = COMMANDS[given.command](given, stdin, files, folder) if _engine.running else _no_daemon()
    except UsageProblem as problem:
        came = Came(problem.exit, "", f"{problem}\n")
        given = Arguments(" ".join(argv[:1]) or "?")
    if len(_engine.log) < MAX_LOG:
        _engine.log.append(
            {
                "n": len(_engine.log) + 1,
                "command": given.command,
                "exit": came.exit,
                "error": came.stderr[:500],
                **came.detail,
            }
        )
    return came


def _no_daemon() -> Came:
    return Came(
        1,
        "",
        "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
    )


def _login(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    del files, folder
    host = given.words[0].removeprefix("https://").split("/")[0] if given.words else "docker.io"
    from_stdin = "password-stdin" in given.flags
    password = stdin.strip() if from_stdin else given.value("password")
    detail = {"registry": host, "password": "stdin" if from_stdin else "argument" if password else "none"}
    if not password or not given.value("username"):
        return Came(1, "", "Error: Cannot perform an interactive login from a non TTY device\n", detail)
    if given.value("username") != "AWS" or ecr.token_registry(password) != host:
        return Came(
            1,
            "",
            f"Error response from daemon: login attempt to https://{host}/v2/ failed with status: 400 Bad Request\n",
            detail,
        )
    if (real := real_engine()) and (refused := real.login(password)):
        return Came(1, "", f"Error response from daemon: {refused}\n", detail)
    _engine.logins[host] = password
    warning = "" if from_stdin else "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n"
    return Came(0, "Login Succeeded\n", warning, detail)


def _logout(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    del stdin, files, folder
    host = given.words[0] if given.words else "docker.io"
    _engine.logins.pop(host, None)
    return Came(0, f"Removing login credentials for {host}\n", "", {"registry": host})


def _build(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    tags = given.values("tag")
    name = given.value("file")
    dockerfile = stdin if name == "-" else _decoded(files.get(_below(name, folder) if name else "Dockerfile"))
    detail: dict[str, Any] = {"tags": tags}
    if dockerfile is None:
        return Came(1, "", "ERROR: failed to read dockerfile: open Dockerfile: no such file or directory\n", detail)
    for tag in tags:
        if not REFERENCE.fullmatch(tag):
            return Came(1, "", f'ERROR: invalid tag "{tag}": invalid reference format\n', detail)
    try:
        made = build(
            dockerfile,
            sent(files, _decoded(files.get(".dockerignore")) or ""),
            given.value("platform") or "linux/amd64",
        )
    except DockerfileError as error:
        return Came(1, "", f"ERROR: failed to solve: {error}\n", detail)
    content = hashlib.sha256(dockerfile.encode())
    holds = {origin: hashlib.sha256(files[origin]) for origin in set(made.image.files.values())}
    for path, origin in sorted(made.image.files.items()):
        content.update(path.encode() + b"\0" + holds[origin].digest())
    for pair in sorted(
        given.values("build-arg") + given.values("label") + given.values("platform") + given.values("target")
    ):
        content.update(pair.encode())
    identity = "sha256:" + content.hexdigest()
    detail["image"] = identity
    context = {**files, "Dockerfile": stdin.encode()} if name == "-" else files
    if failed := _really_build(identity, context, given, made, folder):
        detail["unreal" if isinstance(failed, NoEngine) else "really"] = str(failed)
        if not isinstance(failed, NoEngine):
            return Came(1, "", f"ERROR: failed to solve: {failed}\n", detail)
    detail["holds"] = sorted(one.hexdigest() for one in holds.values())[:MAX_HELD]
    for tag in tags[:MAX_IMAGES]:
        _engine.images[_with_tag(tag)] = identity
    _engine.images[identity] = identity
    quiet = "quiet" in given.flags
    output, said = (
        (f"{identity}\n", "")
        if quiet
        else ("", f"#1 [internal] load build definition\n#2 naming to {', '.join(tags)} done\n")
    )
    if "push" in given.flags:
        for tag in tags:
            pushed = _push_one(_with_tag(tag))
            _engine.log.append(
                {
                    "n": len(_engine.log) + 1,
                    "command": "push",
                    "exit": pushed.exit,
                    "error": pushed.stderr,
                    **pushed.detail,
                }
            )
            if pushed.exit:
                return Came(pushed.exit, output, said + pushed.stderr, detail)
    return Came(0, output, said, detail)


def _really_build(
    identity: str, files: dict[str, bytes], given: Arguments, made: Build, folder: str
) -> Exception | None:
    """Have the real engine, where it is on, build it, too: why that failed."""
    real = real_engine()
    if real is None:
        return None
    name = given.value("file")
    options = [part for pair in given.values("build-arg") for part in ("--build-arg", pair)]
    options += [part for stage in given.values("target")[-1:] for part in ("--target", stage)]
    where = _below(name, folder) if name not in ("", "-") else "Dockerfile"
    try:
        real.build(identity, files, made.bases, dockerfile=where, options=options)
    except (BuildFailed, NoEngine) as failed:
        return failed
    return None


def _below(name: str, folder: str) -> str:
    """The Dockerfile's path below the context: docker takes it from the current folder."""
    return name.removeprefix("./").removeprefix(folder.removeprefix("./").rstrip("/") + "/")


def _decoded(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")


def _with_tag(reference: str) -> str:
    found = REFERENCE.fullmatch(reference)
    return reference if found is None or found["tag"] else f"{reference}:latest"


def _known(name: str) -> str | None:
    if name.startswith("sha256:") or re.fullmatch(r"[0-9a-f]{12,64}", name):
        wanted = name.removeprefix("sha256:")
        return next((one for one in _engine.images.values() if one.removeprefix("sha256:").startswith(wanted)), None)
    return _engine.images.get(_with_tag(name))


def _tag(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    del stdin, files, folder
    if len(given.words) != 2:
        raise UsageProblem("docker: 'docker tag' requires 2 arguments")
    source, target = given.words
    identity = _known(source)
    detail = {"source": source, "target": target, "image": identity}
    if identity is None:
        return Came(1, "", f"Error response from daemon: No such image: {_with_tag(source)}\n", detail)
    if not REFERENCE.fullmatch(target):
        return Came(
            1,
            "",
            f'Error parsing reference: "{target}" is not a valid repository/tag: invalid reference format\n',
            detail,
        )
    _engine.images[_with_tag(target)] = identity
    return Came(0, "", "", detail)


def _push(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    del stdin, files, folder
    if len(given.words) != 1:
        raise UsageProblem("docker: 'docker push' requires 1 argument")
    if "all-tags" in given.flags:
        names = [name for name in _engine.images if name.rpartition(":")[0] == given.words[0]]
        came = [_push_one(name) for name in names]
        return next(
            (one for one in came if one.exit), came[0] if came else Came(1, "", "An image does not exist locally\n")
        )
    return _push_one(_with_tag(given.words[0]))


def _push_one(reference: str) -> Came:
    found = REFERENCE.fullmatch(reference)
    identity = _engine.images.get(reference)
    detail: dict[str, Any] = {"reference": reference, "image": identity}
    if found is None or identity is None:
        return Came(1, "", f"An image does not exist locally with the tag: {reference.rpartition(':')[0]}\n", detail)
    host = found["host"] or "docker.io"
    said = f"The push refers to repository [{host}/{found['name']}]\n"
    place = PRIVATE.fullmatch(host)
    if place is None or place[1] != rules.account():
        reason = (
            "denied: requested access to the resource is denied"
            if not place and host != ecr_public.HOST
            else "no basic auth credentials"
        )
        return Came(1, said, reason + "\n", detail)
    if ecr.token_registry(_engine.logins.get(host, "")) != host:
        return Came(1, said, "no basic auth credentials\n", detail)
    try:
        if not ecr.creation_templates.comes_on_push(place[2], found["name"]):
            ecr.repository(place[2], found["name"])  # which says that there is none
        _refuse_to_push(_engine.logins[host], place[2], found["name"])
        held = ecr.creation_templates.pushed_to(place[2], found["name"])
        if real := real_engine():
            return _really_push(real, identity, found, place[2], said, detail)
        manifest = image_manifest(held, identity, 30_000_000, "amd64")
        image = ecr.store_image(held, manifest, found["tag"])
        ecr.scan_on_push(place[2], held, image)
        digest = image.get_image_digest()
    except Refused as refused:
        if refused.code == "ImageAlreadyExistsException":
            digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
        else:
            prefix = {"RepositoryNotFoundException": "name unknown", "ImageTagAlreadyExistsException": "tag invalid"}
            return Came(1, said, f"{prefix.get(refused.code, 'denied')}: {refused.message}\n", detail)
    return Came(0, f"{said}{found['tag']}: digest: {digest} size: 1234\n", "", {**detail, "digest": digest})


def _really_push(
    real: RealEngine, identity: str, found: re.Match[str], region: str, said: str, detail: dict[str, Any]
) -> Came:
    """Push through the real engine: what arrives in the registry is in the world by its true digest."""
    tag = found["tag"]
    try:
        digest, problem = real.push(identity, region, found["name"], tag, _engine.logins[found["host"]])
    except NoEngine as lacking:
        return Came(1, said, f"{lacking}\n", {**detail, "unreal": str(lacking)})
    if problem:
        return Came(1, said, f"{problem}\n", detail)
    return Came(0, f"{said}{tag}: digest: {digest} size: 1234\n", "", {**detail, "digest": digest, "really": True})


def _refuse_to_push(password: str, region: str, name: str) -> None:
    """Raises Refused where who logged in may not push: the registry asks ECR for each step of it."""
    owner = ecr.token_owner(password)
    if owner is None or not owner.decided_by:
        return
    arn = f"arn:aws:ecr:{region}:{rules.account()}:repository/{name}"
    for action in PUSHING:
        decision = roles.allowed(
            owner.decided_by, action, arn, region=region, session=owner.policies, session_name=owner.session_name
        )
        if not decision.allowed:
            said = access_denied(Request(owner.arn, action, arn), decision).removeprefix("AccessDeniedException: ")
            raise Refused("AccessDeniedException", said)


def _images(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    del stdin, files, folder
    rows = [(name, identity) for name, identity in _engine.images.items() if not name.startswith("sha256:")]
    if given.words:
        rows = [row for row in rows if row[0].startswith(given.words[0])]
    if "quiet" in given.flags:
        return Came(0, "".join(f"{identity.removeprefix('sha256:')[:12]}\n" for _, identity in rows))
    table = ["REPOSITORY TAG IMAGE ID", *(f"{n.rpartition(':')[0]} {n.rpartition(':')[2]} {i[7:19]}" for n, i in rows)]
    return Came(0, "\n".join(table) + "\n")


def _inspect(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    del stdin, files, folder
    identity = _known(given.words[0]) if given.words else None
    if identity is None:
        return Came(1, "[]\n", f"Error: No such object: {' '.join(given.words)}\n")
    wanted = given.value("format").replace(" ", "")
    if wanted in ("{{.Id}}", "{{.ID}}"):
        return Came(0, f"{identity}\n")
    if wanted:
        raise UsageProblem(f"docker: the course's docker knows the format {{{{.Id}}}}, not {given.value('format')}")
    tags = [name for name, one in _engine.images.items() if one == identity and not name.startswith("sha256:")]
    return Came(
        0, json.dumps([{"Id": identity, "RepoTags": tags, "Architecture": "amd64", "Os": "linux"}], indent=1) + "\n"
    )


def _rmi(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    del stdin, files, folder
    for name in given.words:
        if _engine.images.pop(_with_tag(name), None) is None:
            return Came(1, "", f"Error response from daemon: No such image: {name}\n")
    return Came(0, "".join(f"Untagged: {name}\n" for name in given.words))


def _version(given: Arguments, stdin: str, files: dict[str, bytes], folder: str) -> Came:
    del given, stdin, files, folder
    return Came(0, "Docker version 28.2.2 (the course's own engine)\n")


COMMANDS = {
    "login": _login,
    "logout": _logout,
    "build": _build,
    "tag": _tag,
    "push": _push,
    "images": _images,
    "inspect": _inspect,
    "rmi": _rmi,
    "version": _version,
}
