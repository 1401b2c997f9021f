"""backend=localstack: LocalStack, or an image that is compatible with it, in a container through testcontainers.

What would fail after a minute's waiting is looked at before: the token, the engine, the image. Facts of the images:
docs.localstack.cloud/aws/getting-started/auth-token (a token is needed since 2026-03-23; 4.14.0 is the last without).
"""

from __future__ import annotations

import http.client
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from fargrade.backends.endpoint import HEALTH, EndpointWorld
from fargrade.backends.lacking import BackendProblem
from fargrade.containers.finding import Engine, NoEngine, find_engine
from fargrade.containers.ownership import Ownership
from fargrade.course.language import translate as t

IMAGE = "localstack/localstack:latest"
IMAGE_VARIABLE = "FARGRADE_LOCALSTACK_IMAGE"
TOKEN_VARIABLE = "LOCALSTACK_AUTH_TOKEN"
TAKES_TOKEN = re.compile(r"(?:[\w.-]+/)*localstack/localstack(?:-pro)?(?::(?P<tag>[\w.-]+))?(?:@.*)?")
LAST_WITHOUT = (4, 14, 0)
PORT = 4566
START_SECONDS = 60


def takes_token(image: str) -> bool:
    """Whether the image starts with a token only: LocalStack's own, except its community images up to 4.14.0."""
    found = TAKES_TOKEN.fullmatch(image)
    if found is None:
        return False
    version = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", found["tag"] or "")
    if version is None or "-pro" in image:
        return True
    return tuple(int(part or 0) for part in version.groups()) > LAST_WITHOUT


class LocalStackWorld(EndpointWorld):
    """A world in a container of ours, which ends with it."""

    def __init__(self, url: str, *, container: Any = None, owner: Ownership | None = None, **options: Any) -> None:
        super().__init__(url, **options)
        self._container = container
        self._owner = owner

    @classmethod
    def start(cls, services: Iterable[str], *, region: str, environment: Mapping[str, str] = os.environ) -> Any:
        """Start the container and probe what it can do. Raises BackendProblem, in one sentence."""
        image = environment.get(IMAGE_VARIABLE) or IMAGE
        token = environment.get(TOKEN_VARIABLE, "")
        if takes_token(image) and not token:
            raise BackendProblem(
                t(
                    "{image} starts with a token only: put yours into {variable} (the free plan has one), or name a "
                    "compatible image in {other}.",
                    image=image,
                    variable=TOKEN_VARIABLE,
                    other=IMAGE_VARIABLE,
                )
            )
        try:
            engine = find_engine("on")
            if not engine.address.startswith("unix://"):
                raise NoEngine(
                    t("backend=localstack needs an engine on this machine, not {address}.", address=engine.address)
                )
            engine.image(image)
        except NoEngine as lacking:
            raise BackendProblem(str(lacking)) from None
        owner = Ownership(engine)
        container = _started(engine, owner, image, token, region)
        world = cls(_address(container), name="localstack", region=region, container=container, owner=owner)
        try:
            world.probe(services)
        except BaseException:
            world.close()
            raise
        return world

    def close(self) -> None:
        """End the container, and all that belongs to it."""
        super().close()
        if self._owner is not None:
            self._owner.close()
            self._owner = None


def _started(engine: Engine, owner: Ownership, image: str, token: str, region: str) -> Any:
    """The container, healthy, on this machine's loopback alone. Raises BackendProblem: it ended, or is not healthy."""
    # testcontainers' own reaper would have to be pulled; ours is a process, and removes by label.
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    os.environ["DOCKER_HOST"] = engine.address
    try:
        from testcontainers.community.localstack import LocalStackContainer
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.waiting_utils import WaitStrategy
    except ImportError:
        raise BackendProblem(
            t("backend=localstack needs the Python package testcontainers: pip install 'fargrade[containers]'.")
        ) from None

    class HealthyOrEnded(WaitStrategy):
        """Waits for the health path, and no longer than the container lives: a wrong token must not cost a minute."""

        def wait_until_ready(self, container: Any) -> None:
            self._poll(lambda: healthy(container))

    class OnLoopback(LocalStackContainer):
        """LocalStackContainer that waits for its health; its own way is a minute for a line of the log."""

        def start(self) -> Any:
            return DockerContainer.start(self)

    owner.begin()
    container = (
        OnLoopback(image=image, region_name=region)
        .with_kwargs(labels=owner.labels)
        .waiting_for(HealthyOrEnded().with_startup_timeout(START_SECONDS).with_poll_interval(0.1))
    )
    container.ports = {f"{PORT}/tcp": ("127.0.0.1", None)}  # its own way is every interface of this machine
    if token:
        container = container.with_env(TOKEN_VARIABLE, token)
    try:
        container.start()
        if not healthy(container):
            raise TimeoutError(t("it is not healthy after {seconds} seconds", seconds=START_SECONDS))
    except Exception as error:
        said = _last_words(container)
        owner.close()
        why = " ".join(f"{error} {said}".split())[-500:]
        raise BackendProblem(t("{image} does not start: {why}", image=image, why=why)) from None
    return container


def _address(container: Any) -> str:
    """Where it is reached: not testcontainers' guess, which takes a sandboxed grader for a container."""
    return f"http://127.0.0.1:{container._get_exposed_port(PORT)}"


def healthy(container: Any) -> bool:
    """Whether the container's health path answers. Raises StopIteration, which ends the waiting, once it has ended."""
    inside = container.get_wrapped_container()
    inside.reload()
    if inside.status in ("exited", "dead"):
        raise StopIteration
    connection = http.client.HTTPConnection(urlsplit(_address(container)).netloc, timeout=5)
    try:
        connection.request("GET", HEALTH)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_words(container: Any) -> str:
    """The last lines that the container wrote."""
    try:
        out, err = container.get_logs()
    except Exception:  # there may be no container
        return ""
    return b" ".join((out + err).strip().splitlines()[-3:]).decode("utf-8", "replace")
