"""Lambda functions that a blue/green deployment of ECS's own calls on its way, and that may stop it.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html.
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator import acting, functions, roles
from fargrade.emulator.ecs import scheduling
from fargrade.emulator.ecs.model import Deployment, Service


def passed(service: Service, deployment: Deployment, *stages: str) -> bool:
    """Call the hooks of these stages, in order; False where one has failed, and the deployment with it."""
    for stage in stages:
        for hook in service.settings.get("lifecycleHooks") or ():
            if stage not in (hook.get("lifecycleStages") or ()) or not hook.get("hookTargetArn"):
                continue
            target = str(hook["hookTargetArn"])
            why = _denied(service, hook) or functions.call(
                target, deployment=deployment.id, event=stage, weight=deployment.weight
            )
            if why:
                said = f"{stage} lifecycle hook(s) failed. {why}."
                scheduling.fail(
                    service, deployment, said, roll_back=True, by="ECS deployment lifecycle hooks", because=said
                )
                scheduling.touch(service)
                return False
    return True


def _denied(service: Service, hook: dict[str, Any]) -> str:
    """Why ECS may not call the hook in its role's name; "" where it may."""
    role = str(hook.get("roleArn", ""))
    if not roles.assumable(role, "ecs.amazonaws.com", region=service.region).allowed:
        return f"ECS was unable to assume the role {role}"
    return acting.denial(role, "lambda:InvokeFunction", hook["hookTargetArn"], region=service.region, session="ecs")
