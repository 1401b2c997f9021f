"""What images do when they run: the ports they listen on, what they answer, when they exit, what they print.

A grader says it of an image that it pushes (`world.push_image(…, behaviour={…})`); of the public images that people
use to begin with it is known. Any other image listens on the ports that its container maps, and answers everything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fargrade.emulator.extensions import on_reset
from fargrade.semantics.ecs import ImageReference


@dataclass(frozen=True)
class Behaviour:
    """`ports` None: whatever ports the container maps. `answers` are statuses by path, `otherwise` for the rest.

    It listens `ready_after` seconds after its start (several: its containers take them in turn). `exits` is the exit
    code it ends with, `exits_after` seconds after its start; None: it goes on. `needs` are environment variables
    without which it exits with 1. `memory` is the MiB it takes: more than its limit is its end (137). `port_from`
    names a variable that gives its port.
    """

    ports: tuple[int, ...] | None = None
    answers: Mapping[str, int] = field(default_factory=dict)
    otherwise: int = 200
    body: str = ""
    ready_after: float | tuple[float, ...] = 1.0
    exits: int | None = None
    exits_after: float = 1.0
    prints: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    memory: int = 0
    port_from: str = ""
    shell: bool = False  # a base image: what it does is its command

    def status(self, path: str) -> int:
        """What it answers for the path."""
        return self.answers.get(path.partition("?")[0], self.otherwise)


FIELDS = frozenset(Behaviour.__dataclass_fields__)
WEB = Behaviour((80,), {"/": 200, "/index.html": 200}, 404, "Welcome")
BASE = Behaviour((), shell=True, exits=0)
SIDE = Behaviour(())
# Docker official images, which Amazon ECR Public carries too, as public.ecr.aws/docker/library/NAME.
OFFICIAL: dict[str, Behaviour] = {
    "nginx": WEB,
    "httpd": WEB,
    "caddy": WEB,
    "tomcat": Behaviour((8080,), {}, 404),
    "traefik": Behaviour((80, 8080), {}, 404),
    "redis": Behaviour((6379,)),
    "postgres": Behaviour((5432,), needs=("POSTGRES_PASSWORD",)),
    "mysql": Behaviour((3306,), needs=("MYSQL_ROOT_PASSWORD",)),
    "memcached": Behaviour((11211,)),
    "hello-world": Behaviour((), exits=0, prints=("Hello from Docker!",)),
    **dict.fromkeys(
        ("busybox", "alpine", "debian", "ubuntu", "python", "node", "golang", "amazoncorretto", "bash"), BASE
    ),
}
OTHERS: dict[str, Behaviour] = {
    "public.ecr.aws/nginx/nginx": WEB,
    "public.ecr.aws/nginx/nginx-unprivileged": Behaviour((8080,), {"/": 200}, 404),
    "docker.io/nginxinc/nginx-unprivileged": Behaviour((8080,), {"/": 200}, 404),
    "docker.io/nginxdemos/hello": Behaviour((80,)),
    "docker.io/amazon/amazon-ecs-sample": WEB,
    "public.ecr.aws/ecs-sample-image/amazon-ecs-sample": WEB,
    "public.ecr.aws/amazonlinux/amazonlinux": BASE,
    "docker.io/library/amazonlinux": BASE,
    "docker.io/amazon/aws-cli": Behaviour((), exits=0),
    "docker.io/amazon/aws-xray-daemon": SIDE,
    "public.ecr.aws/xray/aws-xray-daemon": SIDE,
    "public.ecr.aws/aws-observability/aws-otel-collector": SIDE,
    "docker.io/amazon/aws-otel-collector": SIDE,
    "docker.io/otel/opentelemetry-collector": SIDE,
    "docker.io/otel/opentelemetry-collector-contrib": SIDE,
    "public.ecr.aws/cloudwatch-agent/cloudwatch-agent": SIDE,
    "docker.io/amazon/cloudwatch-agent": SIDE,
    "public.ecr.aws/aws-observability/aws-for-fluent-bit": SIDE,
    "docker.io/amazon/aws-for-fluent-bit": SIDE,
    "docker.io/hashicorp/http-echo": Behaviour((5678,)),
    "docker.io/traefik/whoami": Behaviour((80,)),
    "docker.io/kennethreitz/httpbin": Behaviour((80,)),
}
PUBLIC_TAG = re.compile(
    r"(?:latest|stable|mainline|alpine|slim|perl|lts|edge|glibc|musl|uclibc|bookworm|bullseye|trixie|noble|jammy|focal"
    r"|[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}|v[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}|al2023|ubi[0-9]?)"
    r"(?:-(?:[a-z]+[0-9.]*|[0-9]+(?:\.[0-9]+)*))*"
)
KEEPS_RUNNING = re.compile(
    r"while|infinity|tail -f|httpd|nginx|http\.server|gunicorn|uvicorn|flask|node |java |top\b|server|daemon|catalina"
)
SLEEPS = re.compile(r"\bsleep\s+(\d+)([smhd]?)")
EXITS = re.compile(r"\bexit\s+(\d+)|\bfalse\b")
ECHOES = re.compile(r"\becho\s+(?:\"([^\"]*)\"|'([^']*)'|([^&|;>]+))(?!\s*>)")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_pushed: dict[str, Behaviour] = {}
_architectures: dict[str, str] = {}
_started: Counter[str] = Counter()


@on_reset
def _forget() -> None:
    _pushed.clear()
    _started.clear()
    _architectures.clear()


def of_config(digest: str, architecture: str) -> None:
    """Images with this config are built for that architecture."""
    _architectures[digest] = architecture


def architecture(config: str) -> str:
    """The architecture that the config of this digest says; amd64 where it was never told."""
    return _architectures.get(config, "amd64")


def described(given: Mapping[str, Any]) -> Behaviour:
    """A behaviour from a grader's plain description. Raises ValueError for a field that is none."""
    unknown = sorted(set(given) - FIELDS)
    if unknown:
        raise ValueError(f"a behaviour has no {unknown[0]}: choose among {', '.join(sorted(FIELDS))}")
    return Behaviour(**plain(given))


def plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as Behaviour has them, where they came as JSON."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def of_pushed(digest: str, behaviour: Behaviour) -> None:
    """The image of this digest does that."""
    _pushed[digest] = behaviour


def pushed(digest: str) -> Behaviour:
    """What the image of the digest, pushed to this world, does."""
    return _pushed.get(digest, Behaviour())


def seconds_to_listen(behaviour: Behaviour, digest: str) -> float:
    """How long the container of the image that is started now takes until it listens: no two are alike on AWS."""
    if not isinstance(behaviour.ready_after, tuple):
        return behaviour.ready_after
    _started[digest] += 1
    return behaviour.ready_after[(_started[digest] - 1) % len(behaviour.ready_after)]


def public(image: ImageReference) -> Behaviour | None:
    """What a public image does; None where no such image is known."""
    official = next(
        (
            image.name.removeprefix(prefix)
            for prefix in ("docker.io/library/", "public.ecr.aws/docker/library/")
            if image.name.startswith(prefix)
        ),
        "",
    )
    found = OFFICIAL.get(official) or OTHERS.get(image.name)
    if found is None or (not image.digest and not PUBLIC_TAG.fullmatch(image.tag)):
        return None
    return found


def started_with(behaviour: Behaviour, entry: Sequence[str], command: Sequence[str]) -> Behaviour:
    """What it does when it is started with another entry point or command, as far as their words tell."""
    words = " ".join([*entry, *command]).strip()
    if not words:
        return behaviour
    echoed = tuple("".join(found).strip() for found in ECHOES.findall(words))
    ended = EXITS.search(words)
    slept = SLEEPS.search(words)
    if KEEPS_RUNNING.search(words):
        kept = Behaviour(**{**vars(behaviour), "exits": None, "prints": (*behaviour.prints, *echoed)})
        return Behaviour(**{**vars(kept), "ports": None}) if behaviour.shell else kept
    if ended or slept or behaviour.shell:
        seconds = float(slept[1]) * UNITS[slept[2]] if slept else 1.0
        code = int(ended[1] or 1) if ended else 0
        return Behaviour((), prints=echoed, exits=code, exits_after=max(seconds, 0.5))
    return behaviour
