"""IAM as AWS keeps it, where moto does not: what it refuses, managed policies, simulation.

Upstream: yes: decisions by all of the language, simulation, managed policies looked up when asked for, and IAM's words.
"""

from fargrade.emulator.iam import entities, managed, policies, simulation

__all__ = ["entities", "managed", "policies", "simulation"]
