"""EC2's networks as AWS keeps them, where moto does not: refusals and repairs."""

from fargrade.emulator.ec2 import repairs

__all__ = ["repairs"]
