"""Elastic Load Balancing (v2) as AWS keeps it: refusals, target health over time, requests served.

Upstream: yes for what is refused and for what is made twice; no for health, which needs a clock and a network.
"""

from fargrade.emulator.elbv2 import answers, attributes, balancers, groups, listening, repairs, requests, targets

__all__ = ["answers", "attributes", "balancers", "groups", "listening", "repairs", "requests", "targets"]
