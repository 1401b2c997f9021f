"""CloudWatch Logs: patterns, Insights queries, retention and metric filters, on moto's groups and streams."""

from fargrade.emulator.logs import answers, store

__all__ = ["answers", "store"]
