"""Dockerfiles by what they do: the image they make and the context they send."""

from fargrade.semantics.dockerfile.context import sent
from fargrade.semantics.dockerfile.image import (
    Build,
    DockerfileError,
    Image,
    Start,
    build,
    instructions,
    pinned,
    without_heredocs,
)

__all__ = ["Build", "DockerfileError", "Image", "Start", "build", "instructions", "pinned", "sent", "without_heredocs"]
