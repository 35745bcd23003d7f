"""JSON lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.ndjson import NdjsonDecoder

STREAMS = {
    "nothing": (b"", [], 0),
    "lines": (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}'], 0),
    "no end of the last line": (b"1\n2", [b"1", b"2"], 0),
    "CRLF": (b"1\r\n2\r\n", [b"1", b"2"], 0),
    "white space": (b" 1 \t\n\t2\n", [b"1", b"2"], 0),
    "blank lines": (b"\n1\n\r\n \t\n2\n\n", [b"1", b"2"], 4),
    "a blank end": (b"1\n  ", [b"1"], 0),
    "CR is white space": (b"[1,\r2]\n", [b"[1,\r2]"], 0),
    "no other byte is white space": (b"\x0b\nX1X\n\x0c", [b"\x0b", b"X1X", b"\x0c"], 0),
    "UTF-8": ('"世界"\n'.encode(), ['"世界"'.encode()], 0),
}


def read(reads: list[bytes], decoder: NdjsonDecoder, into: list[bytes] | None = None) -> list[bytes]:
    chunks = [] if into is None else into
    for data in reads:
        chunks += decoder.feed([data])
    chunks += decoder.close()
    return chunks


@pytest.mark.parametrize(("data", "lines", "heartbeats"), STREAMS.values(), ids=STREAMS)
def test_lines_are_the_same_however_they_are_split(data, lines, heartbeats, cuts):
    for reads in cuts(data):
        decoder = NdjsonDecoder()
        assert read(reads, decoder) == lines
        assert decoder.heartbeats == heartbeats
        assert not decoder.pending


@given(
    st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=4), max_size=6), st.integers(1, 9)
)
def test_what_one_writes_is_what_one_reads(values, size):
    data = b"".join(json.dumps(value).encode() + b"\n" for value in values)
    chunks = read([data[start : start + size] for start in range(0, len(data), size)], NdjsonDecoder())
    assert [NdjsonDecoder.parse(chunk) for chunk in chunks] == values


def test_a_long_number_is_json():
    assert NdjsonDecoder.parse(b"[" + b"1" * 4_301 + b"]") == [float("inf")]


def test_part_of_a_line_is_pending_until_it_ends():
    decoder = NdjsonDecoder()
    assert (decoder.feed([b"1\n2"]), decoder.pending) == ([b"1"], True)
    assert (decoder.feed([]), decoder.pending) == ([], True)
    assert (decoder.feed([b"3", b"\n"]), decoder.pending) == ([b"23"], False)


def test_a_line_may_be_as_long_as_the_limit_and_no_longer(cuts):
    for reads in cuts(b"1\n12345678\n2"):
        assert read(reads, NdjsonDecoder(8)) == [b"1", b"12345678", b"2"]
        chunks: list[bytes] = []
        with pytest.raises(ProtocolError, match="line longer than 7 bytes") as caught:
            read(reads, NdjsonDecoder(7), chunks)
        assert chunks + caught.value.before == [b"1"]


@pytest.mark.parametrize(
    "line",
    [b"{", b"\xff", b"nope", b"[" * 100_000, b"[NaN]", b'{\x00"\x00a\x00"\x00}\x00'],
    ids=["cut off", "no UTF-8", "a word", "deep", "no number", "UTF-16"],
)
def test_a_line_that_is_no_json_is_the_streams_mistake(line):
    with pytest.raises(ProtocolError, match="expected a line of JSON"):
        NdjsonDecoder.parse(line)
