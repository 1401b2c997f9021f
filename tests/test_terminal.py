"""The result in a terminal: one cause is told once, what the code printed is shown, points stand under one another."""

import io

from rich.console import Console

from fargrade.reports.terminal import PRINTED_SHOWN, TerminalReport
from fargrade.verdict import CheckResult, Finding, Grade, ItemResult

UNLOADED = "The code did not finish."


def failed(title: str, *, printed: str = "", **finding: str) -> CheckResult:
    return CheckResult(title, title, "failed", 1, "state", Finding(**finding), printed=printed)


def shown(*items: ItemResult, columns: int = 80) -> list[str]:
    out = io.StringIO()
    report = TerminalReport(Console(file=out, width=columns, highlight=False))
    report.expect(item.title for item in items)
    for item in items:
        report.item(item)
    report.summary(Grade(items, 1, {}, {}))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def item(number: int, title: str, *checks: CheckResult, begun: bool = True) -> ItemResult:
    return ItemResult(f"1.{number}", "slug", title, 1, checks, begun=begun)


def test_a_file_that_cannot_be_loaded_is_one_trouble() -> None:
    loaded = {"found": "line 6: expected ':'", "reason": UNLOADED}
    lines = shown(
        item(
            1,
            "An item",
            failed("One", expected="f(1) returns", **loaded),
            failed("Two", expected="f(2) returns", **loaded),
            failed("Three", expected="three", found="two"),
            failed("Four", expected="f(3) returns", **loaded),
        )
    )
    assert sum("expected ':'" in line for line in lines) == 1
    assert [line.split()[1:] for line in lines if "cause" in line] == [
        ["the", "same", "as", "above"],
        ["the", "same", "as", "for", "“One”"],
    ]


def test_what_was_expected_otherwise_is_another_trouble() -> None:
    lines = shown(item(1, "An item", failed("One", expected="1", found="0"), failed("Two", expected="2", found="0")))
    assert not any("cause" in line for line in lines)


def test_the_last_of_what_the_code_printed_is_shown() -> None:
    printed = "\n".join(f"line {number} \x1b[31m" for number in range(PRINTED_SHOWN + 5))
    lines = shown(item(1, "An item", failed("One", found="0", printed=printed)))
    told = "\n".join(lines)
    assert "printed" in told
    assert f"line {PRINTED_SHOWN + 4}" in told
    assert "line 4 " not in told
    assert "\x1b" not in told


def test_points_stand_under_one_another_where_there_is_room() -> None:
    items = [
        item(1, "Short", CheckResult("a", "A", "passed", 9, "state")),
        item(2, "A longer title", CheckResult("a", "A", "passed", 12, "state")),
    ]
    ends = {line.index(" passed") for line in shown(*items)[:2]}
    assert len(ends) == 1
    assert shown(*items, columns=30)[0].split() == ["✓", "1.1", "Short", "9/9", "passed"]


def test_who_has_begun_is_helped_there_and_who_has_not_is_told_where_to_begin() -> None:
    to_do = item(1, "First", failed("One"), begun=False)
    assert "brief    exercises/week1/01_slug/README.md" in shown(to_do)
    lines = shown(to_do, item(2, "Second", failed("One", found="0")))
    assert "help     make hint item=1.2" in lines
    assert not any(line.startswith("brief") for line in lines)
