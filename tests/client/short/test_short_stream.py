"""Short streams on real connections: which go the short way, and what becomes of those that turn out to be longer."""

import socket
from dataclasses import replace

import pytest

from streamgauge.client.plan import Limits
from streamgauge.client.read import short_streams
from streamgauge.client.read.short_streams import SHORT_NS
from streamgauge.client.short import short_plan
from streamgauge.client.short.short_plan import ShortPlan
from streamgauge.client.short.short_stream import ShortStream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE, DONE, LAST = b"9\r\ndata: 1\n\n\r\n", b"17\r\nevent: done\ndata: bye\n\n\r\n", b"0\r\n\r\n"
WHOLE = HEAD + ONE + DONE + LAST
#: Much longer than a short stream, and short for a test.
PAUSE_S = 10 * SHORT_NS / 1e9


@pytest.fixture(autouse=True)
def set_short_ns(monkeypatch):
    """Sets within which time a stream is short: at first one that is long enough whatever else the machine does."""

    def set_to(short_ns):
        for module in (short_streams, short_plan):
            monkeypatch.setattr(module, "SHORT_NS", short_ns)

    set_to(60 * 10**9)
    return set_to


@pytest.fixture
def begun(talk, server, plan):
    """A plan whose first stream is over, so that the next one, played ``script``, is likely to be short."""

    def begin(script, **options):
        found = plan([WHOLE], end="event:done", **options)
        talk.stream(found)
        assert ShortPlan.of(found).likely
        server.scripts["/"] = script
        return found

    return begin


def has_exchange(stream: ShortStream) -> bool:
    return stream._exchange is not None


def test_the_first_stream_of_a_user_has_no_connection_and_the_next_one_goes_the_short_way(talk, begun, plan, server):
    assert talk.short(plan([WHOLE])) is None
    found = begun([WHOLE])
    for _ in range(3):
        stream = talk.short(found)
        assert not has_exchange(stream)
        record = stream.result()
        assert (record.outcome, record.chunks, record.bytes, record.status) == ("completed", 2, 32, 200)
        assert record.headers["Content-Type"] == "text/event-stream"
        assert 0 < record.time_to_first_chunk_s <= record.duration_s
    assert server.connections == 1
    assert len(server.requests) == 4
    assert talk.process_stats.active == 0
    assert not talk.context.short_streams._under_way


def test_a_longer_stream_goes_on_in_an_exchange_and_loses_nothing(talk, begun, set_short_ns):
    found = begun([HEAD + ONE, "read", PAUSE_S, DONE, "read", LAST])
    set_short_ns(SHORT_NS)
    stream = talk.short(found)
    record = stream.result()
    assert has_exchange(stream)
    assert (record.outcome, record.chunks, record.bytes) == ("completed", 2, 32)
    assert record.time_to_first_chunk_s < PAUSE_S <= record.max_chunk_interval_s <= record.duration_s
    assert not ShortPlan.of(found).likely


def test_a_server_that_is_silent_runs_into_the_limit_as_in_an_exchange(talk, begun, set_short_ns):
    limit_s = 0.2
    found = begun([PAUSE_S, "read", 30.0], first_chunk_timeout_s=limit_s)
    set_short_ns(SHORT_NS)
    stream = talk.short(found)
    record = stream.result()
    assert (record.outcome, record.reason) == ("stalled", f"no first chunk within {limit_s:g} s")
    assert record.duration_s >= limit_s


class Stopped(BaseException):
    """The end of the run."""


@pytest.mark.parametrize(("error", "outcome"), [(Stopped(), "censored"), (OSError("left"), "aborted")])
def test_a_user_that_is_interrupted_ends_its_stream(talk, begun, error, outcome):
    found = begun([HEAD + ONE, 30.0])
    talk.session._stopped_by = (Stopped,)
    stream = talk.session.short(found, talk.context, lambda: None)

    def wait():
        talk.reactor.run_until(lambda: bool(stream._reads))
        raise error

    with pytest.raises(type(error)):
        talk.session.run_short(stream, wait)
    assert (stream.record.outcome, stream.record.chunks) == (outcome, 1)
    assert talk.process_stats.active == 0
    assert stream.sock.fileno() < 0


def test_a_request_on_a_connection_that_the_server_closes_is_sent_again_and_its_name_looked_up_again(
    talk, begun, server, monkeypatch
):
    found = begun(["fin"])
    server.on_request = {3: {"/": [WHOLE]}}
    routed = []
    route_to = type(talk.session._network).route_to
    monkeypatch.setattr(
        type(talk.session._network), "route_to", lambda *given, **more: routed.append(1) or route_to(*given, **more)
    )
    stream = talk.short(found)
    assert (stream.result().outcome, server.connections, len(routed)) == ("completed", 2, 1)


def test_an_idle_connection_is_closed_as_soon_as_the_server_closes_it(talk, plan):
    found = plan([WHOLE, 0.02, "fin"])
    talk.stream(found)
    (transport,) = talk.session._connections._idle.values()
    talk.reactor.run_until(lambda: transport.sock.fileno() < 0)
    assert talk.short(found) is None


def test_the_short_way_is_given_up_where_it_does_not_see_the_end(talk, begun):
    found = begun([HEAD + DONE + b"0\r\nTrailer: 1\r\n\r\n"])
    stream = talk.session.short(found, talk.context, lambda: over.append(True))
    over = []

    def wait():
        if not has_exchange(stream):
            talk.reactor.run_until(lambda: bool(stream._reads))
            stream.hand_over()
        talk.reactor.run_until(lambda: bool(over))
        over.clear()

    talk.session.run_short(stream, wait)
    assert stream.result().outcome == "completed"
    for _ in range(3):
        assert talk.short(found) is None
        talk.stream(found)


def test_the_short_way_is_given_up_where_it_is_mostly_in_vain(talk, begun):
    found = begun([HEAD + b": heartbeat\n\n".join((b"D\r\n", b"\r\n")) + DONE + LAST])
    tried = 0
    for _ in range(40):
        stream = talk.short(found)
        tried += stream is not None
        record = talk.stream(found) if stream is None else stream.result()
        assert (record.outcome, record.heartbeats) == ("completed", 1)
    assert 1 < tried < 20


def test_a_refusal_says_nothing_of_how_long_streams_are(talk, begun, server):
    found = begun([b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"])
    assert talk.short(found).result().outcome == "http_error"
    for _ in range(20):
        assert talk.short(found) is None
        talk.stream(found)
    server.scripts["/"] = [WHOLE]
    talk.stream(found)
    ShortPlan.of(found).likely = True
    assert not has_exchange(talk.short(found))


def test_a_scheduled_stream_counts_from_its_schedule(talk, begun):
    record = talk.short(begun([WHOLE]), behind_ns=3_000_000_000).result()
    assert record.start_delay_s == 3.0
    assert 3.0 < record.time_to_first_chunk_s <= record.duration_s


def test_the_kernel_may_take_only_part_of_a_request(talk, begun, server):
    bodies = []

    def read_body(connection, _):
        bodies.append(connection.recv(16_000, socket.MSG_WAITALL))

    found = begun([read_body, WHOLE], method="POST", body=b"x" * 16_000)
    assert bodies == []
    stream = talk.session.short(found, talk.context, lambda: over.append(True))
    over = []

    class Full:
        def __getattr__(self, name):
            return getattr(sock, name)

        def send(self, data):
            return sock.send(data[:100])

    sock, stream.sock = stream.sock, Full()

    def wait():
        talk.reactor.run_until(lambda: bool(over))
        over.clear()

    talk.session.run_short(stream, wait)
    assert (stream.result().outcome, bodies) == ("completed", [b"x" * 16_000])


#: Plans whose streams never go the short way.
NEVER = {
    "another format": {"protocol": "ndjson"},
    "a callback": {"on_chunk": print},
    "numbers": {"sequence": "id"},
    "stamps": {"stamped": True},
    "reconnects": {"reconnect": 1},
    "a slow reader": {"read_rate": 1000.0},
    "a small window": {"receive_window_bytes": 1000},
    "a number of chunks": {"end": "chunks:2"},
    "an end that looks at everything": {"end": "not json:a"},
    "a large request": {"method": "POST", "body": b"x" * 16_385},
    "a short limit": {"first_chunk_timeout_s": 0.09},
    "TLS": {"url": "https://127.0.0.1/"},
}


@pytest.mark.parametrize("options", NEVER.values(), ids=NEVER)
def test_plans_that_ask_for_more_never_go_the_short_way(plan, options):
    assert ShortPlan.of(plan([WHOLE], **options)) is None


@pytest.mark.parametrize("options", [{}, {"protocol": "auto"}, {"end": "data:x"}, {"first_chunk_timeout_s": 0.1}])
def test_others_may(plan, options):
    found = plan([WHOLE], **options)
    assert ShortPlan.of(found) is ShortPlan.of(found) is not None
    assert not ShortPlan.of(found).likely
    assert ShortPlan.of(replace(found, limits=Limits())) is not ShortPlan.of(found)
