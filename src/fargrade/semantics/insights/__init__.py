"""CloudWatch Logs read as AWS reads them: filter patterns and Logs Insights queries."""

from fargrade.semantics.insights.expression import Malformed, NotUnderstood
from fargrade.semantics.insights.patterns import BadPattern, Pattern, parse_pattern
from fargrade.semantics.insights.query import Answer, Event, parse_query, run_query

__all__ = [
    "Answer", "BadPattern", "Event", "Malformed", "NotUnderstood", "Pattern", "parse_pattern", "parse_query",
    "run_query",
]  # fmt: skip
