"""Where an event stream can be taken up again, held against the standard's own steps, at every cut."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.sse import ResumableSseDecoder, SseDecoder


def interpreted(stream: bytes) -> tuple[str | None, int | None]:
    """The last event ID string, None where it was never set, and the reconnection time: WHATWG HTML 9.2.6."""
    last, buffer, retry_ms = None, None, None
    *lines, _unfinished = re.split("\r\n|\n|\r", stream.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"))
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            last = buffer
        elif name == "id" and "\0" not in value:
            buffer = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            retry_ms = int(value)
    return last, retry_ms


ENDS = st.sampled_from([b"\n", b"\n", b"\r", b"\r\n"])
LINES = st.sampled_from(
    [b"", b"", b"data: x", b"data", b": id: 9", b"id: 1", b"id:2", b"id", b"id: ", b"id:  3", b"id: 4\0", b"ID: 5",
     b"idx: 6", b"retry: 10", b"retry:20", b"retry: 3s", b"retry", b"event: id: 7", "id: å".encode(), b"id: \xff",
     b"data: id: 8"]
)  # fmt: skip
STREAMS = st.builds(
    lambda bom, lines, rest: bom + b"".join(line + end for line, end in lines) + rest,
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(LINES, ENDS), max_size=12),
    st.sampled_from([b"", b"id: 77", b"retry: 77"]),
)


@given(STREAMS, st.lists(st.integers(0, 200), max_size=6))
def test_the_id_and_the_reconnection_time_are_the_standards_and_the_chunks_those_of_any_decoder(stream, cuts):
    decoder, plain = ResumableSseDecoder(), SseDecoder()
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for start, end in pairwise(places):
        assert decoder.feed([stream[start:end]]) == plain.feed([stream[start:end]])
        assert (decoder.last_event_id, decoder.retry_ms) == interpreted(stream[:end])
    assert (decoder.heartbeats, decoder.pending) == (plain.heartbeats, plain.pending)


STREAM = b"\xef\xbb\xbfretry: 1500\r\n\r\nid: 7\rdata: x\r\rid: 8\ndata: y\n\nid: 9\ndata: z\n"


@pytest.mark.parametrize("ending", [b"", b"\nid", b"\n\n"])
def test_every_cut_of_a_stream_leads_to_the_same_place(ending, cuts):
    for pieces in cuts(STREAM + ending):
        decoder = ResumableSseDecoder()
        for piece in pieces:
            decoder.feed([piece])
        assert decoder.resumption() == interpreted(STREAM + ending)


def test_a_stream_that_said_nothing_of_it_leaves_all_open():
    decoder = ResumableSseDecoder()
    decoder.feed([b"data: x\n\n"])
    assert decoder.resumption() == (None, None)
