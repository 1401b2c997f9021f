"""Event patterns: the operators of the documentation, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fargrade.semantics.event_pattern import BadPattern, fits, parse_pattern

EVENT = {
    "source": "aws.ecs",
    "detail-type": "ECS Task State Change",
    "detail": {"lastStatus": "STOPPED", "containers": [{"exitCode": 1}], "cpu": 256, "address": "10.0.0.7",
               "tags": ["a", "b"]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.ecs"]}, True),
        ({"source": ["aws.ec2"]}, False),
        ({"source": ["aws.ec2", "aws.ecs"], "detail": {"lastStatus": ["STOPPED"]}}, True),
        ({"source": [{"prefix": "aws."}]}, True),
        ({"detail-type": [{"suffix": "Change"}]}, True),
        ({"source": [{"anything-but": ["aws.ec2"]}]}, True),
        ({"source": [{"anything-but": {"prefix": "aws."}}]}, False),
        ({"detail": {"cpu": [{"numeric": [">", 200, "<=", 256]}]}}, True),
        ({"detail": {"cpu": [{"numeric": [">", 256]}]}}, False),
        ({"detail": {"stoppedReason": [{"exists": False}]}}, True),
        ({"detail": {"lastStatus": [{"exists": True}]}}, True),
        ({"source": [{"equals-ignore-case": "AWS.ECS"}]}, True),
        ({"detail-type": [{"wildcard": "ECS * Change"}]}, True),
        ({"detail": {"address": [{"cidr": "10.0.0.0/24"}]}}, True),
        ({"detail": {"tags": ["b"]}}, True),
        ({"$or": [{"source": ["x"]}, {"detail": {"cpu": [256]}}]}, True),
        ({"detail": {"cpu": ["256"]}}, False),
    ],
)
def test_patterns(pattern: dict[str, Any], expected: bool) -> None:
    assert fits(parse_pattern(json.dumps(pattern)), EVENT) is expected


@pytest.mark.parametrize(
    "wrong",
    ["{", "[]", "{}", '{"source": "aws.ecs"}', '{"source": []}', '{"source": [{"prefx": "a"}]}', '{"a": [["b"]]}',
     '{"a": [{"exists": "yes"}]}', '{"a": [{"numeric": [">"]}]}', '{"$or": [{"a": ["b"]}]}', '{"a": {}}'],
)  # fmt: skip
def test_what_is_refused(wrong: str) -> None:
    with pytest.raises(BadPattern):
        parse_pattern(wrong)
