"""From what was measured to the shape of a result."""

import json
from typing import get_type_hints

import pytest

from streamgauge.client.read.timing import ChunkTimer
from streamgauge.report.build import build_result
from streamgauge.report.result import SCHEMA, Generator, NamedStreams, Result, Run, TimelinePoint
from streamgauge.report.sums import per_second
from streamgauge.stats.generator_stats import GENERATOR_QUANTITIES
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS
from streamgauge.stats.stream_stats import StreamStats

RUN = Run(
    id="20260301-101500-3f2a", started_at="2026-03-01T10:15:00+00:00", duration_s=2.0, host="http://localhost",
    locustfile="sse.py", users=1, spawn_rate=1.0, workers=0, load_model="closed", interrupted=False, versions={},
)  # fmt: skip
MS = 1_000_000
#: Distributions that other figures are made from, or that are scraped only.
NOT_IN_RESULTS = {"duration_per_token", "chunk_sizes"}


def totals_of(*outcomes: Outcome, fallbacks: int = 0, lag_ns: int = MS) -> RunStats:
    stats, run_stats = StreamStats(), RunStats()
    for outcome in outcomes:
        stats.started += 1
        stats.chunks += 2
        stats.bytes += 10
        stats.time_to_first_chunk.record_ns(5 * MS if not outcome.failed else 500 * MS)
        stats.chunk_interval.record_ns(20 * MS)
        first_s = 0.005 if not outcome.failed else 0.5
        stats.end(StreamRecord("a", "sse", outcome, 0.0, 0.1, time_to_first_chunk_s=first_s, reason="why"))
    part = SecondReport(0, active=3, all_stats={("a", "sse"): stats}, reads=100, fallbacks=fallbacks)
    part.lag.record_ns(lag_ns, 100)
    run_stats.add("local", part, 0.95)
    run_stats.add("local", SecondReport(1, active=0), 0.95)
    return run_stats


def result_of(*outcomes: Outcome, **options) -> Result:
    return build_result(RUN, totals_of(*outcomes, **options))


def test_a_result_has_every_part_of_its_schema_and_is_json():
    result = json.loads(json.dumps(result_of(Outcome.COMPLETED)))
    assert result["schema"] == SCHEMA
    assert result["run"] == RUN
    for part, type_ in ((result, Result), (result["timeline"][0], TimelinePoint)):
        assert set(part) == set(get_type_hints(type_)) - {"warm_up", "whole_run", "steady", "steady_window"}
    of_generator = {each.key for each in GENERATOR_QUANTITIES} - {"reads", "fallbacks", "longest_stopped_s"}
    assert set(result["generator"]) == set(get_type_hints(Generator)) | of_generator
    declared = {each.key for each in (*COUNTERS.values(), *DISTRIBUTIONS.values())} - NOT_IN_RESULTS
    assert set(result["streams"][0]) == set(get_type_hints(NamedStreams)) | declared


@pytest.mark.parametrize(
    ("outcomes", "options", "exit_code"),
    [
        ([], {}, 3),
        ([Outcome.COMPLETED, Outcome.ABORTED, Outcome.CENSORED], {}, 0),
        ([Outcome.COMPLETED, Outcome.TRUNCATED], {}, 1),
        ([Outcome.COMPLETED], {"lag_ns": 2_000 * MS}, 3),
        ([Outcome.TRUNCATED], {"lag_ns": 2_000 * MS}, 3),
    ],
)
def test_the_exit_code_says_whether_it_passed_failed_or_cannot_be_trusted(outcomes, options, exit_code):
    assert result_of(*outcomes, **options)["verdict"]["exit_code"] == exit_code


def test_streams_are_counted_by_outcome():
    (streams,) = result_of(Outcome.COMPLETED, Outcome.COMPLETED, Outcome.STALLED)["streams"]
    assert (streams["name"], streams["protocol"], streams["started"], streams["chunks"]) == ("a", "sse", 3, 6)
    assert streams["outcomes"] == {"completed": 2, "stalled": 1}
    assert streams["reasons"] == {"stalled: why": 1}


def test_percentiles_of_successes_leave_failures_out():
    (streams,) = result_of(*[Outcome.COMPLETED] * 5, *[Outcome.TRUNCATED] * 5)["streams"]
    assert streams["time_to_first_chunk"]["count"] == 5
    assert streams["time_to_first_chunk"]["p99"] == pytest.approx(0.005, rel=0.01)
    assert streams["chunk_interval"]["count"] == 10
    assert streams["duration"]["count"] == 5


def test_rates_are_over_the_time_since_the_statistics_were_reset():
    run_stats = totals_of(*[Outcome.COMPLETED] * 5)
    run_stats.all_stats["a", "sse"].tokens = 100
    result = build_result({**RUN, "duration_s": 20.0, "counted_s": 5.0}, run_stats)
    assert per_second(result["streams"][0]["chunks"], result) == 2.0
    assert result["streams"][0]["tokens_per_second"]["in_all"] == 20.0
    assert per_second(10, build_result(RUN, run_stats)) == 5.0


def test_a_name_under_which_nothing_ran_is_left_out():
    run_stats = totals_of(Outcome.COMPLETED)
    run_stats.all_stats["a", "auto"]
    assert [streams["protocol"] for streams in build_result(RUN, run_stats)["streams"]] == ["sse"]


@pytest.mark.parametrize(("fallbacks", "timestamps"), [(0, "kernel"), (50, "mixed"), (100, "read")])
def test_the_generator_says_what_its_times_rest_on(fallbacks, timestamps):
    assert result_of(Outcome.COMPLETED, fallbacks=fallbacks)["generator"]["timestamps"] == timestamps


def test_the_timeline_has_a_point_for_each_second():
    first, second = result_of(Outcome.COMPLETED, Outcome.STALLED)["timeline"]
    assert (first["t_s"], first["active"], first["started"], first["finished"], first["failed"]) == (0, 3, 2, 2, 1)
    assert first["chunk_interval"]["p50"] == pytest.approx(0.02, rel=0.01)
    assert (second["t_s"], second["chunks"], second["chunk_interval"]) == (1, 0, {"p50": None, "p99": None})
    assert first["uncertain"] == {}


def test_percentiles_that_coalesced_reads_leave_open_are_marked_in_each_part_of_the_result():
    stats, run_stats = StreamStats(), RunStats()
    ChunkTimer(stats, 0, 10**12).coalesced_chunks(5, 20 * MS, 50 * MS, last_is_exact=True)
    stats.end(
        StreamRecord(
            "a", "openai", Outcome.COMPLETED, 0.0, 0.1, time_to_first_chunk_s=0.05, tokens=5,
            time_per_output_token_s=0.004, time_per_output_token_range_s=(0.0, 0.008),
        )
    )  # fmt: skip
    run_stats.add("local", SecondReport(0, 1, {("a", "openai"): stats}), 0.95)
    result = build_result(RUN, run_stats)
    (streams,), (point,) = result["streams"], result["timeline"]
    for metric in ("time_to_first_chunk", "chunk_interval", "time_per_output_token"):
        assert "p50" in streams[metric]["uncertain"], metric
    assert point["uncertain"].keys() == {"time_to_first_chunk", "chunk_interval", "time_per_output_token"}
