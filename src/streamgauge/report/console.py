"""Prints a run to the terminal: the table of names, the generator's lag, the server's own view, and the verdict."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from streamgauge.report import calibration_text, verdict_text
from streamgauge.report.agreement import agreement
from streamgauge.report.arrival_text import arrival_words
from streamgauge.report.chunk_delay import clock_words
from streamgauge.report.columns import Table
from streamgauge.report.counter_text import remarks
from streamgauge.report.enough_text import SCARCE, SCARCE_MEANS, scarce_notes
from streamgauge.report.lines import name_of
from streamgauge.report.result import Result
from streamgauge.report.server_view import AT_MOST, Agreement, ServerView
from streamgauge.report.slo_table import slo_remarks, slo_table
from streamgauge.report.steady_text import steady_words, warm_up_words
from streamgauge.report.streams_table import PERCENTILES, client_table, percentiles, server_table
from streamgauge.report.summary import summary_of
from streamgauge.report.terminal import Line, print_lines, print_marked, standard_output, styled
from streamgauge.report.tokens import token_words
from streamgauge.report.units import duration, interval, number, share, some
from streamgauge.report.whole_table import whole_table
from streamgauge.stats.stream_quantities import DISTRIBUTIONS
from streamgauge.verdict.exit_status import ExitStatus

if TYPE_CHECKING:
    from rich.console import Console

_MOST_LINES = 10
_TRUST_STYLES = {"trusted": "bold green", "degraded": "bold yellow"}


def print_table(result: Result, server: ServerView | None = None, console: "Console | None" = None) -> None:
    """Print ``result``, and the server's view of the same run if given, to ``console`` (default: standard output)."""
    console = console or standard_output()
    noted = _print_fitted(console, client_table(result), "result.json")
    if (whole := whole_table(result)) is not None:
        if noted:
            console.print()
        _print_fitted(console, whole, "result.json")
    print_marked(
        console,
        [
            *_uncertain(result),
            *_scarce(result),
            *_parts(result),
            *_delays(result),
            *_tokens(result),
            *_remarks(result),
            *_reasons(result),
            *_arrivals(result),
            _generator(result),
            *_calibration(result),
        ],
    )
    if server is not None:
        console.print()
        _print_fitted(console, server_table(server, result), "server.json")
        print_marked(
            console, [("", styled((AT_MOST, "dim"))), *_agreement(server["agreement"] or agreement(result, server))]
        )
    console.print()
    if (rules := slo_table(result)) is not None:
        _print_fitted(console, rules, "result.json")
        print_marked(console, slo_remarks(result))
        console.print()
    print_marked(console, _verdict(result))


def _print_fitted(console: "Console", table: Table, file: str) -> bool:
    """Print ``table``, and note which columns had no room; ``file`` has them. Return whether there is a note."""
    fitted = table.fit(console.width)
    print_lines(console, fitted.lines)
    console.print()
    if fitted.dropped:
        left_out = f"left out at this width: {', '.join(fitted.dropped)}; the report and {file} have them"
        print_marked(console, [("·", styled(left_out))])
    return bool(fitted.dropped)


def _uncertain(result: Result) -> list[Line]:
    """Return the ranges of the marked percentiles, and a sentence that explains the mark."""
    found = [
        (
            "≈",
            styled(
                f"{name_of(each, result)}, {metric.heading or metric.title.lower()} {percentile}: {interval(*between)}"
            ),
        )
        for each in result["streams"]
        for metric in DISTRIBUTIONS.values()
        if metric.tabled and (found := summary_of(metric, each)) and found["count"]
        for percentile, between in found["uncertain"].items()
        if percentile in PERCENTILES
    ]
    return [*_at_most(found, "range"), ("", styled((verdict_text.UNCERTAIN_MEANS, "dim")))] if found else []


def _scarce(result: Result) -> list[Line]:
    """Return the percentiles that rest on too few values, and a sentence that explains the mark."""
    found = [(SCARCE, styled(note)) for note in scarce_notes(result, PERCENTILES)]
    return [*_at_most(found, "percentile"), ("", styled((SCARCE_MEANS, "dim")))] if found else []


def _parts(result: Result) -> list[Line]:
    """Return what was left out as the warm-up, and whether the run was steady."""
    steady = steady_words(result)
    return [("·", styled(words)) for words in (*warm_up_words(result), *([steady] if steady else []))]


def _delays(result: Result) -> list[Line]:
    """Return the chunk delays of the names that have them."""
    found: list[Line] = []
    for each in result["streams"]:
        if (delay := each["chunk_delay"]) is not None:
            p50, p99 = percentiles(delay)
            words = (
                styled(f"{name_of(each, result)}, chunk delay p50 ").append_text(p50).append(", p99 ").append_text(p99)
            )
            said = clock_words(each)
            found.append(("·", words.append(f": {said}" if said else "")))
    return _at_most(found, "name")


def _tokens(result: Result) -> list[Line]:
    every = result["streams"]
    found = [("·", styled(f"{name_of(each, result)}, {words}")) for each in every if (words := token_words(each))]
    return _at_most(found, "name")


def _remarks(result: Result) -> list[Line]:
    every = result["streams"]
    found = [("·", styled(f"{name_of(each, result)}: {words}")) for each in every for words in remarks(each)]
    return _at_most(found, "remark")


def _reasons(result: Result) -> list[Line]:
    found = [(times, each["name"], reason) for each in result["streams"] for reason, times in each["reasons"].items()]
    found.sort(key=lambda item: -item[0])
    lines = [("✗", styled((f"{number(times)} × ", "red"), f"{name}: {reason}")) for times, name, reason in found]
    return _at_most(lines, "reason")


def _at_most(lines: list[Line], noun: str) -> list[Line]:
    """Return the first of ``lines``, and a line that counts the others."""
    if (hidden := len(lines) - _MOST_LINES) <= 0:
        return lines
    return [*lines[:_MOST_LINES], (lines[0][0], styled(f"and {some(hidden, f'more {noun}')}"))]


def _arrivals(result: Result) -> list[Line]:
    words = arrival_words(result)
    return [("·", styled(words))] if words else []


def _generator(result: Result) -> Line:
    found = result["generator"]
    lag = found["lag"]
    slow = any(each.get("slowed") for each in result["streams"])
    parts = ["generator lag unknown, it read slowly on purpose" if slow else "the generator read nothing"]
    if found["timestamps"] == "read":
        parts = ["generator lag unknown", "read timestamps"]
    elif lag["count"]:
        parts = [
            f"generator lag p50 {duration(lag['p50'])}, p99 {duration(lag['p99'])}, max {duration(lag['max'])}",
            f"{found['timestamps']} timestamps",
        ]
    parts += [f"CPU max {share(found['cpu_max'])}"]
    if "arrivals" not in result["run"]:  # else a line of their own has them
        parts += [some(found["late_starts"], "late start")] if found["late_starts"] else []
        parts += [some(found["dropped_arrivals"], "dropped arrival")] if found["dropped_arrivals"] else []
    parts += [some(found["clock_steps"], "clock step")] if found["clock_steps"] else []
    if pauses := found.get("refusal_pauses", 0):
        paused_s = duration(found.get("refusal_pause_s", 0.0))
        parts.append(f"refused users paused {some(pauses, 'time')}, {paused_s} in total")
    return "·", styled(" · ".join(parts))


def _calibration(result: Result) -> list[Line]:
    calibration = result["generator"].get("calibration")
    return [("·", styled(calibration_text.recalled(calibration)))] if calibration else []


def _agreement(lines: Iterable[Agreement]) -> list[Line]:
    """Return the totals, the routes that differ, and why they may differ."""
    shown = [line for line in lines if not line["name"] or not line["equal"]]
    found = [
        ("✓" if line["equal"] else "≠", styled((line["text"].removesuffix(" ✓"), "" if line["equal"] else "red")))
        for line in shown
    ]
    whys = dict.fromkeys(line["why"] for line in shown if line["why"])
    return [*found, *(("", styled((why, "dim"))) for why in whys)]


def _verdict(result: Result) -> list[Line]:
    found = result["verdict"]
    judged = verdict_text.judgement(found)
    ok = found["exit_code"] == ExitStatus.PASSED
    headline = styled(
        (found["trust"], _TRUST_STYLES.get(found["trust"], "bold red")),
        ", ",
        (judged, "bold green" if ok else "bold red"),
        ", interrupted" if result["run"]["interrupted"] else "",
    )
    lines: list[Line] = [
        ("✓" if ok else "✗", headline),
        ("", styled(f"{verdict_text.TRUST_MEANS[found['trust']]} {verdict_text.judgement_reason(result)}")),
    ]
    lines += _at_most([("", styled(f"- {reason}")) for reason in found["reasons"]], "reason")
    return lines + [("!", styled(warning)) for warning in result["run"].get("warnings", [])]
