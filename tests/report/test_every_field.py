"""Each field of result.json has the figure of its own: no two figures of these runs are alike."""

from typing import Any

import pytest

from streamgauge.report.build import build_result
from streamgauge.report.result import Result, Run
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.run_stats import MOST_LINES, RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from tests.report.test_calibration_text import calibration
from tests.stats.filled import OFFSET_NS, raw_delays

MS = 1_000_000
RUN = Run(
    id="20260301-101500-3f2a", started_at="2026-03-01T10:15:00+00:00", duration_s=4.0, host="http://localhost",
    locustfile="sse.py", users=1, spawn_rate=1.0, workers=0, load_model="closed", interrupted=False, versions={},
)  # fmt: skip
#: Of one name, beside the ratios and the distributions.
COUNTS = {
    "started": 71, "chunks": 500, "bytes": 73, "heartbeats": 74, "stalls": 75, "lost": 76, "repeated": 77,
    "out_of_order": 78, "beyond_window": 79, "reconnects": 80, "tokens": 81,
}  # fmt: skip
#: How many values each distribution has: all of its values are as many milliseconds.
VALUES = {"time_to_first_chunk": 30, "chunk_interval": 31, "duration": 32, "time_per_output_token": 33}


def tally_of(**counts: int) -> StreamStats:
    stats = StreamStats()
    stats.outcomes[Outcome.COMPLETED] = 1
    for name, count in counts.items():
        setattr(stats, name, count)
    return stats


def run_of(*second_reports: SecondReport) -> Result:
    run_stats = RunStats()
    for part in second_reports:
        run_stats.add("local", part, 0.95)
    return build_result(RUN, run_stats)


def only_streams(stats: StreamStats) -> Any:
    (streams,) = run_of(SecondReport(0, 1, {("a", "sse"): stats}))["streams"]
    return streams


@pytest.fixture
def full() -> StreamStats:
    stats = tally_of(coalesced=20, **COUNTS)
    for metric, times in VALUES.items():
        getattr(stats, metric).record_ns(times * MS, times)
    stats.duration_per_token.record_ns(125 * MS)
    return stats


def test_counts_of_a_name_are_its_own(full: StreamStats) -> None:
    streams = only_streams(full)
    assert {name: streams[name] for name in COUNTS} == COUNTS
    assert streams["coalesced_share"] == 20 / 500
    assert streams["tokens_per_second"]["in_all"] == 81 / 4.0
    assert streams["tokens_per_second"]["p50"] == pytest.approx(8, rel=0.01)
    for metric, times in VALUES.items():
        assert streams[metric]["count"] == times, metric
        assert streams[metric]["p50"] == pytest.approx(times / 1000, rel=0.01), metric


def test_a_name_without_chunks_or_tokens_has_no_share_and_no_rate() -> None:
    streams = only_streams(tally_of(started=1))
    assert streams["coalesced_share"] == 0
    assert (streams["tokens_per_second"], streams["time_per_output_token"]) == (None, None)
    assert (streams["chunk_delay"], streams["chunk_delay_clock"]) == (None, None)


@pytest.mark.parametrize(("started", "shown"), [(-2, 0), (0, 0), (1, 1)])
def test_streams_started_are_never_fewer_than_none(started: int, shown: int) -> None:
    assert only_streams(tally_of(started=started))["started"] == shown


def test_outcomes_and_reasons_come_with_the_most_frequent_first() -> None:
    stats = StreamStats()
    stats.outcomes.update({Outcome.COMPLETED: 2, Outcome.TRUNCATED: 1, Outcome.STALLED: 3})
    stats.reasons.update({"truncated: it was cut": 1, "stalled: nothing came": 3, "stalled: little came": 2})
    streams = only_streams(stats)
    assert list(streams["outcomes"].items()) == [("stalled", 3), ("completed", 2), ("truncated", 1)]
    assert list(streams["reasons"].values()) == [3, 2, 1]
    assert next(iter(streams["reasons"])) == "stalled: nothing came"


def test_the_delays_of_a_name_are_its_own() -> None:
    keys = {("b", "sse"): 3, ("a", "sse"): 1}
    all_stats = {key: tally_of(started=1) for key in keys}
    for key, number in keys.items():
        all_stats[key].delays = {"clock": raw_delays(number)}
    expected = {key: stats.delays["clock"].delays.all.count for key, stats in all_stats.items()}
    assert len(set(expected.values())) == 2
    part = SecondReport(0, 1, all_stats)
    part.wall_offset_ns = -OFFSET_NS
    streams = run_of(part)["streams"]
    assert [each["name"] for each in streams] == ["a", "b"]
    for each in streams:
        assert each["chunk_delay"] is not None
        assert each["chunk_delay"]["count"] == expected[each["name"], each["protocol"]]
        clock = each["chunk_delay_clock"]
        assert clock is not None
        assert (clock["method"], clock["pairs"]) == ("same_clock", 1)


def test_figures_of_the_generator_are_their_own() -> None:
    part = SecondReport(0, 1, {("a", "sse"): tally_of(started=1, chunks=1)}, reads=100)
    part.cpu, part.longest_pause_s, part.waited_s, part.stopped_s = 0.41, 0.042, 0.13, 0.02
    part.clock_steps, part.refusal_pauses, part.refusal_pause_s = 43, 44, 4.5
    part.scheduled_arrivals, part.late_starts, part.capped_starts, part.dropped_arrivals = 400, 48, 49, 50
    part.lost_arrivals, part.cut_by_shape = 51, 52
    part.lag.record_ns(3 * MS, 46)
    part.hub_lag.record_ns(5 * MS, 47)
    run_stats = RunStats()
    run_stats.add("local", part, 0.95)
    known = calibration()
    found: Any = dict(build_result(RUN, run_stats, known)["generator"])
    lag, hub_lag = found.pop("lag"), found.pop("hub_lag")
    assert (lag["count"], hub_lag["count"]) == (46, 47)
    assert (lag["p50"], hub_lag["p50"]) == pytest.approx((0.003, 0.005), rel=0.01)
    assert found.pop("cpu_taken") == pytest.approx(0.15)
    assert found == {
        "timestamps": "kernel", "longest_pause_s": 0.042, "cpu_max": 0.41, "scheduled_arrivals": 400,
        "late_starts": 48, "capped_starts": 49, "dropped_arrivals": 50, "lost_arrivals": 51, "cut_by_shape": 52,
        "clock_steps": 43, "refusal_pauses": 44, "refusal_pause_s": 4.5, "calibration": known,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reads", "fallbacks", "timestamps"),
    [
        (0, 0, "kernel"),
        (2000, 2, "kernel"),
        (2000, 3, "mixed"),
        (2000, 1999, "mixed"),
        (2000, 2000, "read"),
    ],
)
def test_times_rest_on_kernel_stamps_where_at_most_one_read_in_a_thousand_lacks_one(
    reads: int, fallbacks: int, timestamps: str
) -> None:
    assert run_of(SecondReport(0, 0, reads=reads, fallbacks=fallbacks))["generator"]["timestamps"] == timestamps


@pytest.mark.parametrize(
    ("outcomes", "clock_steps", "trust", "exit_code"),
    [
        ([Outcome.COMPLETED], 0, "trusted", 0),
        ([Outcome.COMPLETED], 1, "degraded", 0),
        ([Outcome.TRUNCATED], 1, "degraded", 1),
        ([], 0, "invalid", 3),
    ],
)
def test_the_verdict_has_its_reasons(outcomes: list[Outcome], clock_steps: int, trust: str, exit_code: int) -> None:
    stats = StreamStats()
    stats.outcomes.update(outcomes)
    stats.chunks = len(outcomes)
    found: Any = dict(run_of(SecondReport(0, 0, {("a", "sse"): stats}, clock_steps=clock_steps))["verdict"])
    reasons = found.pop("reasons")
    assert found == {"trust": trust, "slo": [], "exit_code": exit_code}
    words = {"trusted": [], "degraded": ["the wall clock stepped once"], "invalid": ["nothing was measured"]}[trust]
    assert len(reasons) == len(words)
    assert all(reason.startswith(word) for reason, word in zip(reasons, words, strict=True))


def named(number: int) -> StreamStats:
    """What one name did in a second, all of it told apart from what others did by ``number``."""
    stats = tally_of(started=10 + number, chunks=200 + number, bytes=3000 + number, tokens=500 + number)
    stats.outcomes[Outcome.STALLED] = number
    stats.time_to_first_chunk.record_ns((40 + number) * MS)
    stats.chunk_interval.record_ns((60 + number) * MS)
    stats.time_per_output_token.record_ns((80 + number) * MS)
    return stats


def figures(number: int) -> dict[str, Any]:
    first_s, interval_s, token_s = (pytest.approx((start + number) / 1000, rel=0.01) for start in (40, 60, 80))
    return {
        "started": 10 + number, "finished": 1 + number, "failed": number, "chunks": 200 + number,
        "bytes": 3000 + number, "time_to_first_chunk": {"p50": first_s, "p99": first_s},
        "chunk_interval": {"p50": interval_s, "p99": interval_s}, "tokens": 500 + number,
        "time_per_output_token": {"p50": token_s, "p99": token_s}, "uncertain": {},
    }  # fmt: skip


def test_a_second_has_the_figures_of_each_name() -> None:
    keys = [("b", "raw"), ("a", "sse"), ("a", "raw")]
    (point,) = run_of(SecondReport(7, 5, {key: named(number) for number, key in enumerate(keys, 1)}))["timeline"]
    assert (point["t_s"], point["active"]) == (7, 5)
    assert point["streams"] == [
        {"name": "a", "protocol": "raw", **figures(3)},
        {"name": "a", "protocol": "sse", **figures(2)},
        {"name": "b", "protocol": "raw", **figures(1)},
    ]
    for count in ("started", "finished", "failed", "chunks", "bytes", "tokens"):
        assert point[count] == sum(each[count] for each in point["streams"]), count  # type: ignore[literal-required]


def test_the_seconds_come_in_order_and_the_line_of_the_others_last() -> None:
    names = [f"z{number}" for number in range(MOST_LINES + 2, 0, -1)]
    second_reports = [
        SecondReport(t_s, 0, {(name, "sse"): named(at) for at, name in enumerate(names)}) for t_s in (4, 2, 9)
    ]
    timeline = run_of(*second_reports)["timeline"]
    assert [point["t_s"] for point in timeline] == [2, 4, 9]
    for point in timeline:
        lines = [(each["name"], each["protocol"]) for each in point["streams"]]
        assert lines == [*((name, "sse") for name in sorted(names[2:])), ("other", "")]
        assert point["streams"][-1]["chunks"] == 200 + 201, "the two names with the fewest chunks"
