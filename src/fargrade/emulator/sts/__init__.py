"""STS as AWS keeps it: roles are assumed only by whom they trust, and a session's calls are decided by its role."""

from fargrade.emulator.sts import assuming, sessions, task_credentials, tokens

__all__ = ["assuming", "sessions", "task_credentials", "tokens"]
