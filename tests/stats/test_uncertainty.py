"""What coalesced reads leave open of a percentile, and what they do not."""

import pytest

from streamgauge.stats.histogram import Histogram, bounds_us, index_of
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import (
    Tolerance,
    uncertain_percentiles,
    undetermined,
)

MS = 1_000_000


def of(*values_ns: int) -> Histogram:
    histogram = Histogram()
    histogram.record_all_ns(values_ns)
    return histogram


def coalesced(least_ns: int, most_ns: int, *, uncertain: int, certain: int) -> StreamStats:
    stats = StreamStats()
    stats.chunk_interval.record_ns(10 * MS, uncertain + certain)
    stats.chunk_interval.uncertain.record_ns(10 * MS, uncertain)
    stats.chunk_interval.least.record_ns(least_ns, uncertain)
    stats.chunk_interval.most.record_ns(most_ns, uncertain)
    return stats


def coalesced_first(least_ns: int, most_ns: int, *, uncertain: int, certain: int) -> StreamStats:
    stats = StreamStats()
    stats.time_to_first_chunk.record_ns(most_ns, uncertain + certain)
    stats.time_to_first_chunk.uncertain.record_ns(most_ns, uncertain)
    stats.time_to_first_chunk.least.record_ns(least_ns, uncertain)
    return stats


def tokens(*times_s: tuple[float, tuple[float, float] | None]) -> StreamStats:
    stats = StreamStats()
    for value_s, range_s in times_s:
        stats.end(
            StreamRecord(
                "chat", "openai", Outcome.COMPLETED, 0.0, 1.0, tokens=9,
                time_per_output_token_s=value_s, time_per_output_token_range_s=range_s,
            )
        )  # fmt: skip
    return stats


def test_a_first_chunk_that_came_with_others_came_at_the_latest_when_its_read_did():
    found = uncertain_percentiles(
        coalesced_first(5 * MS, 9 * MS, uncertain=30, certain=70).time_to_first_chunk, {"p10": 0.1, "p90": 0.9}
    )
    assert set(found) == {"p10"}
    assert found["p10"] == (pytest.approx(0.005, rel=0.01), pytest.approx(0.009, rel=0.01))


def test_the_marks_of_streams_that_did_not_fail_are_none_of_those_that_failed():
    stats = coalesced_first(400 * MS, 900 * MS, uncertain=30, certain=0)  # they fail
    stats.time_to_first_chunk.failed.record_ns(900 * MS, 30)
    stats.time_to_first_chunk.record_ns(9 * MS, 100)
    stats.time_to_first_chunk.record_ns(20 * MS, 100)
    stats.time_to_first_chunk.uncertain.record_ns(20 * MS, 100)
    stats.time_to_first_chunk.least.record_ns(5 * MS, 100)
    found = uncertain_percentiles(stats.time_to_first_chunk, {"p10": 0.1, "p90": 0.9})
    assert found["p90"] == (pytest.approx(0.009, rel=0.01), pytest.approx(0.020, rel=0.01))
    assert found["p10"] == (pytest.approx(0.005, rel=0.01), pytest.approx(0.009, rel=0.01))


def test_streams_that_all_failed_have_no_time_to_first_chunk_to_mark():
    stats = coalesced_first(400 * MS, 900 * MS, uncertain=30, certain=0)
    stats.time_to_first_chunk.failed.record_ns(900 * MS, 30)
    assert uncertain_percentiles(stats.time_to_first_chunk, {"p50": 0.5}) == {}


def test_an_undetermined_percentile_comes_with_a_range_and_a_determined_one_does_not():
    stats = coalesced(5 * MS, 40 * MS, uncertain=30, certain=70)
    found = uncertain_percentiles(stats.chunk_interval, {"p50": 0.5, "p90": 0.9})
    assert set(found) == {"p90"}
    low_s, high_s = found["p90"]
    assert (low_s, high_s) == (pytest.approx(0.010, rel=0.02), pytest.approx(0.040, rel=0.02))


def test_without_coalesced_reads_all_is_determined():
    stats = StreamStats()
    stats.chunk_interval.record_ns(MS, 10)
    assert uncertain_percentiles(stats.chunk_interval, {"p50": 0.5}) == {}


def test_the_time_per_output_token_is_marked_where_its_streams_leave_it_open():
    stats = tokens(*[(0.010, None)] * 90, *[(0.030, (0.020, 0.040))] * 10)
    found = uncertain_percentiles(stats.time_per_output_token, {"p50": 0.5, "p99": 0.99})
    assert set(found) == {"p99"}
    assert found["p99"] == (pytest.approx(0.020, rel=0.01), pytest.approx(0.040, rel=0.01))


def test_a_range_that_is_too_narrow_to_matter_marks_nothing():
    assert uncertain_percentiles(tokens((0.010, (0.00998, 0.01002))).time_per_output_token, {"p50": 0.5}) == {}
    assert uncertain_percentiles(tokens((0.010, None)).time_per_output_token, {"p50": 0.5}) == {}


@pytest.mark.parametrize(("off_ns", "open_"), [(99_000, False), (101_500, True)])
def test_a_short_time_may_be_off_by_the_tolerated_time_either_way(off_ns, open_):
    for least_ns, most_ns in ((MS - off_ns, MS), (MS, MS + off_ns)):
        found = undetermined(*(of(each) for each in (MS, least_ns, most_ns)), {"p50": 0.5}, Tolerance(0.01, 0.0001))
        assert bool(found) is open_


@pytest.mark.parametrize(("off_ns", "open_"), [(9 * MS, False), (11 * MS, True)])
def test_a_long_time_may_be_off_by_the_tolerated_share_either_way(off_ns, open_):
    for least_ns, most_ns in ((1000 * MS - off_ns, 1000 * MS), (1000 * MS, 1000 * MS + off_ns)):
        values = (of(each) for each in (1000 * MS, least_ns, most_ns))
        assert bool(undetermined(*values, {"p50": 0.5}, Tolerance(0.01, 0.0001))) is open_


@pytest.mark.parametrize("q", [0.01, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_both_ends_of_a_range_are_the_percentile_of_all_values(q):
    values_ns = [at * MS for at in range(1, 101)]
    rank = max(1, round(q * 100))
    ((low_s, high_s),) = undetermined(
        of(*values_ns), of(*(each // 2 for each in values_ns)), of(*(each * 2 for each in values_ns)), {"q": q}
    ).values()
    assert (low_s, high_s) == (pytest.approx(rank / 2000, rel=0.01), pytest.approx(rank / 500, rel=0.01))


def test_the_ends_of_a_range_are_exact_where_one_value_is_all_there_is():
    found = undetermined(of(10_123_457), of(5_123_457), of(20_123_457), {"p50": 0.5})
    assert found["p50"] == (pytest.approx(0.005123457, rel=1e-12), pytest.approx(0.020123457, rel=1e-12))


def test_a_small_shift_within_a_bucket_counts_by_the_rank():
    values, least = of(*[10 * MS] * 99, 20 * MS), of(*[10 * MS] * 98, 5 * MS, 20 * MS)
    assert undetermined(values, least, values, {"p50": 0.5}) == {}


@pytest.mark.parametrize(("name", "q"), [("p10", 0.1), ("p50", 0.5), ("p90", 0.9)])
def test_within_a_bucket_a_percentile_lies_by_its_rank(name, q):
    low_us, high_us = bounds_us(index_of(995_000))
    least = of(*[low_us * 1000] * 50, *[high_us * 1000 - 1] * 50)
    values = of(*[2000 * MS] * 100)
    ((low_s, _),) = undetermined(values, least, values, {name: q}).values()
    assert low_s == pytest.approx((low_us + q * (high_us - low_us)) / 1e6, rel=1e-6)
