"""The figures after a warm-up, exactly; and the steady window of a whole run, found from its second reports."""

import random

import pytest

from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_slices import FEWEST_SLICES, MOST_SLICES
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.steady.measured_run import MeasuredRun
from streamgauge.verdict.steady.search import Steady
from streamgauge.verdict.steady.warm_up import read_warm_up
from streamgauge.verdict.trust import verdict
from tests.stats.runs import MS
from tests.verdict.steady.measured import KEY, measured, second_of

ALL_SERIES = ("time_to_first_chunk", "chunk_interval", "chunks")


def settles(t_s):
    """A service that is ten times slower in its first ten seconds."""
    return 0.2 if t_s < 10 else 0.02


@pytest.mark.parametrize("processes", [1, 3])
def test_a_warm_up_leaves_out_what_happened_before_its_end(processes):
    whole, found = measured(60, settles, warm_up="10s", processes=processes)
    found.conclude()
    stats = found.part.all_stats[KEY]
    assert (stats.started, stats.finished, stats.chunks) == (1000 * processes, 1000 * processes, 2000 * processes)
    assert stats.time_to_first_chunk.values.max_s < 0.1 < whole.all_stats[KEY].time_to_first_chunk.values.max_s
    assert whole.all_stats[KEY].started == 1200 * processes
    named = {f"p{number}": 50 for number in range(processes)}
    assert {name: each.seconds for name, each in found.part.processes.items()} == named
    assert found.window.processes.keys() == named.keys()
    assert found.trimmed


def test_an_auto_warm_up_ends_where_the_run_becomes_steady():
    _, found = measured(90, settles, warm_up="auto")
    assert not found.trimmed
    found.conclude()
    assert found.steady.window_s[1] == 90
    assert 10 <= found.from_s == found.steady.window_s[0] <= 14
    assert found.part.all_stats[KEY].started == 20 * (90 - found.from_s)
    assert found.part.all_stats[KEY].time_to_first_chunk.values.max_s < 0.1
    assert found.window.all_stats[KEY].chunks == 40 * (90 - found.from_s)


def test_a_run_that_drifts_has_no_window_and_no_auto_warm_up():
    _, found = measured(90, lambda t_s: 0.02 * (1 + t_s / 90), warm_up="auto")
    found.conclude()
    assert found.steady.reason.startswith("time to first chunk p50 rose by ")
    assert found.steady == Steady(None, found.steady.reason, ALL_SERIES, 1)
    assert (found.window, found.trimmed, found.from_s) == (None, False, 0)


def test_a_shift_is_named_with_its_second():
    _, found = measured(90, lambda t_s: 0.02 if t_s < 50 else 0.03)
    found.conclude()
    words, _, second = found.steady.reason.rpartition(" at ")
    assert words.startswith("time to first chunk p50 rose by ")
    assert abs(int(second.removesuffix(" s")) - 50) <= 2


@pytest.mark.parametrize(
    ("seconds", "streams", "reason"),
    [(10, 20, "the load lasted for 10 s; it takes 50 s to tell"), (60, 1, "too few chunks came to tell")],
)
def test_a_run_that_is_too_short_or_too_small_says_so(seconds, streams, reason):
    _, found = measured(seconds, streams=streams)
    found.conclude()
    assert found.steady == Steady(None, reason, (), 1)


def unvarying(seconds, slow_s, warm_up="auto"):
    """A run of which no second differs from another, but for its first ``slow_s``, which wait longer for a chunk."""
    whole = RunStats()
    found = MeasuredRun(whole, read_warm_up(warm_up))
    for t_s in range(seconds):
        stats = StreamStats()
        stats.started = stats.chunks = 10
        stats.time_to_first_chunk.record_ns((90 if t_s < slow_s else 20) * MS, 10)
        stats.chunk_interval.record_ns(50 * MS, 10)
        raw = stats.delays.setdefault("clock", RawDelays(same_clock=True, hint_ns=0))
        raw.chunk(t_s * 1000 * MS + 7 * MS, t_s * 1000 * MS)
        part = SecondReport(t_s, 0, {KEY: stats})
        found.add("p", part, 0.95, whole.add("p", part, 0.95))
    found.conclude()
    return found


@pytest.mark.parametrize(("seconds", "slow_s"), [(50, 0), (60, 1), (60, 2)])
def test_a_regular_run_is_trimmed_by_its_start_if_it_has_one(seconds, slow_s):
    found = unvarying(seconds, slow_s)
    assert found.steady == Steady((slow_s, seconds), "", ALL_SERIES, 1)
    assert (found.trimmed, found.from_s) == (slow_s > 0, slow_s)


def test_chunk_delays_are_those_after_the_warm_up():
    (delays,) = unvarying(20, 0, warm_up="5s").part.chunk_delays().values()
    assert delays.delays.all.count == 15


def test_what_users_do_when_they_stop_is_not_in_the_window():
    whole, dice = RunStats(), random.Random(2)
    found = MeasuredRun(whole, None)
    for t_s in range(80):
        part = second_of(t_s, 20 if t_s < 65 else 2, 0.02, dice)
        found.add("p", part, 0.95, whole.add("p", part, 0.95))
    found.end_load(65.4)
    found.conclude()
    assert found.steady.window_s[1] == 65


def test_a_long_run_has_few_slices_and_its_cut_stays_exact():
    whole, found = measured(1000, lambda t_s: 0.2 if t_s < 37 else 0.02, warm_up="37s", streams=4)
    slices = list(found._slices.parts())
    assert FEWEST_SLICES < len(slices) <= MOST_SLICES
    found.conclude()
    assert found._slices.part(37).all_stats[KEY].started == found.part.all_stats[KEY].started == 4 * (1000 - 37)
    assert found.steady.window_s is not None
    assert whole.all_stats[KEY].started == 4000


def long_streams(cut_s):
    """Ten streams that begin in second 0 and fail in second 8, and ten that begin and end in second 8."""
    whole = RunStats()
    found = MeasuredRun(whole, read_warm_up(f"{cut_s}s"))
    for t_s in range(12):
        stats = StreamStats()
        if t_s == 0:
            stats.started, stats.chunks = 10, 10
            stats.time_to_first_chunk.record_ns(20_000_000, 10)
        if t_s == 8:
            stats.started, stats.chunks = 10, 10
            stats.time_to_first_chunk.record_ns(20_000_000, 10)
            for _ in range(10):
                stats.end(StreamRecord(*KEY, Outcome.TRUNCATED, 0, 8.2, time_to_first_chunk_s=0.02, reason="cut"))
                stats.end(StreamRecord(*KEY, Outcome.COMPLETED, 0, 0.1, time_to_first_chunk_s=0.02))
        part = SecondReport.from_dict(SecondReport(t_s, 0, {KEY: stats} if not stats.empty else {}).to_dict())
        found.add("p", part, 0.95, whole.add("p", part, 0.95))
    found.conclude()
    return whole, found


def test_streams_of_the_warm_up_that_fail_later_take_no_others_time_with_them():
    whole, found = long_streams(5)
    assert whole.all_stats[KEY].time_to_first_chunk.values.count == 10
    stats = found.part.all_stats[KEY]
    assert stats.time_to_first_chunk.values.count == 10
    assert (stats.started, stats.outcomes) == (10, {Outcome.TRUNCATED: 10, Outcome.COMPLETED: 10})
    assert found._slices.part(0).all_stats[KEY].time_to_first_chunk.values.count == 10
    assert found._slices.part(-5, 5).all_stats[KEY].time_to_first_chunk.values.count == 0


def test_a_run_that_ends_within_its_warm_up_cannot_be_judged():
    _, found = measured(5, warm_up="10s")
    assert found.warming_up
    found.conclude()
    assert not found.warming_up
    trust, reasons = verdict(found.part)
    assert trust == "invalid"
    assert reasons[0] == "the run ended within its warm-up of 10 s, so nothing was measured"


def test_a_run_that_ends_one_second_after_its_warm_up_is_judged_by_that_second():
    _, found = measured(10, warm_up="9s")
    found.conclude()
    assert (found.part.all_stats[KEY].started, found.part.failings) == (20, [])


def test_trust_is_of_the_figures_after_the_warm_up():
    whole = RunStats()
    found = MeasuredRun(whole, read_warm_up("10s"))
    for t_s in range(30):
        part = second_of(t_s, 20, 0.02, random.Random(t_s))
        part.longest_pause_s = 6.0 if t_s == 3 else 0.0
        found.add("p", part, 0.95, whole.add("p", part, 0.95))
    found.conclude()
    assert (verdict(whole)[0], verdict(found.part)[0]) == ("invalid", "trusted")
