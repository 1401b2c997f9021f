"""Real containers, where a Docker engine is found: the learner's images are built and run, within limits."""

from fargrade.containers.building import BuildFailed, build
from fargrade.containers.finding import Engine, NoEngine, find_engine
from fargrade.containers.ownership import Ownership
from fargrade.containers.running import Running, run

__all__ = ["BuildFailed", "Engine", "NoEngine", "Ownership", "Running", "build", "find_engine", "run"]
