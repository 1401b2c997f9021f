"""What CodeDeploy's ECS blue/green deployments read: the AppSpec, and the templates that a pipeline fills in.

Sources: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html,
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

HOOKS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
PLACEHOLDER = "<TASK_DEFINITION>"


class AppSpecError(Exception):
    """CodeDeploy refuses the AppSpec: INVALID_REVISION, or the message of CreateDeployment."""


@dataclass(frozen=True)
class AppSpec:
    """An AppSpec for Amazon ECS. `hooks` are the Lambda functions, by the event that calls them."""

    task_definition: str
    container: str
    port: int
    platform_version: str = ""
    network: Mapping[str, Any] = field(default_factory=dict)
    capacity_providers: tuple[Mapping[str, Any], ...] = ()
    hooks: Mapping[str, str] = field(default_factory=dict)


def app_spec(text: str) -> AppSpec:
    """The AppSpec in `text`, YAML or JSON. Raises AppSpecError."""
    try:
        given = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise AppSpecError("The AppSpec file is not well-formed YAML or JSON.") from None
    if not isinstance(given, dict):
        raise AppSpecError("The AppSpec file is not well-formed YAML or JSON.")
    given = {str(key).lower(): value for key, value in given.items()}
    if str(given.get("version")) not in ("0.0", "0"):
        raise AppSpecError("The AppSpec file must say version 0.0.")
    service = _service(given.get("resources"))
    load_balancer = service.get("LoadBalancerInfo")
    if not isinstance(load_balancer, dict):
        raise AppSpecError("The AppSpec file has no LoadBalancerInfo with ContainerName and ContainerPort.")
    container, port = load_balancer.get("ContainerName"), load_balancer.get("ContainerPort")
    if not isinstance(container, str) or not container or not str(port).isdigit():
        raise AppSpecError("LoadBalancerInfo needs a ContainerName and a ContainerPort.")
    wanted = service.get("TaskDefinition")
    if not isinstance(wanted, str) or not wanted:
        raise AppSpecError("The AppSpec file names no TaskDefinition.")
    strategy = service.get("CapacityProviderStrategy") or ()
    return AppSpec(
        wanted,
        container,
        int(str(port)),
        str(service.get("PlatformVersion") or ""),
        _network(service.get("NetworkConfiguration")),
        tuple({_camel(k): v for k, v in one.items()} for one in strategy if isinstance(one, dict)),
        _hooks(given.get("hooks")),
    )


def _service(resources: Any) -> Mapping[str, Any]:
    """The properties of the one ECS service that an AppSpec describes."""
    if not isinstance(resources, list) or len(resources) != 1 or not isinstance(resources[0], dict):
        raise AppSpecError("The AppSpec file must describe exactly one resource, in a list: an ECS service.")
    (target,) = list(resources[0].values())[:1] or [None]
    if not isinstance(target, dict) or target.get("Type") != "AWS::ECS::Service":
        raise AppSpecError("The AppSpec file's resource must be of the Type AWS::ECS::Service.")
    properties = target.get("Properties")
    if not isinstance(properties, dict):
        raise AppSpecError("The AppSpec file's resource has no Properties.")
    return properties


def _network(value: Any) -> Mapping[str, Any]:
    given = value.get("AwsvpcConfiguration") if isinstance(value, dict) else None
    return {_camel(key): one for key, one in given.items()} if isinstance(given, dict) else {}


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _hooks(value: Any) -> Mapping[str, str]:
    hooks: dict[str, str] = {}
    for one in value or ():
        if not isinstance(one, dict):
            raise AppSpecError("The AppSpec file's Hooks must be a list of event: function.")
        for event, function in one.items():
            if event not in HOOKS:
                raise AppSpecError(f"{event} is not a lifecycle event of an Amazon ECS deployment.")
            hooks[event] = str(function)
    return hooks


def rendered_template(text: str, images: Mapping[str, str], task_definition: str = "") -> str:
    """A taskdef.json or appspec.yaml with its placeholders filled in: `<IMAGE1_NAME>`, `<TASK_DEFINITION>`."""
    for name, uri in images.items():
        text = text.replace(f"<{name}>", uri)
    return text.replace(PLACEHOLDER, task_definition) if task_definition else text
