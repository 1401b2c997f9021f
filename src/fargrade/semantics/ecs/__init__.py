"""Amazon ECS as pure functions: Fargate's sizes, what task definitions, tasks and services are refused, image names."""

from fargrade.semantics.ecs.definition import definition_refusals, is_essential, network_mode, runs_on
from fargrade.semantics.ecs.fargate import fargate_rules
from fargrade.semantics.ecs.images import ImageReference, parse_image, same_image
from fargrade.semantics.ecs.launching import (
    launch_refusals,
    on_fargate,
    run_refusals,
    service_refusals,
    target_type_refusal,
)
from fargrade.semantics.ecs.refusals import Refusal
from fargrade.semantics.ecs.sizes import (
    FARGATE_SIZES,
    Size,
    cpu_units,
    fargate_size,
    fargate_sizes,
    memory_mib,
    smallest_size,
)

__all__ = [
    "FARGATE_SIZES",
    "ImageReference",
    "Refusal",
    "Size",
    "cpu_units",
    "definition_refusals",
    "fargate_rules",
    "fargate_size",
    "fargate_sizes",
    "is_essential",
    "launch_refusals",
    "memory_mib",
    "network_mode",
    "on_fargate",
    "parse_image",
    "run_refusals",
    "runs_on",
    "same_image",
    "service_refusals",
    "smallest_size",
    "target_type_refusal",
]
