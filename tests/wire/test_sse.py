"""Event streams: the examples of the WHATWG HTML standard, section 9.2.6, and what its grammar allows beside them."""

import pytest

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.sse import Event, SseDecoder

BOM = b"\xef\xbb\xbf"


def message(data: str, event: str = "message", id: str | None = None, retry_ms: int | None = None) -> Event:  # noqa: A002
    return Event(event, data, id, retry_ms)


STANDARD = {
    "one event of three lines": (
        b"data: YHOO\ndata: +2\ndata: 10\n\n", [message("YHOO\n+2\n10")],
    ),
    "comment, ids, and an event that nothing closes": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event",
        [message("first event", id="1"), message("second event", id="")],
    ),
    "the same, closed": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [message("first event", id="1"), message("second event", id=""), message(" third event")],
    ),
    "data without a value": (
        b"data\n\ndata\ndata\n\ndata:", [message(""), message("\n")],
    ),
    "the space after a colon": (
        b"data:test\n\ndata: test\n\n", [message("test"), message("test")],
    ),
    "named events": (
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
        [message("73857293", "add"), message("2153", "remove"), message("113411", "add")],
    ),
}  # fmt: skip
OTHERS = {
    "nothing": (b"", []),
    "CR": (b"data: a\r\rdata: b\rdata: c\r\r", [message("a"), message("b\nc")]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\ndata: c\r\n\r\n", [message("a"), message("b\nc")]),
    "line ends of all kinds": (b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\rdata: e\r\n\n",
                               [message("a\nb\nc"), message("d"), message("e")]),
    "CR and CRLF": (b"data: a\r\r\ndata: b\r\r\n", [message("a"), message("b")]),
    "BOM": (BOM + b"data: a\n\n", [message("a")]),
    "BOM before a comment": (BOM + b": hello\n\ndata: a\n\n", [message("a")]),
    "only the first BOM": (BOM + BOM + b"data: a\n\ndata: b\n\n", [message("b")]),
    "BOM in data": (b"data: a" + BOM + b"\n\n", [message("a\ufeff")]),
    "nearly a BOM": (b"\xef\xbbdata: a\n\ndata: b\n\n", [message("b")]),
    "empty lines before, between and after": (b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n", [message("a"), message("b")]),
    "an odd number of empty lines": (b"\ndata: a\n\n\ndata: b\n\n\n", [message("a"), message("b")]),
    "blocks without data": (b"event: x\n\nid: 7\n\nretry: 5\n\ndata: a\n\n", [message("a")]),
    "data after other fields": (b"id: 1\nevent: x\nretry: 10\ndata: a\n\n", [message("a", "x", "1", 10)]),
    "the last of several names and ids": (b"event: x\nevent: y\nid: 1\nid: 2\ndata: a\n\n", [message("a", "y", "2")]),
    "an empty name": (b"event:\ndata: a\n\n", [message("a")]),
    "fields that the standard does not know": (b"foo: x\ndatum: y\nData: z\n data: w\ndata: a\n\n", [message("a")]),
    "data in a longer name alone": (b"datax: a\n\nxdata: a\n\n", []),
    "a comment that looks like data": (b":data: a\n\ndata: b\n\n", [message("b")]),
    "comment inside an event": (b"data: a\n: hush\ndata: b\n\n", [message("a\nb")]),
    "colons in a value": (b"data: a: b:c\n\n", [message("a: b:c")]),
    "an id with NUL": (b"id: 1\nid: 2\x003\ndata: a\n\n", [message("a", id="1")]),
    "retry in digits": (b"retry: 2500\ndata: a\n\n", [message("a", retry_ms=2500)]),
    "retry that is no number": (b"retry: 2.5\ndata: a\n\nretry: -1\ndata: b\n\n", [message("a"), message("b")]),
    "retry in other digits": ("retry: ٣\ndata: a\n\n".encode(), [message("a")]),
    "retry longer than a number may be": (b"retry: " + b"9" * 60 + b"\ndata: a\n\n", [message("a")]),
    "UTF-8": ("data: grüße, 世界 🌊\n\n".encode(), [message("grüße, 世界 🌊")]),
    "no UTF-8": (b"data: a\xffb\xe4\xb8\n\n", [message("a\ufffdb\ufffd")]),
    "white space is data": (b"data:  \t \n\n", [message(" \t ")]),
    "unfinished": (b"data: a\n\ndata: b\n", [message("a")]),
}  # fmt: skip


def read(reads: list[bytes], decoder: SseDecoder, into: list[bytes] | None = None) -> list[bytes]:
    chunks = [] if into is None else into
    for data in reads:
        chunks += decoder.feed([data])
    chunks += decoder.close()
    return chunks


@pytest.mark.parametrize(("data", "events"), (STANDARD | OTHERS).values(), ids=STANDARD | OTHERS)
def test_a_stream_holds_the_same_events_however_it_is_split(data, events, cuts):
    blocks = set()
    for reads in cuts(data):
        chunks = read(reads, SseDecoder())
        assert [SseDecoder.parse(chunk) for chunk in chunks] == events
        blocks.add(tuple(chunks))
    assert len(blocks) == 1


@pytest.mark.parametrize(
    ("data", "heartbeats"),
    [
        (b":\n\n", 1),
        (b": a\n: b\n\n: c\n\n", 2),
        (b":\r\n\r\n:\r\r", 2),
        (b": a\ndata: b\n\n", 0),
        (b"event: ping\n\n", 0),
        (b"event: ping\n: a\n\n", 1),
        (b"\n\n\n\n", 0),
        (b": unfinished\n", 0),
    ],
)
def test_comments_of_their_own_are_heartbeats_and_no_chunks(data, heartbeats, cuts):
    for reads in cuts(data):
        decoder = SseDecoder()
        read(reads, decoder)
        assert decoder.heartbeats == heartbeats


def test_pieces_of_one_read_are_one_stream():
    assert SseDecoder().feed([b"data: a\n", b"\ndata", b": b\r\n\r\n"]) == [b"data: a", b"data: b"]


def test_no_pieces_are_no_chunks():
    decoder = SseDecoder()
    assert decoder.feed([]) == []
    assert decoder.feed([b"data: a\r"]) == []
    assert decoder.feed([]) == []
    assert decoder.feed([b"\n\r\n"]) == [b"data: a"]


@pytest.mark.parametrize(
    ("data", "pending"),
    [
        (b"data: a\n\n", False),
        (b"data: a\r\n\r\n", False),
        (b"data: a\n\n\n", False),
        (b"data: a\n\n\n\n", False),
        (b": x\n\ndata: a\n\n", False),
        (b"data: a\n\nd", True),
        (b"data: a\n\n: x\n\n", True),
        (b"data: a\n\nevent: x\n\n", True),
        (b"data: a\n\n: x", True),
    ],
)
def test_what_comes_after_the_last_event_is_pending(data, pending):
    decoder = SseDecoder()
    assert len(decoder.feed([data])) == 1
    assert decoder.pending is pending


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("around", [b"", b"\n", b"\n\n\n"])
def test_an_event_may_be_as_long_as_the_limit_and_no_longer(end, around, cuts):
    event = b"data: 123456"
    stream = b"data: 0" + end * 2 + around + event + end * 2 + around
    for reads in cuts(stream):
        assert read(reads, SseDecoder(len(event))) == [b"data: 0", event]
        chunks: list[bytes] = []
        with pytest.raises(ProtocolError, match="event longer than 11 bytes") as caught:
            read(reads, SseDecoder(len(event) - 1), chunks)
        assert chunks + caught.value.before == [b"data: 0"]


def test_an_event_without_end_is_an_error():
    with pytest.raises(ProtocolError, match="longer than 1000 bytes"):
        read([b"data: xxxxxxxx\n"] * 100, SseDecoder(1000))


def test_a_large_event_in_many_reads_is_put_together_once():
    data = b"data: " + bytes(range(48, 122)) * 10_000 + b"\n\n"
    reads = [data[start : start + 1000] for start in range(0, len(data), 1000)]
    assert read(reads, SseDecoder()) == [data[:-2]]
