"""Finished runs as gauges: the result's own values, of the last few runs, and of not too many names."""

import pytest

from streamgauge.exporter.readings import RunLabels
from streamgauge.exporter.result_gauges import NAMES, RUNS, STATS
from streamgauge.report.sums import failed
from streamgauge.stats.names import MOST_NAMES, OTHER_NAMES
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

LABELS = RunLabels("run-1", "sse", "http://host")


def meter(state, metric):
    return dict(state.read().get(f"stream_client_result_{metric}", ()))


def test_times_are_the_results(state, some_slices, result_of):
    result = result_of(parts=some_slices)
    state.end(result)
    expected = {
        ("run-1", each["name"], each["protocol"], metric, stat): each[metric][stat]
        for each in result["streams"]
        for metric in ("time_to_first_chunk", "chunk_interval", "duration")
        for stat in STATS
    }
    assert len(expected) == 3 * 3 * len(STATS)
    assert meter(state, "seconds") == expected


def test_counts_rates_and_shares_are_the_results(state, some_slices, result_of):
    result = result_of(parts=some_slices)
    state.end(result)
    counts, rates, shares = (meter(state, name) for name in ("counts", "per_second", "ratio"))
    for each in result["streams"]:
        key = "run-1", each["name"], each["protocol"]
        assert counts[*key, "streams_started"] == each["started"]
        assert counts[*key, "streams_failed"] == failed(each["outcomes"]) > 0
        assert counts[*key, "chunks"] == each["chunks"]
        assert rates[*key, "chunks"] == each["chunks"] / result["run"]["counted_s"]
        assert shares[*key, "coalesced"] == each["coalesced_share"]
        assert meter(state, "body_bytes")[key] == each["bytes"]


def test_a_run_says_its_load_and_whether_it_can_be_trusted(state, result_of):
    state.end(result_of("degraded", users=50))
    assert meter(state, "info") == {(*LABELS, "50", "degraded"): 1}
    assert meter(state, "users") == {("run-1",): 50}
    assert meter(state, "duration_seconds") == {("run-1",): 20.5}


def test_a_run_says_what_was_left_out_and_how_long_it_was_steady(state, result_of):
    result = result_of()
    result["warm_up"] = {"asked": "10s", "until_s": 10, "failures": {}}
    result["steady_window"] = {"from_s": 12, "to_s": 72, "streams": []}
    state.end(result)
    assert meter(state, "warm_up_seconds") == {("run-1",): 10}
    assert meter(state, "steady_seconds") == {("run-1",): 60}


def test_a_run_without_a_steady_window_was_steady_for_no_time(state, result_of):
    state.end(result_of())
    assert (meter(state, "warm_up_seconds"), meter(state, "steady_seconds")) == ({("run-1",): 0}, {("run-1",): 0})


def test_nothing_is_shown_before_the_end_or_of_a_run_without_a_result(state, slice_of):
    state.add("p", [slice_of(started=1)])
    assert meter(state, "info") == {}
    state.end(None)
    assert meter(state, "info") == {}


def test_the_last_runs_are_shown_for_as_long_as_the_process_lives(state, clock, result_of):
    for number in range(RUNS + 2):
        state.begin(RunLabels(f"run-{number}", "sse", ""), 0.0)
        state.end(result_of())
    clock.now_s += 1e6
    assert [labels[0] for labels in meter(state, "info")] == [f"run-{2 + number}" for number in range(RUNS)]


@pytest.mark.parametrize("names", [NAMES, 5 * NAMES])
def test_the_names_with_the_most_streams_are_shown_and_the_others_counted(state, result_of, names):
    part = SecondReport(0, active=0)
    for number in range(names):
        stats = part.all_stats[f"session {number}", "sse"] = StreamStats()
        stats.started = number + 1
    state.end(result_of(parts=[part]))
    shown = {labels[1] for labels in meter(state, "counts")}
    assert shown == {f"session {number}" for number in range(names - NAMES, names)}
    assert meter(state, "names_left_out") == {("run-1",): names - NAMES}


def test_names_that_the_run_counted_together_are_shown_as_one_and_counted_as_left_out(state, result_of):
    part = SecondReport(0, active=0, names_left_out=7)
    for number in range(2 * MOST_NAMES):
        part.all_stats[f"session {number}", "sse"] = stats = StreamStats()
        stats.started = 1
    result = result_of(parts=[part])
    result["run"]["names_left_out"] = MOST_NAMES + 7
    state.end(result)
    shown = {labels[1] for labels in meter(state, "counts")}
    assert OTHER_NAMES in shown
    assert meter(state, "names_left_out") == {("run-1",): 2 * MOST_NAMES + 7 - (NAMES - 1)}
