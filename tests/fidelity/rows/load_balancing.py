"""Elastic Load Balancing: load balancers, target groups, listeners, rules, targets and their health."""

from __future__ import annotations

from typing import Any

from tests.fidelity.rows.ec2_networks import NOWHERE, OTHER, VPC, ec2, elbv2, gateway, group, let_in, subnet, tcp, world
from tests.fidelity.table import Row, Step

API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_{}.html"
GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/{}.html"
PLACE = (
    VPC, *gateway(), subnet("left", "10.0.1.0/24", "a"), subnet("right", "10.0.2.0/24", "b"),
    subnet("twin", "10.0.3.0/24", "a"), group("front"),
)  # fmt: skip


def balancer(name: str = "web", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Subnets": ["<left>", "<right>"], "SecurityGroups": ["<front>"], **more}


def targets(name: str = "tasks", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": "<vpc>", "TargetType": "ip", **more}


def made(name: str = "web", as_: str = "balancer", **more: Any) -> Step:
    return elbv2.step("CreateLoadBalancer", balancer(name, **more), saves={as_: "LoadBalancers[0].LoadBalancerArn"})


def pooled(name: str = "tasks", as_: str = "pool", **more: Any) -> Step:
    return elbv2.step("CreateTargetGroup", targets(name, **more), saves={as_: "TargetGroups[0].TargetGroupArn"})


def forward(pool: str = "<pool>") -> list[dict[str, Any]]:
    return [{"Type": "forward", "TargetGroupArn": pool}]


def listener(port: int = 80, **more: Any) -> dict[str, Any]:
    asked = {"LoadBalancerArn": "<balancer>", "Protocol": "HTTP", "Port": port, "DefaultActions": forward()}
    return {**asked, **more}


def rule(priority: int = 1, **more: Any) -> dict[str, Any]:
    paths = [{"Field": "path-pattern", "Values": ["/api/*"]}]
    return {"ListenerArn": "<listener>", "Priority": priority, "Conditions": paths, "Actions": forward(), **more}


POOL = (*PLACE, pooled())
BOTH = (*POOL, made())
LISTENS = (*BOTH, elbv2.step("CreateListener", listener(), saves={"listener": "Listeners[0].ListenerArn"}))
NOT_FOUND = "arn:aws:elasticloadbalancing:us-east-1:<account>:targetgroup/ghost/0123456789abcdef"


def _balancer(asked: dict[str, Any], code: str, why: str, *given: Step, **more: Any) -> Row:
    source = more.pop("source", API.format("CreateLoadBalancer"))
    return elbv2.refuses("CreateLoadBalancer", asked, code, why, given=[*PLACE, *given], source=source, **more)


def _pool(asked: dict[str, Any], code: str, why: str, *given: Step, **more: Any) -> Row:
    source = more.pop("source", API.format("CreateTargetGroup"))
    return elbv2.refuses("CreateTargetGroup", asked, code, why, given=[VPC, *given], source=source, **more)


def _listener(asked: dict[str, Any], code: str, why: str, *given: Step, **more: Any) -> Row:
    source = more.pop("source", API.format("CreateListener"))
    return elbv2.refuses("CreateListener", asked, code, why, given=[*BOTH, *given], source=source, **more)


def _rule(asked: dict[str, Any], code: str, why: str, *given: Step, **more: Any) -> Row:
    source = more.pop("source", API.format("CreateRule"))
    return elbv2.refuses("CreateRule", asked, code, why, given=[*LISTENS, *given], source=source, **more)


BALANCERS = [
    _balancer(
        balancer(Subnets=["<left>"]),
        "ValidationError",
        "one subnet",
        says="At least two subnets in two different Availability Zones must be specified",
        source="https://github.com/aws-samples/aws-cdk-examples/issues/226",
    ),
    _balancer({"Name": "web"}, "ValidationError", "no subnet", says="At least two subnets"),
    _balancer(
        balancer(Subnets=["<left>", "<twin>"]),
        "InvalidConfigurationRequest",
        "two subnets of one zone",
        says="multiple subnets in the same Availability Zone",
        source="https://github.com/robertdebock/terraform-aws-vault/issues/5",
    ),
    _balancer(
        balancer(Subnets=["<left>", "<abroad>"]),
        "InvalidConfigurationRequest",
        "subnets of two VPCs",
        OTHER,
        subnet("abroad", "10.9.1.0/24", "b", of="other"),
    ),
    _balancer(balancer(Subnets=["<left>", f"subnet-{NOWHERE}"]), "InvalidSubnet", "a subnet that is not there"),
    _balancer(
        balancer(Subnets=["<left>", "<small>"]),
        "InvalidSubnet",
        "a subnet with too few addresses",
        subnet("small", "10.0.4.0/28", "b"),
        source=GUIDE.format("application-load-balancers"),
    ),
    elbv2.refuses(
        "CreateLoadBalancer",
        {"Name": "web", "Subnets": ["<left>", "<right>"]},
        "InvalidSubnet",
        "an internet-facing one in a VPC without an internet gateway",
        says="has no internet gateway",
        given=[VPC, subnet("left", "10.0.1.0/24", "a"), subnet("right", "10.0.2.0/24", "b")],
        source="observed: InvalidSubnet: VPC vpc-… has no internet gateway",
    ),
    elbv2.accepts(
        "CreateLoadBalancer",
        {"Name": "web", "Subnets": ["<left>", "<right>"], "Scheme": "internal"},
        "an internal one in a VPC without an internet gateway",
        given=[VPC, subnet("left", "10.0.1.0/24", "a"), subnet("right", "10.0.2.0/24", "b")],
        shows={"LoadBalancers[0].Scheme": "internal", "length(LoadBalancers[0].SecurityGroups)": 1},
        source=API.format("CreateLoadBalancer"),
    ),
    _balancer(balancer(SecurityGroups=[f"sg-{NOWHERE}"]), "InvalidSecurityGroup", "a group that is not there"),
    _balancer(
        balancer(SecurityGroups=["front"]),
        "ValidationError",
        "a group by its name",
        says="is not valid",
        source="https://github.com/in4it/ecs-deploy/issues/8",
    ),
    _balancer(
        balancer(SecurityGroups=["<foreign>"]),
        "InvalidConfigurationRequest",
        "a group of another VPC",
        OTHER,
        group("foreign", "other"),
    ),
    _balancer(balancer("my_web"), "ValidationError", "an underscore in the name"),
    _balancer(balancer("-web"), "ValidationError", "a name that begins with a hyphen"),
    _balancer(balancer("internal-web"), "ValidationError", "a name that begins with internal-"),
    _balancer(balancer("w" * 33), "ValidationError", "a name of 33 characters"),
    _balancer(balancer(IpAddressType="dualstack"), "ValidationError", "dual stack in subnets without IPv6"),
    _balancer(balancer(Scheme="internal"), "DuplicateLoadBalancerName", "the same name with other settings", made()),
    elbv2.accepts(
        "CreateLoadBalancer",
        balancer(),
        "the same one again is the same one",
        given=[*PLACE, made()],
        shows={"LoadBalancers[0].LoadBalancerArn": "<balancer>"},
        source=API.format("CreateLoadBalancer"),
    ),
    elbv2.accepts(
        "CreateLoadBalancer",
        balancer(),
        "it is provisioning, then active",
        given=PLACE,
        shows={"LoadBalancers[0].State.Code": "provisioning", "LoadBalancers[0].Scheme": "internet-facing"},
        then=[
            elbv2.step("DescribeLoadBalancers", shows={"LoadBalancers[0].State.Code": "provisioning"}),
            world.step("advance", {"seconds": 300}),
            elbv2.step("DescribeLoadBalancers", shows={"LoadBalancers[0].State.Code": "active"}),
        ],
        source=API.format("LoadBalancerState"),
    ),
    elbv2.refuses(
        "DescribeLoadBalancers",
        {"Names": ["ghost"]},
        "LoadBalancerNotFound",
        "one that is not there",
        source=API.format("DescribeLoadBalancers"),
    ),
    elbv2.refuses(
        "DescribeLoadBalancers",
        {"Names": ["web", "ghost"]},
        "LoadBalancerNotFound",
        "one that is there and one that is not",
        given=[*PLACE, made()],
        source=API.format("DescribeLoadBalancers"),
    ),
    elbv2.refuses(
        "SetSubnets",
        {"LoadBalancerArn": "<balancer>", "Subnets": ["<left>"]},
        "ValidationError",
        "one subnet left",
        given=[*PLACE, made()],
        source=API.format("SetSubnets"),
    ),
    elbv2.refuses(
        "SetSecurityGroups",
        {"LoadBalancerArn": "<balancer>", "SecurityGroups": [f"sg-{NOWHERE}"]},
        "InvalidSecurityGroup",
        "a group that is not there set",
        given=[*PLACE, made()],
        source=API.format("SetSecurityGroups"),
    ),
    elbv2.refuses(
        "DeleteLoadBalancer",
        {"LoadBalancerArn": "<balancer>"},
        "OperationNotPermitted",
        "one that is protected from deletion",
        given=[
            *PLACE,
            made(),
            elbv2.step(
                "ModifyLoadBalancerAttributes",
                {
                    "LoadBalancerArn": "<balancer>",
                    "Attributes": [{"Key": "deletion_protection.enabled", "Value": "true"}],
                },
            ),
        ],
        source=API.format("DeleteLoadBalancer"),
    ),
    ec2.refuses(
        "DeleteSecurityGroup",
        {"GroupId": "<front>"},
        "DependencyViolation",
        "a group of a load balancer",
        given=[*PLACE, made()],
        source="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html",
    ),
    ec2.refuses(
        "DeleteSubnet",
        {"SubnetId": "<left>"},
        "DependencyViolation",
        "a subnet of a load balancer",
        given=[*PLACE, made()],
        source="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSubnet.html",
    ),
]

POOLS = [
    _pool(targets(HealthCheckPath="health"), "ValidationError", "a health path without its slash"),
    _pool(
        targets(Matcher={"HttpCode": "200-700"}), "ValidationError", "codes beyond 499", source=API.format("Matcher")
    ),
    _pool(targets(Matcher={"HttpCode": "ok"}), "ValidationError", "a code that is none", source=API.format("Matcher")),
    _pool(
        targets(HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=10),
        "ValidationError",
        "a timeout longer than the interval",
    ),
    _pool(targets(HealthCheckProtocol="TCP"), "ValidationError", "health checks of TCP for HTTP targets"),
    _pool(targets(HealthCheckPort="http"), "ValidationError", "a health check port by its name"),
    _pool(targets(HealthCheckEnabled=False), "ValidationError", "no health checks for addresses"),
    _pool(targets(VpcId=f"vpc-{NOWHERE}"), "ValidationError", "a VPC that is not there"),
    _pool({"Name": "tasks", "Protocol": "HTTP", "Port": 80, "TargetType": "ip"}, "ValidationError", "no VPC"),
    _pool(targets("my_tasks"), "ValidationError", "an underscore in the name"),
    _pool(targets(Port=81), "DuplicateTargetGroupName", "the same name with another port", pooled()),
    elbv2.accepts(
        "CreateTargetGroup",
        targets(),
        "the same group again is the same one",
        given=[VPC, pooled()],
        shows={"TargetGroups[0].TargetGroupArn": "<pool>"},
        source=API.format("CreateTargetGroup"),
    ),
    elbv2.accepts(
        "ModifyTargetGroupAttributes",
        {"TargetGroupArn": "<pool>", "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "3600"}]},
        "an hour of deregistration delay",
        given=[VPC, pooled()],
        source=GUIDE.format("edit-target-group-attributes"),
    ),
    elbv2.refuses(
        "ModifyTargetGroupAttributes",
        {"TargetGroupArn": "<pool>", "Attributes": [{"Key": "delay", "Value": "1"}]},
        "ValidationError",
        "an attribute that is none",
        given=[VPC, pooled()],
        source=API.format("ModifyTargetGroupAttributes"),
    ),
    elbv2.refuses(
        "ModifyTargetGroup",
        {"TargetGroupArn": "<pool>", "HealthCheckTimeoutSeconds": 60},
        "ValidationError",
        "a timeout modified beyond the interval",
        given=[VPC, pooled()],
        source=API.format("ModifyTargetGroup"),
    ),
    elbv2.refuses(
        "DeleteTargetGroup",
        {"TargetGroupArn": "<pool>"},
        "ResourceInUse",
        "a group behind a listener",
        given=LISTENS,
        source=API.format("DeleteTargetGroup"),
    ),
    elbv2.accepts(
        "DescribeTargetGroups",
        {"TargetGroupArns": ["<pool>"]},
        "a group whose listener is gone is behind no load balancer",
        given=[*LISTENS, elbv2.step("DeleteListener", {"ListenerArn": "<listener>"})],
        shows={"TargetGroups[0].LoadBalancerArns": []},
        source=API.format("TargetGroup"),
    ),
]

LISTENERS = [
    _listener(
        listener(443, Protocol="HTTPS"),
        "ValidationError",
        "HTTPS without a certificate",
        says="A certificate must be specified for HTTPS listeners",
        source="https://github.com/pulumi/pulumi/issues/15712",
    ),
    _listener(
        listener(Certificates=[{"CertificateArn": "arn:aws:acm:us-east-1:<account>:certificate/x"}]),
        "ValidationError",
        "HTTP with a certificate",
        says="certificate cannot be specified for HTTP",
        source="https://github.com/awslabs/fargatecli/issues/104",
    ),
    _listener(
        listener(
            443,
            Protocol="HTTPS",
            Certificates=[{"CertificateArn": "arn:aws:iam::<account>:server-certificate/ghost"}],
        ),
        "CertificateNotFound",
        "a certificate that was never uploaded",
    ),
    _listener(
        listener(
            443,
            Protocol="HTTPS",
            Certificates=[{"CertificateArn": "arn:aws:acm:us-east-1:<account>:certificate/0123-4567"}],
        ),
        "CertificateNotFound",
        "a certificate that ACM does not have",
    ),
    _listener(listener(Protocol="TCP"), "ValidationError", "TCP on an application load balancer"),
    _listener(
        listener(DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]),
        "DuplicateListener",
        "a port that another listener has",
        elbv2.step("CreateListener", listener()),
    ),
    elbv2.accepts(
        "CreateListener",
        listener(),
        "the same listener again is the same one",
        given=LISTENS,
        shows={"Listeners[0].ListenerArn": "<listener>"},
        source=API.format("CreateListener"),
    ),
    _listener(listener(DefaultActions=forward(NOT_FOUND)), "TargetGroupNotFound", "a target group that is not there"),
    _listener(
        listener(DefaultActions=forward("<abroad>")),
        "InvalidConfigurationRequest",
        "a target group of another VPC",
        OTHER,
        pooled("abroad", "abroad", VpcId="<other>"),
    ),
    _listener(
        listener(DefaultActions=forward("<tcp>")),
        "IncompatibleProtocols",
        "a target group of TCP",
        elbv2.step(
            "CreateTargetGroup", targets("tcp", Protocol="TCP"), saves={"tcp": "TargetGroups[0].TargetGroupArn"}
        ),
    ),
    _listener(
        listener(LoadBalancerArn="<next>"),
        "TargetGroupAssociationLimit",
        "a target group of another load balancer",
        elbv2.step("CreateListener", listener()),
        made("next", "next"),
    ),
    _listener(
        listener(DefaultActions=[{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]),
        "InvalidLoadBalancerAction",
        "a redirect to itself",
        says="loop",
        source=API.format("RedirectActionConfig"),
    ),
    _listener(listener(DefaultActions=[]), "ValidationError", "no action"),
    elbv2.refuses(
        "CreateListener",
        listener(LoadBalancerArn="<balancer>0"),
        "LoadBalancerNotFound",
        "a load balancer that is not there",
        given=BOTH,
        source=API.format("CreateListener"),
    ),
    elbv2.refuses(
        "ModifyListener",
        {"ListenerArn": "<listener>", "Port": 81},
        "DuplicateListener",
        "moved to a port that another has",
        given=[*LISTENS, elbv2.step("CreateListener", listener(81))],
        source=API.format("ModifyListener"),
    ),
    elbv2.refuses(
        "ModifyListener",
        {"ListenerArn": "<listener>", "Protocol": "HTTPS", "Port": 443},
        "ValidationError",
        "made HTTPS without a certificate",
        given=LISTENS,
        source=API.format("ModifyListener"),
    ),
]

RULES = [
    _rule(rule(), "PriorityInUse", "a priority that another rule has", elbv2.step("CreateRule", rule())),
    _rule(rule(Conditions=[]), "ValidationError", "a rule without a condition"),
    _rule(rule(Actions=[]), "ValidationError", "a rule without an action"),
    _rule(
        rule(Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{n}" for n in range(6)]}}]),
        "ValidationError",
        "six values",
        source=GUIDE.format("load-balancer-limits"),
    ),
    _rule(
        rule(Conditions=[{"Field": "path-pattern", "Values": ["api/*"]}]), "ValidationError", "a path without its slash"
    ),
    _rule(
        rule(Conditions=[{"Field": "path-pattern", "Values": [path]} for path in ("/a", "/b")]),
        "ValidationError",
        "two conditions on the path",
        source=GUIDE.format("rule-condition-types"),
    ),
    _rule(rule(Actions=forward(NOT_FOUND)), "TargetGroupNotFound", "a rule to a target group that is not there"),
    elbv2.refuses(
        "DeleteRule",
        {"RuleArn": "<default>"},
        "OperationNotPermitted",
        "the default rule",
        given=[
            *LISTENS,
            elbv2.step("DescribeRules", {"ListenerArn": "<listener>"}, saves={"default": "Rules[0].RuleArn"}),
        ],
        source=API.format("DeleteRule"),
    ),
    elbv2.refuses(
        "DeleteRule",
        {"RuleArn": "<listener>0"},
        "RuleNotFound",
        "a rule that is not there",
        given=LISTENS,
        source=API.format("DeleteRule"),
    ),
]

PLACED = {"address": "NetworkInterface.PrivateIpAddress", "eni": "NetworkInterface.NetworkInterfaceId"}
INTERFACE = ec2.step("CreateNetworkInterface", {"SubnetId": "<left>", "Groups": ["<front>"]}, saves=PLACED)
OPEN = ec2.step("AuthorizeSecurityGroupIngress", let_in(tcp(0, 65535), name="front"))
SERVED = world.step("stand_in", {"interface": "<eni>", "port": 8080})
REGISTERS = {"TargetGroupArn": "<pool>", "Targets": [{"Id": "<address>"}]}


def health(state: str, reason: str | None = None) -> Step:
    first = "TargetHealthDescriptions[0].TargetHealth"
    shows = {f"{first}.State": state, f"{first}.Reason": reason}
    return elbv2.step("DescribeTargetHealth", {"TargetGroupArn": "<pool>"}, shows=shows)


def later(seconds: int) -> Step:
    return world.step("advance", {"seconds": seconds})


ACTIVE = (*LISTENS, later(300), INTERFACE)
HEALTH = "target-group-health-checks"

TARGETS = [
    elbv2.refuses("RegisterTargets", {"TargetGroupArn": "<pool>", "Targets": [{"Id": f"i-{NOWHERE}"}]},
                  "ValidationError", "an instance among addresses", says="not a valid IPv4 address", given=POOL,
                  source=API.format("RegisterTargets")),
    elbv2.refuses("RegisterTargets", {"TargetGroupArn": "<pool>", "Targets": [{"Id": "8.8.8.8"}]}, "ValidationError",
                  "a public address", given=POOL, source=API.format("RegisterTargets")),
    elbv2.refuses("RegisterTargets", {"TargetGroupArn": "<machines>", "Targets": [{"Id": f"i-{NOWHERE}"}]},
                  "InvalidTarget", "an instance that is not there",
                  given=[*PLACE, pooled("machines", "machines", TargetType="instance")],
                  source=API.format("RegisterTargets")),
    elbv2.refuses("RegisterTargets", {"TargetGroupArn": NOT_FOUND, "Targets": [{"Id": "10.0.1.9"}]},
                  "TargetGroupNotFound", "targets of a group that is not there", source=API.format("RegisterTargets")),
    elbv2.accepts("DeregisterTargets", {"TargetGroupArn": "<pool>", "Targets": [{"Id": "10.0.1.9"}]},
                  "a target that is not registered", given=POOL, source=API.format("DeregisterTargets")),
    elbv2.accepts("DescribeTargetHealth", {"TargetGroupArn": "<pool>", "Targets": [{"Id": "10.0.1.9"}]},
                  "the health of a target that is not registered", given=POOL,
                  shows={"TargetHealthDescriptions[0].[HealthCheckPort, TargetHealth.Reason]":
                         ["8080", "Target.NotRegistered"]},
                  source=API.format("TargetHealthDescription")),
    elbv2.accepts("RegisterTargets", REGISTERS, "behind no listener a target is unused", given=[*POOL, INTERFACE],
                  then=[health("unused", "Target.NotInUse")], source=API.format("TargetHealth")),
    elbv2.accepts("RegisterTargets", REGISTERS, "a target is initial, then healthy", given=[*ACTIVE, OPEN, SERVED],
                  then=[health("initial", "Elb.RegistrationInProgress"), later(60), health("healthy")],
                  source=GUIDE.format(HEALTH)),
    elbv2.accepts("RegisterTargets", REGISTERS, "a target whose group lets nobody in times out",
                  given=[*ACTIVE, SERVED], then=[later(180), health("unhealthy", "Target.Timeout")],
                  source=GUIDE.format(HEALTH)),
    elbv2.accepts("RegisterTargets", REGISTERS, "a target that does not listen fails its checks",
                  given=[*ACTIVE, OPEN], then=[later(180), health("unhealthy", "Target.FailedHealthChecks")],
                  source=GUIDE.format(HEALTH)),
    elbv2.accepts("RegisterTargets", REGISTERS, "a target that answers 404 is unhealthy",
                  given=[*ACTIVE, OPEN,
                         world.step("stand_in", {"interface": "<eni>", "port": 8080, "otherwise": 404})],
                  then=[later(180), health("unhealthy", "Target.ResponseCodeMismatch")],
                  source=GUIDE.format(HEALTH)),
    elbv2.accepts("DeregisterTargets", REGISTERS, "a target drains for the delay, and is gone",
                  given=[*ACTIVE, OPEN, SERVED, elbv2.step("RegisterTargets", REGISTERS), later(60)],
                  then=[health("draining", "Target.DeregistrationInProgress"), later(301),
                        elbv2.step("DescribeTargetHealth", {"TargetGroupArn": "<pool>"},
                                   shows={"TargetHealthDescriptions": []})],
                  source=GUIDE.format("edit-target-group-attributes")),
    elbv2.accepts("RegisterTargets",
                  {"TargetGroupArn": "<pool>", "Targets": [{"Id": "<address>", "Port": 8080},
                                                           {"Id": "<address>", "Port": 8081}]},
                  "one address on two ports is two targets", given=ACTIVE,
                  then=[elbv2.step("DescribeTargetHealth", {"TargetGroupArn": "<pool>"},
                                   shows={"TargetHealthDescriptions[].Target.Port": [8080, 8081]})],
                  source=API.format("TargetDescription")),
]  # fmt: skip

ROWS = [*BALANCERS, *POOLS, *LISTENERS, *RULES, *TARGETS]
