import datetime
import boto3


def create_alarm(cluster, service, topic_arn):
    boto3.client("cloudwatch").put_metric_alarm(OKActions=[topic_arn], ActionsEnabled=True, Tags=[{"Key": "a", "Value": "b"}], AlarmDescription="cpu",
        AlarmName=f"{cluster}-{service}-high-cpu", AlarmActions=[topic_arn], EvaluationPeriods=3, DatapointsToAlarm=3, Threshold=80,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
        Metrics=[{"Id": "m", "MetricStat": {"Metric": {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Dimensions": [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]}, "Period": 60, "Stat": "Average"}, "ReturnData": False}, {"Id": "e", "Expression": "FILL(m, 0)", "ReturnData": True}])


def service_status(cluster, service, minutes):
    session = boto3.Session()
    now = datetime.datetime.now(datetime.timezone.utc)
    dims = [{"Name": "ServiceName", "Value": service}, {"Name": "ClusterName", "Value": cluster}]
    out = {}
    cw = session.resource("cloudwatch")
    for key, name in (("cpu", "CPUUtilization"), ("memory", "MemoryUtilization")):
        points = cw.Metric("AWS/ECS", name).get_statistics(Dimensions=dims, StartTime=now - datetime.timedelta(minutes=minutes), EndTime=now, Period=60, Statistics=["Average"])["Datapoints"]
        out[key] = sum(p["Average"] for p in points) / len(points)
    tasks = [t for p in session.client("ecs").get_paginator("list_tasks").paginate(cluster=cluster, serviceName=service, desiredStatus="RUNNING") for t in p["taskArns"]]
    found = session.client("ecs").describe_tasks(cluster=cluster, tasks=tasks)["tasks"] if tasks else []
    out["running_tasks"] = sum(t["lastStatus"] == "RUNNING" for t in found)
    return out

