"""Each item that says it can be graded on an account: its solution is, on the stand-in, and nothing of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_account import client, grade, journals
from tests_account import REGION, StandIn

from fargrade.course import Course
from fargrade.course.checks import account_dollars
from tests.commands import ROOT

# 1.2 is what test_account.py grades again and again.
ITEMS = [one.id for one in Course(ROOT).items if account_dollars(one.grader) is not None and one.id != "1.2"]
# Lists that a person would look at: service, operation, key, and what is there before anybody came.
LISTS = (
    ("ecr", "describe_repositories", "repositories"),
    ("ecs", "list_clusters", "clusterArns"),
    ("iam", "list_roles", "Roles"),
    ("logs", "describe_log_groups", "logGroups"),
    ("ec2", "describe_vpcs", "Vpcs"),
    ("ec2", "describe_subnets", "Subnets"),
    ("ec2", "describe_security_groups", "SecurityGroups"),
    ("ec2", "describe_internet_gateways", "InternetGateways"),
    ("ec2", "describe_route_tables", "RouteTables"),
    ("elbv2", "describe_load_balancers", "LoadBalancers"),
)


def definitions(account: StandIn) -> list[str]:
    """Task definitions of any kind: one that is only deregistered is still there."""
    ecs = client(account, "ecs")
    return [
        arn
        for status in ("ACTIVE", "INACTIVE")
        for arn in ecs.list_task_definitions(status=status)["taskDefinitionArns"]
    ]


def counted(account: StandIn) -> dict[str, int]:
    """How many of each kind there are."""
    return {operation: len(getattr(client(account, service), operation)()[key]) for service, operation, key in LISTS}


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_is_judged_and_nothing_of_it_stays(root: Path, tmp_path: Path, account: StandIn, item: str) -> None:
    before = counted(account)
    graded, printed, status = grade(root, tmp_path, account, item=item)
    assert status == 0, printed
    (only,) = graded["items"]
    statuses = [check["status"] for check in only["checks"]]
    assert set(statuses) <= {"passed", "not_judged"}, printed
    assert statuses.count("passed") > len(statuses) / 3, printed
    assert all(check["reason"] for check in only["checks"] if check["status"] == "not_judged")
    assert counted(account) == before
    assert definitions(account) == []
    assert journals(tmp_path) == []
    assert graded["backend"]["region"] == REGION
