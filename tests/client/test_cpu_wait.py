"""A generator that waits for a CPU before it sends a request: how far that reaches into the time to first chunk."""

from types import SimpleNamespace

import pytest

from streamgauge.client.exchange import Exchange
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.client.session import Session
from streamgauge.client.start_delay import StartDelay
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import uncertain_percentiles

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT, END = b"9\r\ndata: 1\n\n\r\n", b"0\r\n\r\n"
MS = 1_000_000


def streamed(*plans, waits_ns):
    """The last record of streams on one connection, and their statistics.

    ``waits_ns`` is what the account of waits says each time that it is read.
    """
    reactor, ended, process_stats = SelectorReactor(), [], ProcessStats()
    account = iter(waits_ns)
    context, session = ProcessContext(process_stats, reactor, cpu_waited_ns=lambda: next(account)), Session()
    for each in plans:
        ended.clear()
        exchange = Exchange(each, context, lambda: ended.append(1))
        session.run(exchange, lambda: reactor.run_until(lambda: bool(ended)))
    session.close()
    reactor.close()
    (stats,) = process_stats.all_stats.values()
    return exchange.record, stats


HOUR_NS = 3_600_000 * MS


@pytest.mark.parametrize("connections", [1, 2])
def test_what_the_generator_waited_is_in_no_time_to_first_chunk(plan, connections):
    """The account says an hour before each request, but a stream cannot have begun after its request was sent.

    While the address was looked up, between the second and the third time that it is read, there was no wait.
    """
    waits_ns = [HOUR_NS * hours for hours in (0, 1, 1, *range(2, 100))]
    request = plan([EVENTS, "read", 0.05, EVENT, "read", END])
    record, stats = streamed(*[request] * connections, waits_ns=waits_ns)
    assert 0.05 <= record.time_to_first_chunk_s <= record.duration_s
    assert record.time_to_first_chunk_range_s is None
    assert (stats.time_to_first_chunk.all.count, stats.time_to_first_chunk.uncertain.count) == (connections, 0)


def delay_of(steps):
    """A delay after ``steps``: what is called, the waits so far and the time, both in ms."""
    waited_ns = now_ns = 0
    found = StartDelay(lambda: waited_ns, lambda: now_ns)
    for name, arguments, waited_ms, now_ms in steps:
        waited_ns, now_ns = waited_ms * MS, now_ms * MS
        getattr(found, name)(*arguments)
    return found.known_ns / MS, found.possible_ns / MS


@pytest.mark.parametrize(
    ("steps", "known_ms", "possible_ms"),
    [
        ([("send", (), 7, 10)], 7, 0),
        ([("connect", (), 2, 3), ("connected", (20 * MS,), 2, 23), ("send", (), 3, 25)], 3, 0),
        ([("connect", (), 0, 0), ("connected", (20 * MS,), 5, 25), ("send", (), 5, 25)], 5, 0),
        ([("connect", (), 0, 0), ("connected", (20 * MS,), 5, 22), ("send", (), 5, 22)], 2, 0),
        ([("connect", (), 0, 0), ("connected", (20 * MS,), 5, 19), ("send", (), 5, 19)], 0, 0),
        ([("connect", (), 1, 1), ("connected", (None,), 5, 90), ("send", (), 7, 99)], 3, 4),
        ([("look_up", (), 1, 1), ("looked_up", (), 6, 90), ("connect", (), 8, 92), ("send", (), 8, 92)], 3, 5),
        ([("send", (), 7, 10), ("resume", (), 90, 200), ("send", (), 92, 210)], 9, 0),
    ],
    ids=[
        "on an open connection all of it",
        "before and after connecting all of it",
        "while connecting what it was late",
        "while connecting no more than it was late",
        "while connecting nothing where it was not late",
        "while shaking hands it may be all or nothing",
        "while a name is looked up it may be all or nothing",
        "between two requests nothing",
    ],
)
def test_a_wait_counts_by_what_it_can_have_delayed(steps, known_ms, possible_ms):
    assert delay_of(steps) == (known_ms, possible_ms)


def delayed(known_ns=0, possible_ns=0):
    return SimpleNamespace(known_ns=known_ns, possible_ns=possible_ns, waited_ns=0)


def timed(delay, arrival_ns=1_050 * MS, now_ns=1_040 * MS):
    """A stream that began at 1 000 ms and whose first chunk came then, and its statistics."""
    stats = StreamStats()
    timer = ChunkTimer(stats, 1_000 * MS, 10**12)
    timer.delay(delay, now_ns)
    timer.chunk(arrival_ns)
    return timer, stats


def test_what_may_have_delayed_a_request_leaves_the_time_to_first_chunk_open_by_as_much():
    timer, stats = timed(delayed(possible_ns=20 * MS))
    assert timer.time_to_first_chunk_ns == (40 * MS, (30 * MS, 50 * MS))
    (low_s, high_s) = uncertain_percentiles(stats.time_to_first_chunk, {"p50": 0.5})["p50"]
    assert (low_s, high_s) == (pytest.approx(0.03, rel=0.01), pytest.approx(0.05, rel=0.01))


def test_more_than_the_whole_time_to_first_chunk_leaves_it_anything_down_to_nothing():
    assert timed(delayed(possible_ns=HOUR_NS))[0].time_to_first_chunk_ns == (25 * MS, (0, 50 * MS))


@pytest.mark.parametrize(("wait_ns", "is_open"), [(50_000, False), (50_001, True)])
def test_a_wait_that_is_part_of_any_wake_up_leaves_nothing_open(wait_ns, is_open):
    timer, stats = timed(delayed(possible_ns=wait_ns))
    assert (timer.time_to_first_chunk_ns[1] is not None) is is_open
    assert stats.time_to_first_chunk.uncertain.count == stats.time_to_first_chunk.least.count == is_open


def test_a_stream_starts_no_later_than_its_request():
    assert timed(delayed(known_ns=HOUR_NS))[0].start_ns == 1_040 * MS


def test_a_stream_that_starts_later_is_timed_from_there():
    stats = StreamStats()
    timer = ChunkTimer(stats, 1_000 * MS, 10**12)
    timer.delay(delayed(known_ns=20 * MS), 1_040 * MS)
    timer.chunk(1_050 * MS)
    timer.chunk(1_060 * MS)
    assert (timer.start_ns, timer.first_ns, timer.first_earliest_ns) == (1_020 * MS, 1_050 * MS, 1_050 * MS)
    assert (stats.time_to_first_chunk.all.sum_ns, stats.chunk_interval.all.sum_ns) == (30 * MS, 10 * MS)


def test_a_stream_that_goes_on_with_a_new_connection_starts_no_later():
    timer, _ = timed(delayed())
    timer.delay(delayed(known_ns=20 * MS, possible_ns=20 * MS), 1_060 * MS)
    assert (timer.start_ns, timer.last_ns, timer.delayed_ns) == (1_000 * MS, 1_050 * MS, 0)
