import time

import boto3


def _dims(c, s):
    return [{"Name": "ClusterName", "Value": c}, {"Name": "ServiceName", "Value": s}]


def _m(c, s, id, name, ns="ECS/ContainerInsights", stat="Average"):
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {"Namespace": ns, "MetricName": name, "Dimensions": _dims(c, s)},
            "Period": 60,
            "Stat": stat,
        },
        "ReturnData": False,
    }


def create_alarm(cluster, service, topic_arn):
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=service + "-cpu",
        EvaluationPeriods=5,
        DatapointsToAlarm=5,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic_arn],
        TreatMissingData="notBreaching",
        Metrics=[
            _m(cluster, service, "used", "CpuUtilized"),
            _m(cluster, service, "reserved", "CpuReserved"),
            {"Id": "pct", "Expression": "100 * used / reserved", "Label": "CPU", "ReturnData": True},
        ],
    )


def service_status(cluster, service, minutes):
    now = time.time()
    q = [
        _m(cluster, service, "cpu", "CPUUtilization", "AWS/ECS"),
        _m(cluster, service, "mem", "MemoryUtilization", "AWS/ECS"),
        _m(cluster, service, "n", "RunningTaskCount"),
    ]
    for e in q:
        e["ReturnData"] = True
    out = {}
    token = {}
    while True:
        r = boto3.client("cloudwatch").get_metric_data(
            MetricDataQueries=q, StartTime=now - 60 * minutes, EndTime=now, ScanBy="TimestampDescending", **token
        )
        for x in r["MetricDataResults"]:
            out.setdefault(x["Id"], []).extend(x["Values"])
        if "NextToken" not in r:
            break
        token = {"NextToken": r["NextToken"]}
    mean = lambda v: sum(v) / len(v)
    return {"cpu": mean(out["cpu"]), "memory": mean(out["mem"]), "running_tasks": out["n"][0]}
