"""CodeDeploy: blue/green deployments of ECS services, on the world's clock; moto's end where they begin.

Upstream: no. moto's deployments do nothing, and shifting traffic needs our ECS.
"""

from fargrade.emulator import visitors
from fargrade.emulator.codedeploy import answers, groups
from fargrade.emulator.codedeploy.deployments import begin, find

__all__ = ["answers", "begin", "find", "groups", "visitors"]
