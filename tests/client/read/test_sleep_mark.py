"""How old what was just read can be, by how long the thread has not slept."""

import pytest

from streamgauge.client.read.sleep_mark import SleepMark
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.clocks.arrival import READABLE_AFTER_NS
from streamgauge.stats.stream_stats import StreamStats

MS = 1_000_000


def marked(busy_ms, now_ms=100):
    """A mark, after which the thread ran or waited for so long until now."""
    busy = iter([0, None if busy_ms is None else busy_ms * MS])
    mark = SleepMark(lambda: next(busy), lambda: now_ms * MS)
    mark.mark()
    return mark


@pytest.mark.parametrize(
    ("busy_ms", "arrival_ms", "earliest_ms"),
    [(5, 98, 95), (0, 100, 100), (60, 98, 50), (5, 90, 50), (None, 98, 50)],
    ids=["it ran and waited", "it slept", "no more than is known anyway", "it was stopped", "nobody counts"],
)
def test_data_is_no_older_than_the_time_that_the_thread_was_awake(busy_ms, arrival_ms, earliest_ms):
    found = marked(busy_ms).earliest_ns(50 * MS, arrival_ms * MS)
    assert found == earliest_ms * MS - (READABLE_AFTER_NS if earliest_ms != 50 else 0)


def test_without_a_stop_two_chunks_in_the_first_read_came_just_before_it():
    """The server takes 40 ms and sends two chunks at once; the event loop asked last when the request was sent."""
    stats = StreamStats()
    timer = ChunkTimer(stats, 60 * MS, 10**12, marked(0))
    timer.coalesced_chunks(2, 60 * MS, 100 * MS, last_is_exact=True)
    value_ns, (least_ns, most_ns) = timer.time_to_first_chunk_ns
    assert (least_ns, most_ns) == (40 * MS - READABLE_AFTER_NS, 40 * MS)
    assert least_ns < value_ns < most_ns


@pytest.mark.parametrize(("exact", "estimate_ms"), [(True, 44), (False, 42.5)])
def test_a_late_read_leaves_the_first_chunk_where_even_spacing_puts_it(exact, estimate_ms):
    """Of 5 chunks and perhaps more data, between 35 and 80 ms after the start."""
    stats = StreamStats()
    timer = ChunkTimer(stats, 0, 10**12)
    timer.coalesced_chunks(5, 35 * MS, 80 * MS, last_is_exact=exact)
    assert timer.time_to_first_chunk_ns == (estimate_ms * MS, (35 * MS, 80 * MS))
    assert stats.time_to_first_chunk.all.sum_ns == estimate_ms * MS
    least, most = stats.time_to_first_chunk.bounds()
    assert (least.sum_ns, most.sum_ns) == (35 * MS, 80 * MS)


def test_estimates_of_one_stream_add_up_to_the_time_from_first_to_last():
    stats = StreamStats()
    timer = ChunkTimer(stats, 0, 10**12)
    timer.coalesced_chunks(3, 10 * MS, 40 * MS, last_is_exact=False)
    timer.coalesced_chunks(2, 60 * MS, 90 * MS, last_is_exact=False)
    timer.chunk(120 * MS)
    assert timer.first.estimate_ns + stats.chunk_interval.all.sum_ns == 120 * MS
