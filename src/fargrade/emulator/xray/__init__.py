"""X-Ray: traces as they were sent, sampling rules and groups."""

from fargrade.emulator.xray import rules_and_groups, traces

__all__ = ["rules_and_groups", "traces"]
