"""CodePipeline: which structures it takes, how artifacts flow, and what its ECS actions make of the files they get."""

from fargrade.semantics.pipeline.actions import ACTION_TYPES, ActionType, action_type
from fargrade.semantics.pipeline.blue_green import AppSpecError, app_spec, rendered_template
from fargrade.semantics.pipeline.images import (
    ImageFileError,
    ImageName,
    container_images,
    image_definitions,
    image_detail,
    registration,
)
from fargrade.semantics.pipeline.structure import StructureError, refuse_bad_structure
from fargrade.semantics.pipeline.variables import UnresolvedVariable, resolved

__all__ = [
    "ACTION_TYPES",
    "ActionType",
    "AppSpecError",
    "ImageFileError",
    "ImageName",
    "StructureError",
    "UnresolvedVariable",
    "action_type",
    "app_spec",
    "container_images",
    "image_definitions",
    "image_detail",
    "refuse_bad_structure",
    "registration",
    "rendered_template",
    "resolved",
]
