"""IAM as AWS keeps it, where moto does not: what it refuses, managed policies, simulation."""

from fargrade.emulator.iam import entities, managed, policies, simulation

__all__ = ["entities", "managed", "policies", "simulation"]
