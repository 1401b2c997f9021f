"""Elastic Load Balancing (v2) as AWS keeps it: refusals, target health over time, requests served."""

from fargrade.emulator.elbv2 import answers, balancers, groups, listening, repairs, requests, targets

__all__ = ["answers", "balancers", "groups", "listening", "repairs", "requests", "targets"]
