"""What coalesced reads leave open of a percentile, and what they do not."""

import pytest

from streamgauge.stats.bounded_times import BoundedTimes, FirstChunkTimes
from streamgauge.stats.histogram import bounds_us, index_of
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import Tolerance, uncertain_percentiles, uncertain_statistics

MS = 1_000_000


def coalesced(least_ns: int, most_ns: int, *, uncertain: int, certain: int) -> StreamStats:
    stats = StreamStats()
    stats.chunk_interval.record_ns(10 * MS, uncertain + certain)
    stats.chunk_interval.uncertain.record_ns(10 * MS, uncertain)
    stats.chunk_interval.least.record_ns(least_ns, uncertain)
    stats.chunk_interval.most.record_ns(most_ns, uncertain)
    return stats


def between(least_ns: int, value_ns: int, most_ns: int) -> BoundedTimes:
    """A single time that is known as a range."""
    times = BoundedTimes()
    times.record_between_ns(value_ns, least_ns, most_ns)
    return times


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


def test_the_first_chunks_of_streams_that_failed_mark_nothing():
    times = FirstChunkTimes()
    for _ in range(30):
        times.record_between_ns(700 * MS, 400 * MS, 900 * MS)
    times.failed.merge(times)
    assert uncertain_percentiles(times, {"p50": 0.5}) == {}
    for _ in range(100):
        times.record_ns(9 * MS)
        times.record_between_ns(15 * MS, 5 * MS, 20 * MS)
    found = uncertain_percentiles(times, {"p10": 0.1, "p90": 0.9})
    assert found["p90"] == (pytest.approx(0.009, rel=0.01), pytest.approx(0.020, rel=0.01))
    assert found["p10"] == (pytest.approx(0.005, rel=0.01), pytest.approx(0.009, rel=0.01))


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
    for times in (between(MS - off_ns, MS, MS), between(MS, MS, MS + off_ns)):
        assert bool(uncertain_percentiles(times, {"p50": 0.5}, Tolerance(0.01, 0.0001))) is open_


@pytest.mark.parametrize(("off_ns", "open_"), [(9 * MS, False), (11 * MS, True)])
def test_a_long_time_may_be_off_by_the_tolerated_share_either_way(off_ns, open_):
    second = 1000 * MS
    for times in (between(second - off_ns, second, second), between(second, second, second + off_ns)):
        assert bool(uncertain_percentiles(times, {"p50": 0.5}, Tolerance(0.01, 0.0001))) is open_


@pytest.mark.parametrize("q", [0.01, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_both_ends_of_a_range_are_the_percentile_of_all_values(q):
    times, rank = BoundedTimes(), max(1, round(q * 100))
    for at in range(1, 101):
        times.record_between_ns(at * MS, at * MS // 2, at * MS * 2)
    ((low_s, high_s),) = uncertain_percentiles(times, {"q": q}).values()
    assert (low_s, high_s) == (pytest.approx(rank / 2000, rel=0.01), pytest.approx(rank / 500, rel=0.01))


def test_the_ends_of_a_range_are_exact_where_one_value_is_all_there_is():
    found = uncertain_statistics(between(5_123_457, 10_123_457, 20_123_457), {"p50": 0.5})
    ends = pytest.approx(0.005123457, rel=1e-12), pytest.approx(0.020123457, rel=1e-12)
    assert found == dict.fromkeys(("mean", "min", "max", "p50"), ends)


def test_the_mean_and_the_extremes_are_marked_where_they_rest_on_an_uncertain_time():
    times = between(5 * MS, 6 * MS, 30 * MS)
    times.record_ns(20 * MS, 3)
    found = uncertain_statistics(times, {"p50": 0.5})
    assert found["mean"] == (0.065 / 4, 0.090 / 4)
    assert found["min"] == (0.005, pytest.approx(0.020, rel=0.01))
    assert found["max"] == (0.020, 0.030)
    assert "p50" not in found


def test_a_small_shift_within_a_bucket_counts_by_the_rank():
    times = between(5 * MS, 10 * MS, 10 * MS)
    times.record_ns(10 * MS, 98)
    times.record_ns(20 * MS)
    assert uncertain_percentiles(times, {"p50": 0.5}) == {}


@pytest.mark.parametrize(("name", "q"), [("p10", 0.1), ("p50", 0.5), ("p90", 0.9)])
def test_within_a_bucket_a_percentile_lies_by_its_rank(name, q):
    low_us, high_us = bounds_us(index_of(995_000))
    times = BoundedTimes()
    for least_ns in [low_us * 1000] * 50 + [high_us * 1000 - 1] * 50:
        times.record_between_ns(2000 * MS, least_ns, 2000 * MS)
    ((low_s, _),) = uncertain_percentiles(times, {name: q}).values()
    assert low_s == pytest.approx((low_us + (q - 0.005) * (high_us - low_us)) / 1e6, rel=1e-6)
