"""What is counted at the catalog's bounds is what the finer histograms hold."""

import random
from itertools import accumulate

import pytest

from streamgauge.catalog import CATALOG, DURATION_BUCKETS, INTERVAL_BUCKETS, TIME_TO_FIRST_CHUNK_BUCKETS
from streamgauge.exporter.counts import Buckets, NameCounts
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.stream_stats import StreamStats

ALL_BOUNDS = sorted({*INTERVAL_BUCKETS, *TIME_TO_FIRST_CHUNK_BUCKETS, *DURATION_BUCKETS})


def histogram_of(*values_ns: int) -> Histogram:
    histogram = Histogram()
    for value_ns in values_ns:
        histogram.record_ns(value_ns)
    return histogram


def at_bound(bound_s: float, value_ns: int) -> int:
    """How many of one value lie at or below a bound."""
    buckets = Buckets((bound_s,))
    buckets.add(histogram_of(value_ns))
    return buckets.counts[0]


@pytest.mark.parametrize("bound_s", ALL_BOUNDS)
def test_a_value_one_percent_off_a_bound_is_on_its_side(bound_s):
    off_ns = max(bound_s * 1e9 * 0.005, 1_000)
    assert off_ns <= bound_s * 1e9 * 0.01
    assert at_bound(bound_s, round(bound_s * 1e9 - off_ns)) == 1
    assert at_bound(bound_s, round(bound_s * 1e9 + off_ns)) == 0


def test_parts_add_up_to_the_whole_at_every_bound():
    dice, whole, parts = random.Random(1), Histogram(), Buckets(INTERVAL_BUCKETS, 1e9)
    for _ in range(50):
        part = histogram_of(*(int(dice.lognormvariate(16, 3)) for _ in range(100)))
        whole.merge(part)
        parts.add(part)
    assert list(accumulate(parts.counts))[:-1] == whole.cumulative(INTERVAL_BUCKETS)
    assert (sum(parts.counts), parts.total) == (whole.count, whole.sum_ns)


def test_a_value_above_all_bounds_is_in_the_last_count_and_in_the_sum():
    buckets = Buckets(INTERVAL_BUCKETS, 1e9)
    buckets.add(histogram_of(11 * 10**9))
    assert (buckets.counts[-1], sum(buckets.counts), buckets.total / buckets.scale) == (1, 1, 11.0)


def test_a_copy_stays_as_it_is():
    buckets = Buckets(INTERVAL_BUCKETS)
    copied = buckets.copy()
    buckets.add(histogram_of(1))
    assert (sum(copied.counts), copied.total) == (0, 0)


@pytest.mark.parametrize("metric", [name for name in CATALOG if name.startswith("stream_client_")])
def test_buckets_are_the_catalogs(metric):
    """Both sides have the same, or their curves cannot be laid over each other."""
    server = CATALOG.get(metric.replace("client", "server"))
    assert server is None or server.buckets == CATALOG[metric].buckets


def started(begun: int) -> StreamStats:
    stats = StreamStats()
    stats.started = begun
    return stats


def test_a_stream_that_learns_its_protocol_is_not_taken_back():
    """It counts under ``auto`` only if it ends there: a counter never falls."""
    counts, seen = NameCounts("auto"), []
    for stats in (started(3), started(-1), started(2), started(-3)):
        counts.add(stats)
        seen.append(counts.started)
    assert seen == [0, 0, 0, 0]


def test_a_stream_that_ends_before_it_knows_its_protocol_has_started():
    counts, stats = NameCounts("auto"), started(2)
    stats.outcomes["connect_error"] = 1
    counts.add(stats)
    assert counts.started == 1


def test_a_stream_that_never_ended_and_never_knew_its_protocol_has_started_too():
    counts = NameCounts("auto")
    counts.add(started(2))
    counts.end(1.0)
    assert counts.started == 2
