import json
import subprocess


def aws(*args):
    return json.loads(
        subprocess.run(["aws", *args, "--output", "json"], check=True, capture_output=True, text=True).stdout or "null"
    )


def create_alarm(cluster, service, topic_arn):
    aws(
        "cloudwatch",
        "put-metric-alarm",
        "--alarm-name",
        f"{service}-cpu",
        "--namespace",
        "AWS/ECS",
        "--metric-name",
        "CPUUtilization",
        "--dimensions",
        f"Name=ClusterName,Value={cluster}",
        f"Name=ServiceName,Value={service}",
        "--statistic",
        "Average",
        "--period",
        "60",
        "--evaluation-periods",
        "3",
        "--threshold",
        "80",
        "--comparison-operator",
        "GreaterThanThreshold",
        "--treat-missing-data",
        "notBreaching",
        "--alarm-actions",
        topic_arn,
    )


def service_status(cluster, service, minutes):
    from datetime import datetime, timedelta, timezone

    now = datetime.now(timezone.utc).replace(microsecond=0)

    def avg(n):
        d = aws(
            "cloudwatch",
            "get-metric-statistics",
            "--namespace",
            "AWS/ECS",
            "--metric-name",
            n,
            "--start-time",
            (now - timedelta(minutes=minutes)).isoformat(),
            "--end-time",
            now.isoformat(),
            "--period",
            "60",
            "--statistics",
            "Sum",
            "SampleCount",
            "--dimensions",
            f"Name=ClusterName,Value={cluster}",
            f"Name=ServiceName,Value={service}",
        )["Datapoints"]
        return sum(p["Sum"] for p in d) / sum(p["SampleCount"] for p in d)

    s = aws("ecs", "describe-services", "--cluster", cluster, "--services", service)["services"][0]
    return {"cpu": avg("CPUUtilization"), "memory": avg("MemoryUtilization"), "running_tasks": float(s["runningCount"])}
