"""Makes this folder's and the batch's helpers importable: test folders are no packages here."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "batch")]
