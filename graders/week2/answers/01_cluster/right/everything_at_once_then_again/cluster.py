"""2.1: a cluster with capacity providers, a default strategy and Container Insights."""

import boto3


def create_cluster(name: str, environment: str, on_demand: int, on_demand_weight: int, spot_weight: int) -> str:
    """The cluster, new or already there, as it shall be; its ARN."""
    ecs = boto3.client("ecs")
    there = ecs.create_cluster(
        clusterName=name,
        settings=[{"name": "containerInsights", "value": "enabled"}],
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[
            {"capacityProvider": "FARGATE", "base": on_demand, "weight": on_demand_weight},
            {"capacityProvider": "FARGATE_SPOT", "weight": spot_weight},
        ],
        tags=[{"key": "environment", "value": environment}],
    )["cluster"]
    arn = there["clusterArn"]
    ecs.update_cluster_settings(cluster=name, settings=[{"name": "containerInsights", "value": "enabled"}])
    ecs.put_cluster_capacity_providers(
        cluster=name,
        capacityProviders=[*{*there["capacityProviders"], "FARGATE", "FARGATE_SPOT"}],
        defaultCapacityProviderStrategy=[
            {"capacityProvider": "FARGATE", "base": on_demand, "weight": on_demand_weight},
            {"capacityProvider": "FARGATE_SPOT", "weight": spot_weight},
        ],
    )
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "environment", "value": environment}])
    return arn
