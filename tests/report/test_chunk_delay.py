"""Chunk delay in a result and in the reports of it."""

import io
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from streamgauge.report.chunk_delay import delay_clock
from streamgauge.report.console import print_table
from streamgauge.report.html import render
from streamgauge.report.result import Result
from streamgauge.report.stream_facts import ChunkDelayClock
from streamgauge.report.summary import times_summary
from streamgauge.stats.clocks.alignment import ChunkDelays, Fit

FILTERED = Fit("minimum_filter", 3600.0, 42.0, 0.0004)
SAME = Fit("same_clock", 0.0, 0.0, 0.000005)
UNBOUNDED = Fit("minimum_filter", -1.0, 0.0, None)


def delays(*fits: Fit) -> ChunkDelays:
    found = ChunkDelays(fits=list(fits))
    for at in range(100):
        found.delays.all.record_ns(at * 100_000)
    return found


def with_delay(result: Result, clock: ChunkDelayClock) -> Result:
    result["streams"][0]["chunk_delay"] = times_summary(delays().delays)
    result["streams"][0]["chunk_delay_clock"] = clock
    return result


@pytest.mark.parametrize(
    ("fits", "method", "uncertainty_s", "offset_s"),
    [
        ([SAME, SAME], "same_clock", 0.000005, (0.0, 0.0)),
        ([FILTERED, SAME], "mixed", 0.0004, (0.0, 3600.0)),
        ([FILTERED, UNBOUNDED], "minimum_filter", None, (-1.0, 3600.0)),
    ],
)
def test_several_pairs_state_the_worst_of_them(
    fits: list[Fit], method: str, uncertainty_s: float | None, offset_s: tuple[float, float]
) -> None:
    clock = delay_clock(delays(*fits))
    assert (clock["method"], clock["uncertainty_s"], clock["offset_s"]) == (method, uncertainty_s, offset_s)
    assert clock["pairs"] == 2


def test_a_percentile_that_coalesced_reads_leave_open_has_a_range() -> None:
    found = delays(SAME)
    for histogram, value_ns in (
        (found.delays.all, 50_000_000),
        (found.delays.uncertain, 50_000_000),
        (found.delays.least, 20_000_000),
        (found.delays.most, 80_000_000),
    ):
        histogram.record_ns(value_ns, 100)
    low_s, high_s = times_summary(found.delays)["uncertain"]["p99"]
    assert (low_s, high_s) == (pytest.approx(0.02, rel=0.01), pytest.approx(0.08, rel=0.01))


@pytest.mark.parametrize(
    ("fit", "words"),
    [(SAME, "share a clock"), (FILTERED, "± 400 µs"), (UNBOUNDED, "measured from the smallest delay")],
    ids=["same", "filtered", "unbounded"],
)
def test_reports_say_how_sure_the_delay_is(make_result: Callable[..., Result], fit: Fit, words: str) -> None:
    result = with_delay(make_result(seconds=2), delay_clock(delays(fit)))
    out = io.StringIO()
    print_table(result, None, Console(file=out, width=200))
    assert "chunk delay p50 4.9" in out.getvalue()
    assert words in out.getvalue()
    assert words in render(result)


def test_without_a_delay_no_report_speaks_of_it(make_result: Callable[..., Result]) -> None:
    out = io.StringIO()
    print_table(make_result(seconds=2), None, Console(file=out, width=200))
    assert "delay" not in out.getvalue()


def test_the_clocks_of_a_delay_are_described_over_all_pairs() -> None:
    fits = [Fit("minimum_filter", 3.0, 42.0, 0.0004), Fit("minimum_filter", -2.0, -7.0, 0.0009)]
    assert delay_clock(delays(*fits)) == {
        "method": "minimum_filter", "pairs": 2, "uncertainty_s": 0.0009, "offset_s": (-2.0, 3.0),
        "drift_ppm": (-7.0, 42.0),
    }  # fmt: skip


def test_a_delay_without_coalesced_reads_is_exact() -> None:
    found = times_summary(delays(SAME).delays)
    assert (found["count"], found["uncertain"]) == (100, {})


def test_clocks_that_are_known_exactly_leave_nothing_uncertain() -> None:
    exact = Fit("same_clock", 0.0, 0.0, 0.0)
    assert delay_clock(delays(exact, exact))["uncertainty_s"] == 0.0


def test_a_delay_without_a_word_of_its_clock_is_printed_alone(make_result: Callable[..., Result]) -> None:
    result = with_delay(make_result(seconds=2), delay_clock(delays(SAME)))
    del result["streams"][0]["chunk_delay_clock"]
    out = io.StringIO()
    print_table(result, None, Console(file=out, width=200))
    (line,) = (line for line in out.getvalue().splitlines() if "chunk delay p50" in line)
    assert re.fullmatch(r"°9\.\d+ ms", line.split(", p99 ")[1])
