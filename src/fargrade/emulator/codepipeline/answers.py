"""CodePipeline's calls.

Source: https://docs.aws.amazon.com/codepipeline/latest/APIReference/Welcome.html.
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator import clock
from fargrade.emulator.codepipeline import artifacts, executions, pipelines
from fargrade.emulator.codepipeline.executions import ActionRun, Execution
from fargrade.emulator.codepipeline.pipelines import Held
from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op
from fargrade.emulator.rules import Call, answer

MOST_TAGS = 50  # API_TagResource.html, tags


@answer("codepipeline", "CreatePipeline")
def create(call: Call) -> dict[str, Any]:
    """A new pipeline runs at once: https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create.html."""
    tags = {one["key"]: one["value"] for one in call.parameters.get("tags", ())}
    made = pipelines.create(call.region, call.parameters["pipeline"], tags)
    executions.start(made, "CreatePipeline")
    return {"pipeline": made.declared, "tags": call.parameters.get("tags", [])}


@answer("codepipeline", "UpdatePipeline")
def update(call: Call) -> dict[str, Any]:
    return {"pipeline": pipelines.update(call.region, call.parameters["pipeline"]).declared}


@answer("codepipeline", "GetPipeline")
def get(call: Call) -> dict[str, Any]:
    held = pipelines.wanted(call.region, call.parameters["name"])
    return {"pipeline": held.declared, "metadata": held.metadata}


@answer("codepipeline", "ListPipelines")
def list_all(call: Call) -> dict[str, Any]:
    return {
        "pipelines": [
            {
                "name": one.name,
                "version": one.declared["version"],
                "pipelineType": one.declared["pipelineType"],
                "executionMode": one.declared["executionMode"],
                "created": one.created,
                "updated": one.updated,
            }
            for one in pipelines.all_pipelines(call.region)
        ]
    }


@answer("codepipeline", "DeletePipeline")
def delete(call: Call) -> dict[str, Any]:
    pipelines.delete(call.region, call.parameters["name"])
    return {}


@answer("codepipeline", "StartPipelineExecution")
def start(call: Call) -> dict[str, Any]:
    held = pipelines.wanted(call.region, call.parameters["name"])
    variables = {one["name"]: one["value"] for one in call.parameters.get("variables", ())}
    return {"pipelineExecutionId": executions.start(held, "StartPipelineExecution", "", variables).identity}


@answer("codepipeline", "StopPipelineExecution")
def stop(call: Call) -> dict[str, Any]:
    found = _execution(call)
    if found.status != "InProgress":
        raise Refused("PipelineExecutionNotStoppableException", "The execution has ended already")
    executions.stop(found, call.parameters.get("reason", ""))
    return {"pipelineExecutionId": found.identity}


@answer("codepipeline", "RetryStageExecution")
def retry(call: Call) -> dict[str, Any]:
    found, stage = _execution(call), call.parameters["stageName"]
    if not any(run.stage == stage and run.status == "Failed" for run in found.runs) or found.status != "Failed":
        raise Refused("StageNotRetryableException", f"The stage {stage} has not failed in this execution")
    executions.retry(found, stage)
    return {"pipelineExecutionId": found.identity}


@answer("codepipeline", "GetPipelineExecution")
def get_execution(call: Call) -> dict[str, Any]:
    found = _execution(call)
    return {
        "pipelineExecution": {
            "pipelineName": found.held.name,
            "pipelineVersion": found.declared["version"],
            "pipelineExecutionId": found.identity,
            "status": found.status,
            "statusSummary": found.summary,
            "artifactRevisions": [
                {"name": one["artifact"], "revisionId": one["revisionId"], "revisionSummary": one["summary"]}
                for one in found.revisions
            ],
            "variables": [{"name": name, "resolvedValue": value} for name, value in found.variables.items()],
            "trigger": {"triggerType": found.trigger, "triggerDetail": found.detail},
        }
    }


def _execution(call: Call) -> Execution:
    held = pipelines.wanted(call.region, call.parameters["pipelineName"])
    return executions.find(held, call.parameters["pipelineExecutionId"])


@answer("codepipeline", "ListPipelineExecutions")
def list_executions(call: Call) -> dict[str, Any]:
    held = pipelines.wanted(call.region, call.parameters["pipelineName"])
    found = executions.executions_of(held)[: call.parameters.get("maxResults") or None]
    return {
        "pipelineExecutionSummaries": [
            {
                "pipelineExecutionId": one.identity,
                "status": one.status,
                "statusSummary": one.summary,
                "startTime": one.started,
                "lastUpdateTime": one.updated,
                "sourceRevisions": [
                    {"actionName": r["name"], "revisionId": r["revisionId"], "revisionSummary": r["summary"]}
                    for r in one.revisions
                ],
                "trigger": {"triggerType": one.trigger, "triggerDetail": one.detail},
            }
            for one in found
        ]
    }


@answer("codepipeline", "ListActionExecutions")
def list_actions(call: Call) -> dict[str, Any]:
    held = pipelines.wanted(call.region, call.parameters["pipelineName"])
    wanted = (call.parameters.get("filter") or {}).get("pipelineExecutionId")
    return {
        "actionExecutionDetails": [
            _detail(one, run)
            for one in executions.executions_of(held)
            if wanted in (None, one.identity)
            for run in reversed(one.runs)
        ]
    }


def _detail(execution: Execution, run: ActionRun) -> dict[str, Any]:
    return {
        "pipelineExecutionId": execution.identity,
        "actionExecutionId": run.identity,
        "pipelineVersion": execution.declared["version"],
        "stageName": run.stage,
        "actionName": run.name,
        "startTime": run.started,
        "lastUpdateTime": run.ended or run.started,
        "status": run.status,
        "input": {
            "actionTypeId": run.action["actionTypeId"],
            "configuration": run.action["configuration"],
            "resolvedConfiguration": run.configuration,
            "region": execution.region,
            "inputArtifacts": [
                {"name": name, "s3location": artifacts.described(execution.artifacts[name])}
                for name in artifacts.inputs(run)
                if name in execution.artifacts
            ],
        },
        "output": {
            "outputArtifacts": [
                {"name": name, "s3location": artifacts.described(place)} for name, place in run.outputs.items()
            ],
            "outputVariables": run.variables,
            "executionResult": {
                "externalExecutionId": run.external,
                **({"externalExecutionSummary": run.message} if run.message else {}),
                **({"errorDetails": _error(run)} if run.status == "Failed" else {}),
            },
        },
    }


def _error(run: ActionRun) -> dict[str, str]:
    return {"code": "JobFailed", "message": run.message}


@answer("codepipeline", "GetPipelineState")
def state(call: Call) -> dict[str, Any]:
    held = pipelines.wanted(call.region, call.parameters["name"])
    return {
        "pipelineName": held.name,
        "pipelineVersion": held.declared["version"],
        "created": held.created,
        "updated": held.updated,
        "stageStates": [_stage_state(held, stage) for stage in held.declared["stages"]],
    }


def _stage_state(held: Held, stage: dict[str, Any]) -> dict[str, Any]:
    name = stage["name"]
    reached = next((one for one in executions.executions_of(held) if any(run.stage == name for run in one.runs)), None)
    opened = {"enabled": name not in held.closed}
    if name in held.closed:
        opened["disabledReason"] = held.closed[name]  # type: ignore[assignment]
    made: dict[str, Any] = {"stageName": name, "inboundTransitionState": opened, "actionStates": []}
    ran = [run for run in reached.runs if run.stage == name] if reached else []
    for action in stage["actions"]:
        run = next((one for one in reversed(ran) if one.name == action["name"]), None)
        made["actionStates"].append({"actionName": action["name"], **(_action_state(run) if run else {})})
    if reached:
        states = [run.status for run in ran]
        status = next((one for one in ("Failed", "InProgress", "Abandoned") if one in states), "Succeeded")
        shown = "Stopped" if status == "Abandoned" else status
        made["latestExecution"] = {"pipelineExecutionId": reached.identity, "status": shown}
    return made


def _action_state(run: ActionRun) -> dict[str, Any]:
    waits = run.status == "InProgress" and run.action["actionTypeId"]["category"] == "Approval"
    return {
        "latestExecution": {
            "actionExecutionId": run.identity,
            "status": run.status,
            "lastStatusChange": run.ended or run.started,
            "externalExecutionId": run.external,
            **({"summary": run.message} if run.message else {}),
            **({"token": run.identity} if waits else {}),
            **({"errorDetails": _error(run)} if run.status == "Failed" else {}),
        }
    }


@answer("codepipeline", "PutApprovalResult")
def approve(call: Call) -> dict[str, Any]:
    given = call.parameters
    held = pipelines.wanted(call.region, given["pipelineName"])
    for one in executions.executions_of(held):
        for run in one.runs:
            if (run.identity, run.stage, run.name) == (given["token"], given["stageName"], given["actionName"]):
                if run.status != "InProgress":
                    raise Refused("ApprovalAlreadyCompletedException", "The approval has been answered already")
                summary = given["result"]["summary"]
                if given["result"]["status"] == "Approved":
                    executions.succeed(one, run, summary)
                else:
                    executions.fail(one, run, summary)
                return {"approvedAt": clock.now()}
    raise Refused("InvalidApprovalTokenException", "The approval token is not one of this action's")


@answer("codepipeline", "DisableStageTransition")
def disable(call: Call) -> dict[str, Any]:
    held, stage = _stage(call)
    if call.parameters["transitionType"] == "Inbound":
        held.closed[stage] = call.parameters["reason"]
    return {}


@answer("codepipeline", "EnableStageTransition")
def enable(call: Call) -> dict[str, Any]:
    held, stage = _stage(call)
    if held.closed.pop(stage, None) is not None:
        executions.resume(held, stage)
    return {}


def _stage(call: Call) -> tuple[Held, str]:
    held = pipelines.wanted(call.region, call.parameters["pipelineName"])
    name = call.parameters["stageName"]
    if name not in [stage["name"] for stage in held.declared["stages"]]:
        raise Refused("StageNotFoundException", f"The pipeline {held.name} has no stage {name}")
    return held, name


@answer("codepipeline", "ListTagsForResource")
def tags(call: Call) -> dict[str, Any]:
    held = pipelines.by_arn(call.region, call.parameters["resourceArn"])
    return {"tags": [{"key": key, "value": value} for key, value in sorted(held.tags.items())]}


@answer("codepipeline", "TagResource")
def tag(call: Call) -> dict[str, Any]:
    held = pipelines.by_arn(call.region, call.parameters["resourceArn"])
    given = {one["key"]: one["value"] for one in call.parameters["tags"]}
    if any(key.startswith("aws:") for key in given):
        raise Refused(
            "InvalidTagsException",
            "Not allowed to modify system tags. System tags start with 'aws:'. "
            "msg=[Caller is an end user and not allowed to mutate system tags]",
        )
    if len({*held.tags, *given}) > MOST_TAGS:
        raise Refused("TooManyTagsException", f"Tag limit exceeded for resource [{call.parameters['resourceArn']}].")
    held.tags |= given
    return {}


@answer("codepipeline", "UntagResource")
def untag(call: Call) -> dict[str, Any]:
    held = pipelines.by_arn(call.region, call.parameters["resourceArn"])
    for key in call.parameters["tagKeys"]:
        held.tags.pop(key, None)
    return {}


@control_op("pipeline_executions")
def all_executions(region: str) -> list[dict[str, Any]]:
    """Every execution in the region, oldest first, with its actions: for the grader's picture of the way."""
    return [
        {
            "pipeline": held.name,
            "id": one.identity,
            "status": one.status,
            "commit": one.revisions[0]["revisionId"] if one.revisions else "",
            "actions": [
                {
                    "stage": run.stage,
                    "action": run.name,
                    "category": run.action["actionTypeId"]["category"],
                    "provider": run.action["actionTypeId"]["provider"],
                    "status": run.status,
                    "message": run.message,
                }
                for run in one.runs
            ],
        }
        for held in pipelines.all_pipelines(region)
        for one in reversed(executions.executions_of(held))
    ]
