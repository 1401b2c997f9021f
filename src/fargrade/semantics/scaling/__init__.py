"""Application Auto Scaling of ECS services: target tracking, step scaling, schedules, a service played on a load."""

from fargrade.semantics.scaling.play import Run, play, utilisation
from fargrade.semantics.scaling.scaler import Decision, Ring, Scaler
from fargrade.semantics.scaling.schedule import BadSchedule, next_time
from fargrade.semantics.scaling.steps import adjusted, bounds, step_for, steps_problem
from fargrade.semantics.scaling.tracking import OF_A_SERVICE, PER_TARGET, service_of, tracked, tracking_alarms

__all__ = [
    "OF_A_SERVICE", "PER_TARGET", "BadSchedule", "Decision", "Ring", "Run", "Scaler", "adjusted", "bounds", "next_time",
    "play", "service_of", "step_for", "steps_problem", "tracked", "tracking_alarms", "utilisation",
]  # fmt: skip
