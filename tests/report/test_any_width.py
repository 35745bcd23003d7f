"""What a terminal of any width shows of any run: every number whole, or its column named as left out."""

import io
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from streamgauge.catalog import INTERVAL_BUCKETS, TIME_TO_FIRST_CHUNK_BUCKETS
from streamgauge.report import units
from streamgauge.report.console import print_table
from streamgauge.report.result import Result
from streamgauge.report.server_view import ServerView
from tests.report.test_slo_text import judged

FAILURES = ("truncated", "in_band_error", "stalled", "http_error", "connect_error")
#: Columns by the order in which they are left out.
ORDER = ["coalesced", "body", "stalls", "chunks", "chunks per s", "TTFC p50"]
ORDER += ["interval p50", "TTFC p99", "interval p99", "failed", "streams"]
HEADINGS = ["streams", "failed", "TTFC p50", "TTFC p99", "interval p50", "interval p99", "chunks per s"]
HEADINGS += ["chunks", "body", "stalls", "coalesced"]
METRICS = ("time_to_first_chunk", "chunk_interval")

#: To shrink an example of that size takes minutes, and says little more.
found_only = settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
widths = st.integers(60, 200)
counts = st.one_of(st.integers(0, 20_000), st.integers(0, 10**12))
times = st.one_of(st.none(), st.just(0.0), st.floats(1e-7, 1e-3), st.floats(1e-3, 100), st.floats(100, 1e6))
names = st.one_of(
    st.from_regex(r"(/[a-z0-9_{}]{1,12}){1,12}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.text("流量計 ábe\u0301🌊", min_size=1, max_size=60),
)
sentences = st.lists(st.from_regex(r"[a-z0-9:/.]{1,14}", fullmatch=True), min_size=1, max_size=30).map(" ".join)


@st.composite
def metrics(draw: Any) -> dict[str, Any]:
    found = {"count": 7, "p50": draw(times), "p99": draw(times)}
    marked = draw(st.sets(st.sampled_from(["p50", "p99"])))
    return {**found, "uncertain": {each: (draw(st.floats(1e-6, 1)), draw(st.floats(1, 100))) for each in marked}}


@st.composite
def streams(draw: Any, name: str) -> dict[str, Any]:
    failed = draw(st.dictionaries(st.sampled_from(FAILURES), counts.filter(bool), max_size=3))
    return {
        "name": name, "protocol": "sse", "started": draw(counts), "outcomes": {"completed": draw(counts), **failed},
        **{metric: draw(metrics()) for metric in METRICS}, "chunk_delay": draw(st.none() | metrics()),
        "chunks": draw(counts), "bytes": draw(counts), "stalls": draw(counts),
        "coalesced_share": draw(st.floats(0, 1)), "reconnects": draw(st.just(0) | counts),
        "lost": draw(st.just(0) | counts), "repeated": 0, "out_of_order": 0, "tokens": draw(counts),
        "tokens_per_second": draw(st.none() | st.just({"in_all": 1234.5, "p50": 20.25, "p10": 11.1, "p1": 0.5})),
        "time_per_output_token": draw(metrics()),
        "reasons": draw(st.dictionaries(sentences, counts.filter(bool), max_size=3)),
    }  # fmt: skip


@st.composite
def results(draw: Any) -> Result:
    generator = {"timestamps": "kernel", "lag": {"count": 9, "p50": draw(times), "p99": draw(times), "max": 2.5}}
    generator |= {"cpu_max": draw(st.floats(0, 2)), "late_starts": draw(counts), "dropped_arrivals": 0}
    verdict = {"trust": "degraded", "reasons": draw(st.lists(sentences, max_size=2)), "exit_code": 1}
    verdict["slo"] = [judged(rule="chunk_interval.p99 < 20ms", observed=draw(times), limit=0.02, passed=False)]
    run = {
        "duration_s": draw(st.floats(0.1, 1e5)),
        "interrupted": False,
        "warnings": draw(st.lists(sentences, max_size=2)),
    }
    mine: Any = [draw(streams(name)) for name in draw(st.lists(names, max_size=5, unique=True))]
    return {"run": run, "verdict": verdict, "streams": mine, "generator": {**generator, "clock_steps": 0}}  # type: ignore[return-value,typeddict-item]


@st.composite
def buckets(draw: Any, bounds: tuple[float, ...]) -> Any:
    at = draw(st.integers(0, len(bounds)))
    return None if draw(st.booleans()) else ((0.0, *bounds)[at], bounds[at] if at < len(bounds) else None)


@st.composite
def views(draw: Any) -> ServerView:
    both = zip(METRICS, (TIME_TO_FIRST_CHUNK_BUCKETS, INTERVAL_BUCKETS), strict=True)
    routes = [
        {
            "route": name, "protocol": "sse", "started": draw(counts), "chunks": draw(counts), "bytes": draw(counts),
            "finished": {"completed": 5, **draw(st.dictionaries(st.just("client_disconnect"), counts.filter(bool)))},
            **{metric: {"count": 1, "p50": draw(buckets(of)), "p99": draw(buckets(of))} for metric, of in both},
        }
        for name in draw(st.lists(names, min_size=1, max_size=1))
    ]  # fmt: skip
    return {"routes": routes, "agreement": []}  # type: ignore[typeddict-item]


def printed(result: Result, server: ServerView | None, width: int) -> list[str]:
    out = io.StringIO()
    print_table(result, server, Console(file=out, width=width, highlight=False))
    return out.getvalue().split("\n")


def escaped(name: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in name)


def is_short_for(shown: str, name: str) -> bool:
    head, _, tail = shown.partition("…")
    return shown == name.strip() or (name.strip().startswith(head) and name.strip().endswith(tail))


def left_out(lines: list[str]) -> list[str]:
    """What the note below a table names."""
    text = " ".join(line.strip() for line in lines)
    found = re.match(r"· left out at this width: ([a-z0-9, ]+?); the report and ", text, re.IGNORECASE)
    return found[1].split(", ") if found else []


def check_row(line: str, name: str, cells: Mapping[str, str], hidden: list[str]) -> None:
    """A row is a name and every cell that is not hidden, each whole."""
    shown = [cells[heading] for heading in HEADINGS if heading in cells and heading not in hidden and cells[heading]]
    found = re.fullmatch(r" *".join(["(.*?)", *(rf"(?<!\S){re.escape(each)}(?!\S)" for each in shown)]), line)
    assert found, (line, shown)
    assert is_short_for(found[1].strip(), escaped(name)), line


def value(found: dict[str, Any], percentile: str) -> str:
    return units.estimate(found[percentile], found["uncertain"].get(percentile)).replace("≈ ", "≈")


def client_cells(each: Any, run_s: float) -> dict[str, str]:
    failed = sum(times for outcome, times in each["outcomes"].items() if outcome in FAILURES)
    first, between = each["time_to_first_chunk"], each["chunk_interval"]
    values = [value(metric, percentile) for metric in (first, between) for percentile in ("p50", "p99")]
    sums = [units.rate(each["chunks"] / run_s), units.number(each["chunks"]), units.size(each["bytes"])]
    more = [units.number(each["stalls"]), units.share(each["coalesced_share"])]
    found = [units.number(each["started"]), units.number(failed), *values, *sums, *more]
    return dict(zip(HEADINGS, found, strict=True))


@found_only
@given(results(), widths)
def test_every_number_of_the_table_is_whole_or_its_column_is_named_as_left_out(result: Result, width: int) -> None:
    lines = printed(result, None, width)
    end = lines.index("", 3 if len(result["streams"]) < 2 else lines.index("") + 1)
    hidden = left_out(lines[end + 1 :])
    assert hidden == ORDER[: len(hidden)]
    assert all(cell_len(line) <= width for line in lines[:end])
    rule = next(at for at, line in enumerate(lines) if line.startswith("─"))
    assert not set(" ".join(lines[:rule]).split()) & {each for each in hidden if " " not in each and each != "chunks"}
    rows = iter(lines[rule + 1 : end])
    for each in result["streams"]:
        check_row(next(rows), each["name"], client_cells(each, result["run"]["duration_s"]), hidden)
        for _ in [outcome for outcome, times in each["outcomes"].items() if times and outcome in FAILURES]:
            times, outcome = next(rows).split()
            assert times == units.number(each["outcomes"][outcome])


@found_only
@given(results(), views(), widths)
def test_every_number_of_the_servers_table_is_whole_too(result: Result, view: ServerView, width: int) -> None:
    lines = printed(result, view, width)
    start = next(at for at, line in enumerate(lines) if line.startswith("server's own view"))
    end = lines.index("", start)
    assert all(cell_len(line) <= width for line in lines[start:end])
    hidden = ["failed" if each == "broken off" else each for each in left_out(lines[end + 1 :])]
    (route,) = view["routes"]
    first, between = route["time_to_first_chunk"], route["chunk_interval"]
    values = [units.bucket(each) for each in (first["p50"], first["p99"], between["p50"], between["p99"])]
    sums = [units.rate(route["chunks"] / result["run"]["duration_s"]), units.number(route["chunks"])]
    broken_off = units.number(route["finished"].get("client_disconnect", 0))
    found = [units.number(route["started"]), broken_off, *values, *sums, units.size(route["bytes"])]
    check_row(lines[start + 2], route["route"], dict(zip(HEADINGS, found, strict=False)), hidden)


@found_only
@given(results(), st.none() | views(), widths)
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(
    result: Result, view: ServerView | None, width: int
) -> None:
    lines = printed(result, view, width)
    for line in lines:
        assert line == line.rstrip()
        assert cell_len(line) <= width or not re.search(r"(?<!\d) ", line[2:].strip()), line
    text = " ".join(" ".join(lines).split())
    few = sum(len(each["reasons"]) for each in result["streams"]) <= 10
    for each in result["streams"] if few else ():
        for reason, count in each["reasons"].items():
            whole = " ".join(f"{units.number(count)} × {escaped(each['name'])}: {reason}".split())
            assert whole in text
    for sentence in (*result["verdict"]["reasons"], *result["run"]["warnings"]):
        assert sentence in text


@found_only
@given(results())
def test_a_terminal_as_wide_as_the_table_has_all_of_it(result: Result) -> None:
    lines = printed(result, None, 10_000)
    needed = max(cell_len(line) for line in lines[: lines.index("", 3)])
    assert printed(result, None, max(100, needed)) == lines


@pytest.mark.parametrize("width", [60, 80, 100])
def test_shortened_names_can_be_told_apart(width: int) -> None:
    from streamgauge.report.columns import Column, Table
    from streamgauge.report.terminal import styled

    table = Table("name", [Column("value", 1)])
    same = "/api/v1/organisations/projects"
    given_names = [f"{same}/{part}/conversations/messages/stream" for part in ("alpha", "beta", "gamma")]
    for name in given_names:
        table.add(name, [styled("1")])
    shown = [line.plain.split()[0] for line in table.fit(width).lines[2:]]
    assert len(set(shown)) == 3
    assert all(is_short_for(short, name) for short, name in zip(shown, given_names, strict=True))
