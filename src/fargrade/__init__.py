"""fargrade: a course on AWS containers and the harness that grades it.

Data flows one way: course → world → sandbox → evidence → checks → verdicts → reports.
"""

__version__ = "0.1.0"
