"""Refusals and redirects: what their bodies say, and the connections that they leave."""

import gzip
import time

import pytest

from streamgauge.client.http import skipped_body
from streamgauge.stats.outcome import Outcome

SAID = b'{"error":{"message":"no such model"}}'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n"


def refusal(body: bytes = SAID, *fields: str, status: str = "404 Not Found", length: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {status}", *([f"Content-Length: {len(body)}"] if length else []), *fields]
    return "\r\n".join((*lines, "", "")).encode() + body


REFUSALS = {
    "a known length": [refusal()],
    "a body that comes later": [refusal()[:-20], "read", refusal()[-20:]],
    "transfer chunks": [refusal(b"2\r\nno\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False)],
    "an end that comes later": [
        refusal(b"2\r\nno\r\n", "Transfer-Encoding: chunked", length=False),
        "read",
        b"0\r\n\r\n",
    ],
    "no body": [refusal(b"")],
    "another content type": [refusal(b"<html>", "Content-Type: text/html", status="200 OK")],
    "a server error": [refusal(status="503 Service Unavailable")],
}


@pytest.mark.parametrize("script", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_leaves_its_connection_to_the_next_request(script, talk, plan, server):
    assert [talk.stream(plan(script)).outcome for _ in range(3)] == [Outcome.HTTP_ERROR] * 3
    assert talk.stream(plan([STREAM])).outcome is Outcome.COMPLETED
    assert (server.connections, len(server.requests)) == (1, 4)


def test_a_refused_websocket_leaves_its_connection_and_says_why(talk, plan, server):
    records = [talk.stream(plan([refusal()], protocol="websocket")) for _ in range(2)]
    assert records[0].reason == f"expected a WebSocket, got status 404 Not Found, body: {SAID.decode()}"
    assert server.connections == 1


def test_an_end_without_more_events_leaves_its_connection(talk, plan, server, monkeypatch):
    monkeypatch.setattr("streamgauge.client.reconnect.DEFAULT_WAIT_S", 0.0)
    server.on_request = {2: {"/": [b"HTTP/1.1 204 No Content\r\n\r\n"]}}
    assert talk.stream(plan([STREAM], "/", reconnect=1)).outcome is Outcome.COMPLETED
    assert talk.stream(plan([STREAM], "/")).outcome is Outcome.COMPLETED
    assert server.connections == 1


CLOSED = {
    "Connection: close": [refusal(SAID, "Connection: close")],
    "until close": [refusal(length=False), "fin"],
    "a long body": [refusal(b"x" * skipped_body.SKIPPED_BYTES + b"x")],
    "a body that breaks off": [refusal()[:-1], "fin"],
    "a body that is not as announced": [refusal(b"zz\r\n", "Transfer-Encoding: chunked", length=False)],
    "bytes after the body": [refusal() + b"more"],
    "HTTP/1.0": [refusal().replace(b"HTTP/1.1", b"HTTP/1.0")],
}


@pytest.mark.parametrize("script", CLOSED.values(), ids=CLOSED)
def test_a_connection_that_cannot_serve_another_is_closed(script, talk, plan, server):
    assert [talk.stream(plan(script)).outcome for _ in range(2)] == [Outcome.HTTP_ERROR] * 2
    assert server.connections == 2


@pytest.mark.parametrize("head", [refusal(SAID, "Content-Length: 50", length=False), refusal(length=False)])
def test_the_rest_of_a_body_is_not_awaited_for_long(head, stream, server, until, monkeypatch):
    monkeypatch.setattr("streamgauge.client.exchange.SKIPPED_S", 0.05)
    record = stream([head, 300.0])
    assert (record.outcome, record.reason) == (Outcome.HTTP_ERROR, f"status 404 Not Found, body: {SAID.decode()}")


def test_the_stream_ended_when_the_head_came(stream, monkeypatch):
    monkeypatch.setattr("streamgauge.client.exchange.SKIPPED_S", 0.5)
    began_s = time.monotonic()
    record = stream([refusal(length=False), 300.0])
    assert record.duration_s <= time.monotonic() - began_s - 0.5


def test_a_run_that_ends_meanwhile_changes_nothing(plan, talk):
    record = talk.stream(plan([refusal(length=False), 300.0], total_timeout_s=0.2))
    assert (record.outcome, record.status) == (Outcome.HTTP_ERROR, 404)


BODIES = {
    "JSON": (SAID, (), SAID.decode()),
    "several lines": (b"<html>\r\n  <h1>Not\there</h1>\n", (), "<html> <h1>Not here</h1>"),
    "control characters": (b"\x1b[31mno\x00", (), "\\x1b[31mno\\x00"),
    "no UTF-8": (b"no\xff", (), "no\ufffd"),
    "gzip": (gzip.compress(SAID), ("Content-Encoding: gzip",), SAID.decode()),
    "no gzip at all": (SAID, ("Content-Encoding: gzip",), ""),
    "a coding that is not supported": (SAID, ("Content-Encoding: compress",), ""),
    "500 bytes": (b"x" * 500, (), "x" * 500),
    "more": (b"x" * 501, (), "x" * 500 + "…"),
    "half a character": (b"x" * 499 + "é".encode(), (), "x" * 499 + "…"),
    "much more, compressed": (gzip.compress(b"x" * 100_000), ("Content-Encoding: gzip",), "x" * 500 + "…"),
    "blanks": (b" \r\n", (), ""),
}


@pytest.mark.parametrize(("body", "fields", "said"), BODIES.values(), ids=BODIES)
def test_the_beginning_of_the_body_stands_in_the_reason(body, fields, said, stream):
    assert stream([refusal(body, *fields)]).reason == "status 404 Not Found" + (said and f", body: {said}")


def test_another_content_type_is_shown_with_its_body(stream):
    record = stream([refusal(b"<h1>Log in</h1>", "Content-Type: text/html", status="200 OK")])
    assert record.reason == "expected a content type of sse, got 'text/html', body: <h1>Log in</h1>"


def test_a_reason_phrase_is_visible(stream):
    assert stream([b"HTTP/1.1 500 O\x1bh\r\nContent-Length: 0\r\n\r\n"]).reason == "status 500 O\\x1bh"


def test_a_redirect_whose_body_comes_later_is_followed_on_its_connection(stream, server):
    moved = refusal(SAID, "Location: /there", status="302 Found")
    server.scripts["/there"] = [STREAM]
    assert stream([moved[:-5], "read", moved[-5:]]).outcome is Outcome.COMPLETED
    assert server.connections == 1


def test_a_redirect_that_ends_with_its_connection_is_followed_at_once(stream, server, monkeypatch):
    monkeypatch.setattr("streamgauge.client.exchange.SKIPPED_S", 300.0)
    server.scripts["/there"] = [STREAM]
    assert stream([refusal(SAID, "Location: /there", status="302 Found", length=False), 300.0]).status == 200
    assert server.connections == 2


@pytest.mark.parametrize(("end", "kept"), [(b"0\r\n\r\n", True), (b"", False)], ids=["with its end", "without its end"])
def test_a_stream_that_reported_an_error_leaves_its_connection_if_it_ended(end, kept, talk, plan, server):
    failed = (
        STREAM.partition(b"Content-Length")[0]
        + b"Transfer-Encoding: chunked\r\n\r\n16\r\nevent: error\ndata: x\n\n\r\n"
    )
    assert [talk.stream(plan([failed + end])).outcome for _ in range(2)] == [Outcome.IN_BAND_ERROR] * 2
    assert server.connections == (1 if kept else 2)
