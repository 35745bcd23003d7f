"""Raw bodies, with the server's own transfer chunks and without."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_body import ChunkedBody
from streamgauge.wire.raw import BLOCK_BYTES, RawDecoder


def read(reads: list[bytes], decoder: RawDecoder, into: list[bytes] | None = None) -> list[bytes]:
    """What comes through chunked framing."""
    framing, chunks = ChunkedBody(), [] if into is None else into
    for data in reads:
        chunks += decoder.feed(framing.feed(data), framing.partial)
    chunks += decoder.close()
    return chunks


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.lists(st.integers(0, 3000), max_size=12))
def test_chunks_are_the_servers_however_reads_split_them(sent, points):
    stream = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in sent) + b"0\r\n\r\n"
    edges = [0, *sorted(min(point, len(stream)) for point in points), len(stream)]
    reads = [stream[a:b] for a, b in pairwise(edges) if a < b]
    assert read(reads, RawDecoder()) == sent


def test_a_chunk_that_goes_on_is_pending():
    decoder = RawDecoder()
    assert (decoder.feed([b"a", b"b"], partial=True), decoder.pending) == ([b"a"], True)
    assert (decoder.feed([b"c"], partial=True), decoder.pending) == ([], True)
    assert (decoder.feed([b"d", b"e"], partial=True), decoder.pending) == ([b"bcd"], True)
    assert (decoder.feed([b"f"]), decoder.pending) == ([b"ef"], False)
    assert decoder.feed([]) == []


@given(st.integers(0, 40), st.lists(st.integers(1, 12)))
def test_blocks_do_not_depend_on_reads(size, parts):
    data = bytes(range(size))
    decoder = RawDecoder(transfer_chunks=False, block_bytes=10)
    chunks, rest = [], data
    for part in [*parts, size or 1]:
        chunks += decoder.feed([rest[:part]] if rest else [])
        rest = rest[part:]
    assert chunks + decoder.close() == [data[start : start + 10] for start in range(0, size, 10)]


def test_a_block_is_65536_bytes():
    decoder = RawDecoder(transfer_chunks=False)
    assert [len(chunk) for chunk in decoder.feed([b"x" * 200_000])] == [BLOCK_BYTES] * 3
    assert decoder.pending
    assert [len(chunk) for chunk in decoder.close()] == [200_000 - 3 * 65_536]
    assert not decoder.pending


def test_a_chunk_may_be_as_long_as_the_limit_and_no_longer(cuts):
    for reads in cuts(b"1\r\na\r\n5\r\nhello\r\n0\r\n\r\n"):
        assert read(reads, RawDecoder(5)) == [b"a", b"hello"]
        chunks: list[bytes] = []
        with pytest.raises(ProtocolError, match="transfer chunk longer than 4 bytes") as caught:
            read(reads, RawDecoder(4), chunks)
        assert chunks + caught.value.before == [b"a"]


def test_raw_chunks_are_parsed_as_they_are():
    assert RawDecoder().parse(b"\xff\x00") == b"\xff\x00"
