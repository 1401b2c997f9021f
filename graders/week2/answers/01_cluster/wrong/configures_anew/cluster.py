"""2.1: a cluster with capacity providers, a default strategy and Container Insights."""

import boto3


def create_cluster(name: str, environment: str, on_demand: int, on_demand_weight: int, spot_weight: int) -> str:
    """The cluster, new or already there, as it shall be; its ARN."""
    ecs = boto3.client("ecs")
    there = ecs.create_cluster(clusterName=name)["cluster"]  # one that is there is answered as it is
    arn = there["clusterArn"]
    ecs.update_cluster_settings(cluster=name, settings=[{"name": "containerInsights", "value": "enabled"}])
    ecs.put_cluster_capacity_providers(
        cluster=name,
        capacityProviders=sorted({*there["capacityProviders"], "FARGATE", "FARGATE_SPOT"}),  # all that it shall have
        defaultCapacityProviderStrategy=[
            {"capacityProvider": "FARGATE", "base": on_demand, "weight": on_demand_weight},
            {"capacityProvider": "FARGATE_SPOT", "weight": spot_weight},
        ],
    )
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "environment", "value": environment}])
    return arn


_o = create_cluster
def create_cluster(name, environment, on_demand, on_demand_weight, spot_weight):
    arn = _o(name, environment, on_demand, on_demand_weight, spot_weight)
    boto3.client("ecs").update_cluster(cluster=name, configuration={"executeCommandConfiguration": {"logging": "DEFAULT"}})
    return arn
