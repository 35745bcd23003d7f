"""A generator that waits for a CPU before it sends a request: how far that reaches into the time to first chunk."""

import itertools

import pytest

from streamgauge.client.exchange import Exchange
from streamgauge.client.instruments import Instruments
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.session import Session
from streamgauge.client.timing import ChunkTimer
from streamgauge.measure.ledger import Ledger
from streamgauge.measure.tally import Tally
from streamgauge.measure.uncertainty import uncertain_first_chunks

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT, END = b"9\r\ndata: 1\n\n\r\n", b"0\r\n\r\n"
MS = 1_000_000


def streamed(*plans, waits_ns):
    """The last record of streams on one connection, and their tally.

    ``waits_ns`` is what the account of waits says each time that it is read: at the start of a stream, and after its
    request was sent.
    """
    reactor, ended, ledger = SelectorReactor(), [], Ledger()
    account = itertools.chain(waits_ns, itertools.repeat(waits_ns[-1]))
    instruments, session = Instruments(ledger, reactor, cpu_waited_ns=lambda: next(account)), Session()
    for each in plans:
        ended.clear()
        exchange = Exchange(each, instruments, lambda: ended.append(1))
        session.run(exchange, lambda: reactor.run_until(lambda: bool(ended)))
    session.close()
    reactor.close()
    (tally,) = ledger.tallies.values()
    return exchange.record, tally


def test_a_wait_before_the_request_leaves_the_time_to_first_chunk_open_by_as_much(plan):
    record, tally = streamed(plan([EVENTS, "read", 0.05, EVENT, "read", END]), waits_ns=[5 * MS, 25 * MS])
    least_s, most_s = record.time_to_first_chunk_range_s
    assert most_s == record.time_to_first_chunk_s
    assert most_s - least_s == pytest.approx(0.02)
    (low_s, high_s) = uncertain_first_chunks(tally, {"p50": 0.5})["p50"]
    assert (low_s, high_s) == (pytest.approx(least_s, rel=0.01), pytest.approx(most_s, rel=0.01))


def test_a_wait_longer_than_the_time_to_first_chunk_leaves_it_anything_down_to_nothing(plan):
    record, _ = streamed(plan([EVENTS, EVENT, END]), waits_ns=[0, 3_600_000 * MS])
    assert record.time_to_first_chunk_range_s == (0, record.time_to_first_chunk_s)


@pytest.mark.parametrize(("wait_ns", "is_open"), [(50_000, False), (50_001, True)])
def test_a_wait_that_is_part_of_any_wake_up_leaves_nothing_open(plan, wait_ns, is_open):
    record, tally = streamed(plan([EVENTS, "read", EVENT, "read", END]), waits_ns=[0, wait_ns])
    assert (record.time_to_first_chunk_range_s is not None) is is_open
    assert tally.uncertain_first_chunk.count == tally.least_first_chunk.count == is_open


def test_waits_after_the_request_was_sent_leave_nothing_open(plan):
    record, _ = streamed(plan([EVENTS, "read", EVENT, "read", END]), waits_ns=[0, 0, 5_000 * MS])
    assert record.time_to_first_chunk_range_s is None


def test_on_an_open_connection_the_time_to_first_chunk_is_known_without_the_wait(plan):
    """The account says an hour, but the stream cannot have begun after its request was sent."""
    request = plan([EVENTS, "read", 0.05, EVENT, "read", END])
    record, tally = streamed(request, request, waits_ns=[0, 0, 0, 3_600_000 * MS])
    assert record.time_to_first_chunk_s >= 0.05
    assert record.time_to_first_chunk_range_s is None
    assert (tally.time_to_first_chunk.count, tally.uncertain_first_chunk.count) == (2, 0)


def test_a_stream_that_starts_later_is_timed_from_there():
    tally = Tally()
    timer = ChunkTimer(tally, 1_000 * MS, 10**12)
    timer.start_later(20 * MS)
    timer.chunk(1_050 * MS)
    timer.chunk(1_060 * MS)
    assert (timer.start_ns, timer.first_ns, timer.first_earliest_ns) == (1_020 * MS, 1_050 * MS, 1_050 * MS)
    assert (tally.time_to_first_chunk.sum_ns, tally.chunk_interval.sum_ns) == (30 * MS, 10 * MS)
