"""Where a histogram's buckets, its range and its statistics begin and end, to the nanosecond."""

import pytest

from streamgauge.stats.histogram import HIGHEST_NS, HIGHEST_US, Histogram, bounds_us

#: The first and the last microsecond of buckets of every width, and of the whole range.
EDGES_US = [low + off for power in range(23) for low in (128 << power, 129 << power, 255 << power) for off in (-1, 0)]
EDGES_NS = sorted(
    us * 1000 + off_ns for us in {0, 1, 2, *EDGES_US, HIGHEST_US} if us <= HIGHEST_US for off_ns in (-1, 0, 1, 2)
)


def together(values_ns: list[int]) -> Histogram:
    histogram = Histogram()
    histogram.record_all_ns(values_ns)
    return histogram


def one_by_one(values_ns: list[int]) -> Histogram:
    histogram = Histogram()
    for value_ns in values_ns:
        histogram.record_ns(value_ns)
        assert histogram.counts
    return histogram


def test_values_that_are_counted_together_fall_into_the_buckets_of_each_alone():
    assert {-1, HIGHEST_NS - 1, HIGHEST_NS, HIGHEST_NS + 1} < set(EDGES_NS)
    found = together(EDGES_NS)
    assert found == one_by_one(EDGES_NS) == one_by_one(EDGES_NS[::-1])
    for index, times in found.counts.items():
        low_us, above_us = bounds_us(index)
        inside = [low_us <= min(max(0, each), HIGHEST_NS) // 1000 < above_us for each in EDGES_NS]
        assert times == sum(inside), (low_us, above_us)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(("value_ns", "clipped"), [(HIGHEST_NS, 0), (HIGHEST_NS + 1, 1), (HIGHEST_NS + 2_000, 1)])
def test_what_is_longer_than_an_hour_is_clipped_as_often_as_it_came(value_ns: int, clipped: int, times: int):
    histogram = Histogram()
    histogram.record_ns(value_ns, times)
    assert (histogram.clipped, histogram.count, histogram.sum_ns) == (clipped * times, times, value_ns * times)
    assert (histogram.min_ns, histogram.max_ns) == (value_ns, value_ns)
    ((index, counted),) = histogram.counts.items()
    assert (counted, bounds_us(index)[0] <= HIGHEST_US < bounds_us(index)[1]) == (times, True)


def test_a_negative_value_is_nought_in_every_statistic():
    histogram = together([-5_000, 4_000])
    assert (histogram.min_ns, histogram.max_ns, histogram.sum_ns) == (0, 4_000, 4_000)
    assert histogram == together([0, 4_000])
    assert (together([0]).min_s, together([-1]).max_s) == (0.0, 0.0)


def test_a_quantile_is_never_outside_of_what_was_measured():
    """The middle of a bucket can be above the largest of its values, or below the smallest."""
    for value_ns in (1_000_000_000, 1_006_000_000):
        assert together([value_ns] * 3).quantiles_s((0.0, 0.5, 1.0)) == [value_ns / 1e9] * 3
    assert together([0]).quantile_s(0.5) == 0.0


def test_a_bound_counts_the_buckets_whose_middle_it_reaches():
    histogram = together([512_000, 512_000, 516_000, 700_000])  # whose buckets are 4 µs wide
    bounds_s = [0.000513, 0.000514, 0.000517, 0.000518, 0.0006, 0.000702, 1.0]
    assert histogram.cumulative(bounds_s) == [0, 2, 2, 3, 3, 4, 4]


def test_the_rest_of_a_histogram_has_the_extremes_of_its_buckets_or_of_the_whole():
    whole, rest = together([1_000_000, 50_000_500, 90_000_000]), together([1_000_000, 90_000_000])
    alone = whole.minus(rest)
    low_us, above_us = next(bounds_us(index) for index, times in alone.counts.items() if times)
    assert low_us <= 50_000 < above_us
    assert (alone.min_ns, alone.max_ns) == (low_us * 1000, above_us * 1000)
    assert (alone.count, alone.sum_ns) == (1, 50_000_500)
    kept = whole.minus(together([50_000_500]))
    assert (kept.min_ns, kept.max_ns) == (1_000_000, 90_000_000)
    none = whole.minus(whole)
    assert (none.count, none.sum_ns, none.min_ns, none.max_ns) == (0, 0, None, None)
    assert none == Histogram()


def test_histograms_with_the_same_statistics_and_other_buckets_differ():
    one, other = together([1_000, 4_000, 6_000, 9_000]), together([1_000, 3_000, 7_000, 9_000])
    assert (one.count, one.sum_ns, one.min_ns, one.max_ns) == (other.count, other.sum_ns, other.min_ns, other.max_ns)
    assert one != other


def test_a_histogram_of_no_buckets_is_an_empty_one():
    assert Histogram.of({}, 0, None, None) == Histogram.of({7: 0}, 0, None, None) == Histogram()
    assert Histogram.of({7: 2}, 14_000, 7_000, 7_000) == together([7_000, 7_000])
