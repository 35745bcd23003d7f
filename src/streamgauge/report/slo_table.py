"""Makes the terminal's table of SLO rules, and the remarks below it."""

from typing import TYPE_CHECKING

from streamgauge.report import slo_text
from streamgauge.report.columns import Column, Table
from streamgauge.report.result import Result
from streamgauge.report.terminal import Line, printable, styled
from streamgauge.verdict.slo.judgement import JudgedRule

if TYPE_CHECKING:
    from rich.text import Text

#: If the terminal is too narrow, the columns of the lowest rank are dropped first.
_COLUMNS = [Column("result", 3, left=True), Column("observed", 2), Column("margin", 1, left=True)]


def slo_table(result: Result) -> Table | None:
    """Make the table with a row for each rule; None if the run had no rules."""
    rules = result["verdict"]["slo"]
    if not rules:
        return None
    table = Table("SLO rules", _COLUMNS)
    for rule in rules:
        table.add(
            printable(rule["rule"]), [_result(rule), styled(slo_text.observed(rule)), styled(slo_text.margin(rule))]
        )
    return table


def _result(rule: JudgedRule) -> "Text":
    return styled((slo_text.marked(rule), "green" if rule["passed"] else "bold red"))


def slo_remarks(result: Result) -> list[Line]:
    """Return why rules have no data, the ranges of uncertain ones, and where the rules were given."""
    lines: list[Line] = []
    for rule in result["verdict"]["slo"]:
        if rule["reason"]:
            lines.append(("✗", styled(printable(f"{rule['rule']}: {rule['reason']}"))))
        if between := slo_text.range_words(rule):
            words = f"{rule['rule']}: {between}" + (f". {slo_text.UNCERTAIN_MEANS}" if rule["uncertain"] else "")
            lines.append(("≈", styled(printable(words))))
    if source := result["run"].get("slo_source"):
        lines.append(("·", styled((f"rules from {source}", "dim"))))
    return lines
