"""Rules, attributes and tags of load balancers and target groups: the values that AWS does not take."""

from __future__ import annotations

from typing import Any

from tests.fidelity.rows.ecs_services import BALANCED
from tests.fidelity.table import Row, Service

elbv2 = Service("elbv2")
API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_{}.html"
INVALID, CONFIGURATION = "ValidationError", "InvalidConfigurationRequest"
FORWARD = {"Type": "forward", "TargetGroupArn": "<group>"}


def rule(condition: dict[str, Any] | None = None, **action: Any) -> dict[str, Any]:
    """A rule of one condition and one action: a path and the target group, where nothing else is said."""
    return {
        "ListenerArn": "<listener>", "Priority": 10,
        "Conditions": [condition or {"Field": "path-pattern", "Values": ["/cart/*"]}], "Actions": [action or FORWARD],
    }  # fmt: skip


def _rule(given: dict[str, Any], why: str, says: str, source: str, code: str = INVALID) -> Row:
    return elbv2.refuses("CreateRule", given, code, why, given=BALANCED, says=says, source=source)


def host(*names: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(names)}}


def header(name: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": ["shop"]}}


def weighted(**more: Any) -> dict[str, Any]:
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "<group>"}], **more}}


HOSTS = API.format("HostHeaderConditionConfig")
RULES = [
    _rule(rule(host("shop")), "a host without a point", "host-header", HOSTS),
    _rule(rule(host("shop.example.com:8443")), "a host with its port", "host-header",
          "https://github.com/hashicorp/terraform-provider-aws/issues/49147"),
    _rule(rule(host("10.0.0.1")), "an address for a host", "host-header", HOSTS),
    _rule(rule({**host("shop.example.com"), "Values": ["shop.example.com"]}), "a host said in both ways",
          "You cannot provide both Values and 'HostHeaderConfig' for a condition of type 'host-header'",
          "https://github.com/aws-controllers-k8s/community/issues/2759"),
    _rule(rule(header("Host")), "the host as a header", "host", API.format("HttpHeaderConditionConfig")),
    _rule(rule(header("X Shop")), "a blank in a header's name", "X Shop", API.format("HttpHeaderConditionConfig")),
    _rule(rule({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1"]}}), "an address that is no block",
          "CIDR", API.format("SourceIpConditionConfig")),
    _rule(rule({"Field": "source-ip", "SourceIpConfig": {"Values": ["123.456.789.112/32"]}}),
          "a block of no addresses", "CIDR", "https://github.com/aws/copilot-cli/issues/2620"),
    _rule(rule({"Field": "path-pattern", "Values": ["/my cart"]}), "a blank in a path", "path-pattern",
          API.format("RuleCondition")),
    _rule(rule(**weighted(TargetGroupStickinessConfig={"Enabled": True})), "stickiness of no duration",
          "Target group stickiness duration must be between 1 and 604800 seconds",
          "https://github.com/app-sre/qontract-reconcile/pull/2089"),
    _rule(rule(Type="redirect", RedirectConfig={"Protocol": "HTTPS", "Port": "70000", "StatusCode": "HTTP_301"}),
          "a redirect to port 70000", "port", API.format("RedirectActionConfig"), "InvalidLoadBalancerAction"),
    elbv2.accepts(
        "CreateRule", rule(host("*.example.com", "shop.example.??"), **weighted(
            TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": 300})),
        "hosts with wildcards, and visitors who stay", given=BALANCED,
        shows={"Rules[0].Conditions[0].HostHeaderConfig.Values": ["*.example.com", "shop.example.??"]}, source=HOSTS,
    ),
]  # fmt: skip

OF_GROUPS, OF_BALANCERS = API.format("TargetGroupAttribute"), API.format("LoadBalancerAttribute")


def group(key: str, value: str, why: str, code: str = INVALID, source: str = OF_GROUPS, says: str = "") -> Row:
    given = {"TargetGroupArn": "<group>", "Attributes": [{"Key": key, "Value": value}]}
    return elbv2.refuses(
        "ModifyTargetGroupAttributes", given, code, why, given=BALANCED, says=says or value, source=source
    )


def balancer(key: str, value: str, why: str) -> Row:
    given = {"LoadBalancerArn": "<balancer>", "Attributes": [{"Key": key, "Value": value}]}
    return elbv2.refuses(
        "ModifyLoadBalancerAttributes", given, CONFIGURATION, why, given=BALANCED, says=value, source=OF_BALANCERS
    )


ATTRIBUTES = [
    group("deregistration_delay.timeout_seconds", "5m", "a delay with its unit"),
    group("slow_start.duration_seconds", "5", "a slow start of five seconds",
          source="https://github.com/kubernetes-sigs/aws-load-balancer-controller/pull/1536"),
    group("stickiness.lb_cookie.duration_seconds", "604801", "a cookie for more than a week"),
    group("stickiness.enabled", "yes", "stickiness by another word"),
    group("load_balancing.algorithm.type", "random", "an algorithm that there is not"),
    group("stickiness.app_cookie.cookie_name", "AWSALB", "a cookie with the load balancer's own name", CONFIGURATION),
    balancer("idle_timeout.timeout_seconds", "4001", "an idle timeout of more than 4000 seconds"),
    balancer("client_keep_alive.seconds", "10", "ten seconds to keep a client"),
    balancer("deletion_protection.enabled", "on", "protection by another word"),
    balancer("routing.http.desync_mitigation_mode", "off", "a mode that there is not"),
    elbv2.accepts(
        "ModifyTargetGroupAttributes",
        {"TargetGroupArn": "<group>", "Attributes": [{"Key": "slow_start.duration_seconds", "Value": "0"},
                                                     {"Key": "stickiness.enabled", "Value": "true"}]},
        "slow start off, stickiness on", given=BALANCED, source=OF_GROUPS,
    ),
]  # fmt: skip


def pool(**more: Any) -> dict[str, Any]:
    return {"Name": "api", "Protocol": "HTTP", "Port": 80, "VpcId": "<vpc>", "TargetType": "ip", **more}


CLOSE = "Health check interval must be greater than the timeout"
POOLS = [
    elbv2.refuses(
        "CreateTargetGroup", pool(HealthCheckIntervalSeconds=5), INVALID,
        "an interval as short as the timeout that nobody named", given=BALANCED, says=CLOSE,
        source="https://github.com/terraform-linters/tflint-ruleset-aws/issues/404",
    ),
    elbv2.refuses(
        "CreateTargetGroup", pool(HealthCheckIntervalSeconds=10, HealthCheckTimeoutSeconds=10), INVALID,
        "an interval as short as the timeout", given=BALANCED, says="Health check timeout '10' must be smaller",
        source="https://github.com/hashicorp/terraform-provider-aws/issues/48070",
    ),
    elbv2.accepts(
        "CreateTargetGroup", pool(HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2),
        "the shortest interval, with a shorter timeout", given=BALANCED,
        shows={"TargetGroups[0].[HealthCheckIntervalSeconds, HealthCheckTimeoutSeconds]": [5, 2]},
        source=API.format("CreateTargetGroup"),
    ),
    elbv2.refuses(
        "CreateTargetGroup", pool(Tags=[{"Key": "team", "Value": "a"}, {"Key": "team", "Value": "b"}]),
        "DuplicateTagKeys", "one tag twice on a target group", given=BALANCED, source=API.format("AddTags"),
    ),
    elbv2.refuses(
        "AddTags", {"ResourceArns": ["<balancer>"], "Tags": [{"Key": "aws:team", "Value": "a"}]}, INVALID,
        "a tag that is AWS's", given=BALANCED, says="Tag key 'aws:team' cannot start with 'aws:'",
        source="https://github.com/aws/elastic-load-balancing-tools/issues/6",
    ),
]  # fmt: skip

ROWS = [*RULES, *ATTRIBUTES, *POOLS]
