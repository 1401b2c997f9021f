"""Read by every Python that the learner's programs start, such as the AWS CLI: it lives in the world's time."""

import os
import sys

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
