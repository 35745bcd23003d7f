"""How long an event stream waits to be connected to again, what limits hold meanwhile, and where nobody answers."""

import socket
import threading
from contextlib import ExitStack

import pytest

from streamgauge.client import reconnect
from streamgauge.client.blocking import run_streams
from streamgauge.client.exchange import Exchange
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.client.state_table import State
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from tests.client.reconnecting import DONE, END, HEAD, OPEN, READ, chunk, event

COMPLETED, STALLED, CONNECT_ERROR = Outcome.COMPLETED, Outcome.STALLED, Outcome.CONNECT_ERROR
#: Longer than any limit.
AGES_S = 300.0
EVENTS = b"retry: 10\n\nid: 1\ndata: x\n\nid: 3\ndata: x\n\n"


def serve_once(listener, response):
    """Answer one request, after which nobody listens any more."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65_536)
        listener.close()
        connection.sendall(response)


def under_a_limit(run, too_slow=lambda record: not record.reconnects):
    """The least limit in seconds that left the machine the time for what is to be done before it, and the record."""
    for limit_s in (0.2, 1.0, 5.0, 25.0):
        record = run(limit_s)
        if not too_slow(record):
            break
    return limit_s, record


def nowhere():
    """The URL of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}/"


def test_retry_counts_once_its_line_has_ended(again, monkeypatch):
    monkeypatch.setattr(reconnect, "DEFAULT_WAIT_S", AGES_S)
    record = again([OPEN, event(1), chunk(b"retry: 10\ndata: x"), READ, "fin"], [OPEN, DONE, END])
    assert record.outcome is COMPLETED


def test_the_wait_is_as_long_as_retry_says_and_no_longer(again):
    def run(limit_s):
        first = [OPEN, chunk(b"retry: %d\ndata: x\n\n" % (limit_s * 500)), END]
        return again(first, [OPEN, DONE, END], idle_timeout_s=limit_s)

    limit_s, record = under_a_limit(run, lambda record: record.outcome is STALLED)
    assert (record.outcome, record.reconnects) == (COMPLETED, 1), record.reason
    assert limit_s / 2 <= record.max_chunk_interval_s < limit_s


def test_without_retry_the_default_is_waited(again, monkeypatch):
    monkeypatch.setattr(reconnect, "DEFAULT_WAIT_S", 0.15)
    record = again([OPEN, chunk(b"retry: soon\ndata: x\n\n"), END], [OPEN, DONE, END])
    assert record.max_chunk_interval_s >= 0.15


def test_a_connection_that_cannot_be_made_is_tried_again(plan, monkeypatch):
    monkeypatch.setattr(reconnect, "DEFAULT_WAIT_S", AGES_S)
    url = nowhere()
    _, record = under_a_limit(lambda s: run_streams([plan(url=url, reconnect=2, first_chunk_timeout_s=s)])[0])
    assert (record.outcome, record.reconnects) == (STALLED, 1)
    assert "while it waited to be connected to again" in record.reason


def test_the_last_attempt_that_cannot_be_made_is_a_connect_error(plan, monkeypatch):
    monkeypatch.setattr(reconnect, "DEFAULT_WAIT_S", 0.01)
    (record,) = run_streams([plan(url=nowhere(), reconnect=2)])
    assert (record.outcome, record.reconnects) == (CONNECT_ERROR, 2)
    assert "refused" in record.reason


def test_what_came_before_an_attempt_that_cannot_be_made_is_in_the_record(plan):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        serving = threading.Thread(target=serve_once, args=(listener, HEAD + b"\r\n" + EVENTS))
        serving.start()
        (record,) = run_streams([plan(url=url, reconnect=1, sequence="id", end="event:done")])
        serving.join()
    assert (record.outcome, record.chunks, record.lost, record.reconnects) == (CONNECT_ERROR, 2, 1, 1), record.reason
    assert record.bytes == len(EVENTS)


def serve_and_fill(listener, response, fillers):
    """Answer one request, after which connections to the listener hang: nobody accepts those that wait for it."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65_536)
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        connection.sendall(response)


def stream_to_a_full_listener(plan, limit_s):
    """The record of a stream that is connected to again where nobody accepts it."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        fillers = [stack.enter_context(socket.socket()) for _ in range(4)]
        serving = threading.Thread(target=serve_and_fill, args=(listener, HEAD + b"\r\n" + EVENTS, fillers))
        serving.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        (record,) = run_streams([plan(url=url, reconnect=1, end="event:done", idle_timeout_s=limit_s)])
        serving.join()
    return record


def test_a_connection_that_hangs_stalls_a_stream_whose_chunks_came(plan):
    limit_s, record = under_a_limit(
        lambda limit_s: stream_to_a_full_listener(plan, limit_s),
        lambda record: not record.reconnects or "waited" in record.reason,
    )
    assert (record.outcome, record.chunks, record.reconnects) == (STALLED, 2, 1), record.reason
    assert record.reason == f"no chunk within {limit_s:g} s, while it was connected to again"


@pytest.mark.parametrize(("limit", "missed"), [("idle_timeout_s", "chunk"), ("total_timeout_s", "end")])
def test_limits_hold_while_a_stream_waits(limit, missed, again, server):
    def run(limit_s):
        server.requests.clear()
        first = [OPEN, chunk(b"retry: 100000000000000\ndata: x\n\n"), END]
        return again(first, [OPEN, DONE, END], **{limit: limit_s})

    limit_s, record = under_a_limit(run)
    assert (record.outcome, record.chunks) == (STALLED, 1)
    assert record.reason == f"no {missed} within {limit_s:g} s, while it waited to be connected to again"
    assert len(server.requests) == 1


def test_a_run_that_ends_while_a_stream_waits_censors_it_and_nothing_is_asked_any_more(server, plan):
    reactor, pauses = SelectorReactor(), []
    context, session = ProcessContext(ProcessStats(), reactor), Session()
    made = plan([OPEN, chunk(b"retry: 100\ndata: x\n\n"), "fin"], reconnect=3)
    exchange = Exchange(made, context, lambda: pauses.append(exchange.record))
    session.start(exchange)
    reactor.run_until(lambda: exchange.state is State.WAITING_TO_RECONNECT)
    exchange.censor()
    rung = []
    reactor.after(0.2, lambda: rung.append(True))
    reactor.run_until(lambda: rung)
    session.close()
    reactor.close()
    assert [record.outcome for record in pauses] == [Outcome.CENSORED]
    assert (exchange.record.chunks, exchange.record.reconnects, len(server.requests)) == (1, 1, 1)
