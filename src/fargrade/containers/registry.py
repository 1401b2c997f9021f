"""A real registry in a container of the grading's own, on this machine's loopback: images arrive there for good.

The `registry` image is distribution's (hub.docker.com/_/registry); Debian's docker-registry serves as well. It
forgets all with its container: what it holds lies in memory.
"""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass

from fargrade.containers.finding import NoEngine
from fargrade.containers.ownership import KEPT, Ownership
from fargrade.containers.running import limits
from fargrade.course.language import translate as t

IMAGE = "registry:2"
PORT = 5000
START_SECONDS = 15.0
STORE = "/var/lib/registry"
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)


@dataclass(frozen=True)
class Registry:
    """A registry that answers at 127.0.0.1:`port`."""

    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def digest(self, name: str, reference: str) -> str | None:
        """The digest of the manifest that `reference` (a tag or digest) names; None where there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("HEAD", f"/v2/{name}/manifests/{reference}", headers={"Accept": MANIFESTS})
            answer = connection.getresponse()
            answer.read()
            return answer.getheader("Docker-Content-Digest") if answer.status == 200 else None
        finally:
            connection.close()

    def tags(self, name: str) -> list[str]:
        """The repository's tags; none where it does not exist."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", f"/v2/{name}/tags/list")
            answer = connection.getresponse()
            body = answer.read()
            return list(json.loads(body).get("tags") or []) if answer.status == 200 else []
        finally:
            connection.close()


def start_registry(owner: Ownership, image: str = IMAGE) -> Registry:
    """A registry, ready, kept until the grading's process ends. Raises NoEngine: no image, or it is not ready."""
    owner.begin()
    owner.engine.image(image)
    container = owner.engine.client.containers.create(
        image,
        labels={**owner.labels, KEPT: "registry"},
        environment={"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": STORE, "REGISTRY_STORAGE_DELETE_ENABLED": "true"},
        ports={f"{PORT}/tcp": ("127.0.0.1", None)},
        tmpfs={STORE: "size=512m"},
        **limits(),
    )
    container.start()
    container.reload()
    port = int(container.attrs["NetworkSettings"]["Ports"][f"{PORT}/tcp"][0]["HostPort"])
    until = time.monotonic() + START_SECONDS
    while not _answers(port):
        if time.monotonic() > until:
            said = container.logs(tail=3).decode("utf-8", "replace").strip()
            raise NoEngine(t("The registry in {image} does not come up: {why}", image=image, why=said))
        time.sleep(0.05)
    return Registry(port)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
