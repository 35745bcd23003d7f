"""In compressed responses, the coding's own framing is no chunk, since a client decodes it to nothing."""

import sys
import zlib

import brotli
import pytest

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdCompressor
else:
    from backports.zstd import CompressionParameter, ZstdCompressor

from streamgauge.asgi.coded_bodies import CodedCounter

CHUNKS = [b"one", b"two" * 40, b"three"]


def with_zlib(window_bits):
    coder = zlib.compressobj(wbits=window_bits)
    return coder.compress, lambda: coder.flush(zlib.Z_SYNC_FLUSH), coder.flush


def with_brotli():
    coder = brotli.Compressor()
    return coder.process, coder.flush, coder.finish


def with_zstd():
    coder = ZstdCompressor(options={CompressionParameter.checksum_flag: 1})
    return (
        lambda data: coder.compress(data, ZstdCompressor.CONTINUE),
        lambda: coder.flush(ZstdCompressor.FLUSH_BLOCK),
        lambda: coder.flush(ZstdCompressor.FLUSH_FRAME),
    )


CODERS = {
    "gzip": lambda: with_zlib(31),
    "x-gzip": lambda: with_zlib(31),
    "deflate": lambda: with_zlib(15),
    "br": with_brotli,
    "zstd": with_zstd,
}
coders = pytest.mark.parametrize("coding", CODERS)


@coders
def test_chunks_that_are_flushed_count_and_the_trailer_does_not(coding):
    compress, flush, finish = CODERS[coding]()
    messages = [compress(chunk) + flush() for chunk in CHUNKS] + [finish()]
    counter = CodedCounter(coding)
    assert [counter.count(message) for message in messages] == [1, 1, 1, 0]


@coders
def test_an_empty_message_does_not_count_even_as_the_first(coding):
    compress, flush, finish = CODERS[coding]()
    messages = [compress(chunk) + flush() for chunk in (b"", b"one", b"", b"two")] + [finish()]
    counter = CodedCounter(coding)
    found = [(bool(message) and counter.count(message)) for message in messages]
    assert found == [0, 1, 0, 1, 0]


@coders
def test_a_last_message_with_data_counts(coding):
    compress, flush, finish = CODERS[coding]()
    messages = [compress(b"one") + flush(), compress(b"two") + finish()]
    counter = CodedCounter(coding)
    assert [counter.count(message) for message in messages] == [1, 1]


@coders
def test_a_header_alone_does_not_count(coding):
    compress, _, finish = CODERS[coding]()
    header = compress(b"")
    if header:
        assert CodedCounter(coding).count(header) == 0
    assert CodedCounter(coding).count(compress(b"data") + finish()) == 1


def test_each_message_of_an_unknown_coding_counts():
    assert CodedCounter("compress").count(b"\x03\x00") == 1


def test_a_compressed_stream_has_as_many_chunks_as_its_client_sees(server):
    compress, flush, finish = CODERS["gzip"]()
    bodies = [compress(chunk) + flush() for chunk in CHUNKS] + [finish()]
    server.bodies(*bodies, media_type="text/plain", headers=[(b"content-encoding", b"gzip")])
    assert server.value("chunks_total") == 3
    assert server.value("body_bytes_total") == sum(map(len, bodies))
    assert server.value("finished_total", outcome="completed") == 1
