"""What AWS refuses of listeners, their rules and actions, and moto takes.

Source: Elastic Load Balancing API reference, CreateListener, ModifyListener, CreateRule, ModifyRule, DeleteRule;
Application Load Balancers Guide, "Listener rules" and "Quotas".
"""

from __future__ import annotations

from typing import Any

from fargrade.emulator.elbv2 import conditions, store
from fargrade.emulator.errors import Refused
from fargrade.emulator.roles import backend as iam
from fargrade.emulator.rules import Call, refusal

APPLICATION = ("HTTP", "HTTPS")
NETWORK = ("UDP", "TCP", "TLS", "TCP_UDP")
LISTENERS, RULES, WEIGHTED = 50, 100, 5
FINAL = ("forward", "redirect", "fixed-response")


@refusal("elbv2", "CreateListener")
def _creation(call: Call) -> None:
    asked = call.parameters
    balancer = store.load_balancer(call.region, asked["LoadBalancerArn"])
    _protocol(balancer, asked.get("Protocol", ""), asked.get("Port"))
    _certificate(asked.get("Protocol", ""), asked.get("Certificates") or [])
    _actions(call.region, balancer, asked.get("DefaultActions") or [])
    if len(balancer.listeners) >= LISTENERS:
        raise Refused("TooManyListeners", f"The maximum number of listeners has been reached on '{balancer.arn}'")
    taken = next(
        (one for one in balancer.listeners.values() if int(one.port or 0) == int(asked.get("Port") or 0)), None
    )
    if taken is not None and not same(taken, asked):
        raise _duplicate(balancer)


def _protocol(balancer: Any, protocol: str, port: int | None) -> None:
    """API_CreateListener.html, Port and Protocol: which a load balancer of the type can have."""
    known = APPLICATION if balancer.type == "application" else NETWORK
    if balancer.type != "gateway" and not port:
        raise _invalid("A listener port must be specified")
    if protocol and protocol not in known and balancer.type != "gateway":
        raise _invalid(f"Listener protocol '{protocol}' must be one of '{', '.join(known)}'")


def same(listener: Any, asked: dict[str, Any]) -> bool:
    """Whether the listener has the settings that are asked for: CreateListener is idempotent."""
    held = [(action.type, store.groups_of(action)) for action in listener.default_actions]
    wanted = [(action.get("Type"), store.groups_of(action)) for action in asked.get("DefaultActions") or []]
    plain = all(kind == "forward" for kind, _ in wanted)
    return plain and listener.protocol == asked.get("Protocol") and held == wanted


def _duplicate(balancer: Any) -> Refused:
    return Refused(
        "DuplicateListener", f"A listener already exists on this port for this load balancer '{balancer.arn}'"
    )


@refusal("elbv2", "ModifyListener")
def _modification(call: Call) -> None:
    asked = call.parameters
    balancer, listener = store.listener(call.region, asked["ListenerArn"])
    protocol = asked.get("Protocol", listener.protocol)
    held = [{"CertificateArn": arn} for arn in listener.certificates] if protocol == listener.protocol else []
    _certificate(protocol, asked.get("Certificates") or held)
    if asked.get("DefaultActions"):
        _actions(call.region, balancer, asked["DefaultActions"])
    for one in balancer.listeners.values():
        if asked.get("Port") and one is not listener and int(one.port or 0) == int(asked["Port"]):
            raise _duplicate(balancer)


def _certificate(protocol: str, certificates: list[dict[str, Any]]) -> None:
    if protocol in ("HTTPS", "TLS") and not certificates:
        raise _invalid(f"A certificate must be specified for {protocol} listeners")
    if protocol not in ("HTTPS", "TLS", "") and certificates:
        raise _invalid(f"A certificate cannot be specified for {protocol} listeners")
    for one in certificates:
        if ":server-certificate/" in one.get("CertificateArn", "") and not _uploaded(one["CertificateArn"]):
            raise Refused("CertificateNotFound", f"Certificate '{one['CertificateArn']}' not found")
    if len(certificates) > 1:
        raise _invalid("A listener must be created with exactly one certificate; more are added afterwards")


def _uploaded(arn: str) -> bool:
    """Whether IAM has the server certificate; moto looks for ACM's itself."""
    return iam().get_certificate_by_arn(arn) is not None


# -- actions -----------------------------------------------------------------------------------------------


def _actions(region: str, balancer: Any, actions: list[dict[str, Any]]) -> None:
    if not actions:
        raise _invalid("A listener or rule must have at least one action")
    finals = [action for action in actions if action.get("Type") in FINAL]
    if len(finals) != 1:
        raise Refused(
            "InvalidLoadBalancerAction",
            "Exactly one action of type 'forward', 'redirect' or 'fixed-response' is needed",
        )
    for action in actions:
        if action.get("Type") == "forward":
            _forward(region, balancer, action)
        elif action.get("Type") == "redirect":
            _redirect(action.get("RedirectConfig"))
        elif action.get("Type") == "fixed-response" and not action.get("FixedResponseConfig"):
            raise Refused("InvalidLoadBalancerAction", "A fixed-response configuration must be specified")


def _forward(region: str, balancer: Any, action: dict[str, Any]) -> None:
    listed = [one.get("TargetGroupArn") for one in (action.get("ForwardConfig") or {}).get("TargetGroups") or []]
    single = action.get("TargetGroupArn")
    names = store.groups_of(action)
    if not names:
        raise _invalid("A target group ARN must be specified")
    if single and listed and listed != [single]:
        raise Refused(
            "InvalidLoadBalancerAction",
            "You can specify both a target group list and a top-level target group ARN only if they are the same",
        )
    if len(listed) > WEIGHTED:
        raise Refused("TooManyTargetGroups", f"A forward action can have at most {WEIGHTED} target groups")
    weights = [one.get("Weight", 1) for one in (action.get("ForwardConfig") or {}).get("TargetGroups") or []]
    if any(not 0 <= int(weight) <= 999 for weight in weights):
        raise _invalid("Target group weights must be between 0 and 999")
    stickiness = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    if stickiness.get("Enabled") and not 1 <= int(stickiness.get("DurationSeconds") or 0) <= 604800:
        raise _invalid("Target group stickiness duration must be between 1 and 604800 seconds")
    for name in names:
        _group(region, balancer, name)


def _group(region: str, balancer: Any, name: str) -> None:
    group = store.backend(region).target_groups.get(name)
    if group is None:
        raise Refused("TargetGroupNotFound", f"Target groups '{name}' not found")
    if group.vpc_id and group.vpc_id != balancer.vpc_id:
        raise Refused(
            "InvalidConfigurationRequest", f"The target group '{name}' is not in the same VPC as '{balancer.arn}'"
        )
    application = balancer.type == "application"
    if group.protocol and application != (group.protocol in APPLICATION):
        raise Refused(
            "IncompatibleProtocols",
            f"The target group '{name}' ({group.protocol}) cannot be used with load balancer '{balancer.arn}'",
        )
    if any(other.arn != balancer.arn for other in store.balancers_of(region, name)):
        raise Refused(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {name}",
        )


def _redirect(config: dict[str, Any] | None) -> None:
    if not config:
        raise Refused("InvalidLoadBalancerAction", "A redirect configuration must be specified")
    port = str(config.get("Port") or "#{port}")
    if port != "#{port}" and not (port.isdigit() and 1 <= int(port) <= 65535):
        raise Refused("InvalidLoadBalancerAction", f"The redirect port '{port}' must be 1 to 65535, or '#{{port}}'")
    kept = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}"}
    if all(config.get(name) in (None, value) for name, value in kept.items()):
        raise Refused("InvalidLoadBalancerAction", "The Redirect configuration is not valid because it creates a loop.")


# -- rules -------------------------------------------------------------------------------------------------


@refusal("elbv2", "CreateRule")
def _rule(call: Call) -> None:
    balancer, listener = store.listener(call.region, call.parameters["ListenerArn"])
    conditions.check(call.parameters.get("Conditions") or [])
    _actions(call.region, balancer, call.parameters.get("Actions") or [])
    priority = int(call.parameters["Priority"])
    if any(str(rule.priority) == str(priority) for rule in listener.rules.values()):
        raise Refused("PriorityInUse", f"Priority '{priority}' is currently in use")
    held = sum(1 for one in balancer.listeners.values() for rule in one.rules.values() if not rule.is_default)
    if held >= RULES:
        raise Refused("TooManyRules", f"The maximum number of rules has been reached on '{balancer.arn}'")


@refusal("elbv2", "ModifyRule")
def _rule_modification(call: Call) -> None:
    balancer, rule = _held(call)
    if rule.is_default:
        raise Refused("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be modified: modify its listener")
    if call.parameters.get("Conditions"):
        conditions.check(call.parameters["Conditions"])
    if call.parameters.get("Actions"):
        _actions(call.region, balancer, call.parameters["Actions"])


@refusal("elbv2", "DeleteRule")
def _rule_deletion(call: Call) -> None:
    _, rule = _held(call)
    if rule.is_default:
        raise Refused("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be deleted")


def _held(call: Call) -> tuple[Any, Any]:
    for balancer, listener in store.listeners(call.region):
        for rule in listener.rules.values():
            if rule.arn == call.parameters["RuleArn"]:
                return balancer, rule
    raise Refused("RuleNotFound", f"One or more rules not found: '{call.parameters['RuleArn']}'")


def _invalid(message: str) -> Refused:
    return Refused("ValidationError", message)
