"""The result in the terminal: a line an item, failures opened, then the score and what to do next.

Colour is never the only signal: every line carries a sign and a word. What a learner's code said is data:
it is escaped, so that neither markup nor control codes reach the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fargrade.course.language import current_language
from fargrade.course.language import translate as t
from fargrade.reports import pictures
from fargrade.verdict import CheckResult, Grade, ItemResult, count

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NARROW = 60
CALLS_SHOWN = 4  # the last ones; all of them are in grade.json
PRINTED_SHOWN = 12  # lines, likewise
BESIDE_TITLE = 24  # what stands before and after an item's title


@dataclass(frozen=True)
class Signs:
    """What stands before a line for each verdict."""

    passed: str
    failed: str
    not_judged: str
    to_do: str


UNICODE_SIGNS = Signs("✓", "✗", "–", "○")
ASCII_SIGNS = Signs("+", "x", "-", "o")
STYLES = {"passed": "green", "failed": "red", "not_judged": "yellow", "to_do": "cyan"}


def plain(text: str) -> str:
    """`text` without control characters, direction overrides and half surrogates, whoever wrote it."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def number(points: float) -> str:
    """Points as people write them: 2, not 2.0; 2.5 stays."""
    return f"{points:g}"


def worth(points: float) -> str:
    """What a check is worth, in words."""
    return t("1 point") if points == 1 else t("{points} points", points=number(points))


def word_of(result: ItemResult) -> str:
    """An item's verdict as it is shown: what is not begun is to do, not failed."""
    return "to_do" if not result.begun and result.status == "failed" else result.status


def brief_of(result: ItemResult) -> str:
    """Where the item's brief is, in the learner's language."""
    language = current_language()
    return f"exercises/{result.folder}/README{'' if language == 'en' else f'.{language}'}.md"


class TerminalReport:
    """Writes to `console`. `replay` is the command that grades the same inputs again, without its seed."""

    def __init__(self, console: Console, *, replay: str = "", places: Iterable[str] = ()) -> None:
        self.console = console
        self.replay = replay
        self.places = list(places)
        self.title_width = 0
        encodable = (console.encoding or "ascii").lower().replace("-", "").startswith("utf")
        self.signs = UNICODE_SIGNS if encodable else ASCII_SIGNS

    def expect(self, titles: Iterable[str]) -> None:
        """Say which items are going to be shown: their points will stand under one another where there is room."""
        widest = max((cell_len(plain(title)) for title in titles), default=0)
        self.title_width = widest if widest + BESIDE_TITLE <= self.console.width else 0

    def item(self, result: ItemResult) -> None:
        """One item: its line, and its failures opened."""
        word = word_of(result)
        line = Table.grid(padding=(0, 1), expand=False)
        line.add_column(width=1)
        line.add_column(width=4)
        line.add_column(ratio=1, overflow="fold", min_width=self.title_width)
        line.add_column(justify="right", no_wrap=True, min_width=5 if self.title_width else None)
        line.add_column(no_wrap=True)
        style = STYLES[word]
        line.add_row(
            Text(getattr(self.signs, word), style=f"bold {style}"),
            Text(result.id, style="bold"),
            Text(plain(result.title)),
            Text(f"{number(result.score)}/{number(result.points)}"),
            Text(self._word(word), style=style),
        )
        self.console.print(line)
        if word == "to_do":
            return
        self._notes(result)
        self._pictures(result)
        self._opened([check for check in result.checks if check.status != "passed"])

    def _word(self, word: str) -> str:
        return {
            "passed": t("passed"),
            "failed": t("failed"),
            "not_judged": t("not judged"),
            "to_do": t("to do"),
        }[word]

    def _notes(self, result: ItemResult) -> None:
        for note in result.notes:
            self.console.print(Padding(Text(plain(note), style="yellow"), (0, 0, 0, 7)))

    def _pictures(self, result: ItemResult) -> None:
        """Each picture that was shown, in a few lines."""
        shown = {(one.title, str(one.data)): one for check in result.checks for one in check.pictures}
        for picture in shown.values():
            drawn = pictures.lines(picture, plain=self.signs is ASCII_SIGNS)
            for number, text in enumerate(drawn):
                row = Text(plain(text), style="bold dim" if number == 0 else "dim", no_wrap=True, overflow="ellipsis")
                self.console.print(Padding(row, (0, 0, 0, 7)))

    def _opened(self, checks: list[CheckResult]) -> None:
        """The checks that did not pass; one cause that fails several is told once."""
        told: dict[object, str] = {}
        last: object = None
        for check in checks:
            cause = check.finding.cause
            self.console.print(Padding(self._check_line(check), (0, 0, 0, 2)))
            if cause not in told:
                told[cause] = check.title
                last = cause
                self._finding(check)
                continue
            same = t("the same as above") if cause == last else t("the same as for “{check}”", check=told[cause])
            self._rows([(t("cause"), same), (t("printed"), _last_lines(check.printed))])

    def _check_line(self, check: CheckResult) -> Table:
        line = Table.grid(padding=(0, 1))
        line.add_column(width=1)
        line.add_column(overflow="fold")
        line.add_row(
            Text(getattr(self.signs, check.status), style=STYLES[check.status]),
            Text.assemble(
                Text(plain(check.title), style="bold"),
                f"  {worth(check.points)}",
            ),
        )
        return line

    def _finding(self, check: CheckResult) -> None:
        finding = check.finding
        self._rows(
            [
                (t("why"), finding.reason),
                (t("expected"), finding.expected),
                (t("found"), finding.found),
                (t("on AWS"), finding.on_aws),
                (t("hint"), finding.hint),
                (t("calls"), "\n".join(check.calls[-CALLS_SHOWN:])),
                (t("printed"), _last_lines(check.printed)),
            ],
            link=(t("docs"), finding.docs),
        )

    def _rows(self, rows: list[tuple[str, str]], link: tuple[str, str] = ("", "")) -> None:
        """Label and text side by side; one under the other where the terminal is narrow. The link is never broken."""
        narrow = self.console.width < NARROW
        table = Table.grid(padding=(0, 2))
        width = max(len(label) for label, text in [*rows, link] if text or label == link[0])
        table.add_column(style="dim", no_wrap=True, min_width=width)
        table.add_column(overflow="fold")
        for label, text in rows:
            if not text:
                continue
            if narrow:
                self.console.print(Padding(Text.assemble((f"{label}: ", "dim"), plain(text)), (0, 0, 0, 4)))
            else:
                table.add_row(Text(label), Text(plain(text)))
        if table.row_count:
            self.console.print(Padding(table, (0, 0, 0, 5)))
        if link[1]:
            label = f"    {link[0]}: " if narrow else f"     {link[0]:<{width}}  "
            self.console.print(Text.assemble((label, "dim"), plain(link[1])), soft_wrap=True)

    def summary(self, grade: Grade, problems: Iterable[str] = ()) -> None:
        """The score, where the reports are, and the commands that come next."""
        self.console.print()
        self._weeks(grade)
        self.console.print(self._score(grade))
        for line in self._remarks(grade):
            self.console.print(Text(line, style="yellow"))
        for problem in problems:
            self.console.print(Text(f"! {plain(problem)}", style="yellow"))
        for label, text in self._next(grade):
            self.console.print(Text.assemble((f"{label:<8} ", "dim"), plain(text)), soft_wrap=True)

    def _weeks(self, grade: Grade) -> None:
        """The course as a whole, a line a week; nothing where one week was graded."""
        weeks = sorted({item.week for item in grade.items})
        if len(weeks) < 2:
            return
        table = Table.grid(padding=(0, 2))
        for week in weeks:
            mine = [item for item in grade.items if item.week == week]
            signs = Text()
            for item in mine:
                word = word_of(item)
                signs.append(getattr(self.signs, word), style=STYLES[word])
            earned, worth_ = sum(item.score for item in mine), sum(item.points for item in mine)
            name = Text(t("Week {weeks}", weeks=week), style="bold")
            table.add_row(name, signs, Text(f"{number(earned)}/{number(worth_)}"))
        self.console.print(table)
        self.console.print()

    def _score(self, grade: Grade) -> Text:
        items = count(item.status for item in grade.items)
        to_do = sum(1 for item in grade.items if not item.begun and item.status == "failed")
        parts = [
            (items["passed"], t("passed")),
            (items["failed"] - to_do, t("failed")),
            (to_do, t("to do")),
            (items["not_judged"], t("not judged")),
        ]
        tally = ", ".join(f"{amount} {word}" for amount, word in parts if amount)
        score = t("Score {score} of {most}", score=number(grade.score), most=number(grade.max_score))
        return Text.assemble((score, "bold"), f"   {tally}")

    def _remarks(self, grade: Grade) -> list[str]:
        remarks = []
        everything = sum(item.points for item in grade.items)
        if grade.max_score < everything:
            remarks.append(
                t(
                    "Not judged here: {points} of {all} points.",
                    points=number(everything - grade.max_score),
                    all=number(everything),
                )
            )
        remarks += self._backend(grade)
        if grade.backend.get("confined") is False:
            remarks.append(str(grade.backend.get("note") or t("The code ran unconfined: not a grade, a self-check.")))
        if not grade.complete:
            remarks.append(t("The grading was interrupted: what did not run is not judged."))
        return remarks

    def _backend(self, grade: Grade) -> list[str]:
        """What a backend that is not the embedded one is, and which services it lacks."""
        services = grade.backend.get("services")
        if not isinstance(services, dict):
            return []
        lacks = sorted(name for name, state in services.items() if state != "available")
        named = " ".join(str(grade.backend.get(key) or "") for key in ("name", "edition", "version")).strip()
        return [
            t("Graded on {backend}: it lacks {services}.", backend=named, services=", ".join(lacks))
            if lacks
            else t("Graded on {backend}.", backend=named)
        ]

    def _next(self, grade: Grade) -> list[tuple[str, str]]:
        rows = [(t("report"), place) for place in self.places]
        if self.replay:
            rows.append((t("again"), f"{self.replay} seed={grade.seed}"))
        failed = [item for item in grade.items if item.status == "failed"]
        first = next((item for item in failed if item.begun), failed[0] if failed else None)
        passed = [item for item in grade.items if item.status == "passed"]
        if first:
            rows += [] if first.begun else [(t("brief"), brief_of(first))]
            rows.append((t("help"), f"make hint item={first.id}"))
        elif passed:
            rows.append((t("learned"), f"make learned item={passed[-1].id}"))
        return rows


def _last_lines(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([*(["…"] if len(lines) > PRINTED_SHOWN else []), *lines[-PRINTED_SHOWN:]])


__all__ = ["Signs", "TerminalReport", "brief_of", "number", "plain", "word_of", "worth"]
