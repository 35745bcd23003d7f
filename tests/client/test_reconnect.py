"""Event streams that break off and are connected to again, by servers that do as scripts say."""

import re

import pytest

from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import PlanError
from streamgauge.client.reconnect import resumed
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from tests.client.reconnecting import DONE, END, NOTHING_MORE, OPEN, READ, SOON, chunk, event

COMPLETED, INCOMPLETE, TRUNCATED, STALLED = Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.TRUNCATED, Outcome.STALLED
HTTP_ERROR, PROTOCOL_ERROR, IN_BAND_ERROR = Outcome.HTTP_ERROR, Outcome.PROTOCOL_ERROR, Outcome.IN_BAND_ERROR
ABORTED = Outcome.ABORTED


def last_event_ids(server):
    """The field of each request, empty where it has none."""
    found = [re.search(rb"\r\nlast-event-id: (.*?)\r\n", head, re.IGNORECASE) for head in server.requests]
    return [match[1] if match else b"" for match in found]


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


def test_each_attempt_may_follow_as_many_redirects_as_the_plan_allows(again, server):
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n"
    server.scripts |= {"/b": [moved % b"/c"], "/c": [OPEN, DONE, END]}
    broken_off = {2: {"/b": [OPEN + SOON, event(1), "fin"]}}
    record = again([moved % b"/b"], reconnect=1, max_redirects=1, broken_off=broken_off)
    assert (record.outcome, record.chunks, record.reconnects) == (COMPLETED, 2, 1), record.reason
    assert [head.split()[1] for head in server.requests] == [b"/", b"/b", b"/b", b"/c"]


@pytest.mark.parametrize("options", [{"reconnect": -1}, {"reconnect": 1, "protocol": "ndjson"}])
def test_a_plan_that_cannot_be_carried_out_says_so(options, plan):
    with pytest.raises(PlanError, match="reconnect: "):
        plan(**options)


def test_a_request_without_an_id_is_left_as_it_is():
    request = Request("GET", target_of("http://localhost/"), {"A": "b"})
    assert resumed(request, None) is request
    assert resumed(request, "") == request
