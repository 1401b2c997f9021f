"""CloudWatch: metrics, alarms that are evaluated as the world's time passes, composite alarms.

Upstream: no for what evaluates alarms, which needs a clock; yes for the refusals, and for metrics by their dimensions.
"""

from fargrade.emulator.cloudwatch import alarms, data, evaluating, refusing

__all__ = ["alarms", "data", "evaluating", "refusing"]
