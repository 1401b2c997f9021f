"""CloudWatch: metrics, alarms that are evaluated as the world's time passes, composite alarms."""

from fargrade.emulator.cloudwatch import alarms, data, evaluating, refusing

__all__ = ["alarms", "data", "evaluating", "refusing"]
