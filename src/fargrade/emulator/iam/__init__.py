"""IAM as AWS keeps it, where moto does not: what it refuses, managed policies, simulation."""

from fargrade.emulator.iam import managed

__all__ = ["managed"]
