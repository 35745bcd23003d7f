"""Histograms: buckets, quantiles, and arithmetic that is exact."""

import json
import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.stats.histogram import HIGHEST_US, RELATIVE_ERROR, Histogram, bounds_us

#: The width of the smallest bucket is 1 µs: below 50 µs it, not the relative error, is what a value is known to.
RESOLUTION_S = 0.5e-6
QS = (0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
HOUR_NS = 3_600_000_000_000
VALUES = st.one_of(st.integers(0, 10_000_000), st.integers(0, HOUR_NS), st.integers(0, 2**20).map(lambda x: x * 1000))
LISTS = st.lists(VALUES, max_size=60)


def histogram_of(values_ns: Iterable[int]) -> Histogram:
    histogram = Histogram()
    for value_ns in values_ns:
        histogram.record_ns(value_ns)
    return histogram


def index_of(value_us: int) -> int:
    """The bucket that ``value_us`` is counted in."""
    (index,) = histogram_of([value_us * 1000]).counts
    return index


@given(st.integers(0, HIGHEST_US))
def test_a_value_lies_in_its_bucket_and_the_bucket_is_narrow(value_us):
    low, above = bounds_us(index_of(value_us))
    assert low <= value_us < above
    assert above - low <= max(1, value_us / 128)


@given(st.integers(0, HIGHEST_US - 1))
def test_buckets_follow_one_another_without_gap(value_us):
    here, there = index_of(value_us), index_of(value_us + 1)
    assert there - here in (0, 1)
    if here != there:
        assert bounds_us(here)[1] == bounds_us(there)[0] == value_us + 1


@given(st.integers(0, 2 * HOUR_NS))
def test_whole_microseconds_below_the_highest_choose_the_bucket(value_ns):
    assert list(histogram_of([value_ns]).counts) == [index_of(min(value_ns // 1000, HIGHEST_US))]


@given(st.lists(VALUES, min_size=1, max_size=60))
def test_a_quantile_is_the_sorted_values_to_within_the_stated_error(values_ns):
    histogram, ordered = histogram_of(values_ns), sorted(values_ns)
    for q, found_s in zip(QS, histogram.quantiles_s(QS), strict=True):
        true_s = ordered[max(1, math.ceil(q * len(ordered))) - 1] / 1e9
        assert found_s == histogram.quantile_s(q)
        assert abs(found_s - true_s) <= RELATIVE_ERROR * true_s + RESOLUTION_S


@given(LISTS)
def test_sum_count_minimum_and_maximum_are_exact(values_ns):
    histogram = histogram_of(values_ns)
    assert histogram.count == len(values_ns)
    assert histogram.sum_ns == sum(values_ns)
    assert histogram.min_s == (min(values_ns) / 1e9 if values_ns else None)
    assert histogram.max_s == (max(values_ns) / 1e9 if values_ns else None)
    assert histogram.mean_s == (sum(values_ns) / len(values_ns) / 1e9 if values_ns else None)


@given(st.lists(LISTS, max_size=5))
def test_merged_parts_equal_the_whole(parts):
    merged = Histogram()
    for part in parts:
        merged.merge(histogram_of(part))
    assert merged == histogram_of(value for part in parts for value in part)


@given(LISTS, LISTS)
def test_minus_leaves_the_rest(kept, left):
    rest = histogram_of(kept + left).minus(histogram_of(left))
    whole = histogram_of(kept)
    assert rest.to_sorted()[:3] == whole.to_sorted()[:3]
    for q, value_s in zip(QS, rest.quantiles_s(QS), strict=True):
        true_s = whole.quantile_s(q)
        assert (value_s is None) == (true_s is None)
        assert true_s is None or abs(value_s - true_s) <= RELATIVE_ERROR * true_s + RESOLUTION_S


@given(LISTS, st.lists(st.floats(0, 5000), max_size=6).map(sorted))
def test_cumulative_counts_are_exact_but_for_the_bucket_that_the_bound_falls_into(values_ns, bounds_s):
    margin = [(b * (1 - RELATIVE_ERROR) - 1e-6, b * (1 + RELATIVE_ERROR) + 1e-6) for b in bounds_s]
    counts = histogram_of(values_ns).cumulative(bounds_s)
    for count, (low_s, high_s) in zip(counts, margin, strict=True):
        assert sum(v / 1e9 <= low_s for v in values_ns) <= count <= sum(v / 1e9 <= high_s for v in values_ns)
    assert counts == sorted(counts)


@given(LISTS)
def test_a_histogram_survives_json(values_ns):
    histogram = histogram_of(values_ns)
    assert Histogram.from_dict(json.loads(json.dumps(histogram.to_dict()))) == histogram


def test_swapping_exchanges_everything():
    one, other, empty = histogram_of([1000, 2000]), histogram_of([1000, 2000]), Histogram()
    one.swap(empty)
    assert (one, empty) == (Histogram(), other)


def test_histograms_of_the_same_values_are_equal_and_others_are_not():
    assert histogram_of([1000, 2000]) == histogram_of([2000, 1000])
    assert histogram_of([1000, 2000]) != histogram_of([1000, 2001])
    assert histogram_of([1000]) != 1000
    with pytest.raises(TypeError, match="unhashable"):
        hash(Histogram())


@pytest.mark.parametrize("value_ns", [5_000_000, 0, -5, HOUR_NS, HOUR_NS + 999, 2 * HOUR_NS])
def test_a_value_counts_as_often_as_it_is_recorded(value_ns):
    histogram, many = Histogram(), Histogram()
    histogram.record_ns(value_ns, 3)
    assert histogram == histogram_of([value_ns] * 3)
    assert histogram.clipped == histogram_of([value_ns] * 3).clipped
    many.record_ns(value_ns, 10**12)  # takes no memory
    assert (many.count, many.clipped) == (10**12, 10**12 * (value_ns > HOUR_NS))


def test_a_negative_value_counts_as_zero():
    assert histogram_of([-5]) == histogram_of([0])


def test_a_value_above_one_hour_is_clipped_and_counted_as_such():
    histogram = histogram_of([2 * HOUR_NS, 1000])
    assert histogram.clipped == 1
    assert histogram.max_s == 7200
    assert histogram.quantile_s(1) == pytest.approx(3600, rel=RELATIVE_ERROR)


def test_an_empty_histogram_has_no_quantiles():
    assert Histogram().quantiles_s((0.5, 0.99)) == [None, None]


def test_failures_count_as_infinite_where_asked():
    histogram = histogram_of([1_000_000] * 90)
    assert histogram.quantiles_s((0.5, 0.9, 0.91), infinite=10) == [
        pytest.approx(0.001),
        pytest.approx(0.001),
        math.inf,
    ]
    assert Histogram().quantile_s(0.5, infinite=1) == math.inf
