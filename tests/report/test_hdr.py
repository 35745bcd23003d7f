import base64

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.report import hdr
from streamgauge.report.result import ResultError
from streamgauge.stats.histogram import HIGHEST_US, Histogram, bounds_us

durations_ns = st.one_of(
    st.integers(0, 2_000),
    st.integers(0, 100_000_000),
    st.integers(0, 5_000_000_000_000),
    st.integers(0, 32).map(lambda power: 1000 << power),
)


def buckets(histogram: Histogram) -> dict[int, int]:
    return {index: times for index, times in histogram.counts.items() if times}


@given(st.lists(st.tuples(durations_ns, st.integers(1, 10**12)), max_size=60))
def test_every_bucket_survives_the_round_trip(values: list[tuple[int, int]]) -> None:
    histogram = Histogram()
    for value_ns, times in values:
        histogram.record_ns(value_ns, times)
    decoded = hdr.decode(hdr.encode(histogram))
    assert buckets(decoded) == buckets(histogram)
    assert decoded.count == histogram.count


@given(st.integers(0, HIGHEST_US))
def test_the_layout_is_that_of_hdrhistogram(value_us: int) -> None:
    theirs, ours = HdrHistogram(1, HIGHEST_US, 2), Histogram()
    ours.record_ns(value_us * 1000)
    (index,) = ours.counts
    assert theirs.get_counts_array_index(value_us) == index
    low_us, above_us = bounds_us(index)
    assert theirs.get_lowest_equivalent_value(value_us) == low_us
    assert theirs.get_highest_equivalent_value(value_us) == above_us - 1


def test_values_below_a_microsecond_survive_on_their_own() -> None:
    histogram = Histogram()
    histogram.record_ns(300, times=7)
    assert buckets(hdr.decode(hdr.encode(histogram))) == {0: 7}


def test_another_reader_finds_microseconds() -> None:
    histogram = Histogram()
    histogram.record_ns(50_000_000, times=10)
    theirs = HdrHistogram.decode(hdr.encode(histogram))
    assert theirs.get_total_count() == 10
    assert theirs.get_value_at_percentile(50) == pytest.approx(50_000, rel=0.01)


def test_an_empty_histogram_stays_empty() -> None:
    decoded = hdr.decode(hdr.encode(Histogram()))
    assert (decoded.count, decoded.min_ns, decoded.quantile_s(0.5)) == (0, None, None)


@pytest.mark.parametrize(
    "text",
    ["", "xx", "!!!", "AAAAAAAAAAAA", "HISTFAAAAB4=", base64.b64encode(b"\x1c\x84\x93\x14\0\0\0\4aaaa").decode()],
)
def test_other_text_is_named_in_the_error(text: str) -> None:
    with pytest.raises(ResultError, match="expected an HdrHistogram in V2 form"):
        hdr.decode(text)


def test_another_precision_is_refused() -> None:
    with pytest.raises(ResultError, match="lowest, highest and digits"):
        hdr.decode(HdrHistogram(1, 3_600_000_000, 3).encode().decode())
