"""CodePipeline: pipelines as AWS takes them, and executions that run, action by action, on the world's clock.

Upstream: no. moto's executions do nothing; its missing checks of a pipeline's structure could go there.
"""

from fargrade.emulator.codepipeline import answers, blue_green, building, deploying, pipelines, sources

__all__ = ["answers", "blue_green", "building", "deploying", "pipelines", "sources"]
