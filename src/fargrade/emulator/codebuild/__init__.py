"""CodeBuild: projects as AWS takes them, and builds that wait for somebody to run them."""

from fargrade.emulator.codebuild import answers, projects
from fargrade.emulator.codebuild.builds import Build, begin

__all__ = ["Build", "answers", "begin", "projects"]
