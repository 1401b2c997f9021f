"""EC2's networks as AWS keeps them, where moto does not: refusals and repairs.

Upstream: yes, nearly all of it: what is refused here is a few lines beside each of moto's own checks.
"""

from fargrade.emulator.ec2 import groups, places, repairs, routing

__all__ = ["groups", "places", "repairs", "routing"]
