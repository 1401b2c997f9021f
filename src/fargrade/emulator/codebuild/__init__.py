"""CodeBuild: projects as AWS takes them, and builds that wait for somebody to run them.

Upstream: no. moto has no builds that run; that a project of a pipeline, or without a source, is right should go there.
"""

from fargrade.emulator.codebuild import answers, projects
from fargrade.emulator.codebuild.builds import Build, begin

__all__ = ["Build", "answers", "begin", "projects"]
