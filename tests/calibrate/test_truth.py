"""What the log says: percentiles of sends, each with the least and the most that the source knows."""

import pytest

from benchmarks.testbed.server import Server
from streamgauge.calibrate.truth import Stream, Truth, begun, chunk_interval, fetch, quantile, time_to_first_chunk

MS = 1_000_000
STREAM = Stream(start_ns=0, asked_ns=MS, before_ns=[10 * MS, 30 * MS, 70 * MS], after_ns=[11 * MS, 31 * MS, 75 * MS])


def test_an_interval_lies_between_the_looks_at_the_clock_around_both_sends():
    assert chunk_interval([STREAM], 1.0) == pytest.approx((0.039, 0.040, 0.045))


def test_the_first_chunk_is_timed_from_the_start_that_the_client_gave():
    assert time_to_first_chunk([STREAM], 0.5) == pytest.approx((0.010, 0.010, 0.011))


def test_without_a_send_there_is_nothing_to_say():
    assert chunk_interval([Stream(0, 1, [], [])], 0.5) is None
    assert time_to_first_chunk([Stream(0, 1, [], [])], 0.5) is None
    assert quantile([], 0.5) is None


@pytest.mark.parametrize(("found_s", "off_s"), [(0.039, 0.0), (0.045, 0.0), (0.05, 0.005), (0.03, -0.009)])
def test_a_figure_within_what_the_log_allows_is_not_off(found_s, off_s):
    assert Truth(0.039, 0.040, 0.045).difference_s(found_s) == pytest.approx(off_s)


def test_what_the_client_knows_of_a_stream_is_found_by_what_it_said():
    said = Stream(start_ns=5, asked_ns=9, before_ns=[10], after_ns=[11])
    unknown = Stream(start_ns=6, asked_ns=9, before_ns=[10], after_ns=[11])
    first, second = begun([said, unknown], [[5, 7, 12]])
    assert (first.start_ns, first.first_arrival_ns) == (7, 12)
    assert second == unknown


def test_a_log_that_is_fetched_starts_anew():
    with Server() as source:
        assert fetch(source.url) == []
