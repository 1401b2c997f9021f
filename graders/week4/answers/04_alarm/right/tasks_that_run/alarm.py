from datetime import datetime, timedelta, timezone

import boto3


def create_alarm(cluster, service, topic_arn):
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{cluster}-{service}-high-cpu",
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "ServiceName", "Value": service}, {"Name": "ClusterName", "Value": cluster}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=4,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic_arn],
        OKActions=[topic_arn],
        Unit="Percent",
        TreatMissingData="missing",
    )


def service_status(cluster, service, minutes):
    cw = boto3.client("cloudwatch")
    end = datetime.now(timezone.utc)

    def avg(name):
        pts = cw.get_metric_statistics(
            Namespace="AWS/ECS",
            MetricName=name,
            StartTime=end - timedelta(minutes=minutes),
            EndTime=end,
            Period=60,
            Statistics=["Average"],
            Dimensions=[{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}],
        )["Datapoints"]
        return sum(p["Average"] for p in pts) / len(pts) if pts else 0.0

    ecs = boto3.client("ecs")
    arns = [
        a
        for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, serviceName=service)
        for a in page["taskArns"]
    ]
    running = 0
    for i in range(0, len(arns), 100):
        running += sum(
            t["lastStatus"] == "RUNNING" for t in ecs.describe_tasks(cluster=cluster, tasks=arns[i : i + 100])["tasks"]
        )
    return {"cpu": avg("CPUUtilization"), "memory": avg("MemoryUtilization"), "running_tasks": running}
