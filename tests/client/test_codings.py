"""Content codings undone as they arrive: each chunk when it came, and bodies that are cut off."""

import gzip
import threading
import zlib

import brotli
import pytest

from streamgauge.stats.outcome import Outcome

try:
    from compression import zstd
except ImportError:
    from backports import zstd

COMPLETED, TRUNCATED, PROTOCOL_ERROR = Outcome.COMPLETED, Outcome.TRUNCATED, Outcome.PROTOCOL_ERROR
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunked(content_type: str, *fields: bytes) -> bytes:
    lines = (b"HTTP/1.1 200 OK", b"Content-Type: " + content_type.encode(), b"Transfer-Encoding: chunked", *fields)
    return b"\r\n".join((*lines, b"", b""))


class Gzip:
    def __init__(self, wbits=31):
        self._stream = zlib.compressobj(wbits=wbits)

    def flushed(self, data):
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)

    def end(self):
        return self._stream.flush()


class Brotli:
    def __init__(self):
        self._stream = brotli.Compressor()

    def flushed(self, data):
        return self._stream.process(data) + self._stream.flush()

    def end(self):
        return self._stream.finish()


class Zstd:
    def __init__(self):
        self._stream = zstd.ZstdCompressor()

    def flushed(self, data):
        return self._stream.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)

    def end(self):
        return self._stream.flush(zstd.ZstdCompressor.FLUSH_FRAME)


CODINGS = {
    "gzip": ("gzip", Gzip),
    "deflate": ("deflate", lambda: Gzip(15)),
    "raw deflate": ("deflate", lambda: Gzip(-15)),
    "br": ("br", Brotli),
    "zstd": ("zstd", Zstd),
}
EVENTS = [b"data: %d %b\n\n" % (n, b"x" * 50) for n in range(4)]


@pytest.fixture(params=CODINGS)
def coded(request):
    """The head of a coded event stream, and a coder."""
    name, coder = CODINGS[request.param]
    return chunked("text/event-stream", b"Content-Encoding: " + name.encode()), coder()


class Lockstep:
    """A step that goes on only when the client has seen one chunk more."""

    def __init__(self):
        self._seen = threading.Semaphore(0)
        self.late = 0

    def look(self, _):
        self._seen.release()

    def __call__(self, connection, head):
        self.late += not self._seen.acquire(timeout=60)


def test_each_coded_chunk_is_seen_before_the_next_one_is_sent(coded, stream):
    head, coder = coded
    step = Lockstep()
    script = [each for event in EVENTS for each in (chunk(coder.flushed(event)), step)]
    record = stream([head, *script, chunk(coder.end()), END], on_chunk=step.look)
    assert (record.outcome, record.chunks, step.late) == (COMPLETED, 4, 0), record.reason
    assert record.coalesced == 0


def test_a_coded_body_that_is_cut_off_in_whole_transfer_chunks_is_truncated(coded, stream):
    head, coder = coded
    record = stream([head, *(chunk(coder.flushed(event)) for event in EVENTS), END])
    assert (record.outcome, record.chunks) == (TRUNCATED, 4)
    assert "content coding" in record.reason


def test_bytes_are_counted_as_they_came(coded, stream):
    head, coder = coded
    pieces = [*(coder.flushed(event) for event in EVENTS), coder.end()]
    assert stream([head, *map(chunk, pieces), END]).bytes == sum(map(len, pieces))


BAD_CODINGS = {
    "no gzip at all": (b"Content-Encoding: gzip", b"data: 0\n\n", "gzip data cannot be decoded"),
    "a coding that is not supported": (b"Content-Encoding: compress", b"data: 0\n\n", "got 'compress'"),
    "data after deflate": (b"Content-Encoding: deflate", zlib.compress(b"data: 0\n\n") + b"more", "expected the end"),
}


@pytest.mark.parametrize(("field", "body", "reason"), BAD_CODINGS.values(), ids=BAD_CODINGS)
def test_what_cannot_be_decoded_is_a_protocol_error(field, body, reason, stream):
    record = stream([chunked("text/event-stream", field), chunk(body), END])
    assert record.outcome is PROTOCOL_ERROR
    assert reason in record.reason


def test_a_bomb_is_a_protocol_error(stream):
    bomb = gzip.compress(b"data: " + bytes(10_000_000))
    head = chunked("text/event-stream", b"Content-Encoding: gzip")
    record = stream([head, chunk(bomb), END], max_chunk_bytes=1_000_000)
    assert record.outcome is PROTOCOL_ERROR
    assert "1000000 bytes" in record.reason


def test_what_was_decoded_before_the_damage_counts(stream) -> None:
    whole = gzip.compress(b"data: 1\n\n")
    script = b"%x\r\n%b\r\n%x\r\n%b\r\n" % (len(whole), whole, 8, b"\x00damaged")
    head = b"Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    record = stream((b"HTTP/1.1 200 OK\r\n" + head + script,))
    assert (record.outcome, record.chunks) == (Outcome.PROTOCOL_ERROR, 1)


def test_a_coded_raw_chunk_is_what_its_transfer_chunk_decodes_to(stream) -> None:
    """The coding's own beginning and end are no chunks, nor is a transfer chunk that reads split more than one."""
    coder, seen, step = Gzip(), [], Lockstep()
    first, second, third = (chunk(coder.flushed(text)) for text in (b"one", b"two", b"three"))
    script = [
        first[:8],
        "read",
        first[8:],
        step,
        second,
        step,
        third[:-6],
        "read",
        third[-6:],
        step,
        chunk(coder.end()),
    ]

    def look(text):
        seen.append(text)
        step.look(text)

    head = chunked("text/plain", b"Content-Encoding: gzip")
    record = stream([head, *script, END], protocol="raw", on_chunk=look)
    assert (record.outcome, seen, step.late) == (COMPLETED, [b"one", b"two", b"three"], 0), record.reason


def test_coded_raw_chunks_before_the_damage_count(stream) -> None:
    coder = Gzip()
    whole = b"".join(chunk(coder.flushed(text)) for text in (b"one", b"two"))
    head = chunked("text/plain", b"Content-Encoding: gzip")
    record = stream([head + whole + b"20\r\n\xff\xff\xff\xff"], protocol="raw")
    assert (record.outcome, record.chunks) == (PROTOCOL_ERROR, 2), record.reason


def test_the_limit_of_a_chunk_is_none_for_many_that_one_read_decodes_to(stream) -> None:
    events = b"".join(b"data: %d %b\n\n" % (n, b"x" * 90) for n in range(200))
    head = chunked("text/event-stream", b"Content-Encoding: gzip")
    record = stream([head, chunk(gzip.compress(events)), END], max_chunk_bytes=1_000)
    assert (record.outcome, record.chunks) == (COMPLETED, 200), record.reason
