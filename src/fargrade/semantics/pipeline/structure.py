"""What CodePipeline refuses of a pipeline's declaration, before anything runs.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html. Where AWS's
exact words are not published the code is AWS's and the words say its meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fargrade.semantics.pipeline.actions import action_type

Stage = Mapping[str, Any]
Action = Mapping[str, Any]
MOST_STAGES = 50


class StructureError(Exception):
    """CodePipeline refuses the declaration with `code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refuse_bad_structure(pipeline: Mapping[str, Any], region: str) -> None:
    """Raises StructureError for the first thing that CodePipeline would refuse."""
    stages = pipeline.get("stages", [])
    if len(stages) < 2:
        raise _structure(
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    if len(stages) > MOST_STAGES:
        raise _structure(f"Pipeline has {len(stages)} stages. There should be a maximum of {MOST_STAGES}")
    _refuse_stores(pipeline)
    _refuse_twice([stage["name"] for stage in stages], "Stage name {name} is used more than once in the pipeline")
    for number, stage in enumerate(stages):
        _refuse_stage(stage, first=number == 0)
    for stage in stages:
        for action in stage["actions"]:
            _refuse_action(action, region)
    _refuse_artifacts(stages)


def _refuse_stores(pipeline: Mapping[str, Any]) -> None:
    if ("artifactStore" in pipeline) == ("artifactStores" in pipeline):
        raise _structure("Pipeline must have either artifactStore or artifactStores, and not both")


def _refuse_stage(stage: Stage, *, first: bool) -> None:
    name, actions = stage["name"], stage.get("actions", [])
    if not actions:
        raise _structure(f"Stage {name} must contain at least one action")
    _refuse_twice([one["name"] for one in actions], "Action name {name} is used more than once in stage " + name)
    sources = [one["actionTypeId"].get("category") == "Source" for one in actions]
    if first and not all(sources):
        raise _structure(f"The first stage of a pipeline must contain only source actions; {name} contains others")
    if not first and any(sources):
        raise _structure(f"Only the first stage of a pipeline may contain source actions; {name} contains one, too")


def _refuse_action(action: Action, region: str) -> None:
    name, kind = action["name"], action["actionTypeId"]
    found = action_type(kind)
    if found is None:
        raise StructureError(
            "InvalidActionDeclarationException",
            f"ActionType (Category: '{kind.get('category')}', Provider: '{kind.get('provider')}', Owner: "
            f"'{kind.get('owner')}', Version: '{kind.get('version')}') in action '{name}' is not available in region "
            f"{region}",
        )
    given = action.get("configuration") or {}
    for key in sorted(found.required - given.keys()):
        raise StructureError(
            "InvalidActionDeclarationException",
            f"Action configuration for action '{name}' is missing required configuration '{key}'",
        )
    for key in given:
        if not found.takes(key):
            raise StructureError(
                "InvalidActionDeclarationException",
                f"Action configuration for action '{name}' contains unknown configuration '{key}'",
            )
    for which, (least, most) in (("input", found.inputs), ("output", found.outputs)):
        count = len(action.get(f"{which}Artifacts") or [])
        if not least <= count <= most:
            raise _structure(
                f"Action '{name}' has {count} {which} artifact(s); its type takes at least {least} and at most {most}"
            )


def _refuse_artifacts(stages: list[Stage]) -> None:
    """An artifact is made by one action, and taken only by those that run later."""
    made: set[str] = set()
    for stage in stages:
        for together in in_order(stage):
            for action in together:
                for name in _artifacts(action, "input"):
                    if name not in made:
                        raise _structure(
                            f"Input Artifact Bundle {name} in action {action['name']} is not the output of any action "
                            "that runs before it"
                        )
            for action in together:
                for name in _artifacts(action, "output"):
                    if name in made:
                        raise _structure(
                            f"Output Artifact Bundle {name} in action {action['name']} is declared more than once: "
                            "output artifact names must be unique in a pipeline"
                        )
                    made.add(name)


def in_order(stage: Stage) -> Iterator[list[Action]]:
    """The stage's actions in the order they run: those of one runOrder run side by side."""
    orders = sorted({int(one.get("runOrder", 1)) for one in stage["actions"]})
    for order in orders:
        yield [one for one in stage["actions"] if int(one.get("runOrder", 1)) == order]


def _artifacts(action: Action, which: str) -> list[str]:
    return [str(one["name"]) for one in action.get(f"{which}Artifacts") or []]


def _refuse_twice(names: list[str], message: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _structure(message.replace("{name}", name))


def _structure(message: str) -> StructureError:
    return StructureError("InvalidStructureException", message)
