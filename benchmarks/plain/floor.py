"""The floor: one warm process makes every submission's calls, one after another."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from calling import by_item, make

for submission in sys.argv[1:]:
    for calls in by_item().values():
        make(Path(submission), calls)
