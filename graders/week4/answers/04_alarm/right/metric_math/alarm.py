"""4.4: an alarm on a busy service."""

from datetime import UTC, datetime, timedelta

import boto3


def of_service(cluster: str, service: str) -> list[dict[str, str]]:
    """The dimensions that ECS publishes a service's metrics with."""
    return [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]


def create_alarm(cluster: str, service: str, topic_arn: str) -> None:
    """An alarm that tells the topic when the service's CPU stays above 80 % for three minutes."""
    def query(name: str, metric: str) -> dict:
        stat = {
            "Metric": {
                "Namespace": "ECS/ContainerInsights",
                "MetricName": metric,
                "Dimensions": of_service(cluster, service),
            },
            "Period": 60,
            "Stat": "Average",
        }
        return {"Id": name, "MetricStat": stat, "ReturnData": False}

    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{cluster}-{service}-busy",
        Metrics=[
            {"Id": "share", "Expression": "100 * used / reserved", "Label": "CPU, per cent", "ReturnData": True},
            query("used", "CpuUtilized"),
            query("reserved", "CpuReserved"),
        ],
        EvaluationPeriods=3,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic_arn],
    )


def average(metric: str, cluster: str, service: str, minutes: int) -> float:
    """The metric's average over the last minutes."""
    now = datetime.now(UTC)
    stat = {
        "Metric": {"Namespace": "AWS/ECS", "MetricName": metric, "Dimensions": of_service(cluster, service)},
        "Period": 60,
        "Stat": "Average",
    }
    values = boto3.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m1", "MetricStat": stat}],
        StartTime=now - timedelta(minutes=minutes),
        EndTime=now,
    )["MetricDataResults"][0]["Values"]
    return sum(values) / len(values)


def service_status(cluster: str, service: str, minutes: int) -> dict[str, float]:
    """{"cpu", "memory"}: averages of the last minutes in per cent; "running_tasks": how many run now."""
    (found,) = boto3.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    return {
        "cpu": average("CPUUtilization", cluster, service, minutes),
        "memory": average("MemoryUtilization", cluster, service, minutes),
        "running_tasks": found["runningCount"],
    }
