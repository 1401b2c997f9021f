"""X-Ray: traces as they were sent, sampling rules and groups.

Upstream: yes, sampling rules and groups; traces as they stand in moto hold no documents to answer from.
"""

from fargrade.emulator.xray import rules_and_groups, traces

__all__ = ["rules_and_groups", "traces"]
