"""1.3 image: given the app and what lies about it, the learner's Dockerfile must make an image that is fit to run."""

import posixpath
import re
import shlex

import pytest

from fargrade.grading import check, expect, fail, not_judged, t
from fargrade.lint import LinterMissing, lint_dockerfile
from fargrade.semantics.dockerfile import DockerfileError, build, pinned, sent, without_heredocs

REFERENCE = "https://docs.docker.com/reference/dockerfile/"
PRACTICE = "https://docs.docker.com/build/building/best-practices/"
APP = ("app.py", "greeting.py")
LYING_ABOUT = (".git/config", ".git/objects/pack/pack-1.pack", "tests/test_greeting.py", "README.md", "Dockerfile")
SECRET_FILES = (".env", ".git/")
SECRET = "sk-live-9f3b1c77"
PORT = 8080
# Users whom the usual base images have (Debian's and Alpine's own, and those of well-known images).
USUAL = (
    *("nobody", "daemon", "bin", "sys", "games", "mail", "news", "www-data", "backup", "operator", "guest", "ftp"),
    *("nonroot", "node", "nginx", "default", "ubuntu"),
)
# Only rules whose violation is a mistake, whatever one's style: github.com/hadolint/hadolint#rules
UNREADABLE = "DL1000"
MISTAKES = {
    *("DL3000", "DL3004", "DL3011", "DL3012", "DL3020", "DL3021"),
    *("DL3023", "DL3024", "DL3043", "DL3061", "DL4003", "DL4004"),
}


@pytest.fixture(scope="module")
def text(answer):
    return answer.text("Dockerfile")


@pytest.fixture(scope="module")
def made(answer, text):
    """Given: the context as it lies on a developer's disk, and what the Dockerfile makes of it."""
    ignored = answer.text(".dockerignore") if answer.files.get(".dockerignore", b"").strip() else ""
    context = {*answer.files, *APP, *LYING_ABOUT, ".env"}
    try:
        return build(text, sent(context, ignored))
    except DockerfileError as error:
        why = t(error.why, **error.values)
        if error.line:
            fail(t("The Dockerfile cannot be built: line {line}: {why}.", line=error.line, why=why))
        fail(t("The Dockerfile cannot be built: {why}.", why=why))


@check(points=1, docs=PRACTICE)
def test_the_base_is_pinned(made):
    """Every base image is pinned to a version or a digest"""
    loose = [base for base in made.bases if not pinned(base)]
    expect(
        not loose,
        expected=t("a tag that names a version, or a digest, on every base image"),
        found=", ".join(loose),
        on_aws=t("the next build may start from another image than the one that you tested"),
        hint=t("FROM python:3.12-slim"),
    )


@check(points=2, docs=REFERENCE + "#user")
def test_it_does_not_run_as_root(made, text):
    """The container's process is not root"""
    user = made.image.user.partition(":")[0]
    unprivileged = user not in ("", "0", "root") or (not user and "nonroot" in made.image.base)
    expect(
        unprivileged,
        expected=t("a USER that is not root, in the final stage"),
        found=t("it runs as {user}", user=user or "root"),
        on_aws=t("Security Hub and many companies' admission rules refuse containers that run as root"),
        hint=t("USER 10001, after everything that needs root"),
    )
    made_here = re.search(rf"\b(?:useradd|adduser|passwd)\b[\s\S]*{re.escape(user)}", text)
    expect(
        not user or user.isdigit() or user in USUAL or made_here,
        expected=t("a user that is there: a number, one of the base image's, or one that RUN made"),
        found=t("nobody made the user {user}", user=user),
        on_aws="unable to find user: no matching entries in passwd file",
        hint=t("USER 10001 needs no entry in /etc/passwd"),
    )


@check(points=1, docs=REFERENCE + "#expose")
def test_it_names_its_port(made):
    """The image names the port of the application"""
    expect(
        PORT in made.image.ports,
        expected="EXPOSE 8080",
        found=t("the ports {ports}", ports=sorted(made.image.ports) or "–"),
        on_aws=t("tools and people read it when they write the task definition's port mapping"),
    )


@check(points=2, evidence="behaviour", docs=REFERENCE + "#cmd")
def test_it_starts_the_application(made):
    """The container starts the application, which is there with all that it needs"""
    image = made.image
    started = [path for word in words(image.argv()) if (path := application(image, word))]
    expect(
        started,
        expected=t("CMD or ENTRYPOINT starts app.py, where COPY put it"),
        found=t(
            "{argv} in {folder}; of the application the image holds {files}",
            argv=" ".join(image.argv()) or "–",
            folder=image.workdir,
            files=", ".join(sorted(path for path, origin in image.files.items() if origin in APP)) or "–",
        ),
        on_aws=t("the task stops at once: “Essential container in task exited”"),
        hint=t("paths are relative to WORKDIR"),
    )
    beside = posixpath.join(posixpath.dirname(started[0]), "greeting.py")
    expect(
        image.files.get(beside) == "greeting.py",
        expected=t("greeting.py beside app.py in the image"),
        found=t("it is not there"),
        on_aws="ModuleNotFoundError: No module named 'greeting'",
    )


def words(argv):
    """Every word of the command, also those inside a shell's -c."""
    for word in argv:
        yield word
        if " " in word:
            yield from shlex.split(word, posix=True) if word.count('"') % 2 == 0 and word.count("'") % 2 == 0 else ()


def application(image, word):
    """The path of app.py in the image that `word` means: a path, a module, or a script of theirs."""
    path = posixpath.normpath(posixpath.join(image.workdir, word))
    module = posixpath.normpath(posixpath.join(image.workdir, f"{word}.py"))
    for candidate in (path, module, posixpath.join(path, "app.py")):
        if image.files.get(candidate) == "app.py":
            return candidate
    return (
        next((at for at, origin in image.files.items() if origin == "app.py"), None) if runs_it(image, path) else None
    )


def runs_it(image, path):
    """Whether a script of the learner's own stands at `path`: what it runs only a container can show."""
    origin = image.files.get(path)
    return origin is not None and origin not in APP and origin.endswith(".sh")


@check(points=1, docs=REFERENCE + "#shell-and-exec-form")
def test_it_hears_sigterm(made):
    """The application is the first process, so that SIGTERM reaches it"""
    image = made.image
    first = image.entrypoint or image.command
    shell = list(image.argv()[:1]) != [] and posixpath.basename(image.argv()[0]) in ("sh", "bash", "ash")
    through = " ".join(image.argv()[2:]).lstrip().startswith("exec ") if shell and "-c" in image.argv() else not shell
    expect(
        first is not None
        and through
        and (image.entrypoint is None or image.command is None or image.command.exec_form),
        expected=t('the exec form: CMD ["python", "app.py"]'),
        found=" ".join(image.argv()) or t("neither CMD nor ENTRYPOINT"),
        on_aws=t(
            "ECS sends SIGTERM to the first process; a shell does not pass it on, and 30 seconds later comes SIGKILL"
        ),
        hint=t("a JSON array with double quotes"),
    )


@check(points=2, evidence="behaviour", docs="https://docs.docker.com/build/concepts/context/#dockerignore-files")
def test_no_secret_is_in_it(made, text):
    """Neither .env nor .git is in the image, nor in any layer on the way"""
    leaked = sorted(origin for origin in made.sent if origin.startswith(SECRET_FILES))
    expect(
        not leaked and SECRET not in text,
        expected=t("no .env and nothing of .git is copied"),
        found=", ".join(leaked[:4]) or t("the key itself stands in the Dockerfile"),
        on_aws=t("whoever may pull the image can read every file of every layer, deleted ones, too"),
        hint=t("list them in .dockerignore, or copy only what the application needs"),
    )


@check(points=1, docs="https://github.com/hadolint/hadolint#rules")
@pytest.mark.usefixtures("made")
def test_hadolint_finds_no_mistake(text):
    """hadolint finds no mistake"""
    try:
        remarks = lint_dockerfile(without_heredocs(text))
    except LinterMissing as missing:
        not_judged(str(missing))
    if any(one.code == UNREADABLE for one in remarks):
        not_judged(t("hadolint cannot read this Dockerfile: {why}", why=remarks[0].message))
    mistakes = [one for one in remarks if one.code in MISTAKES or (one.code.startswith("SC") and one.level == "error")]
    expect(
        not mistakes,
        expected=t("none of hadolint's rules about real mistakes is broken"),
        found="; ".join(
            t("line {line}: {code} {message}", line=one.line, code=one.code, message=one.message) for one in mistakes
        ),
        hint=t("look the rule up by its number in hadolint's list"),
    )


@pytest.fixture(scope="module")
def built(answer, made, containers, item):
    """Given: the same context, built by a real engine that gives the build no network."""
    secret = f"PAYMENT_KEY={SECRET}\n".encode()
    given = dict.fromkeys(LYING_ABOUT, b"x\n") | {".env": secret}
    given |= {name: (item.exercise / name).read_bytes() for name in APP}
    return containers.build({**given, **answer.files}, bases=made.bases)


@pytest.fixture(scope="module")
def started(built, containers):
    """A container of it."""
    if not built.image:
        fail(t("The image cannot be built: {why}.", why=built.problem))
    return containers.run(built.image)


@check(points=2, evidence="container", docs="https://docs.docker.com/reference/cli/docker/buildx/build/")
def test_it_builds_and_answers(started, rng):
    """The image builds, and its container answers over HTTP"""
    path = f"/shoes/{rng.randrange(10**6)}"
    said = started.ask(path, port=PORT)
    expect(
        said and said.status == 200 and path.encode() in said.body,
        expected=t("200 and the shop's greeting for {path}, from port {port}", path=path, port=PORT),
        found=t("status {status}", status=said.status) if said else ended(started),
        on_aws=t("the target group's health check fails, and ECS replaces the task for ever"),
        hint=t("docker build -t shop . && docker run --rm -p 8080:8080 shop"),
    )


def ended(started):
    """How a container that does not answer stands, with the last that it said."""
    said = " ".join(started.log().split())[-300:]
    if started.running:
        return t("it runs, and nothing answers: {said}", said=said or "–")
    return t("it ended with exit code {code}: {said}", code=started.exit_code, said=said or "–")


@check(points=1, evidence="container", docs="https://docs.docker.com/reference/cli/docker/container/stop/")
def test_it_ends_when_asked(started):
    """The container ends by itself when it is asked to"""
    if not started.ask(port=PORT):
        fail(t("A container that does not answer shows nothing about how it ends."), found=ended(started))
    seconds = started.stop(grace=6)
    expect(
        seconds < 5,
        expected=t("it ends at once after SIGTERM"),
        found=t("it had to be killed after {seconds} seconds", seconds=f"{seconds:.0f}"),
        on_aws=t("every deployment waits the stop timeout for each task, and requests under way are cut off"),
        hint=t("the exec form, or exec in the script that starts the application"),
    )
