"""Read by every Python that the learner's programs start, such as the AWS CLI: it lives in the world's time."""

import gc
import os
import sys

# What a program's imports make stays: looking through it for garbage again and again is a sixth of the AWS CLI's start.
gc.set_threshold(20_000, 10, 10)
_above = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, _above)
try:
    import worldtime

    worldtime.install()
except Exception:  # an old Python, say: then it sleeps for real
    pass
finally:
    sys.path.remove(_above)
    sys.modules.pop("worldtime", None)
