"""CloudWatch alarms, on data one holds in the hand: metrics, metric math, evaluation, composite rules."""

from fargrade.semantics.alarms.composite import Rule, alarms_of, holds, parse_rule
from fargrade.semantics.alarms.evaluation import (
    OPERATORS,
    TREATMENTS,
    State,
    Verdict,
    breaches,
    evaluate_alarm,
    period_of,
    query_values,
    state_of,
    step_of,
)
from fargrade.semantics.alarms.expression import evaluate, ids_of, parse
from fargrade.semantics.alarms.metrics import Datum, Malformed, Metric, Metrics, NotUnderstood, statistic, value
from fargrade.semantics.alarms.play import play_alarm

__all__ = [
    "OPERATORS", "TREATMENTS", "Datum", "Malformed", "Metric", "Metrics", "NotUnderstood", "Rule", "State", "Verdict",
    "alarms_of", "breaches", "evaluate", "evaluate_alarm", "holds", "ids_of", "parse", "parse_rule", "period_of",
    "play_alarm", "query_values", "state_of", "statistic", "step_of", "value",
]  # fmt: skip
