"""EC2's networks as AWS keeps them, where moto does not: refusals and repairs."""

from fargrade.emulator.ec2 import groups, places, repairs, routing

__all__ = ["groups", "places", "repairs", "routing"]
