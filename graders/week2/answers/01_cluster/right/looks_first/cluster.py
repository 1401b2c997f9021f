"""2.1: a cluster with capacity providers, a default strategy and Container Insights."""

import boto3


def create_cluster(name: str, environment: str, on_demand: int, on_demand_weight: int, spot_weight: int) -> str:
    """The cluster, new or already there, as it shall be; its ARN."""
    ecs = boto3.client("ecs")
    there = ecs.describe_clusters(clusters=[name])["clusters"]
    if not there or there[0]["status"] != "ACTIVE":
        ecs.create_cluster(
            clusterName=name,
            settings=[{"name": "containerInsights", "value": "enhanced"}],
            tags=[{"key": "environment", "value": environment}],
        )
    else:
        ecs.update_cluster(cluster=name, settings=[{"name": "containerInsights", "value": "enhanced"}])
        ecs.tag_resource(resourceArn=there[0]["clusterArn"], tags=[{"key": "environment", "value": environment}])
    held = there[0]["capacityProviders"] if there else []
    own = [one for one in held if not one.startswith("FARGATE")]
    return ecs.put_cluster_capacity_providers(
        cluster=name,
        capacityProviders=own + ["FARGATE_SPOT", "FARGATE"],
        defaultCapacityProviderStrategy=[
            {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": spot_weight},
            {"capacityProvider": "FARGATE", "base": on_demand, "weight": on_demand_weight},
        ],
    )["cluster"]["clusterArn"]
