"""X-Ray traces: segment documents as X-Ray takes them, traces made of them, and what is asked of traces."""

from fargrade.semantics.tracing.expression import BadExpression, parse_expression
from fargrade.semantics.tracing.segments import BadSegment, Segment, Trace, new_trace_id, parse_segment

__all__ = ["BadExpression", "BadSegment", "Segment", "Trace", "new_trace_id", "parse_expression", "parse_segment"]
