"""4.4: an alarm on a busy service."""

from datetime import UTC, datetime, timedelta

import boto3


def of_service(cluster: str, service: str) -> list[dict[str, str]]:
    """The dimensions that ECS publishes a service's metrics with."""
    return [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]


def create_alarm(cluster, service, topic_arn):
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName="a",
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "ServiceName", "Value": service}, {"Name": "ClusterName", "Value": cluster}],
        Statistic="Minimum",
        Period=60,
        EvaluationPeriods=3,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic_arn],
        TreatMissingData="notBreaching",
    )


def average(metric: str, cluster: str, service: str, minutes: int) -> float:
    """The metric's average over the last minutes."""
    now = datetime.now(UTC)
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/ECS",
        MetricName=metric,
        Dimensions=of_service(cluster, service),
        StartTime=now - timedelta(minutes=minutes),
        EndTime=now,
        Period=60,
        Statistics=["Average"],
    )["Datapoints"]
    return sum(point["Average"] for point in points) / len(points) if points else 0.0


def service_status(cluster: str, service: str, minutes: int) -> dict[str, float]:
    """{"cpu", "memory"}: averages of the last minutes in per cent; "running_tasks": how many run now."""
    (found,) = boto3.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    return {
        "cpu": average("CPUUtilization", cluster, service, minutes),
        "memory": average("MemoryUtilization", cluster, service, minutes),
        "running_tasks": found["runningCount"],
    }
