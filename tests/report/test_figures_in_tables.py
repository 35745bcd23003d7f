"""Each figure of the reports stands under its own label, in a result in which no two figures are alike."""

import io
from typing import Any

import pytest
from rich.console import Console

from streamgauge.report import units
from streamgauge.report.console import print_table
from streamgauge.report.html import render
from streamgauge.report.result import Result
from streamgauge.report.server_view import ServerView, server_view
from streamgauge.stats.outcome import Outcome
from tests.report.printed import Shown, columns_of, joined, ms

TITLES = {
    "time_to_first_chunk": "Time to first chunk",
    "chunk_interval": "Chunk interval",
    "chunk_delay": "Chunk delay",
    "duration": "Duration",
    "time_per_output_token": "Time per output token",
}
#: On each route, the bound of the bucket for p50 and p99 of each metric, and in seconds a value in that bucket.
BUCKETS = {"a,b": ("5 ms", "20 ms", "75 ms", "300 ms"), 'say "x"': ("10 ms", "40 ms", "100 ms", "400 ms")}
OBSERVED = {"a,b": (0.004, 0.015, 0.06, 0.24), 'say "x"': (0.009, 0.035, 0.09, 0.35)}


@pytest.fixture
def view(server: Any) -> ServerView:
    """What a server counted of the same names, no two figures alike."""
    for at, (route, protocol) in enumerate((("a,b", "sse"), ('say "x"', "raw"))):
        server.streamed(route, protocol, 701 + at, 711 + at, 721 + at)
        server.streamed(route, protocol, 731 + at, 741 + at, 751 + at, "client_disconnect")
        server.count("stream_server_started_total", 761 + at, route=route, protocol=protocol)
        first_s, first_p99_s, interval_s, interval_p99_s = OBSERVED[route]
        for metric, p50_s, p99_s in (
            ("time_to_first_chunk", first_s, first_p99_s),
            ("chunk_interval", interval_s, interval_p99_s),
        ):
            for value_s in (p50_s, p50_s, p99_s):
                server.observe(f"stream_server_{metric}_seconds", value_s, route=route, protocol=protocol)
    return server_view("", server.scrape())


def printed(result: Result, view: ServerView | None = None) -> str:
    out = io.StringIO()
    print_table(result, view, Console(file=out, width=1000, highlight=False))
    return out.getvalue()


def between(found: dict[str, Any], percentile: str) -> str:
    return "–".join(ms(value_s).removesuffix("" if last else " ms") for last, value_s in
                    enumerate(found["uncertain"][percentile]))  # fmt: skip


def outcomes(counts: dict[str, int]) -> str:
    return " ".join(f"{times} {outcome}" for outcome, times in counts.items())


def failed(counts: dict[str, int]) -> int:
    return sum(counts[outcome] for outcome in Outcome if outcome.failed)


def failed_share(counts: dict[str, int]) -> str:
    return f"{failed(counts) / (sum(counts.values()) - counts['censored']) * 100:.1f} %"


def percentage(value: float) -> str:
    return f"{value * 100:.1f} %"


def summed(result: Result) -> dict[str, Any]:
    """All names together."""
    streams: Any = result["streams"]
    counts = ("started", "chunks", "bytes", "stalls", "prompt_tokens", "tokens")
    found = {count: sum(each[count] for each in streams) for count in counts}
    found["outcomes"] = {outcome.value: sum(each["outcomes"][outcome.value] for each in streams) for outcome in Outcome}
    coalesced = sum(each["coalesced_share"] * each["chunks"] for each in streams)
    return found | {"coalesced_share": coalesced / found["chunks"]}


def expected_in_the_page(each: Any) -> dict[str, str]:
    found = {"Started": str(each["started"]), "Outcomes": outcomes(each["outcomes"])}
    found |= {"Failed": failed_share(each["outcomes"])}
    for metric, title in TITLES.items():
        for percentile in ("p50", "p90", "p99") if metric in each else ():
            value = ms(each[metric][percentile])
            open_ = percentile in each[metric]["uncertain"]
            found[f"{title} {percentile}"] = f"≈ {value} {between(each[metric], percentile)}" if open_ else value
    found |= {"Chunks": units.number(each["chunks"]), "Chunks/s": units.significant(each["chunks"] / 4)}
    found |= {"Body": f"{each['bytes']} B", "Stalls": str(each["stalls"])}
    found |= {"Coalesced": percentage(each["coalesced_share"]), "Prompt tokens": str(each["prompt_tokens"])}
    return found | {"Output tokens": str(each["tokens"]), "Output tokens/s": units.significant(each["tokens"] / 4)}


def test_each_cell_of_the_page_is_its_columns_figure(distinct: Result) -> None:
    rows = Shown(render(distinct)).tables[0]
    assert len(rows) == 3
    for row, each in zip(rows, distinct["streams"], strict=False):
        name = {"Name": f"{each['name']} {each['protocol']}"}
        assert row == name | expected_in_the_page(each)
    blank = {f"{title} {percentile}": "" for title in TITLES.values() for percentile in ("p50", "p90", "p99")}
    assert rows[-1] == {"Name": "All"} | blank | expected_in_the_page(summed(distinct))


def test_a_tooltip_has_the_range_of_its_percentile(distinct: Result) -> None:
    found = [each for each in Shown(render(distinct)).tooltips if "at least" in each]
    ranges = [
        each[metric]["uncertain"][percentile]  # type: ignore[literal-required]
        for each in distinct["streams"]
        for metric in TITLES
        for percentile in ("p50", "p99")
    ]
    assert found == [
        f"This percentile is known only as a range: at least {ms(least_s)}, at most {ms(most_s)}."
        for least_s, most_s in ranges
    ]


def expected_in_the_terminal(each: Any) -> dict[str, str]:
    found = {"streams": str(each["started"]), "failed": units.number(failed(each["outcomes"]))}
    for metric, title in (("time_to_first_chunk", "TTFC"), ("chunk_interval", "interval")):
        for percentile in ("p50", "p99") if metric in each else ():
            found[f"{title} {percentile}"] = f"≈{ms(each[metric][percentile])}"
    found |= {"chunks per s": units.significant(each["chunks"] / 4), "chunks": units.number(each["chunks"])}
    found |= {"body": f"{each['bytes']} B", "stalls": str(each["stalls"])}
    return found | {"coalesced": percentage(each["coalesced_share"])}


def test_each_cell_of_the_terminals_table_is_its_columns_figure(distinct: Result) -> None:
    rows = [row for row in columns_of(printed(distinct)) if row[""] != "all"]
    assert rows == [{"": each["name"]} | expected_in_the_terminal(each) for each in distinct["streams"]]
    (total,) = (row for row in columns_of(printed(distinct)) if row[""] == "all")
    assert total == {"": "all"} | expected_in_the_terminal(summed(distinct))


def test_each_range_below_the_terminals_table_is_that_of_its_name_and_percentile(distinct: Result) -> None:
    lines = [line for line in printed(distinct).splitlines() if line.startswith("≈ ")]
    titles = {"time_to_first_chunk": "TTFC", "chunk_interval": "interval", "chunk_delay": "chunk delay"}
    titles |= {"duration": "duration", "time_per_output_token": "per token"}
    expected = [
        f"≈ {each['name']}, {title} {percentile}: {between(each[metric], percentile)}"  # type: ignore[literal-required]
        for each in distinct["streams"]
        for metric, title in titles.items()
        for percentile in ("p50", "p99")
    ]
    assert lines == [*expected[:10], "≈ and 10 more ranges"]


def test_the_lines_below_the_terminals_table_have_each_names_own_figures(distinct: Result) -> None:
    text = joined(printed(distinct))
    for each in distinct["streams"]:
        delay, name = each["chunk_delay"], each["name"]
        assert delay
        rates = {key: units.significant(value) for key, value in each["tokens_per_second"].items()}  # type: ignore[literal-required]
        for expected in (
            f"· {name}, chunk delay p50 ≈{ms(delay['p50'] or 0)}, p99 ≈{ms(delay['p99'] or 0)}",
            f"· {name}: streams that broke off reconnected {each['reconnects']} times",
            f"· {name}, {each['tokens']} tokens, {rates['in_all']} per s in total; ",
            f"per stream p50 {rates['p50']} per s, and at least {rates['p10']} per s in 90 % of streams",
            f"· {name}: sequence numbers: {each['lost']} lost, {each['repeated']} repeated, ",
            f"{each['out_of_order']} out of order, {each['beyond_window']} too far behind to tell",
        ):
            assert expected in text
    found = distinct["generator"]
    lag = ", ".join(f"{key} {ms(found['lag'][key] or 0)}" for key in ("p50", "p99", "max"))  # type: ignore[literal-required]
    assert (
        f"· generator lag {lag} · kernel timestamps · CPU max {percentage(found['cpu_max'])} · {found['late_starts']} "
        f"late starts · {found['dropped_arrivals']} dropped arrivals · {found['clock_steps']} clock steps · refused "
        f"users paused {found['refusal_pauses']} times, {ms(found['refusal_pause_s'])} in total"
    ) in text


def test_the_most_frequent_reasons_are_shown_and_the_others_counted(distinct: Result) -> None:
    first, second = distinct["streams"]
    first["reasons"] = {f"stalled: reason {times}": times for times in range(1, 9)}
    second["reasons"] = {f"truncated: reason {times}": times for times in range(9, 17)}
    lines = [line for line in printed(distinct).splitlines() if line.startswith("✗ ") and "reason" in line]
    shown = [f'✗ {times} × say "x": truncated: reason {times}' for times in range(16, 8, -1)]
    shown += [f"✗ {times} × a,b: stalled: reason {times}" for times in (8, 7)]
    assert lines == [*shown, "✗ and 6 more reasons"]
    rows = Shown(render(distinct)).tables[1]
    assert rows == [
        {"Name": name, "Streams": reason.rpartition(" ")[2], "Reason": reason}
        for name, streams in (("a,b", first), ('say "x"', second))
        for reason in streams["reasons"]
    ]


def test_each_cell_of_the_servers_table_is_its_columns_figure(distinct: Result, view: ServerView) -> None:
    in_the_page = iter(Shown(render(distinct, view)).tables[1])
    lines = printed(distinct, view).splitlines()
    heading = next(at for at, line in enumerate(lines) if line.startswith("server's own view"))
    in_the_terminal = columns_of("\n".join(lines[heading - 1 :]))
    for at, (row, each) in enumerate(zip(in_the_terminal, distinct["streams"], strict=True)):
        first, first_p99, interval, interval_p99 = (f"≤ {bound}" for bound in BUCKETS[each["name"]])
        started, chunks, size = 701 + 731 + 761 + 3 * at, 711 + 741 + 2 * at, 721 + 751 + 2 * at
        name = {"Route": f"{each['name']} {each['protocol']}"}
        assert next(in_the_page) == name | {
            "Seen by": "server", "Started": f"{started:,}",
            "Finished": f"{701 + at} completed {731 + at} client_disconnect",
            "Time to first chunk p50": first, "Time to first chunk p99": first_p99, "Chunk interval p50": interval,
            "Chunk interval p99": interval_p99, "Chunks": f"{chunks:,}", "Body": f"{size / 1000:.2f} kB",
        }  # fmt: skip
        own = expected_in_the_page(each)
        client = {key: own[key] for key in own if key.startswith(("Time to", "Chunk interval")) and "p90" not in key}
        client |= {"Started": own["Started"], "Finished": own["Outcomes"], "Chunks": own["Chunks"], "Body": own["Body"]}
        assert next(in_the_page) == name | {"Seen by": "client"} | client
        assert row == {
            "": each["name"], "streams": f"{started:,}", "broken off": str(731 + at), "TTFC p50": first,
            "TTFC p99": first_p99, "interval p50": interval, "interval p99": interval_p99,
            "chunks per s": f"{chunks / 4:.0f}", "chunks": f"{chunks:,}", "body": f"{size / 1000:.2f} kB",
        }  # fmt: skip


def test_each_figure_of_the_generator_stands_beside_its_term(distinct: Result) -> None:
    terms, found = Shown(render(distinct)).terms, distinct["generator"]
    lag, hub_lag = found["lag"], found["hub_lag"]
    expected = {
        "Lag p50": ms(lag["p50"] or 0), "Lag p99": ms(lag["p99"] or 0), "Lag max": ms(lag["max"] or 0),
        "CPU max": percentage(found["cpu_max"]), "Late starts": str(found["late_starts"]),
        "Dropped arrivals": str(found["dropped_arrivals"]), "Hub lag p99": ms(hub_lag["p99"] or 0),
        "Longest pause": ms(found["longest_pause_s"]), "CPU taken": percentage(found["cpu_taken"]),
        "Clock steps": str(found["clock_steps"]), "Refusal pauses": str(found["refusal_pauses"]),
        "Timestamps": "kernel", "Calibrated": "never",
    }  # fmt: skip
    assert {term: terms[term][0] for term in expected} == expected
    assert f"{ms(found['refusal_pause_s'])} in total" in terms["Refusal pauses"][1]


def test_each_fact_of_the_run_stands_beside_its_term(distinct: Result) -> None:
    distinct["run"].update(users=1_234, workers=17, duration_s=8.0)
    terms = Shown(render(distinct)).terms
    expected = {"Host": "http://127.0.0.1:8000", "Locustfile": "loadtests/locustfile.py"}
    expected |= {"Users": "1,234, closed model", "Duration": "8.00 s", "Started": "2026-03-01 10:15:00 UTC"}
    expected |= {"Workers": "17", "Run": "20260301-101500-3f2a"}
    assert {term: terms[term][0] for term in expected} == expected


def test_each_tile_of_the_page_has_its_own_figures(distinct: Result) -> None:
    page = Shown(render(distinct))
    streams: Any = distinct["streams"]
    quicker, slower = streams
    for title, metric in (("TTFC p99", "time_to_first_chunk"), ("Interval p99", "chunk_interval")):
        assert page.tiles[title] == [
            f"≈ {ms(slower[metric]['p99'])} {between(slower[metric], 'p99')}",
            slower["name"],
            "The slowest of 2 names; percentiles of different names cannot be combined.",
            quicker["name"],
            f"≈ {ms(quicker[metric]['p99'])} {between(quicker[metric], 'p99')}",
        ]
    total = summed(distinct)
    assert page.tiles["Chunks/s"] == [
        units.significant(total["chunks"] / 4),
        f"{total['chunks']} chunks in 4.00 s: the mean of the whole run.",
        *(word for each in (slower, quicker) for word in (each["name"], units.significant(each["chunks"] / 4))),
    ]
    counts = total["outcomes"]
    assert page.tiles["Failed"] == [
        f"{failed(counts):,} ({failed_share(counts)})",
        f"Of {sum(counts.values()) - counts['censored']:,} streams that succeeded or failed.",
        *(
            word
            for each in (slower, quicker)
            for word in (each["name"], f"{failed(each['outcomes']):,} ({failed_share(each['outcomes'])})")
        ),
    ]


@pytest.mark.parametrize(("names", "totals"), [(0, 0), (1, 0), (2, 1)])
def test_several_names_have_a_row_of_totals(distinct: Result, names: int, totals: int) -> None:
    distinct["streams"] = distinct["streams"][:names]
    rows = [line.split()[0] for line in printed(distinct).splitlines() if line.strip()]
    assert rows.count("all") == 2 * totals  # of both tables


def test_only_a_percentile_that_is_not_exactly_known_is_marked(distinct: Result) -> None:
    first, second = distinct["streams"]
    for values in (first, second):
        for metric in ("time_to_first_chunk", "chunk_interval", "chunk_delay", "duration", "time_per_output_token"):
            values[metric]["uncertain"] = {}  # type: ignore[literal-required]
    assert "≈" not in printed(distinct)
    second["chunk_interval"]["uncertain"] = {"p99": (0.1, 0.2)}
    marked = [(row[""], name) for row in columns_of(printed(distinct)) for name in row if row[name].startswith("≈")]
    assert marked == [(second["name"], "interval p99")]
