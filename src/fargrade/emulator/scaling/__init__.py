"""Application Auto Scaling: targets, policies and schedules that scale ECS services as the world's time passes.

Upstream: no for what scales, which needs our alarms and our ECS; yes for the refusals and the alarms' thresholds.
"""

from fargrade.emulator.scaling import acting, answers, load, refusing, services

__all__ = ["acting", "answers", "load", "refusing", "services"]
