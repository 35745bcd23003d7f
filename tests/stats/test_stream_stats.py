"""Tallies: what is counted comes out once, however it is cut and merged."""

import dataclasses
import json
import random

import pytest

from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.reasons import MAX_REASONS
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.stream_stats import StreamStats
from tests.stats.filled import fields_of


def record(outcome: Outcome = Outcome.COMPLETED, reason: str = "", **fields) -> StreamRecord:
    return StreamRecord("a", "sse", outcome, start_s=0.0, duration_s=1.5, reason=reason, **fields)


def count_something(stats: StreamStats, dice: random.Random) -> None:
    stats.started += 1
    for _ in range(dice.randrange(4)):
        stats.chunks += 1
        stats.bytes += dice.randrange(1000)
        stats.chunk_sizes.record_all([dice.randrange(1000)])
        interval_ns = dice.randrange(10**9)
        stats.chunk_interval.record_ns(interval_ns)
        if dice.random() < 0.3:
            stats.coalesced += 1
            stats.chunk_interval.uncertain.record_ns(interval_ns)
            stats.chunk_interval.least.record_ns(interval_ns // 2)
            stats.chunk_interval.most.record_ns(interval_ns * 2)
    outcome = dice.choice(list(Outcome))
    first_ns = dice.randrange(10**9)
    stats.time_to_first_chunk.record_ns(first_ns)
    stats.end(record(outcome, f"for reason {dice.randrange(3)}", time_to_first_chunk_s=first_ns / 1e9, heartbeats=1))


def plain(stats: StreamStats) -> dict:
    """Statistics as comparable values."""
    return {name: plain_value(getattr(stats, name)) for name in fields_of(StreamStats)}


def plain_value(value):
    if isinstance(value, BoundedTimes):
        return {part: getattr(value, part).to_sorted() for part in value.PARTS}
    return value.to_sorted() if isinstance(value, Histogram) else value


@pytest.mark.parametrize("seed", range(5))
def test_parts_add_up_to_the_whole_wherever_they_are_cut(seed):
    dice, growing, merged = random.Random(seed), StreamStats(), StreamStats()
    whole = StreamStats()
    for _ in range(100):
        state = dice.getstate()
        count_something(growing, dice)
        dice.setstate(state)
        count_something(whole, dice)
        if dice.random() < 0.2:
            merged.merge(StreamStats.from_dict(json.loads(json.dumps(growing.take().to_dict()))))
    merged.merge(growing.take())
    assert plain(merged) == plain(whole)
    assert growing.empty


def test_what_was_taken_stays_as_it_is():
    stats = StreamStats()
    stats.chunk_interval.record_ns(1000)
    stats.chunks += 1
    taken = stats.take()
    for interval_ns in (2000, 3000):
        stats.chunk_interval.record_ns(interval_ns)
        stats.chunks += 1
    assert (taken.chunk_interval.all.count, stats.chunk_interval.all.count) == (1, 2)
    assert (taken.chunks, stats.chunks) == (1, 2)


def test_only_ends_that_the_scenario_wanted_have_a_duration():
    stats = StreamStats()
    for outcome in Outcome:
        stats.end(record(outcome, "x"))
    assert stats.duration.all.count == 2
    assert stats.finished == len(Outcome)
    assert stats.failed == len(Outcome) - 3


def test_the_first_chunks_of_streams_that_failed_can_be_told_apart():
    stats = StreamStats()
    for outcome, first_s in ((Outcome.COMPLETED, 0.001), (Outcome.TRUNCATED, 0.123456789), (Outcome.STALLED, None)):
        if first_s is not None:
            stats.time_to_first_chunk.record_ns(round(first_s * 1e9))
        stats.end(record(outcome, "x", time_to_first_chunk_s=first_s))
    rest = stats.time_to_first_chunk.values
    assert (rest.count, rest.sum_ns) == (1, 1_000_000)


def test_reasons_are_counted_by_outcome_and_sentence():
    stats = StreamStats()
    for _ in range(2):
        stats.end(record(Outcome.TRUNCATED, "closed inside the body"))
    stats.end(record(Outcome.CENSORED, "the run ended first"))
    assert stats.reasons == {"truncated: closed inside the body": 2}


def test_reasons_are_bounded_and_still_add_up():
    stats, other = StreamStats(), StreamStats()
    for number in range(3 * MAX_REASONS):
        stats.end(record(Outcome.IN_BAND_ERROR, f"the stream said: {number}"))
        other.end(record(Outcome.TRUNCATED, f"after {number}: bytes"))
    stats.merge(other)
    assert stats.reasons.total() == 6 * MAX_REASONS
    assert len(stats.reasons) <= MAX_REASONS + len(Outcome)
    for outcome in ("in_band_error", "truncated"):
        counted = {reason: times for reason, times in stats.reasons.items() if reason.startswith(outcome)}
        assert sum(counted.values()) == 3 * MAX_REASONS
        assert f"{outcome}: other reasons" in counted


def test_a_common_reason_is_named_though_many_rare_ones_came_first():
    stats, other = StreamStats(), StreamStats()
    for number in range(3 * MAX_REASONS):
        stats.end(record(Outcome.IN_BAND_ERROR, f"the stream said: {number}"))
        if number >= MAX_REASONS:
            stats.end(record(Outcome.TRUNCATED, "closed inside the body"))
            other.end(record(Outcome.STALLED, "no chunk for 30 s"))
    stats.merge(other)
    stats.end(record(Outcome.IN_BAND_ERROR, "the last"))
    assert stats.reasons["truncated: closed inside the body"] == 2 * MAX_REASONS
    assert stats.reasons["stalled: no chunk for 30 s"] == 2 * MAX_REASONS
    assert stats.reasons.total() == 7 * MAX_REASONS + 1
    assert len(stats.reasons) <= MAX_REASONS + len(Outcome)


def test_bounds_hold_uncertain_intervals_at_their_least_and_most():
    stats = StreamStats()
    for interval_ns in (1_000_000, 2_000_000):
        stats.chunk_interval.record_ns(interval_ns)
    stats.chunk_interval.uncertain.record_ns(2_000_000)
    stats.chunk_interval.least.record_ns(0)
    stats.chunk_interval.most.record_ns(9_000_000)
    least, most = stats.chunk_interval.bounds()
    assert least.quantiles_s((0.5, 1)) == [pytest.approx(0, abs=1e-6), pytest.approx(0.001, rel=0.01)]
    assert most.quantiles_s((0.5, 1)) == [pytest.approx(0.001, rel=0.01), pytest.approx(0.009, rel=0.01)]


def test_a_ledger_counts_streams_under_way():
    process_stats = ProcessStats()
    stats = process_stats.begin("a", "sse")
    assert (process_stats.active, stats.started) == (1, 1)
    process_stats.end(stats, record())
    assert (process_stats.active, stats.finished) == (0, 1)
    assert process_stats.stats("a", "sse") is stats


def test_a_stream_counts_under_the_protocol_that_it_turned_out_to_speak():
    process_stats = ProcessStats()
    settled = process_stats.change_protocol(process_stats.begin("a", "auto"), "a", "sse")
    process_stats.end(settled, record())
    taken, _ = process_stats.take()
    assert {key: (stats.started, stats.finished) for key, stats in taken.items()} == {("a", "sse"): (1, 1)}


def test_a_stream_that_settles_after_a_cut_counts_once():
    process_stats, merged = ProcessStats(), {}
    stats = process_stats.begin("a", "auto")
    cuts = [process_stats.take()[0]]
    process_stats.end(process_stats.change_protocol(stats, "a", "sse"), record())
    cuts.append(process_stats.take()[0])
    for cut in cuts:
        for key, part in cut.items():
            merged.setdefault(key, StreamStats()).merge(part)
    assert {key: stats.started for key, stats in merged.items()} == {("a", "auto"): 0, ("a", "sse"): 1}


@pytest.mark.parametrize("start_s", [0.0, 1e6], ids=["", "days after the machine started"])
@pytest.mark.parametrize(("forgot_s", "failed"), [(0.0, 1), (0.0497, 1), (0.0503, 0)])
def test_a_first_chunk_that_was_forgotten_is_taken_from_nothing_when_its_stream_fails(start_s, forgot_s, failed):
    process_stats = ProcessStats(lambda: round((start_s + forgot_s) * 1e9))
    stats = process_stats.begin("a", "sse")
    process_stats.reset()
    ended = record(Outcome.TRUNCATED, time_to_first_chunk_s=0.05)
    process_stats.end(stats, dataclasses.replace(ended, start_s=start_s))
    assert (stats.failed, stats.time_to_first_chunk.failed.all.count, process_stats.active) == (1, failed, 0)


def test_taking_starts_anew_and_leaves_nothing_empty():
    process_stats = ProcessStats()
    process_stats.begin("a", "sse")
    process_stats.stats("b", "sse")
    process_stats.lag.record_ns(5000)
    all_stats, lag = process_stats.take()
    assert (list(all_stats), lag.count) == ([("a", "sse")], 1)
    all_stats, lag = process_stats.take()
    assert (all_stats, lag.count) == ({}, 0)


def test_each_outcome_is_a_failure_or_is_not():
    assert {outcome for outcome in Outcome if not outcome.failed} == {"completed", "aborted", "censored"}
    assert record(Outcome.STALLED).failed


def test_what_is_typical_is_the_mean_of_the_streams_that_ended_and_stays_when_the_rest_is_taken():
    stats = StreamStats()
    stats.end(record(Outcome.CENSORED, chunks=5))
    stats.end(record(Outcome.CONNECT_ERROR))
    assert stats.typical_chunks is None
    stats.end(record(chunks=200))
    assert stats.typical_chunks == 200
    stats.take()
    for _ in range(100):
        stats.end(record(chunks=20))
    assert stats.typical_chunks == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    "field",
    ["heartbeats", "lost", "repeated", "out_of_order", "beyond_window", "reconnects", "prompt_tokens", "tokens"],
)
def test_what_each_stream_counted_adds_up_in_its_own_counter(field):
    stats = StreamStats()
    for counted in (3, 0, 4):
        stats.end(record(chunks=1, **{field: counted}))
    counts = {name: value for name in fields_of(StreamStats) if isinstance(value := getattr(stats, name), int)}
    assert {name: value for name, value in counts.items() if value} == {field: 7}


def test_a_stream_without_tokens_adds_none_and_has_no_duration_per_token():
    stats = StreamStats()
    for tokens in (None, 0, 30):
        stats.end(record(tokens=tokens))
    assert stats.tokens == 30
    assert (stats.duration.all.count, stats.duration.all.sum_ns) == (3, 4_500_000_000)
    assert (stats.duration_per_token.count, stats.duration_per_token.sum_ns) == (1, 50_000_000)


def test_times_of_a_record_are_counted_to_the_nanosecond():
    stats = StreamStats()
    times_s = {"time_per_output_token_s": 1.234567891, "time_per_output_token_range_s": (1.123456789, 2.345678912)}
    times_s["duration_range_s"] = (1.412345678, 1.587654321)
    stats.end(record(tokens=9, **times_s))
    stats.end(record(Outcome.STALLED, "x", time_to_first_chunk_s=1.987654321))
    found = {name: getattr(stats, name) for name in fields_of(StreamStats)}
    found["time_to_first_chunk.failed"] = stats.time_to_first_chunk.failed
    for name, value in list(found.items()):
        found |= {f"{name}.{part}": getattr(value, part) for part in getattr(value, "PARTS", ())}
    histograms = {name: value for name, value in found.items() if isinstance(value, Histogram)}
    assert {name: values.sum_ns for name, values in histograms.items() if values.sum_ns} == {
        "duration.all": 1_500_000_000,
        "duration.uncertain": 1_500_000_000,
        "duration.least": 1_412_345_678,
        "duration.most": 1_587_654_321,
        "duration_per_token": round(1_500_000_000 / 9),
        "time_per_output_token.all": 1_234_567_891,
        "time_per_output_token.uncertain": 1_234_567_891,
        "time_per_output_token.least": 1_123_456_789,
        "time_per_output_token.most": 2_345_678_912,
        "time_to_first_chunk.failed.all": 1_987_654_321,
    }


def test_one_stream_moves_what_is_typical_by_an_eighth_of_the_way():
    stats = StreamStats()
    for chunks in (200, 40):
        stats.end(record(chunks=chunks))
    assert stats.typical_chunks == 180


def test_uncertain_first_chunks_are_each_at_their_least_and_at_their_most():
    stats = StreamStats()
    for most_ns, least_ns in ((20_000_000, 5_000_000), (30_000_000, 10_000_000), (40_000_000, 10_000_000)):
        stats.time_to_first_chunk.record_between_ns((least_ns + most_ns) // 2, least_ns, most_ns)
    stats.time_to_first_chunk.record_ns(10_000_000)  # for certain
    least, most = stats.time_to_first_chunk.bounds()
    tenths = (0.25, 0.5, 0.75, 1.0)
    assert least.quantiles_s(tenths) == pytest.approx([0.005, 0.010, 0.010, 0.010], rel=0.01)
    assert most.quantiles_s(tenths) == pytest.approx([0.010, 0.020, 0.030, 0.040], rel=0.01)


def test_without_a_first_chunk_there_are_no_bounds_of_it():
    assert [each.count for each in StreamStats().time_to_first_chunk.bounds()] == [0, 0]


def test_a_ledger_counts_several_streams_at_a_time():
    process_stats = ProcessStats()
    settled = process_stats.begin("a", "sse")
    assert process_stats.change_protocol(process_stats.begin("a", "auto"), "a", "sse") is settled
    assert (process_stats.active, settled.started) == (2, 2)
    process_stats.begin("a", "sse")
    assert (process_stats.active, settled.started) == (3, 3)
