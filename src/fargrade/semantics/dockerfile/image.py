"""What image a Dockerfile makes: its base, user, ports, start command, and which files of the context are in it.

RUN is not executed here: what it makes is not known, and nothing is concluded from it. Reference:
docs.docker.com/reference/dockerfile/.
"""

from __future__ import annotations

import fnmatch
import json
import posixpath
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from dockerfile_parse import DockerfileParser

from fargrade.semantics.texts import t

HEREDOC = re.compile(r"<<-?(['\"]?)(\w+)\1")
VARIABLE = re.compile(r"\\?\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))")
FLAG = re.compile(r"--(\w[\w-]*)(?:=(\S+))?\s+")
KNOWN = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}


# Tags that mean another image after each release.
MOVING = ("", "latest", "stable", "testing", "unstable", "edge", "rolling", "devel")


class DockerfileError(Exception):
    """The text is no Dockerfile that can be built: `line` (0 where it is the whole) and why.

    `why` is a template with `values` to fill in, so that it can be translated before it is filled.
    """

    def __init__(self, line: int, why: str, **values: object) -> None:
        filled = why.format(**values)
        super().__init__(f"line {line}: {filled}" if line else filled)
        self.line = line
        self.why = why
        self.values = values


@dataclass(frozen=True)
class Start:
    """An ENTRYPOINT or CMD: its words, and whether it was written as a JSON array (run without a shell)."""

    words: tuple[str, ...]
    exec_form: bool


@dataclass(frozen=True)
class Image:
    """The image of a stage. `files` maps paths in it to the paths in the context that they were copied from."""

    base: str = ""
    user: str = ""
    ports: frozenset[int] = frozenset()
    workdir: str = "/"
    entrypoint: Start | None = None
    command: Start | None = None
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def argv(self) -> tuple[str, ...]:
        """What starts when the container starts: ENTRYPOINT followed by CMD; a shell form in full."""
        entrypoint = self.entrypoint.words if self.entrypoint else ()
        if self.entrypoint and not self.entrypoint.exec_form:
            return entrypoint
        return entrypoint + (self.command.words if self.command else ())


@dataclass(frozen=True)
class Build:
    """A build: the final stage's image, every external base that went into it, and the files sent for it."""

    image: Image
    bases: tuple[str, ...]
    sent: frozenset[str]


def pinned(reference: str) -> bool:
    """Whether the base image is named by a digest or by a tag that names a version; `scratch` is no image at all.

    A version has a digit in it (3.12-slim; distroless has it in the repository's name: python3-debian12), or is the
    name of a release of Debian or Ubuntu. `slim` and `alpine` move with every release, as `latest` does.
    """
    if reference == "scratch" or "@sha256:" in reference:
        return True
    name, _, tag = reference.rpartition("/")[2].partition(":")
    if tag.partition("-")[0] in MOVING:
        return False
    return any(letter.isdigit() for letter in tag) or name in ("debian", "ubuntu") or "debian1" in name


def build(text: str, context: Iterable[str], target_platform: str = "linux/amd64") -> Build:
    """What `docker build` would make of `text` with these context files. Raises DockerfileError."""
    try:
        return _Builder(set(context), target_platform).run(text)
    except ValueError as error:  # of shlex
        if "quotation" in str(error):
            raise DockerfileError(0, t("a quotation mark is not closed")) from None
        raise DockerfileError(0, "{said}", said=error) from None


class _Builder:
    def __init__(self, context: set[str], platform: str) -> None:
        self.context = context
        self.arguments = {"TARGETPLATFORM": platform, "BUILDPLATFORM": platform, "TARGETARCH": platform.split("/")[1]}
        self.stages: list[tuple[str, Image, set[str]]] = []
        self.used: dict[int, set[str]] = {}

    def run(self, text: str) -> Build:
        for line, name, value in instructions(text):
            if name == "FROM":
                self._from(value, line)
            elif not self.stages and name == "ARG":
                self._argument(value, self.arguments)
            elif not self.stages:
                raise DockerfileError(line, t("{name} stands before the first FROM"), name=name)
            else:
                self._in_stage(name, value, line)
        if not self.stages:
            raise DockerfileError(0, t("there is no FROM: an image must begin somewhere"))
        _, image, bases = self.stages[-1]
        return Build(image, tuple(sorted(bases)), frozenset(self.used.get(len(self.stages) - 1, set())))

    def _from(self, value: str, line: int) -> None:
        value = self._without_flags(value)[1]
        words = _expand(value, self.arguments).split()
        if not words or (len(words) == 3 and words[1].lower() != "as") or len(words) not in (1, 3):
            raise DockerfileError(line, t("FROM takes an image, and AS a name"))
        number = len(self.stages)
        earlier = self._stage(words[0])
        name = words[2].lower() if len(words) == 3 else str(number)
        if earlier is not None:
            _, image, bases = self.stages[earlier]
            self.stages.append((name, replace(image, files=dict(image.files)), set(bases)))
            self.used[number] = set(self.used.get(earlier, set()))
        else:
            self.stages.append((name, Image(base=words[0]), {words[0]}))

    def _stage(self, name: str) -> int | None:
        if name.isdecimal() and int(name) < len(self.stages):
            return int(name)
        found = [number for number, stage in enumerate(self.stages) if stage[0] == name.lower()]
        return found[-1] if found else None

    def _in_stage(self, name: str, value: str, line: int) -> None:
        stage, image, bases = self.stages[-1]
        environment = dict(image.environment)
        said = value if name in ("CMD", "ENTRYPOINT", "RUN") else _expand(value, {**self._scoped(image)})
        if name == "ARG":
            self._argument(said, environment, defaults=self.arguments)
            image = replace(image, environment=environment)
        elif name == "ENV":
            image = replace(image, environment={**environment, **_pairs(said)})
        elif name == "USER":
            image = replace(image, user=said.strip())
        elif name == "WORKDIR":
            image = replace(image, workdir=posixpath.normpath(posixpath.join(image.workdir, said.strip() or "/")))
        elif name == "EXPOSE":
            image = replace(image, ports=image.ports | _ports(said, line))
        elif name == "ENTRYPOINT":
            image = replace(image, entrypoint=_start(value), command=None)
        elif name == "CMD":
            image = replace(image, command=_start(value))
        elif name in ("COPY", "ADD"):
            image = self._copy(image, said, bases, line)
        self.stages[-1] = (stage, image, bases)

    def _scoped(self, image: Image) -> dict[str, str]:
        return image.environment

    def _argument(self, value: str, into: dict[str, str], defaults: dict[str, str] | None = None) -> None:
        for word in value.split():
            name, given, default = word.partition("=")
            into[name] = _expand(default.strip("\"'"), into) if given else (defaults or {}).get(name, "")

    def _without_flags(self, value: str) -> tuple[dict[str, str], str]:
        flags = {}
        while found := FLAG.match(value):
            flags[found[1]] = found[2] or ""
            value = value[found.end() :]
        return flags, value

    def _copy(self, image: Image, value: str, bases: set[str], line: int) -> Image:
        flags, rest = self._without_flags(value)
        words = _json_words(rest) or tuple(shlex.split(rest, comments=False))
        if len(words) < 2:
            raise DockerfileError(line, t("COPY takes sources and a destination"))
        *sources, destination = words
        files = dict(image.files)
        if "from" in flags:
            earlier = self._stage(flags["from"])
            if earlier is None:
                bases.add(flags["from"])
                return image
            bases |= self.stages[earlier][2]
            number = len(self.stages) - 1
            self.used.setdefault(number, set()).update(self.used.get(earlier, set()))
            there = {path.lstrip("/"): origin for path, origin in self.stages[earlier][1].files.items()}
        else:
            there = {path: path for path in self.context}
        for source in sources:
            if source.startswith(("<<", "http://", "https://", "git@")):
                continue
            taken = _taken(source, there)
            if not taken and "from" not in flags:
                raise DockerfileError(line, t("{source} is not in the build context"), source=source)
            if "from" not in flags:
                self.used.setdefault(len(self.stages) - 1, set()).update(origin for _, origin in taken)
            many = len(sources) > 1 or any(sign in source for sign in "*?[")
            for below, origin in taken:
                files[_placed(image.workdir, destination, source, below, many=many)] = origin
        return replace(image, files=files)


def instructions(text: str) -> list[tuple[int, str, str]]:
    """(line, NAME, value) of every instruction; heredoc bodies are left out. Raises DockerfileError."""
    file: Any = BytesIO()  # it is written to as bytes, whatever its type says
    parser = DockerfileParser(fileobj=file)
    parser.content = without_heredocs(text)
    found = []
    for one in parser.structure:
        name = one["instruction"].upper()
        if name == "COMMENT":
            continue
        if name not in KNOWN:
            raise DockerfileError(one["startline"] + 1, t("unknown instruction {name}"), name=name)
        found.append((one["startline"] + 1, name, one["value"].strip()))
    return found


def without_heredocs(text: str) -> str:
    """The Dockerfile with the bodies of heredocs as comments, line for line, for readers that know no heredocs."""
    lines, waiting = [], ""
    for line in text.splitlines():
        if waiting:
            if line.strip() == waiting:
                waiting = ""
            lines.append("#")
            continue
        heredoc = HEREDOC.search(line) if re.match(r"\s*(RUN|COPY|ADD)\b", line, re.I) else None
        waiting = heredoc[2] if heredoc else ""
        lines.append(HEREDOC.sub("true", line) if heredoc else line)
    return "\n".join(lines) + "\n"


def _expand(text: str, values: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[0].startswith("\\"):
            return found[0][1:]
        known = values.get(found[1] or found[4], "")
        if found[2] == "-":
            return known or found[3]
        return (found[3] if known else "") if found[2] == "+" else known

    return VARIABLE.sub(value, text)


def _pairs(value: str) -> dict[str, str]:
    words = shlex.split(value)
    if words and "=" not in words[0]:
        return {words[0]: " ".join(words[1:])}
    return dict(word.partition("=")[::2] for word in words)


PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(?:tcp|udp|sctp))?", re.I)


def _ports(value: str, line: int) -> frozenset[int]:
    """The ports that EXPOSE names: `8080`, `8080/tcp`, `8000-8010`. Anything else stops the build, as in Docker."""
    found: set[int] = set()
    for word in value.split():
        port = PORTS.fullmatch(word)
        if port is None or not int(port[1]) <= int(port[2] or port[1]) <= 65535:
            raise DockerfileError(line, t("EXPOSE takes ports, such as 8080 or 8080/tcp, not {word}"), word=word[:40])
        if not word.lower().endswith("/udp"):  # nobody speaks HTTP there
            found |= set(range(int(port[1]), int(port[2] or port[1]) + 1))
    return frozenset(found)


def _start(value: str) -> Start:
    words = _json_words(value)
    return Start(words, True) if words is not None else Start(("/bin/sh", "-c", value), False)


def _json_words(value: str) -> tuple[str, ...] | None:
    if not value.lstrip().startswith("["):
        return None
    try:
        words = json.loads(value)
    except ValueError:
        return None
    return tuple(words) if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


def _taken(source: str, there: dict[str, str]) -> list[tuple[str, str]]:
    """(path below the source, origin) of every file that `source` means; a folder means what is in it."""
    wanted = posixpath.normpath(source.strip("/") or ".")
    if wanted == ".":
        return list(there.items())
    taken = []
    for path, origin in there.items():
        parts = path.split("/")
        depth = len(wanted.split("/"))
        top = "/".join(parts[:depth])
        if fnmatch.fnmatchcase(top, wanted):
            below = "/".join(parts[depth:])
            taken.append((below or parts[-1], origin))
    return taken


def _placed(workdir: str, destination: str, source: str, below: str, *, many: bool) -> str:
    """Where a copied file ends up: in the destination if that is a folder, else under its name."""
    folder = destination.endswith("/") or destination in (".", "./", "..") or many
    target = posixpath.join(workdir, destination)
    whole = posixpath.normpath(source.strip("/") or ".") == "." or "/" in below
    single = posixpath.basename(source.rstrip("/")) == below
    placed = target if single and not folder and not whole else posixpath.join(target, below)
    return posixpath.normpath(placed)
