"""Event streams that break off and are connected to again, by servers that do as scripts say."""

import re
import socket
import threading
from contextlib import ExitStack

import pytest

from streamgauge.client import reconnect
from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import PlanError
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.reconnect import exchange_of, resumed
from streamgauge.client.session import Session
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats

COMPLETED, INCOMPLETE, TRUNCATED, STALLED = Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.TRUNCATED, Outcome.STALLED
HTTP_ERROR, PROTOCOL_ERROR, IN_BAND_ERROR = Outcome.HTTP_ERROR, Outcome.PROTOCOL_ERROR, Outcome.IN_BAND_ERROR
CONNECT_ERROR, ABORTED = Outcome.CONNECT_ERROR, Outcome.ABORTED
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
OPEN = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
NOTHING_MORE = b"HTTP/1.1 204 No Content\r\n\r\n"
READ = "read"
#: Longer than any limit.
AGES_S = 300.0


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


SOON = chunk(b"retry: 10\n\n")
DONE = chunk(b"event: done\ndata: x\n\n")


def event(number: int) -> bytes:
    return chunk(b"id: %d\ndata: x\n\n" % number)


EVENTS = b"retry: 10\n\nid: 1\ndata: x\n\nid: 3\ndata: x\n\n"


def serve_once(listener, response):
    """Answer one request, after which nobody listens any more."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65_536)
        listener.close()
        connection.sendall(response)


@pytest.fixture
def again(server, plan):
    """The record of a stream whose n-th request is answered by the n-th script, all later ones by the last."""

    def run(*scripts, process_stats=None, broken_off=None, **options):
        server.on_request = broken_off or {n: {"/": script} for n, script in enumerate(scripts[:-1], 1)}
        options = {"reconnect": len(scripts) - 1, "end": "event:done", **options}
        return run_streams([plan(scripts[-1], **options)], process_stats)[0]

    return run


def last_event_ids(server):
    """The field of each request, empty where it has none."""
    found = [re.search(rb"\r\nlast-event-id: (.*?)\r\n", head, re.IGNORECASE) for head in server.requests]
    return [match[1] if match else b"" for match in found]


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


BREAKS = {
    "a clean end": [END],
    "a FIN inside the body": [READ, "fin"],
    "a RST": [READ, "rst"],
    "a FIN inside an event": [chunk(b"id: 9\ndata: ha"), READ, "fin"],
}


@pytest.mark.parametrize("ending", BREAKS.values(), ids=BREAKS)
def test_a_stream_that_breaks_off_goes_on_behind_its_last_event(ending, again, server):
    record = again([OPEN + SOON, event(1), READ, event(2), *ending], [OPEN, event(3), DONE, END], sequence="id")
    assert (record.outcome, record.reason) == (COMPLETED, "")
    assert (record.chunks, record.reconnects) == (4, 1)
    assert (record.lost, record.repeated, record.out_of_order) == (0, 0, 0)
    assert last_event_ids(server) == [b"", b"2"]


def test_it_stays_one_stream_whose_counts_are_those_of_all_its_connections(again):
    process_stats = ProcessStats()
    first = [OPEN + SOON, event(1), chunk(b": still here\n\n"), END]
    record = again(first, [OPEN, chunk(b": hello\n\n"), event(2), DONE, END], process_stats=process_stats)
    (stats,) = process_stats.all_stats.values()
    assert (stats.started, dict(stats.outcomes), stats.reconnects, process_stats.active) == (1, {"completed": 1}, 1, 0)
    assert (stats.chunks, stats.chunk_interval.all.count, record.heartbeats) == (3, 2, 2)
    bodies = b"retry: 10\n\nid: 1\ndata: x\n\n: still here\n\n: hello\n\nid: 2\ndata: x\n\nevent: done\ndata: x\n\n"
    assert record.bytes == stats.bytes == len(bodies)


def test_the_gap_is_a_chunk_interval(again):
    record = again([OPEN, chunk(b"retry: 150\ndata: x\n\n"), END], [OPEN, DONE, END], stall_threshold_s=0.1)
    assert record.max_chunk_interval_s >= 0.15
    assert record.stalls == 1


ACROSS = {
    "lost": ([1, 2], [4, 5], (1, 0, 0)),
    "repeated": ([1, 2], [1, 2, 3], (0, 2, 0)),
    "as it was": ([1, 2], [3], (0, 0, 0)),
}


@pytest.mark.parametrize(("before", "after", "counts"), ACROSS.values(), ids=ACROSS)
def test_a_chunk_that_is_lost_or_repeated_across_the_gap_is_counted(before, after, counts, again):
    record = again(
        [OPEN + SOON, *map(event, before), "fin"], [OPEN, *map(event, after), chunk(b"event: done\ndata: x\n\n"), END],
        sequence="id",
    )  # fmt: skip
    assert (record.lost, record.repeated, record.out_of_order) == counts


IDS = {
    "of an event without data": ([b"id: 7\n\n"], b"7"),
    "kept by events that have none": ([b"id: 7\ndata: x\n\n", b"data: y\n\n"], b"7"),
    "the last one of a block": ([b"id: 6\nid: 7\ndata: x\n\n"], b"7"),
    "taken back by an empty one": ([b"id: 7\ndata: x\n\n", b"id\ndata: y\n\n"], b""),
    "taken back without a space": ([b"id: 7\ndata: x\n\n", b"id:\ndata: y\n\n"], b""),
    "with NUL, which is none": ([b"id: 7\ndata: x\n\n", b"id: 8\0\ndata: y\n\n"], b"7"),
    "in UTF-8": (["id: å\ndata: x\n\n".encode()], "å".encode()),
    "of a block that was not closed": ([b"id: 7\ndata: x\n\n", b"id: 8\ndata: y\n"], b"7"),
    "behind CR alone": ([b"id: 7\rdata: x\r\r"], b"7"),
    "not in data": ([b"data: x\ndata: id: 7\n\n"], b""),
}


@pytest.mark.parametrize(("pieces", "sent"), IDS.values(), ids=IDS)
def test_the_last_events_id_is_sent(pieces, sent, again, server):
    record = again([OPEN + SOON, *map(chunk, pieces), END], [OPEN, DONE, END])
    assert record.outcome is COMPLETED, record.reason
    assert last_event_ids(server) == [b"", sent]


def test_an_id_stays_over_connections_that_bring_none(again, server):
    again([OPEN + SOON, event(7), END], [OPEN, chunk(b"data: x\n\n"), END], [OPEN, DONE, END])
    assert last_event_ids(server) == [b"", b"7", b"7"]


def test_an_id_of_the_scenarios_own_is_sent_until_the_stream_sets_one(again, server):
    headers = {"last-event-id": "40"}
    again([OPEN + SOON, END], [OPEN, event(41), END], [OPEN, DONE, END], headers=headers)
    assert last_event_ids(server) == [b"40", b"40", b"41"]


def test_an_id_that_no_header_field_can_carry_ends_the_stream(again):
    record = again([OPEN + SOON, chunk(b"id: \x01\ndata: x\n\n"), END], [OPEN, DONE, END])
    assert (record.outcome, record.reconnects) == (PROTOCOL_ERROR, 1)
    assert "'\\x01'" in record.reason


def test_retry_counts_once_its_line_has_ended(again, monkeypatch):
    monkeypatch.setattr(reconnect, "DEFAULT_WAIT_S", AGES_S)
    record = again([OPEN, event(1), chunk(b"retry: 10\ndata: x"), READ, "fin"], [OPEN, DONE, END])
    assert record.outcome is COMPLETED


def test_without_retry_the_default_is_waited(again, monkeypatch):
    monkeypatch.setattr(reconnect, "DEFAULT_WAIT_S", 0.15)
    record = again([OPEN, chunk(b"retry: soon\ndata: x\n\n"), END], [OPEN, DONE, END])
    assert record.max_chunk_interval_s >= 0.15


def test_the_outcome_of_the_last_attempt_stands(again, server):
    record = again([OPEN + SOON, event(1), END], [OPEN + event(2), READ, "rst"], [OPEN, event(3), READ, "fin"])
    assert (record.outcome, record.chunks, record.reconnects) == (TRUNCATED, 3, 2)
    assert len(server.requests) == 3


def test_without_a_named_end_a_clean_end_is_connected_to_again_too(again, server):
    record = again([OPEN + SOON, event(1), END], [OPEN, event(2), END], end=None)
    assert (record.outcome, record.chunks, record.reconnects) == (COMPLETED, 2, 1)
    assert len(server.requests) == 2


@pytest.mark.parametrize(("ending", "connections"), [([END], 1), (["fin"], 2)])
def test_a_connection_that_may_serve_another_request_does(ending, connections, again, server):
    record = again([OPEN + SOON, event(1), *ending], [OPEN, DONE, END])
    assert (record.outcome, record.reconnects) == (COMPLETED, 1)
    assert (len(server.requests), server.connections) == (2, connections)


FINAL = {
    "the named end came": ([OPEN + SOON, DONE, END], COMPLETED, ""),
    "the named end came, and then a FIN": ([OPEN + SOON, DONE, READ, "fin"], TRUNCATED, "inside the body"),
    "a status": ([b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"], HTTP_ERROR, "status 503"),
    "a status that is not 200": ([OPEN.replace(b"200 OK", b"201 Created"), event(1), END], HTTP_ERROR, "status 201"),
    "no content": ([NOTHING_MORE], HTTP_ERROR, "status 204"),
    "another type": ([OPEN.replace(b"text/event-stream", b"text/plain")], HTTP_ERROR, "expected a content type of sse"),
    "bad framing": ([OPEN + SOON, event(1), READ, b"zz\r\n"], PROTOCOL_ERROR, "transfer chunk's size"),
    "an error in the stream": ([OPEN + SOON, chunk(b"event: error\ndata: hot\n\n"), END], IN_BAND_ERROR, "hot"),
    "silence": ([OPEN + SOON, event(1)], STALLED, "no chunk within 0.2 s"),
}


@pytest.mark.parametrize("protocol", ["sse", "auto"])
@pytest.mark.parametrize(("script", "outcome", "reason"), FINAL.values(), ids=FINAL)
def test_what_is_no_broken_connection_is_final(script, outcome, reason, protocol, again, server):
    limits = {"idle_timeout_s": 0.2} if outcome is STALLED else {}
    record = again(script, script, protocol=protocol, **limits)
    assert (record.outcome, record.reconnects) == (outcome, 0), record.reason
    assert reason in record.reason
    assert len(server.requests) == 1


@pytest.mark.parametrize("protocol", ["sse", "auto"])
@pytest.mark.parametrize("script", [FINAL["a status"], FINAL["another type"]], ids=["a status", "another type"])
def test_a_wrong_answer_to_a_later_attempt_is_final_too(script, protocol, again, server):
    script, outcome, reason = script
    record = again([OPEN + SOON, event(1), END], script, [OPEN, DONE, END], protocol=protocol)
    assert (record.outcome, record.chunks, record.reconnects) == (outcome, 1, 1)
    assert reason in record.reason
    assert len(server.requests) == 2


@pytest.mark.parametrize(("end", "outcome"), [(None, COMPLETED), ("event:done", INCOMPLETE)])
def test_no_content_stops_a_stream_that_was_connected_to_again(end, outcome, again, server):
    record = again([OPEN + SOON, event(1), "fin"], [NOTHING_MORE], [OPEN, DONE, END], end=end)
    assert (record.outcome, record.chunks, record.reconnects) == (outcome, 1, 1)
    assert ("204" in record.reason) is (outcome is INCOMPLETE)
    assert len(server.requests) == 2


def test_a_hang_up_of_the_scenario_is_final(again, server):
    record = again([OPEN + SOON, event(1)], [OPEN, DONE, END], on_chunk=lambda event: False)
    assert (record.outcome, record.reconnects, len(server.requests)) == (ABORTED, 0, 1)


def test_a_later_attempt_goes_where_the_first_one_was_redirected_to(again, server):
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /on\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"
    server.scripts["/on"] = [OPEN, DONE, END]
    broken_off = {2: {"/on": [OPEN.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=2\r\n\r\n") + SOON, event(1), "fin"]}}
    record = again([moved], reconnect=1, max_redirects=1, broken_off=broken_off)
    assert (record.outcome, record.chunks, record.reconnects) == (COMPLETED, 2, 1), record.reason
    assert [head.split()[1] for head in server.requests] == [b"/", b"/on", b"/on"]
    assert [re.findall(rb"Cookie: (.*)\r\n", head) for head in server.requests] == [[], [b"a=1"], [b"a=2"]]
    assert last_event_ids(server) == [b"", b"", b"1"]


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
    exchange = exchange_of(made, context, lambda: pauses.append(exchange.record))
    session.ask(exchange)
    reactor.run_until(lambda: exchange._waiting)
    exchange.censor()
    rung = []
    reactor.after(0.2, lambda: rung.append(True))
    reactor.run_until(lambda: rung)
    session.close()
    reactor.close()
    assert [record.outcome for record in pauses] == [Outcome.CENSORED]
    assert (exchange.record.chunks, exchange.record.reconnects, len(server.requests)) == (1, 1, 1)


@pytest.mark.parametrize("options", [{"reconnect": -1}, {"reconnect": 1, "protocol": "ndjson"}])
def test_a_plan_that_cannot_be_carried_out_says_so(options, plan):
    with pytest.raises(PlanError, match="reconnect: "):
        plan(**options)


def test_a_request_without_an_id_is_left_as_it_is():
    request = Request("GET", target_of("http://localhost/"), {"A": "b"})
    assert resumed(request, None) is request
    assert resumed(request, "") == request
