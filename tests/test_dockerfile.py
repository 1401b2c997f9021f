"""Dockerfiles by the image they make (docs.docker.com/reference/dockerfile/), and the context they send."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.semantics.dockerfile import DockerfileError, Start, build, instructions, pinned, sent

CONTEXT = ("app/main.py", "app/lib/util.py", "requirements.txt", "README.md", ".env")
BASE = "FROM python:3.12-slim\n"


@pytest.mark.parametrize(
    ("text", "what", "value"),
    [
        ("USER 10001", "user", "10001"),
        ("USER app:app\nUSER root", "user", "root"),
        ("ARG WHO=app\nUSER $WHO", "user", "app"),
        ("ENV WHO=app\nUSER ${WHO}", "user", "app"),
        ("USER ${WHO:-nobody}", "user", "nobody"),
        ("EXPOSE 8080", "ports", {8080}),
        ("EXPOSE 80/tcp 443\nEXPOSE 53/udp", "ports", {80, 443}),
        ("EXPOSE 8000-8002", "ports", {8000, 8001, 8002}),
        ("ARG PORT=9000\nEXPOSE $PORT", "ports", {9000}),
        ("WORKDIR /app", "workdir", "/app"),
        ("WORKDIR /app\nWORKDIR src\nWORKDIR ../lib", "workdir", "/app/lib"),
        ("ENV A=1 B='two words'\nENV C three words", "environment", {"A": "1", "B": "two words", "C": "three words"}),
        ('CMD ["python", "main.py"]', "command", Start(("python", "main.py"), True)),
        ("CMD python main.py", "command", Start(("/bin/sh", "-c", "python main.py"), False)),
        ("CMD ['python', 'main.py']", "command", Start(("/bin/sh", "-c", "['python', 'main.py']"), False)),
        ('cmd ["a"]\nCMD ["b"]', "command", Start(("b",), True)),
        ("RUN echo \\\n  USER root\nUSER app", "user", "app"),
        ("RUN <<EOF\nUSER root\nEOF\nUSER app", "user", "app"),
        ("# USER root\nUSER app", "user", "app"),
    ],
)
def test_instructions_make_the_image(text: str, what: str, value: Any) -> None:
    assert getattr(build(BASE + text + "\n", CONTEXT).image, what) == value


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ('ENTRYPOINT ["python"]\nCMD ["main.py"]', ("python", "main.py")),
        ('CMD ["main.py"]\nENTRYPOINT ["python"]', ("python",)),  # ENTRYPOINT resets the CMD that stands before it
        ('ENTRYPOINT python main.py\nCMD ["ignored"]', ("/bin/sh", "-c", "python main.py")),
        ('CMD ["python", "main.py"]', ("python", "main.py")),
        ("", ()),
    ],
)
def test_what_starts(text: str, argv: tuple[str, ...]) -> None:
    assert build(BASE + text + "\n", CONTEXT).image.argv() == argv


@pytest.mark.parametrize(
    ("copy", "files"),
    [
        ("COPY app/main.py /srv/", {"/srv/main.py": "app/main.py"}),
        ("COPY app/main.py /srv/start.py", {"/srv/start.py": "app/main.py"}),
        ("COPY app /srv", {"/srv/main.py": "app/main.py", "/srv/lib/util.py": "app/lib/util.py"}),
        ("COPY app/ /srv/", {"/srv/main.py": "app/main.py", "/srv/lib/util.py": "app/lib/util.py"}),
        ("WORKDIR /srv\nCOPY requirements.txt .", {"/srv/requirements.txt": "requirements.txt"}),
        ("WORKDIR /srv\nCOPY requirements.txt ./", {"/srv/requirements.txt": "requirements.txt"}),
        ("COPY *.txt *.md /doc/", {"/doc/requirements.txt": "requirements.txt", "/doc/README.md": "README.md"}),
        ('COPY ["README.md", "/doc/READ ME.md"]', {"/doc/READ ME.md": "README.md"}),
        ("COPY --chown=app:app --chmod=644 README.md /", {"/README.md": "README.md"}),
        ("ADD README.md /", {"/README.md": "README.md"}),
        ("ADD https://example.com/x.tar /", {}),
        ("COPY . /all", {f"/all/{name}": name for name in CONTEXT}),
    ],
)
def test_what_is_copied(copy: str, files: dict[str, str]) -> None:
    assert build(BASE + copy + "\n", CONTEXT).image.files == files


def test_only_the_last_stage_is_the_image() -> None:
    made = build(
        "ARG TAG=3.12\nFROM golang:1.24 AS build\nUSER root\nEXPOSE 1\nCOPY app /src\n"
        "FROM python:${TAG}-slim AS base\nUSER app\nFROM base\nCOPY --from=build /src/main.py /srv/\n"
        "COPY --from=busybox:1.37 /bin/sh /bin/\n",
        CONTEXT,
    )
    assert made.image.base == "python:3.12-slim"
    assert made.image.user == "app"
    assert made.image.ports == frozenset()
    assert made.image.files == {"/srv/main.py": "app/main.py"}
    assert made.bases == ("busybox:1.37", "golang:1.24", "python:3.12-slim")
    assert made.sent == {"app/main.py", "app/lib/util.py"}


def test_a_stage_that_nothing_takes_from_is_no_base() -> None:
    made = build("FROM node:latest AS unused\nFROM python:3.12\n", ())
    assert made.bases == ("python:3.12",)


@pytest.mark.parametrize(
    ("reference", "is_pinned"),
    [
        ("python:3.12-slim", True),
        ("python", False),
        ("python:latest", False),
        ("python:slim", False),
        ("debian:stable-slim", False),
        ("debian:bookworm-slim", True),
        ("gcr.io/distroless/python3-debian12:nonroot", True),
        ("registry:5000/python", False),
        ("registry:5000/python:3.12", True),
        ("python@sha256:" + "0" * 64, True),
        ("python:latest@sha256:" + "0" * 64, True),
        ("public.ecr.aws/docker/library/python:3.12", True),
        ("scratch", True),
    ],
)
def test_pinned(reference: str, is_pinned: bool) -> None:
    assert pinned(reference) is is_pinned


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 0, "there is no FROM"),
        ("RUN true\nFROM a:1\n", 1, "RUN stands before the first FROM"),
        ("FROM a:1\nCOPPY a b\n", 2, "unknown instruction COPPY"),
        ("FROM a:1\nCOPY lost.py /\n", 2, "lost.py is not in the build context"),
        ("FROM a:1\nCOPY README.md\n", 2, "COPY takes sources"),
        ("FROM a:1 b\n", 1, "FROM takes an image"),
        ("FROM a:1\nEXPOSE 80 # the port\n", 2, "EXPOSE takes ports"),
        ("FROM a:1\nEXPOSE 80000\n", 2, "EXPOSE takes ports"),
        ("FROM a:1\nENV A='half\n", 0, "quotation"),
    ],
)
def test_what_cannot_be_built(text: str, line: int, says: str) -> None:
    with pytest.raises(DockerfileError) as raised:
        build(text, CONTEXT)
    assert raised.value.line == line
    assert says in str(raised.value)
    assert raised.value.why.format(**raised.value.values) in str(raised.value)


def test_lines_are_counted_over_continuations_comments_and_heredocs() -> None:
    text = "# one\nFROM a:1\nRUN a && \\\n    b\nCOPY <<EOF /x\nFROM nothing\nEOF\nUSER app\n"
    assert [(line, name) for line, name, _ in instructions(text)] == [(2, "FROM"), (3, "RUN"), (5, "COPY"), (8, "USER")]


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("", set(CONTEXT)),
        (".env\n", set(CONTEXT) - {".env"}),
        ("# .env\n", set(CONTEXT)),
        ("app\n", set(CONTEXT) - {"app/main.py", "app/lib/util.py"}),
        ("app/*\n!app/main.py\n", set(CONTEXT) - {"app/lib/util.py"}),
        ("*\n!requirements.txt\n", {"requirements.txt"}),
        ("**/*.py\n", set(CONTEXT) - {"app/main.py", "app/lib/util.py"}),
        ("*.py\n", set(CONTEXT)),  # without **, the top folder only
        ("/README.md\n", set(CONTEXT) - {"README.md"}),
        ("app/lib/\r\n.env\r\n", set(CONTEXT) - {"app/lib/util.py", ".env"}),
        ("!.env\n*\n", set()),  # the last pattern that matches decides
    ],
)
def test_what_is_sent(ignored: str, left: set[str]) -> None:
    assert set(sent(CONTEXT, ignored)) == left


@given(st.text(max_size=100))
def test_any_text_is_built_or_refused(text: str) -> None:
    with contextlib.suppress(DockerfileError):
        assert build(BASE + text, CONTEXT).bases


@given(st.lists(st.sampled_from(("USER app", "USER root", "EXPOSE 80", "WORKDIR /a", "CMD a", "ENV A=1")), max_size=8))
def test_crlf_makes_the_same_image(lines: list[str]) -> None:
    text = BASE + "\n".join(lines) + "\n"
    assert build(text.replace("\n", "\r\n"), CONTEXT).image == build(text, CONTEXT).image
