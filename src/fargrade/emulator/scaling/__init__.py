"""Application Auto Scaling: targets, policies and schedules that scale ECS services as the world's time passes."""

from fargrade.emulator.scaling import acting, answers, load, refusing, services

__all__ = ["acting", "answers", "load", "refusing", "services"]
