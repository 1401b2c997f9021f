"""ECR as AWS keeps it, where moto does not: pushes, tags, scans, lifecycle policies, login tokens.

The state stays moto's (repositories, layers, images), so that everything moto answers well still does. Each
module registers its refusals and answers with `emulator.rules`; what other parts of the emulator use is here.

Upstream: yes, where a module says nothing else: moto takes what ECR refuses, and lacks what it has.
"""

from fargrade.emulator.ecr import creation_templates, lifecycle, policies, pull_through, reading, registries
from fargrade.emulator.ecr.login import issue_token, token_owner, token_registry
from fargrade.emulator.ecr.pushing import store_image
from fargrade.emulator.ecr.scanning import scan_on_push
from fargrade.emulator.ecr.store import StoredImage, find_image, repository

__all__ = [
    "StoredImage",
    "creation_templates",
    "find_image",
    "issue_token",
    "lifecycle",
    "policies",
    "pull_through",
    "reading",
    "registries",
    "repository",
    "scan_on_push",
    "store_image",
    "token_owner",
    "token_registry",
]
