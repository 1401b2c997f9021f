"""Elastic Load Balancing (v2) as AWS keeps it: refusals, target health over time, requests served."""

from fargrade.emulator.elbv2 import answers, repairs, requests, targets

__all__ = ["answers", "repairs", "requests", "targets"]
