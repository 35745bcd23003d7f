"""A reader that is slow on purpose: its rate, its window, its times and limits. Times have only lower bounds."""

import socket
import time
from contextlib import suppress

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.read_limit import EVERY_S, ReadLimit
from streamgauge.client.exchange import Exchange
from streamgauge.client.plan import PlanError
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats

RATE = 100_000
EVENT = b"data: " + b"x" * 992 + b"\n\n"


def whole(events, more=b""):
    body = EVENT * events + more
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_no_more_than_the_rate_is_read_and_nothing_is_lost(plan):
    stats = ProcessStats()
    (record,) = run_streams([plan([whole(40)], read_rate=RATE)], stats)
    assert (record.outcome, record.chunks, record.bytes, record.slowed) == (Outcome.COMPLETED, 40, 40_000, 1)
    assert record.duration_s >= 40_000 / RATE - EVERY_S
    (counted,) = stats.all_stats.values()
    assert counted.slowed == 1


def test_a_read_that_waited_on_purpose_is_no_lag(plan):
    stats = ProcessStats()
    run_streams([plan([whole(40)], read_rate=RATE)], stats)
    assert stats.lag.count == 0


def test_times_are_those_at_which_the_reader_took_the_chunks(plan):
    (record,) = run_streams([plan([whole(40)], read_rate=RATE)])
    assert record.max_chunk_interval_s >= len(EVENT) / RATE
    assert record.coalesced > 0  # a read of 5 kB brings several events of 1 kB


def test_chunks_larger_than_a_read_are_exact(plan):
    large = b"data: " + b"x" * 9_992 + b"\n\n"
    stats = ProcessStats()
    script = [b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 50000\r\n\r\n" + large * 5]
    (record,) = run_streams([plan(script, read_rate=RATE)], stats)
    assert (record.chunks, record.coalesced) == (5, 0)
    (counted,) = stats.all_stats.values()
    assert counted.chunk_interval.all.quantile_s(0.5) >= 10_000 / RATE - EVERY_S


def test_no_limit_for_the_next_chunk_runs_out_while_the_reader_reads_one(plan):
    large = b"data: " + b"x" * 59_992 + b"\n\n"
    script = [b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 60000\r\n\r\n" + large]
    limits = {"first_chunk_timeout_s": 0.3, "idle_timeout_s": 0.3}
    (record,) = run_streams([plan(script, read_rate=RATE, **limits)])
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 1), record.reason


def test_a_server_that_sends_no_more_is_stalled_for_a_slow_reader_too(plan):
    script = [whole(2)[:-500], 60.0]
    (record,) = run_streams([plan(script, read_rate=RATE, idle_timeout_s=0.3)])
    assert (record.outcome, record.reason) == (Outcome.STALLED, "no chunk within 0.3 s")


def sent_before_it_blocks(sent):
    """Sends as much as the kernels of both ends take."""

    def send(connection, _):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        connection.setblocking(False)
        total, quiet_at_s = 0, time.monotonic() + 0.3
        while time.monotonic() < quiet_at_s and total < 10_000_000:
            with suppress(BlockingIOError):
                total += connection.send(b"x" * 4096)
                quiet_at_s = time.monotonic() + 0.3
        sent.append(total)
        connection.setblocking(True)

    return send


def test_a_small_window_leaves_what_is_not_read_with_the_server(plan):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"
    sent = []
    for window_bytes in (8192, None):
        script = [head, sent_before_it_blocks(sent), "fin"]
        slow = {"read_rate": 10, "total_timeout_s": 1.5, "protocol": "raw"}
        run_streams([plan(script, receive_window_bytes=window_bytes, **slow)])
    assert sent[0] < 100_000 < sent[1]


@pytest.fixture
def session():
    """Runs streams one after the other, as one user does; gives their records and statistics."""
    session, reactor = Session(), SelectorReactor()
    context = ProcessContext(ProcessStats(), reactor)
    paused = []

    def run(plan):
        paused.clear()
        exchange = Exchange(plan, context, on_pause=lambda: paused.append(1))
        session.run(exchange, lambda: reactor.run_until(lambda: bool(paused)))
        return exchange.record, context.process_stats

    yield run
    session.close()
    reactor.close()


def test_a_connection_with_a_window_serves_only_streams_with_the_same_one(server, plan, session):
    for window_bytes in (8192, None, 8192, None, 4096):
        record, _ = session(plan([whole(1)], receive_window_bytes=window_bytes))
        assert record.outcome is Outcome.COMPLETED
    assert server.connections == 3


def test_the_next_stream_on_its_connection_reads_without_a_limit(server, plan, session):
    for rate in (RATE, None):
        record, stats = session(plan([whole(40)], read_rate=rate))
        assert (record.chunks, record.slowed) == (40, int(rate is not None))
    assert server.connections == 1
    assert stats.lag.count > 0


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["read_rate", "receive_window_bytes"])
def test_what_is_no_rate_and_no_window_is_refused(plan, name, value):
    with pytest.raises(PlanError, match=f"^{name}: expected more than 0, got "):
        plan(**{name: value})


def test_a_read_brings_at_least_a_byte_and_the_limit_counts_all():
    ours, theirs = socket.socketpair()
    limit = ReadLimit(0.5)
    theirs.send(b"abc")
    assert [limit.recvmsg(ours, 100, 0)[0] for _ in range(3)] == [b"a", b"b", b"c"]
    assert limit.taken_bytes == 3
    ours.close()
    theirs.close()
