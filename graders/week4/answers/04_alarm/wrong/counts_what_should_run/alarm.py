"""4.4: an alarm on a busy service."""

from datetime import UTC, datetime, timedelta

import boto3


def of_service(cluster: str, service: str) -> list[dict[str, str]]:
    """The dimensions that ECS publishes a service's metrics with."""
    return [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]


def create_alarm(cluster: str, service: str, topic_arn: str) -> None:
    """An alarm that tells the topic when the service's CPU stays above 80 % for three minutes."""
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{cluster}-{service}-cpu-high",
        AlarmDescription="The service's CPU has been above 80 % for three minutes",
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=of_service(cluster, service),
        Statistic="Average",
        Period=60,
        EvaluationPeriods=3,
        DatapointsToAlarm=3,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="missing",
        AlarmActions=[topic_arn],
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


_old = service_status


def service_status(cluster, service, minutes):
    r = _old(cluster, service, minutes)
    r["running_tasks"] = len(boto3.client("ecs").list_tasks(cluster=cluster, serviceName=service)["taskArns"])
    return r
