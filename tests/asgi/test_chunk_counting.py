"""Chunks are counted in body messages, however the app splits them."""

import pytest

from streamgauge.asgi.chunk_counting import (
    EventCounter,
    LineCounter,
    MessageCounter,
)
from streamgauge.asgi.coded_bodies import CodedCounter
from streamgauge.asgi.counters import counter_for
from streamgauge.asgi.part_counting import PartCounter

PARTS = b"--frame\r\nContent-Type: image/png\r\n\r\nonetwo\r\n--frame\r\n\r\nthree--four\r\n--frame--\r\n"
CASES = {
    "event": (EventCounter, b"data: 1\n\n", 1, 0),
    "events in one message": (EventCounter, b"data: 1\n\nid: 2\nevent: x\ndata: 2\n\n", 2, 0),
    "event with all fields": (EventCounter, b"id: 1\nevent: x\ndata: a\ndata: b\nretry: 5\n\n", 1, 0),
    "event of bare field name": (EventCounter, b"data\n\n", 1, 0),
    "crlf": (EventCounter, b"data: 1\r\n\r\ndata: 2\r\n\r\n", 2, 0),
    "crlf between the lines of one event": (EventCounter, b"data: 1\r\ndata: 2\r\n\r\n", 1, 0),
    "cr": (EventCounter, b"data: 1\r\rdata: 2\r\r", 2, 0),
    "cr, then lf": (EventCounter, b"data: 1\r\rdata: 2\n\n", 2, 0),
    "lf, then cr": (EventCounter, b"data: 1\n\rdata: 2\n\r", 2, 0),
    "lf, then crlf": (EventCounter, b"data: 1\n\r\ndata: 2\n\r\n", 2, 0),
    "cr, then crlf": (EventCounter, b"data: 1\r\r\ndata: 2\r\r\n", 2, 0),
    "comment": (EventCounter, b": ping\n\n", 0, 1),
    "comments": (EventCounter, b":\n\n: a\n: b\n\n", 0, 2),
    "comment inside an event": (EventCounter, b": note\ndata: 1\n\n", 1, 0),
    "comment inside an event with crlf": (EventCounter, b": note\r\ndata: 1\r\n\r\n", 1, 0),
    "comment, then event": (EventCounter, b": ping\n\ndata: 1\n\n", 1, 1),
    "fields without data": (EventCounter, b"retry: 3000\n\nid: 7\n\n", 0, 0),
    "a field that begins like data": (EventCounter, b"database: 1\n\n", 0, 0),
    "unfinished event": (EventCounter, b"data: 1\n\ndata: 2\n", 1, 0),
    "byte order mark": (EventCounter, b"\xef\xbb\xbfdata: 1\n\n", 1, 0),
    "blank lines": (EventCounter, b"\n\n\ndata: 1\n\n\n\n", 1, 0),
    "line": (LineCounter, b"{}\n", 1, 0),
    "lines": (LineCounter, b'{"a":1}\r\n{"a":2}\r\n', 2, 0),
    "blank lines between": (LineCounter, b"\n{}\n\r\n", 1, 2),
    "last line without newline": (LineCounter, b"{}\n{}", 2, 0),
    "parts": (PartCounter, PARTS, 2, 0),
}


def counted(make, pieces):
    counter = make(b"frame") if make is PartCounter else make()
    chunks = sum(counter.count(piece) for piece in pieces)
    return chunks + counter.close(), counter.heartbeats()


@pytest.mark.parametrize(("make", "body", "chunks", "heartbeats"), CASES.values(), ids=CASES)
def test_counts_alike_whole_split_anywhere_and_byte_by_byte(make, body, chunks, heartbeats):
    assert counted(make, [body]) == (chunks, heartbeats)
    assert counted(make, [body[at : at + 1] for at in range(len(body))]) == (chunks, heartbeats)
    for cut in range(1, len(body)):
        assert counted(make, [body[:cut], body[cut:]]) == (chunks, heartbeats), (body[:cut], body[cut:])


def test_an_event_counts_when_its_blank_line_goes_out():
    counter = EventCounter()
    assert [counter.count(piece) for piece in (b"data: 1", b"\n", b"\n", b"data: 2\n\n")] == [0, 0, 1, 1]


def test_an_event_after_a_heartbeat_counts():
    counter = EventCounter()
    assert [counter.count(piece) for piece in (b": ping\n\n", b"data: 1\n\n", b":\r\n\r\n", b"data: 2\n\n")] == [
        0,
        1,
        0,
        1,
    ]


@pytest.mark.parametrize(
    ("content_type", "encoding", "kind"),
    [
        ("text/event-stream; charset=utf-8", "", EventCounter),
        ("Text/Event-Stream", "identity", EventCounter),
        ("text/event-stream", "gzip", CodedCounter),
        ("application/x-ndjson", "", LineCounter),
        ('multipart/x-mixed-replace; boundary="frame"', "", PartCounter),
        ("multipart/byteranges; boundary=frame", "", PartCounter),
        ("multipart/x-mixed-replace", "", MessageCounter),
        ("text/plain", "", MessageCounter),
        ("", "", MessageCounter),
    ],
)
def test_the_content_type_chooses_the_counter(content_type, encoding, kind):
    assert type(counter_for(content_type, encoding)) is kind
