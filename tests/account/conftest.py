"""The stand-in account, for the tests beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tests_account import account, emulator

__all__ = ["account", "emulator"]
