"""The short look at a read agrees with what the stages make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.http1_body import ChunkedBody
from streamgauge.wire.sse import SseDecoder
from streamgauge.wire.sse_fast_path import whole_event


def chunked(payload: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def stages() -> tuple[ChunkedBody, SseDecoder]:
    """A framing and a decoder between two chunks, which have seen sizes up to 100."""
    framing, decoder = ChunkedBody(), SseDecoder()
    for size in range(9, 100):
        assert decoder.feed(framing.feed(chunked(b"data:" + b"x" * (size - 7) + b"\n\n")), False)
    assert framing.between_chunks
    assert decoder.between_chunks
    return framing, decoder


LINES = st.sampled_from(
    [
        b"data: 1",
        b"data:",
        b"data",
        b"id: 7",
        b"id:8",
        b"id: x",
        b"event:",
        b"event:a",
        b": hush",
        b"event: done",
        b"",
        b"x\r",
        b"\r",
        b"data: a\rb",
        b"event: \xff",
        b"retry: 1",
    ]
)
PAYLOADS = st.lists(LINES, max_size=5).map(lambda lines: b"\n".join(lines) + b"\n\n")
READS = st.one_of(
    PAYLOADS.map(chunked),
    st.tuples(PAYLOADS, PAYLOADS).map(lambda two: chunked(two[0]) + chunked(two[1])),
    st.tuples(PAYLOADS, st.integers(0, 40)).map(lambda cut: chunked(cut[0])[: cut[1]]),
    PAYLOADS.map(lambda payload: chunked(payload) + b"0\r\n\r\n"),
)


@given(READS)
def test_what_it_knows_is_one_chunk_and_nothing_else(data: bytes) -> None:
    framing, decoder = stages()
    event = whole_event(data)
    if event:
        size, number, name = event
        pieces = framing.feed(data)
        assert [len(piece) for piece in pieces] == [size]
        (chunk,) = decoder.feed(pieces, framing.partial)
        parsed = decoder.parse(chunk)
        assert (name or b"message").decode("utf-8", "replace") == parsed.event
        assert (number and number.decode()) == parsed.id
        assert (decoder.pending, framing.beyond, framing.finished) == (False, False, False)
        assert framing.between_chunks
        assert decoder.between_chunks


@pytest.mark.parametrize(
    ("payload", "number", "name"),
    [
        (b"data: 1\n\n", None, None),
        (b"id: 7\ndata: 1\n\n", b"7", None),
        (b"data:\nid:7\n\n", b"7", None),
        (b"event: a\nid: 7\ndata: 1\n\n", b"7", b"a"),
        (b"id: 7\ndata: 1\nevent:b\nid: 8\n\n", b"8", b"b"),
    ],
)
def test_it_knows_the_usual_read(payload: bytes, number: bytes | None, name: bytes | None) -> None:
    assert whole_event(chunked(payload)) == (len(payload), number, name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        chunked(b": hush\n\n"),
        chunked(b": hush\ndata: 1\n\n"),
        chunked(b"id: x\ndata: 1\n\n"),
        chunked(b"data: 1\ndata: 2\n\n"),
        chunked(b"data: 1\r\n\r\n"),
        chunked(b"\ndata: 1\n\n"),
        chunked(b"data: 1\n\n")[:-1],
        chunked(b"data: 1\n\n") + b"0\r\n\r\n",
        chunked(b"data: 1\n\n") * 2,
    ],
)
def test_it_leaves_every_other_read_to_the_stages(data: bytes) -> None:
    assert whole_event(data) is None


@pytest.mark.parametrize(
    "before", [b"", b"\r\n", b"0\r\n", b"-1\r\n", b"+9\r\n", b"9 \r\n", b"9;\r\n", b"no size\r\n", b"None\r\n"]
)
def test_a_read_of_whatever_length_begins_with_its_size(before: bytes) -> None:
    """Some lengths no transfer chunk has: with its line, a size of one digit more is two bytes longer."""
    for length in range(300):
        read = before + b"data:" + b"x" * length + b"\n\n\r\n"
        assert whole_event(read) is None


def test_sizes_of_every_length_are_known() -> None:
    for size in [*range(7, 300), 0xFFE, 0xFFF, 0x1000, 0xFFFF, 0x10000]:
        payload = b"data:" + b"x" * (size - 7) + b"\n\n"
        assert (
            whole_event(chunked(payload))
            == whole_event(chunked(payload).upper().replace(b"DATA:", b"data:"))
            == (size, None, None)
        )


@pytest.mark.parametrize("after", [b"retry: 1", b": hush", b"data: 1\nretry: 1"])
def test_many_lines_take_no_longer_than_they_are_long(after: bytes) -> None:
    """A parser that tried each line in two ways would not be done in the lifetime of the universe."""
    assert whole_event(chunked(b"event: a\nid: 1\n" * 100 + after + b"\nevent: b\n" * 100 + b"\n")) is None
