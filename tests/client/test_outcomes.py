"""Each way a stream can end, by a server that makes it happen, and the outcome that it must have."""

import random
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = SSE + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSING = SSE + b"\r\n"
RAW = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
HTML = RAW.replace(b"text/plain", b"text/html")
JSON = RAW.replace(b"text/plain", b"application/json")
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


ONE = chunk(b"data: one\n\n")
TWO = chunk(b"event: done\ndata: two\n\n")
READ = "read"
#: Whatever comes after it comes when the stream is long over; a server that is closed does not wait for it.
AGES = 300.0


@dataclass
class Case:
    """What the server does, what the client is asked to do, and what that means."""

    script: list[bytes | float | str]
    outcome: Outcome
    #: None where it is as many as came in time.
    chunks: int | None
    reason: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def case(outcome: Outcome, chunks: int | None, *script: bytes | float | str, reason: str = "", **options: Any) -> Case:
    return Case(list(script), outcome, chunks, reason, options)


COMPLETED, ABORTED, INCOMPLETE, TRUNCATED = Outcome.COMPLETED, Outcome.ABORTED, Outcome.INCOMPLETE, Outcome.TRUNCATED
STALLED, HTTP_ERROR, PROTOCOL_ERROR = Outcome.STALLED, Outcome.HTTP_ERROR, Outcome.PROTOCOL_ERROR
CASES = {
    "last chunk": case(COMPLETED, 2, CHUNKED, ONE, READ, TWO, READ, END),
    "all in one piece": case(COMPLETED, 2, CHUNKED + ONE + TWO + END),
    "last chunk and FIN": case(COMPLETED, 1, CHUNKED, ONE, END, "fin"),
    "last chunk and RST": case(COMPLETED, 1, CHUNKED + ONE + END, READ, "rst"),
    "no chunks at all": case(COMPLETED, 0, CHUNKED + END),
    "named event": case(COMPLETED, 2, CHUNKED, ONE + TWO, END, end="event:done"),
    "named data": case(COMPLETED, 2, CHUNKED, ONE + TWO, END, end="data:two"),
    "enough chunks": case(COMPLETED, 2, CHUNKED, ONE + TWO, END, end="chunks:2"),
    "an end that a callable sees": case(COMPLETED, 2, CHUNKED, ONE + TWO, END, end=lambda event: event.data == "two"),
    "all of a content length": case(COMPLETED, 1, SSE + b"Content-Length: 11\r\n\r\n", READ, b"data: one\n\n"),
    "FIN where it is the end": case(COMPLETED, 1, CLOSING, b"data: one\n\n", READ, "fin"),
    "interim response first": case(COMPLETED, 1, b"HTTP/1.1 100 Continue\r\n\r\n", READ, CHUNKED + ONE + END),
    "a body without transfer chunks": case(COMPLETED, 2, RAW + b"\r\n", b"x" * 65_537, "fin", protocol="raw"),
    "lines under another type": case(COMPLETED, 2, JSON + b"\r\n1\n2", "fin", protocol="ndjson"),
    "the last of two types": case(
        COMPLETED, 1, SSE.replace(b": ", b": text/html, ") + b"\r\n", b"data: one\n\n", "fin", protocol="auto"
    ),
    "lines": case(
        COMPLETED, 2, RAW.replace(b"text/plain", b"application/x-ndjson") + b"\r\n1\n2", "fin", protocol="ndjson"
    ),
    "protocol by content type": case(COMPLETED, 2, CHUNKED + ONE + TWO + END, protocol="auto", end="event:done"),
    "no content": case(COMPLETED, 0, b"HTTP/1.1 204 No Content\r\n\r\n", protocol="raw"),
    "named event missing": case(INCOMPLETE, 1, CHUNKED, ONE, END, end="event:done"),
    "named data missing": case(INCOMPLETE, 1, CHUNKED, ONE, END, end="data:two"),
    "too few chunks": case(INCOMPLETE, 2, CHUNKED, ONE + TWO, END, end="chunks:3"),
    "named end missing before FIN": case(INCOMPLETE, 1, CLOSING, b"data: one\n\n", "fin", end="event:done"),
    "FIN inside a transfer chunk": case(TRUNCATED, 1, CHUNKED, ONE, ONE[:8], "fin", reason="inside the body"),
    "FIN between transfer chunks": case(TRUNCATED, 1, CHUNKED, ONE, "fin"),
    "FIN inside the last chunk": case(TRUNCATED, 1, CHUNKED, ONE, b"0\r\n", "fin"),
    "FIN inside a content length": case(TRUNCATED, 1, SSE + b"Content-Length: 12\r\n\r\n", b"data: one\n\n", "fin"),
    "FIN after the named end": case(TRUNCATED, 2, CHUNKED, ONE + TWO, "fin", end="event:done"),
    "RST inside a transfer chunk": case(TRUNCATED, 1, CHUNKED, ONE, ONE[:8], READ, "rst", reason="reset"),
    "RST between transfer chunks": case(TRUNCATED, 1, CHUNKED, ONE, READ, "rst", reason="reset"),
    "RST where FIN is the end": case(TRUNCATED, 1, CLOSING, b"data: one\n\n", READ, "rst", reason="reset"),
    "FIN before the head": case(TRUNCATED, 0, "fin", reason="before a response"),
    "RST before the head": case(TRUNCATED, 0, "rst", reason="before a response"),
    "FIN inside the head": case(TRUNCATED, 0, CHUNKED[:30], "fin", reason="head"),
    "RST inside the head": case(TRUNCATED, 0, CHUNKED[:30], READ, "rst", reason="head"),
    "FIN after the head": case(TRUNCATED, 0, CHUNKED, "fin"),
    "nothing at all": case(STALLED, 0, reason="no first chunk within 0.2 s", first_chunk_timeout_s=0.2),
    "a head and no chunk": case(STALLED, 0, CHUNKED, reason="no first chunk", first_chunk_timeout_s=0.2),
    "heartbeats and no chunk": case(
        STALLED, 0, CHUNKED, *[chunk(b": on\n\n"), 0.05] * 10, reason="no first chunk", first_chunk_timeout_s=0.2
    ),
    "idle after a chunk": case(STALLED, 1, CHUNKED, ONE, reason="no chunk within 0.2 s", idle_timeout_s=0.2),
    "idle with no limit on the first chunk": case(
        STALLED, 1, CHUNKED, ONE, AGES, ONE, END, idle_timeout_s=0.2, first_chunk_timeout_s=None
    ),
    "idle, then on": case(STALLED, 1, CHUNKED, ONE, AGES, TWO, END, idle_timeout_s=0.2),
    "half a chunk": case(STALLED, 1, CHUNKED, ONE, ONE[:8], idle_timeout_s=0.2),
    "no end": case(STALLED, None, CHUNKED, *[ONE, 0.01] * 10, reason="no end within 0.5 s", total_timeout_s=0.5),
    "status 500": case(HTTP_ERROR, 0, b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", reason="status 500 Oh"),
    "status 404 that streams": case(HTTP_ERROR, 0, CHUNKED.replace(b"200 OK", b"404 Not Found") + ONE),
    "a redirect to nowhere": case(HTTP_ERROR, 0, b"HTTP/1.1 302 Found\r\n\r\n", reason="status 302"),
    "switching protocols": case(HTTP_ERROR, 0, b"HTTP/1.1 101 Switching Protocols\r\n\r\n", reason="status 101"),
    "another content type": case(HTTP_ERROR, 0, RAW + b"\r\nno events", "fin", reason="expected a content type of sse"),
    "HTML instead of lines": case(HTTP_ERROR, 0, HTML + b"\r\n1\n2", "fin", reason="type of ndjson", protocol="ndjson"),
    "no content type": case(HTTP_ERROR, 0, b"HTTP/1.1 200 OK\r\n\r\n", reason="got ''"),
    "a content type that cannot end so": case(
        HTTP_ERROR, 0, RAW + b"\r\n", "fin", reason="content type of sse", protocol="auto", end="event:done"
    ),
    "garbage": case(PROTOCOL_ERROR, 0, b"SSH-2.0-x\r\n", reason="status line"),
    "over-long head": case(PROTOCOL_ERROR, 0, CHUNKED[:-2] + b"X: " + b"x" * 70_000, reason="longer than 65536 bytes"),
    "bad field": case(PROTOCOL_ERROR, 0, b"HTTP/1.1 200 OK\r\nbad\r\n\r\n", reason="header field"),
    "bad length": case(PROTOCOL_ERROR, 0, SSE + b"Content-Length: x\r\n\r\n", reason="content-length"),
    "bad chunk size": case(PROTOCOL_ERROR, 1, CHUNKED, ONE, READ, b"zz\r\n", reason="transfer chunk's size"),
    "bad chunk size in the same read": case(PROTOCOL_ERROR, 2, CHUNKED + ONE + TWO + b"zz\r\n"),
    "no CRLF after a chunk": case(PROTOCOL_ERROR, 0, CHUNKED, b"3\r\nabcdef\r\n", reason="CRLF"),
    "over-long event": case(
        PROTOCOL_ERROR, 1, CHUNKED + ONE, chunk(b"x" * 2000 + b"\n\n"), reason="1000 bytes", max_chunk_bytes=1000
    ),
    "over-long event in parts": case(PROTOCOL_ERROR, 0, CHUNKED, *[chunk(b"x" * 400), READ] * 3, max_chunk_bytes=1000),
    "error event": case(
        Outcome.IN_BAND_ERROR, 2, CHUNKED, ONE, chunk(b"event: error\ndata: too hot\n\n"), END, reason="too hot"
    ),
    "an event that mentions an error": case(COMPLETED, 1, CHUNKED, chunk(b"data: event: error\n\n"), END),
    "the scenario hangs up": case(ABORTED, 1, CHUNKED, ONE, on_chunk=lambda event: False),
    "the scenario hangs up later": case(
        ABORTED, 2, CHUNKED, ONE, READ, TWO, on_chunk=lambda event: event.data == "one", reason="hung up"
    ),
}  # fmt: skip


@pytest.mark.parametrize("each", CASES.values(), ids=CASES)
def test_what_the_server_does_is_the_outcome(each, stream):
    record = stream(each.script, **each.options)
    assert record.outcome is each.outcome, record.reason
    assert each.chunks in (record.chunks, None), record.reason
    assert each.reason in record.reason
    assert bool(record.reason) is (each.outcome is not COMPLETED or not record.chunks)


def test_of_many_streams_at_once_none_is_taken_for_another(plan):
    order = random.Random(1).choices(list(CASES), k=220)
    plans = [plan(CASES[name].script, f"/{n}", name=name, **CASES[name].options) for n, name in enumerate(order)]
    process_stats = ProcessStats()
    wrong = [
        (record.name, record.outcome, record.chunks, record.reason)
        for record in run_streams(plans, process_stats)
        if record.outcome is not CASES[record.name].outcome
    ]
    assert wrong == []
    assert process_stats.active == 0
    assert sum(stats.finished for stats in process_stats.all_stats.values()) == len(order)
    assert sum(stats.started for stats in process_stats.all_stats.values()) == len(order)


def test_a_response_whose_body_cannot_be_read_counts_under_its_protocol(stream):
    record = stream([SSE + b"Content-Length: x\r\n\r\n"], protocol="auto")
    assert (record.outcome, record.protocol, record.status) == (PROTOCOL_ERROR, "sse", 200)


def test_a_refused_connection_is_a_connect_error(stream):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    record = stream(url=f"http://127.0.0.1:{port}/")
    assert record.outcome is Outcome.CONNECT_ERROR
    assert "refused" in record.reason


def test_a_name_that_does_not_resolve_is_a_connect_error(stream):
    record = stream(url="http://no-such-host.invalid/")
    assert record.outcome is Outcome.CONNECT_ERROR
    assert record.status is None


def test_a_connection_that_is_never_answered_is_a_connect_error(stream):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        where = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:  # more than the backlog holds: the next one hears nothing
            each.setblocking(False)
            each.connect_ex(where)
        record = stream(url=f"http://127.0.0.1:{where[1]}/", first_chunk_timeout_s=0.3)
        for each in waiting:
            each.close()
    assert record.outcome is Outcome.CONNECT_ERROR
    assert "no first chunk within 0.3 s" in record.reason
