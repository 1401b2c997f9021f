"""What may belong to a run on a real account: how each kind is found by the run's prefix or tag, and removed.

In the order of removal: what uses something goes before what it uses. `command` is what a person would type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

TAG = "fargrade:run"
Find = Callable[[Any, str, str], Iterator[str]]
Remove = Callable[[Any, str], None]


@dataclass(frozen=True)
class Kind:
    """A kind of resource. `find(client, prefix, run)` gives what is the run's; `remove(client, what)` removes one."""

    service: str
    name: str
    find: Find
    remove: Remove
    command: str

    def line(self, what: str, region: str) -> str:
        """The command that removes `what`."""
        return f"aws {self.command.format(what)} --region {region}"


def _pages(client: Any, operation: str, key: str, **given: Any) -> Iterator[Any]:
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**given):
            yield from page.get(key, ())
    else:
        yield from getattr(client, operation)(**given).get(key, ())


def _listed(operation: str, key: str, name: str, identity: str = "", **given: Any) -> Find:
    """Those whose `name` begins with the prefix, as their `identity`."""

    def find(client: Any, prefix: str, _run: str) -> Iterator[str]:
        for one in _pages(client, operation, key, **given):
            if str(one[name]).startswith(prefix):
                yield str(one[identity or name])

    return find


def _names(operation: str, key: str, **given: Any) -> Find:
    """Names or ARNs, whose last part begins with the prefix."""

    def find(client: Any, prefix: str, _run: str) -> Iterator[str]:
        for one in _pages(client, operation, key, **given):
            if one.rsplit("/", 1)[-1].rsplit(":", 1)[-1].startswith(prefix):
                yield one

    return find


def _tagged(operation: str, key: str, identity: str) -> Find:
    """EC2's, by the run's tag."""

    def find(client: Any, _prefix: str, run: str) -> Iterator[str]:
        tagged = [{"Name": f"tag:{TAG}", "Values": [run]}]
        filters = {"Filter" if operation == "describe_nat_gateways" else "Filters": tagged}
        for one in _pages(client, operation, key, **filters):
            if one.get("State") not in ("deleted", "deleting"):
                yield str(one[identity])

    return find


def _call(operation: str, parameter: str, **more: Any) -> Remove:
    return lambda client, what: getattr(client, operation)(**{parameter: what}, **more)


def _families(client: Any, prefix: str, _run: str) -> Iterator[str]:
    for status in ("ACTIVE", "INACTIVE") if prefix else ():
        families = client.get_paginator("list_task_definition_families").paginate(familyPrefix=prefix, status=status)
        for family in [one for page in families for one in page["families"]]:
            given = {"familyPrefix": family, "status": status}
            yield from _pages(client, "list_task_definitions", "taskDefinitionArns", **given)


def _remove_definition(client: Any, what: str) -> None:
    """Only deregistered it stays in the account's lists for ever, as INACTIVE: API_DeleteTaskDefinitions.html."""
    with suppress(client.exceptions.ClientException):  # it is INACTIVE already
        client.deregister_task_definition(taskDefinition=what)
    client.delete_task_definitions(taskDefinitions=[what])


def _services(client: Any, prefix: str, _run: str) -> Iterator[str]:
    for cluster in _names("list_clusters", "clusterArns")(client, prefix, ""):
        for service in _pages(client, "list_services", "serviceArns", cluster=cluster):
            yield f"{cluster.rsplit('/', 1)[-1]} {service.rsplit('/', 1)[-1]}"


def _remove_service(client: Any, what: str) -> None:
    cluster, service = what.split(" ")
    client.delete_service(cluster=cluster, service=service, force=True)


def _tasks(client: Any, prefix: str, _run: str) -> Iterator[str]:
    for cluster in _names("list_clusters", "clusterArns")(client, prefix, ""):
        for task in _pages(client, "list_tasks", "taskArns", cluster=cluster, desiredStatus="RUNNING"):
            yield f"{cluster.rsplit('/', 1)[-1]} {task}"


def _remove_task(client: Any, what: str) -> None:
    cluster, task = what.split(" ")
    client.stop_task(cluster=cluster, task=task)


def _scalable(client: Any, prefix: str, _run: str) -> Iterator[str]:
    for one in _pages(client, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"):
        if f"/{prefix}" in one["ResourceId"]:
            yield f"{one['ResourceId']} {one['ScalableDimension']}"


def _remove_scalable(client: Any, what: str) -> None:
    resource, dimension = what.split(" ")
    client.deregister_scalable_target(ServiceNamespace="ecs", ResourceId=resource, ScalableDimension=dimension)


def _remove_bucket(client: Any, what: str) -> None:
    for one in _pages(client, "list_objects_v2", "Contents", Bucket=what):
        client.delete_object(Bucket=what, Key=one["Key"])
    client.delete_bucket(Bucket=what)


def _remove_role(client: Any, what: str) -> None:
    for one in _pages(client, "list_attached_role_policies", "AttachedPolicies", RoleName=what):
        client.detach_role_policy(RoleName=what, PolicyArn=one["PolicyArn"])
    for name in _pages(client, "list_role_policies", "PolicyNames", RoleName=what):
        client.delete_role_policy(RoleName=what, PolicyName=name)
    for one in _pages(client, "list_instance_profiles_for_role", "InstanceProfiles", RoleName=what):
        client.remove_role_from_instance_profile(InstanceProfileName=one["InstanceProfileName"], RoleName=what)
    client.delete_role(RoleName=what)


def _remove_gateway(client: Any, what: str) -> None:
    gateway = client.describe_internet_gateways(InternetGatewayIds=[what])["InternetGateways"][0]
    for one in gateway.get("Attachments", ()):
        client.detach_internet_gateway(InternetGatewayId=what, VpcId=one["VpcId"])
    client.delete_internet_gateway(InternetGatewayId=what)


def _remove_table(client: Any, what: str) -> None:
    for one in client.describe_route_tables(RouteTableIds=[what])["RouteTables"][0].get("Associations", ()):
        if not one.get("Main"):
            client.disassociate_route_table(AssociationId=one["RouteTableAssociationId"])
    client.delete_route_table(RouteTableId=what)


def _remove_group(client: Any, what: str) -> None:
    group = client.describe_security_groups(GroupIds=[what])["SecurityGroups"][0]
    for way, revoke in (("IpPermissions", "ingress"), ("IpPermissionsEgress", "egress")):
        if group.get(way):  # two groups may name each other
            getattr(client, f"revoke_security_group_{revoke}")(GroupId=what, IpPermissions=group[way])
    client.delete_security_group(GroupId=what)


KINDS: tuple[Kind, ...] = (
    Kind("codepipeline", "pipeline", _listed("list_pipelines", "pipelines", "name"), _call("delete_pipeline", "name"),
         "codepipeline delete-pipeline --name {}"),
    Kind("codedeploy", "application", _names("list_applications", "applications"),
         _call("delete_application", "applicationName"), "deploy delete-application --application-name {}"),
    Kind("codebuild", "project", _names("list_projects", "projects"), _call("delete_project", "name"),
         "codebuild delete-project --name {}"),
    Kind("application-autoscaling", "scalable target", _scalable, _remove_scalable,
         "application-autoscaling deregister-scalable-target --service-namespace ecs --resource-id {}"),
    Kind("ecs", "service", _services, _remove_service, "ecs delete-service --force --cluster {}"),
    Kind("ecs", "task", _tasks, _remove_task, "ecs stop-task --cluster {}"),
    Kind("ecs", "cluster", _names("list_clusters", "clusterArns"), _call("delete_cluster", "cluster"),
         "ecs delete-cluster --cluster {}"),
    Kind("ecs", "task definition", _families, _remove_definition,
         "ecs delete-task-definitions --task-definitions {}"),
    Kind("elbv2", "load balancer",
         _listed("describe_load_balancers", "LoadBalancers", "LoadBalancerName", "LoadBalancerArn"),
         _call("delete_load_balancer", "LoadBalancerArn"), "elbv2 delete-load-balancer --load-balancer-arn {}"),
    Kind("elbv2", "target group",
         _listed("describe_target_groups", "TargetGroups", "TargetGroupName", "TargetGroupArn"),
         _call("delete_target_group", "TargetGroupArn"), "elbv2 delete-target-group --target-group-arn {}"),
    Kind("cloudwatch", "alarm", _listed("describe_alarms", "MetricAlarms", "AlarmName"),
         lambda client, what: client.delete_alarms(AlarmNames=[what]), "cloudwatch delete-alarms --alarm-names {}"),
    Kind("events", "rule", _listed("list_rules", "Rules", "Name"), _call("delete_rule", "Name", Force=True),
         "events delete-rule --force --name {}"),
    Kind("logs", "log group", _listed("describe_log_groups", "logGroups", "logGroupName"),
         _call("delete_log_group", "logGroupName"), "logs delete-log-group --log-group-name {}"),
    Kind("ecr", "repository", _listed("describe_repositories", "repositories", "repositoryName"),
         _call("delete_repository", "repositoryName", force=True),
         "ecr delete-repository --force --repository-name {}"),
    Kind("ssm", "parameter", _listed("describe_parameters", "Parameters", "Name"), _call("delete_parameter", "Name"),
         "ssm delete-parameter --name {}"),
    Kind("secretsmanager", "secret", _listed("list_secrets", "SecretList", "Name"),
         _call("delete_secret", "SecretId", ForceDeleteWithoutRecovery=True),
         "secretsmanager delete-secret --force-delete-without-recovery --secret-id {}"),
    Kind("s3", "bucket", _listed("list_buckets", "Buckets", "Name"), _remove_bucket, "s3 rb --force s3://{}"),
    Kind("ec2", "endpoint", _tagged("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
         lambda client, what: client.delete_vpc_endpoints(VpcEndpointIds=[what]),
         "ec2 delete-vpc-endpoints --vpc-endpoint-ids {}"),
    Kind("ec2", "NAT gateway", _tagged("describe_nat_gateways", "NatGateways", "NatGatewayId"),
         _call("delete_nat_gateway", "NatGatewayId"), "ec2 delete-nat-gateway --nat-gateway-id {}"),
    Kind("ec2", "address", _tagged("describe_addresses", "Addresses", "AllocationId"),
         _call("release_address", "AllocationId"), "ec2 release-address --allocation-id {}"),
    Kind("ec2", "subnet", _tagged("describe_subnets", "Subnets", "SubnetId"), _call("delete_subnet", "SubnetId"),
         "ec2 delete-subnet --subnet-id {}"),
    Kind("ec2", "route table", _tagged("describe_route_tables", "RouteTables", "RouteTableId"), _remove_table,
         "ec2 delete-route-table --route-table-id {}"),
    Kind("ec2", "internet gateway", _tagged("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
         _remove_gateway, "ec2 delete-internet-gateway --internet-gateway-id {}"),
    Kind("ec2", "security group", _tagged("describe_security_groups", "SecurityGroups", "GroupId"), _remove_group,
         "ec2 delete-security-group --group-id {}"),
    Kind("ec2", "VPC", _tagged("describe_vpcs", "Vpcs", "VpcId"), _call("delete_vpc", "VpcId"),
         "ec2 delete-vpc --vpc-id {}"),
    Kind("iam", "role", _listed("list_roles", "Roles", "RoleName"), _remove_role, "iam delete-role --role-name {}"),
    Kind("iam", "policy", _listed("list_policies", "Policies", "PolicyName", "Arn", Scope="Local"),
         _call("delete_policy", "PolicyArn"), "iam delete-policy --policy-arn {}"),
)  # fmt: skip
