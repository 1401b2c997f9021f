"""CloudWatch Logs: patterns, Insights queries, retention and metric filters, on moto's groups and streams.

Upstream: yes, the filter patterns and which retentions there are; queries need our evaluation of them.
"""

from fargrade.emulator.logs import answers, store

__all__ = ["answers", "store"]
