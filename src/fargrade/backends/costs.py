"""What a grading on a real account may cost: said before, held to while it goes on.

Prices are AWS's list prices in us-east-1, a little above what other regions of the course's examples take, an hour of
each: aws.amazon.com/fargate/pricing, aws.amazon.com/elasticloadbalancing/pricing, aws.amazon.com/vpc/pricing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

CEILING = 1.0
HOURS = 1.0  # of what is made: no grading takes longer, and the sweep ends what is left
TASK_HOUR = 0.04048 + 2 * 0.004445  # 1 vCPU and 2 GB: more than any task of the course
HOURLY: Mapping[tuple[str, str], float] = {
    ("elbv2", "CreateLoadBalancer"): 0.0225 + 0.008 + 2 * 0.005,
    ("ec2", "CreateNatGateway"): 0.045,
    ("ec2", "AllocateAddress"): 0.005,
    ("ec2", "CreateVpcEndpoint"): 2 * 0.01,
    ("cloudwatch", "PutMetricAlarm"): 0.10 / 730,
    ("cloudwatch", "PutDashboard"): 3.0 / 730,
    ("codepipeline", "CreatePipeline"): 1.0 / 730,
    ("codebuild", "StartBuild"): 60 * 0.005,
    ("secretsmanager", "CreateSecret"): 0.40 / 730,
}
COUNTED: Mapping[tuple[str, str], str] = {
    ("ecs", "RunTask"): "count",
    ("ecs", "StartTask"): "count",
    ("ecs", "CreateService"): "desiredCount",
    ("ecs", "UpdateService"): "desiredCount",
    ("application-autoscaling", "RegisterScalableTarget"): "MaxCapacity",
}
# What no item of the course takes on an account, whatever it would cost.
NEVER = frozenset({("ec2", "RunInstances"), ("ec2", "RequestSpotInstances"), ("ec2", "CreateFleet")})


def dollars(service: str, operation: str, parameters: Mapping[str, Any]) -> float:
    """What this call may come to in an hour; 0 for what costs nothing, or next to it."""
    call = (service, operation)
    if call in COUNTED:
        count = parameters.get(COUNTED[call])
        return TASK_HOUR * HOURS * (float(count) if isinstance(count, int) else 1.0)
    return HOURLY.get(call, 0.0) * HOURS


class Meter:
    """Adds up what a run has bound itself to, and says when the next call would pass the ceiling."""

    def __init__(self, ceiling: float) -> None:
        self.ceiling = ceiling
        self.spent = 0.0
        self._lock = threading.Lock()

    def allow(self, service: str, operation: str, parameters: Mapping[str, Any]) -> bool:
        """Count the call; False, and nothing counted, where it would pass the ceiling or is none of the course's."""
        if (service, operation) in NEVER:
            return False
        with self._lock:
            cost = dollars(service, operation, parameters)
            if cost and self.spent + cost > self.ceiling:
                return False
            self.spent += cost
            return True
