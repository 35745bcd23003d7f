"""Connections: kept, made anew, left at once; and callables of the caller's own."""

import fcntl
import socket
import struct
import termios
import threading

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.exchange import Exchange
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
EVENT = b"9\r\ndata: 1\n\n\r\n"
END = b"0\r\n\r\n"
WHOLE = CHUNKED + EVENT + END


def unacknowledged_bytes(connection: socket.socket) -> int:
    return struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0]


@pytest.mark.parametrize(
    "script", [[WHOLE], [HEAD + b"Content-Length: 9\r\n\r\ndata: 1\n\n"], [b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE]]
)
def test_a_connection_is_kept_for_the_next_stream(script, talk, plan, server):
    records = [talk.stream(plan(script)) for _ in range(3)]
    assert [record.outcome for record in records] == [Outcome.COMPLETED] * 3
    assert [record.chunks for record in records] == [1] * 3
    assert (server.connections, len(server.requests)) == (1, 3)


def test_a_stream_whose_named_end_is_missing_leaves_a_good_connection(talk, plan, server):
    outcomes = [talk.stream(plan([WHOLE], end="event:done")).outcome for _ in range(2)]
    assert outcomes == [Outcome.INCOMPLETE] * 2
    assert server.connections == 1


@pytest.mark.parametrize(
    "script",
    [
        [WHOLE.replace(b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK\r\nConnection: keep-alive")],
        [HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + EVENT + END],
        [WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0")],
        [WHOLE + b"more than was asked for"],
        [HEAD + b"\r\ndata: 1\n\n", "fin"],
    ],
    ids=["transfer chunks in HTTP/1.0", "Connection: close", "HTTP/1.0", "bytes after the body", "until close"],
)
def test_a_connection_that_cannot_be_kept_is_closed(script, talk, plan, server, until):
    assert [talk.stream(plan(script)).outcome for _ in range(2)] == [Outcome.COMPLETED] * 2
    assert server.connections == 2
    until(lambda: script[-1] == "fin" or len(server.hung_up) == 2)


@pytest.mark.parametrize("options", ["close", "x, Close"])
def test_a_connection_is_closed_where_the_request_says_so(options, talk, plan, server, until):
    for _ in range(2):
        assert talk.stream(plan([WHOLE], headers={"connection": options})).outcome is Outcome.COMPLETED
    until(lambda: server.hung_up == ["fin", "fin"])
    assert server.connections == 2


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_connection_that_the_server_closed_meanwhile_is_not_used(how, talk, plan, server, until):
    talk.stream(plan([WHOLE, "read", how]))
    until(lambda: server.closed)
    record = talk.stream(plan([WHOLE]))
    assert (record.outcome, server.connections) == (Outcome.COMPLETED, 2)


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_request_on_a_connection_that_is_just_being_closed_is_made_again(how, talk, plan, server):
    """The server closes when the second request reaches it, as it would if its idle limit had run out."""
    talk.stream(plan([WHOLE], "/first"))
    second = plan([WHOLE], "/second")
    server.on_connection[1] = {"/second": [how]}
    record = talk.stream(second)
    assert (record.outcome, record.chunks, server.connections) == (Outcome.COMPLETED, 1, 2)
    assert sum(stats.started for stats in talk.process_stats.all_stats.values()) == 2


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_request_is_made_again_once_and_then_the_connection_is_a_new_one(how, talk, plan, server):
    talk.stream(plan([WHOLE], "/first"))
    second = plan([WHOLE], "/second")
    server.on_connection |= {number: {"/second": [how]} for number in (1, 2)}
    assert talk.stream(second).outcome is Outcome.TRUNCATED
    assert (server.connections, len(server.requests)) == (2, 3)


def test_a_request_that_may_not_be_repeated_is_not(talk, plan, server):
    talk.stream(plan([WHOLE], "/first"))
    record = talk.stream(plan(["fin"], "/second", method="POST"))
    assert (record.outcome, server.connections) == (Outcome.TRUNCATED, 1)


def test_a_new_connection_that_is_closed_is_not_tried_again(talk, plan, server):
    assert talk.stream(plan(["fin"])).outcome is Outcome.TRUNCATED
    assert (server.connections, len(server.requests)) == (1, 1)


def test_a_response_that_had_begun_on_a_kept_connection_is_not_asked_for_again(talk, plan, server):
    talk.stream(plan([WHOLE], "/first"))
    assert talk.stream(plan([b"HTTP/1.1", "read", "fin"], "/second")).outcome is Outcome.TRUNCATED
    assert server.connections == 1


def test_a_run_that_ends_first_censors_and_hangs_up(talk, plan, server, until):
    record = talk.stream(plan([CHUNKED, EVENT]), until=lambda: talk.process_stats.stats("stream", "sse").chunks)
    assert (record.outcome, record.chunks, record.failed) == (Outcome.CENSORED, 1, False)
    until(lambda: len(server.hung_up) == 1)
    assert talk.process_stats.active == 0


@pytest.mark.parametrize(("rest", "outcome"), [(EVENT, Outcome.CENSORED), (EVENT + END, Outcome.COMPLETED)])
def test_what_had_arrived_unread_when_the_run_ends_counts(talk, plan, until, rest, outcome):
    told, arrived = threading.Event(), threading.Event()

    def send_rest(connection: socket.socket, _head: bytes) -> None:
        told.wait(60)
        connection.sendall(rest)
        until(lambda: unacknowledged_bytes(connection) == 0)
        arrived.set()

    def ends() -> bool:
        if talk.process_stats.stats("stream", "sse").chunks:
            told.set()
            return arrived.wait(60)
        return False

    record = talk.stream(plan([CHUNKED, EVENT, send_rest]), until=ends)
    assert (record.outcome, record.chunks) == (outcome, 2)


def test_hanging_up_frees_the_socket_at_once(stream, server, until):
    record = stream([CHUNKED, EVENT], on_chunk=lambda event: False)
    assert record.outcome is Outcome.ABORTED
    until(lambda: len(server.hung_up) == 1)


def test_hanging_up_on_a_server_that_goes_on_sending_stops_it(stream, server, until):
    stream([CHUNKED, *[EVENT, 0.01] * 5000], on_chunk=lambda event: False)
    until(lambda: server.hung_up == ["rst"])


@pytest.mark.parametrize(
    "script",
    [[CHUNKED + EVENT + END], [CHUNKED, EVENT, END], [HEAD + b"\r\ndata: 1\n\n", "fin"]],
)
@pytest.mark.parametrize("option", ["on_chunk", "end"])
def test_what_a_callable_raises_reaches_its_caller(option, script, stream, server, until):
    def fail(event: object) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        stream(script, **{option: fail})


def test_what_a_callable_raises_for_the_last_line_reaches_its_caller(stream):
    script = [b"HTTP/1.1 200 OK\r\nContent-Type: application/jsonl\r\n\r\n[1]", "read", "fin"]
    with pytest.raises(KeyError):
        stream(script, protocol="ndjson", on_chunk=lambda value: {}[value[0]])


def test_other_streams_of_the_call_are_censored_when_one_raises(plan, until, server):
    process_stats = ProcessStats()
    plans = [
        plan([CHUNKED, EVENT, 0.1, EVENT], "/a", end=lambda event: {}["x"]),
        plan([CHUNKED, EVENT, 0.1, END], "/b"),
    ]
    with pytest.raises(KeyError):
        run_streams(plans, process_stats)
    assert process_stats.active == 0


def test_a_line_that_is_no_json_is_a_protocol_error_where_somebody_looks(stream):
    script = [b"HTTP/1.1 200 OK\r\nContent-Type: application/jsonl\r\n\r\n{}\nnope\n", "fin"]
    assert stream(script, protocol="ndjson").outcome is Outcome.COMPLETED
    record = stream(script, protocol="ndjson", on_chunk=lambda value: None)
    assert record.outcome is Outcome.PROTOCOL_ERROR
    assert "nope" in record.reason


BODY = b"x" * 20_000_000
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("after", [[], [0.1, "fin"], [0.1, "rst"]], ids=["stays open", "FIN", "RST"])
def test_an_early_answer_to_a_request_that_is_still_being_sent_is_read(after, stream):
    record = stream([TOO_LARGE, *after], method="POST", body=BODY)
    assert (record.outcome, record.status) == (Outcome.HTTP_ERROR, 413)


def test_an_early_stream_to_a_request_that_is_still_being_sent_is_read(stream):
    record = stream([CHUNKED, EVENT, "read", EVENT, END], method="POST", body=BODY)
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 2)


def test_a_reset_while_the_request_is_being_sent_is_no_clean_end(stream):
    record = stream([HEAD + b"\r\ndata: 1\n\n", 0.1, "rst"], method="POST", body=BODY)
    assert (record.outcome, record.chunks) == (Outcome.TRUNCATED, 1)


def test_the_request_is_what_was_asked_for(stream, server):
    stream([WHOLE], "/a%20b?c=d", headers={"X-One": "1", "Accept": "text/event-stream"})
    lines = server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /a%20b?c=d HTTP/1.1"
    assert {f"Host: 127.0.0.1:{server.port}", "X-One: 1", "Accept: text/event-stream"} < set(lines)


def test_the_record_says_what_came(stream):
    head = CHUNKED[:-2] + b"X-A: 1\r\nX-A: 2\r\n\r\n"
    record = stream([head, b"6\r\n: on\n\n\r\n", EVENT, "read", 0.05, EVENT, END], name="named")
    assert (record.name, record.protocol, record.status, record.headers["x-a"]) == ("named", "sse", 200, "1, 2")
    assert (record.chunks, record.bytes, record.heartbeats) == (2, 24, 1)
    assert 0 < record.time_to_first_chunk_s < record.duration_s
    assert 0.05 <= record.max_chunk_interval_s < record.duration_s


def test_reads_are_stamped_by_the_kernel_and_a_close_is_no_read(plan):
    process_stats = ProcessStats()
    run_streams([plan([HEAD + b"\r\n", "read", b"data: 1\n\n", "read", "fin"])], process_stats)
    assert process_stats.lag.count == 2


def test_ipv6_is_spoken_where_there_is_ipv6(stream, make_server):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no ::1 here")
    server = make_server("::1")
    server.scripts["/"] = [WHOLE]
    assert stream(url=server.url()).outcome is Outcome.COMPLETED
    assert f"Host: [::1]:{server.port}".encode() in server.requests[0]


def test_a_stream_that_ended_while_its_host_was_looked_up_asks_for_nothing(server, plan):
    reactor = SelectorReactor()
    context = ProcessContext(ProcessStats(), reactor)
    exchange = Exchange(plan(()), context, lambda: None)
    exchange.censor()
    Session().start(exchange)
    reactor.close()
    assert exchange.record.outcome is Outcome.CENSORED
    assert server.connections == 0
