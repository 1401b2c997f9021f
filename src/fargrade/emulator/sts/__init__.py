"""STS as AWS keeps it: roles are assumed only by whom they trust, and a session's calls are decided by its role.

Upstream: yes: that a role must be there and trust who asks. Sessions that are enforced are the gateway's.
"""

from fargrade.emulator.sts import assuming, sessions, task_credentials, tokens

__all__ = ["assuming", "sessions", "task_credentials", "tokens"]
