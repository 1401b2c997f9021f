"""4.5 with OTLP."""

import json
import os
import secrets
import time
import urllib.request

import boto3


def work(step: dict) -> None:
    time.sleep(step["seconds"])
    if step["fails"]:
        raise RuntimeError(f"{step['name']} failed")


def allow_tracing(task_role, execution_role):
    boto3.client("iam").put_role_policy(
        RoleName=task_role,
        PolicyName="xray",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                    "Resource": "*",
                },
            }
        ),
    )


def nano():
    return str(time.time_ns())


def handle_order(order_id, steps):
    tid, root = f"{int(time.time()):08x}" + secrets.token_hex(12), secrets.token_hex(8)
    spans = [
        {
            "traceId": tid,
            "spanId": root,
            "name": "orders",
            "kind": 2,
            "startTimeUnixNano": nano(),
            "status": {},
            "attributes": [
                {"key": "order_id", "value": {"stringValue": order_id}},
                {"key": "aws.xray.annotations", "value": {"arrayValue": {"values": [{"stringValue": "order_id"}]}}},
            ],
        }
    ]
    try:
        for step in steps:
            span = {
                "traceId": tid,
                "spanId": secrets.token_hex(8),
                "parentSpanId": root,
                "name": step["name"],
                "kind": 1,
                "startTimeUnixNano": nano(),
            }
            spans.append(span)
            try:
                work(step)
            except BaseException as e:
                span["status"] = spans[0]["status"] = {"code": 2, "message": str(e)}
                span["events"] = [
                    {
                        "name": "exception",
                        "timeUnixNano": nano(),
                        "attributes": [
                            {"key": "exception.type", "value": {"stringValue": type(e).__name__}},
                            {"key": "exception.message", "value": {"stringValue": str(e)}},
                        ],
                    }
                ]
                raise
            finally:
                span["endTimeUnixNano"] = nano()
    finally:
        spans[0]["endTimeUnixNano"] = nano()
        body = {
            "resourceSpans": [
                {
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]},
                    "scopeSpans": [{"scope": {"name": "x"}, "spans": spans}],
                }
            ]
        }
        urllib.request.urlopen(
            urllib.request.Request(
                "http://localhost:4318/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"}
            ),
            timeout=5,
        ).read()
