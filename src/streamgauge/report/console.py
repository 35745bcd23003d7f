"""The terminal's view of a run: the table per name, the generator's lag, the server's own view, and the verdict."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from streamgauge.report import floor, tally, verdict
from streamgauge.report.agreement import agreement, side_by_side
from streamgauge.report.delay import clock_words
from streamgauge.report.result import MetricSummary, Result
from streamgauge.report.sequence import sequence_words
from streamgauge.report.server_view import Agreement, ServerQuantiles, ServerView
from streamgauge.report.terminal import standard_output
from streamgauge.report.tokens import token_words
from streamgauge.report.units import duration, interval, number, rate, share, size, some

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

#: From this width on there is room for the totals beside the percentiles.
_WIDE = 118
_MOST_REASONS = 10
_TRUST_STYLES = {"trusted": "bold green", "degraded": "bold yellow"}
_METRICS = {"time_to_first_chunk": "TTFC", "chunk_interval": "interval"}
_PERCENTILES = ("p50", "p99")
_TOTALS = ("chunks", "body", "stalls", "coalesced")
_MARK_STYLES = {"≈": "yellow", "✗": "red", "≠": "red", "✓": "green"}

#: A mark in the margin, and what it marks.
_Line = tuple[str, "Text"]


def print_table(result: Result, server: ServerView | None = None, console: "Console | None" = None) -> None:
    """Print ``result``, and the server's view of the same run if given, to ``console`` (default: standard output)."""
    console = console or standard_output()
    wide = console.width >= _WIDE
    console.print(_streams_table(result, wide))
    console.print()
    _print_lines(
        console,
        [
            *_uncertain(result),
            *_delays(result),
            *_tokens(result),
            *_sequences(result),
            *_reconnects(result),
            *_reasons(result),
            _generator(result),
            *_calibration(result),
        ],
    )
    if server is not None:
        console.print()
        console.print(_server_table(server, result, wide))
        console.print()
        _print_lines(
            console, [("", _text(("Percentiles are interpolated in the buckets of the server's histograms.", "dim")))]
        )
        _print_lines(console, _agreement(server["agreement"] or agreement(result, server)))
    console.print()
    _print_lines(console, _verdict(result))


def printable(text: str) -> str:
    """``text`` with every control character as its escape, so that a server's words cannot steer the terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _text(*parts: "str | tuple[str, str]") -> "Text":
    """Words, or words and their style; nothing in them is read as markup."""
    from rich.text import Text

    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((printable(words), style) for words, style in pairs))


def _print_lines(console: "Console", lines: Iterable[_Line]) -> None:
    """Lines with a mark in the margin, wrapped beside it."""
    from rich.table import Table

    block = Table.grid(padding=(0, 1, 0, 0))
    block.add_column(width=1)
    block.add_column(overflow="fold")
    for mark, words in lines:
        block.add_row(_text((mark, _MARK_STYLES.get(mark, ""))), words)
    console.print(block)


def _table(first: str, unclean: str, totals: Sequence[str]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    table.add_column(first, overflow="fold", min_width=17, vertical="top")
    headings = ["streams", unclean, *(f"{title}\n{each}" for title in _METRICS.values() for each in _PERCENTILES)]
    headings += ["chunks\nper s", *totals]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _streams_table(result: Result, wide: bool) -> "Table":
    table = _table("client", "failed", _TOTALS if wide else ())
    for each in result["streams"]:
        first, between = each["time_to_first_chunk"], each["chunk_interval"]
        table.add_row(
            _name(each["name"], tally.failures(each["outcomes"])),
            number(each["started"]),
            _failed(tally.failed(each["outcomes"])),
            *_percentiles(first, first["uncertain"]),
            *_percentiles(between, between["uncertain"]),
            rate(tally.per_second(each["chunks"], result)),
            *_rest(each["chunks"], each["bytes"], each["stalls"], each["coalesced_share"], wide),
        )
    if not result["streams"]:
        table.add_row("no stream started")
    elif len(result["streams"]) > 1:
        _add_totals(table, result, wide)
    return table


def _add_totals(table: "Table", result: Result, wide: bool) -> None:
    all_names = tally.totals(result["streams"])
    table.add_section()
    table.add_row(
        "all",
        number(all_names["started"]),
        _failed(tally.failed(all_names["outcomes"])),
        *[""] * 4,
        rate(tally.per_second(all_names["chunks"], result)),
        *_rest(all_names["chunks"], all_names["bytes"], all_names["stalls"], all_names["coalesced_share"], wide),
    )


def _rest(chunks: int, body_bytes: int, stalls: int, coalesced: float, wide: bool) -> list[str]:
    return [number(chunks), size(body_bytes), number(stalls), share(coalesced)] if wide else []


def _name(name: str, outcomes: Mapping[str, int], style: str = "red") -> "Text":
    words = _text(name)
    for outcome, times in outcomes.items():
        words.append("\n  ").append_text(_text((f"{number(times)} {outcome}", style)))
    return words


def _failed(failed: int) -> "Text":
    return _text((number(failed), "bold red" if failed else ""))


def _percentiles(found: MetricSummary | ServerQuantiles, uncertain: Collection[str] = ()) -> "list[Text]":
    pairs = (("p50", found["p50"]), ("p99", found["p99"]))
    return [
        _text((f"≈{duration(value_s)}", "yellow") if value_s is not None and name in uncertain else duration(value_s))
        for name, value_s in pairs
    ]


def _uncertain(result: Result) -> list[_Line]:
    return [
        ("≈", _text(f"{each['name']}, {title} {percentile}: {interval(*between)}, left open by coalesced reads"))
        for each in result["streams"]
        for key, title in {**_METRICS, "chunk_delay": "chunk delay"}.items()
        if (found := each[key]) and found["count"]  # type: ignore[literal-required]
        for percentile, between in found["uncertain"].items()
        if percentile in _PERCENTILES
    ]


def _delays(result: Result) -> list[_Line]:
    """The one-way delays, of the names that have them."""
    found: list[_Line] = []
    for each in result["streams"]:
        if (delay := each["chunk_delay"]) is not None:
            p50, p99 = _percentiles(delay, delay["uncertain"])
            words = _text(f"{each['name']}, chunk delay p50 ").append_text(p50).append(", p99 ").append_text(p99)
            said = clock_words(each)
            found.append(("·", words.append(f": {said}" if said else "")))
    return found


def _tokens(result: Result) -> list[_Line]:
    return [("·", _text(f"{each['name']}, {words}")) for each in result["streams"] if (words := token_words(each))]


def _sequences(result: Result) -> list[_Line]:
    return [("·", _text(f"{each['name']}, {words}")) for each in result["streams"] if (words := sequence_words(each))]


def _reconnects(result: Result) -> list[_Line]:
    return [
        ("·", _text(f"{each['name']}: streams that broke off were connected to again {some(times, 'time')}"))
        for each in result["streams"]
        if (times := each.get("reconnects", 0))
    ]


def _reasons(result: Result) -> list[_Line]:
    found = [(times, each["name"], reason) for each in result["streams"] for reason, times in each["reasons"].items()]
    found.sort(key=lambda item: -item[0])
    lines = [("✗", _text((f"{number(times)} × ", "red"), f"{name}: {reason}")) for times, name, reason in found]
    hidden = len(lines) - _MOST_REASONS
    return lines if hidden <= 0 else [*lines[:_MOST_REASONS], ("✗", _text(f"and {some(hidden, 'more reason')}"))]


def _generator(result: Result) -> _Line:
    found = result["generator"]
    lag = found["lag"]
    parts = ["the generator read nothing"]
    if found["timestamps"] == "read":
        parts = ["generator lag unknown", "read timestamps"]
    elif lag["count"]:
        parts = [
            f"generator lag p50 {duration(lag['p50'])}, p99 {duration(lag['p99'])}, max {duration(lag['max'])}",
            f"{found['timestamps']} timestamps",
        ]
    parts += [f"CPU max {share(found['cpu_max'])}"]
    parts += [some(found["late_starts"], "late start")] if found["late_starts"] else []
    parts += [some(found["dropped_arrivals"], "dropped arrival")] if found["dropped_arrivals"] else []
    parts += [some(found["clock_steps"], "clock step")] if found["clock_steps"] else []
    if pauses := found.get("refusal_pauses", 0):
        paused_s = duration(found.get("refusal_pause_s", 0.0))
        parts.append(f"refused users paused {some(pauses, 'time')}, {paused_s} in all")
    return "·", _text(" · ".join(parts))


def _calibration(result: Result) -> list[_Line]:
    calibration = result["generator"].get("calibration")
    return [("·", _text(floor.recalled(calibration)))] if calibration else []


def _server_table(server: ServerView, result: Result, wide: bool) -> "Table":
    table = _table("server's own view", "broken\noff", _TOTALS[:2] if wide else ())
    for route, _ in side_by_side(result, server):
        broken_off = {outcome: times for outcome, times in route["finished"].items() if outcome != "completed"}
        table.add_row(
            _name(route["route"], broken_off, style="yellow"),
            number(route["started"]),
            number(sum(broken_off.values())),
            *_percentiles(route["time_to_first_chunk"]),
            *_percentiles(route["chunk_interval"]),
            rate(tally.per_second(route["chunks"], result)),
            *([number(route["chunks"]), size(route["bytes"])] if wide else []),
        )
    if not server["routes"]:
        table.add_row("no stream counted")
    return table


def _agreement(lines: Iterable[Agreement]) -> list[_Line]:
    """The totals; of single routes only those that differ; and why."""
    shown = [line for line in lines if not line["name"] or not line["equal"]]
    found = [
        ("✓" if line["equal"] else "≠", _text((line["text"].removesuffix(" ✓"), "" if line["equal"] else "red")))
        for line in shown
    ]
    whys = dict.fromkeys(line["why"] for line in shown if line["why"])
    return [*found, *(("", _text((why, "dim"))) for why in whys)]


def _verdict(result: Result) -> list[_Line]:
    found = result["verdict"]
    judged = verdict.judgement(found)
    ok = found["exit_code"] == 0
    headline = _text(
        (found["trust"], _TRUST_STYLES.get(found["trust"], "bold red")),
        ", ",
        (judged, "bold green" if ok else "bold red"),
        ", interrupted" if result["run"]["interrupted"] else "",
    )
    lines: list[_Line] = [
        ("✓" if ok else "✗", headline),
        ("", _text(f"{verdict.TRUST_MEANS[found['trust']]} {verdict.judgement_reason(result)}")),
    ]
    lines += [("", _text(f"- {reason}")) for reason in found["reasons"]]
    return lines + [
        ("✓" if rule.get("passed") else "✗", _text(f"{rule.get('rule')}: {verdict.observed(rule)}"))
        for rule in found["slo"]
    ]
