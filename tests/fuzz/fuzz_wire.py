"""A coverage-guided fuzzer for everything in ``streamgauge.wire``; run by hand, it is no part of the test suite.

    pip install atheris
    python tests/fuzz/fuzz_wire.py -max_total_time=600 -max_len=2048

All arguments go to libFuzzer; a folder named among them keeps the corpus. Each input picks a parser, and the points to
split at. It must hold that nothing but ProtocolError is raised, that every split gives the same chunks and the same
end, and that a parser with small limits holds little, whatever it is fed.
"""

import gzip
import importlib
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["streamgauge", "wsproto"]):
    from streamgauge.wire.coding import available_codings, coding_for
    from streamgauge.wire.errors import ProtocolError
    from streamgauge.wire.framing import ChunkedBody, framing_of
    from streamgauge.wire.handshake import deflate_agreed
    from streamgauge.wire.http1 import HeadParser
    from streamgauge.wire.multipart import MultipartDecoder, boundary_of
    from streamgauge.wire.ndjson import NdjsonDecoder
    from streamgauge.wire.openai import OpenAiDecoder
    from streamgauge.wire.raw import RawDecoder
    from streamgauge.wire.sequence import SequenceCheck, number_reader
    from streamgauge.wire.sse import SseDecoder
    from streamgauge.wire.websocket import WebSocketBody

WIDE_BYTES, NARROW_BYTES = 1 << 20, 256
#: What a parser with NARROW_BYTES may hold beside a chunk: line ends, a header or a boundary in the making, one read.
SLACK_BYTES = 40_000

#: Feeds pieces to a new parser, and gives what came out and how it ended. Raises ProtocolError.
Run = Callable[[Iterable[bytes], int], tuple[Any, Any]]


def through(decoder: Any, pieces: Iterable[bytes], *state: str) -> tuple[Any, Any]:
    """Feed a decoder of chunks to its end."""
    chunks = [chunk for piece in pieces for chunk in decoder.feed([piece], False)]
    chunks += decoder.close()
    for chunk in chunks[:20]:
        try:
            decoder.parse(chunk)
        except (ValueError, ProtocolError):
            continue
    end = (decoder.heartbeats, *(getattr(decoder, name) for name in state))
    return chunks, (decoder, end)


def sse(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return through(SseDecoder(limit), pieces)


def ndjson(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return through(NdjsonDecoder(limit), pieces)


def blocks(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return through(RawDecoder(limit, transfer_chunks=False, block_bytes=64), pieces)


def openai(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return through(OpenAiDecoder(limit), pieces, "done", "error", "usage", "tokens", "choices")


def multipart(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return through(MultipartDecoder("multipart/mixed; boundary=b", limit), pieces, "closed", "pending")


def dashed_multipart(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return through(MultipartDecoder('multipart/x-mixed-replace;boundary="--b"', limit), pieces, "closed", "pending")


def websocket(pieces: Iterable[bytes], limit: int, extensions: str = "") -> tuple[Any, Any]:
    body = WebSocketBody(extensions, limit)
    messages = [message for piece in pieces for message in body.feed(piece)]
    sent = len(body.take_outgoing())
    end = (body.pending, body.close(), body.close_code, body.close_reason, body.rest, body.heartbeats, sent)
    return messages, (body, end)


def deflated_websocket(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return websocket(pieces, limit, "permessage-deflate; server_max_window_bits=10")


def forgetful_websocket(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return websocket(pieces, limit, "permessage-deflate; server_no_context_takeover")


def chunked(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    return framed(ChunkedBody(), pieces, limit)


def framed(framing: Any, pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    decoder = RawDecoder(limit, transfer_chunks=framing.has_transfer_chunks)
    chunks, rest = [], b""
    for piece in pieces:
        if framing.finished:
            rest += piece
        else:
            chunks += decoder.feed(framing.feed(piece), framing.partial)
    finished, whole = framing.finished, framing.close()
    chunks += decoder.close() if whole else []
    return chunks, ((framing, decoder), (whole, finished, framing.rest + rest))


def response(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
    parser = HeadParser(limit)
    pieces = iter(pieces)
    for piece in pieces:
        if head := parser.feed(piece):
            chunks, (framing, end) = framed(framing_of(head, "GET"), [parser.rest, *pieces], limit)
            return [head.status, head.reason, dict(head.fields), head.keeps_alive, *chunks], (framing, end)
    return [], (parser, parser.started)


def decoded(coding: str) -> Run:
    def run(pieces: Iterable[bytes], limit: int) -> tuple[Any, Any]:
        decoder = coding_for(coding, limit)
        assert decoder is not None
        out = b"".join(map(decoder.feed, pieces))
        return out, (decoder, decoder.close())

    return run


CODINGS = (*available_codings(), "gzip, gzip")
STREAMS: tuple[Run, ...] = (
    sse,
    ndjson,
    blocks,
    openai,
    multipart,
    dashed_multipart,
    websocket,
    deflated_websocket,
    forgetful_websocket,
    chunked,
    response,
    *map(decoded, CODINGS),
)


def outcome(run: Run, pieces: list[bytes]) -> tuple[Any, Any] | None:
    """What came out, and the end; None where the parser refused."""
    try:
        chunks, (_, end) = run(pieces, WIDE_BYTES)
    except ProtocolError:
        return None
    return chunks, end


def held_bytes(held: Any, seen: set[int]) -> int:
    """The bytes in whatever ``held`` refers to."""
    if id(held) in seen or isinstance(held, type):
        return 0
    seen.add(id(held))
    if isinstance(held, bytes | bytearray | str):
        return sys.getsizeof(held)
    if isinstance(held, list | tuple | set):
        return sys.getsizeof(held) + sum(held_bytes(member, seen) for member in held)
    if isinstance(held, dict):
        return sum(held_bytes(member, seen) for member in held.values())
    return sum(held_bytes(member, seen) for member in getattr(held, "__dict__", {}).values())


def check_stream(run: Run, data: bytes, sizes: list[int]) -> None:
    whole = outcome(run, [data])
    points = [0, *accumulate(sizes), len(data)]
    pieces = [piece for start, end in pairwise(points) if (piece := data[start:end])]
    for split in (pieces, [data[at : at + 1] for at in range(len(data))]):
        got = outcome(run, split)
        assert got == whole, f"{split!r} gave {got!r}, and whole {whole!r}"
    check_memory(run, pieces * 8)


def check_memory(run: Run, pieces: list[bytes]) -> None:
    try:
        _, (parser, _) = run(pieces, NARROW_BYTES)
    except ProtocolError:
        return
    # What lies behind the end of a body is kept for the caller to see, and is no larger than what was fed.
    rest = sum(map(len, pieces)) if isinstance(parser, tuple | WebSocketBody) else 0
    held = held_bytes(parser, set())
    assert held <= SLACK_BYTES + rest, f"{held} bytes held after {pieces!r}"


def check_words(data: bytes) -> None:
    """The parsers of header values, and of numbers."""
    text = data.decode("latin-1")
    for parse in (boundary_of, deflate_agreed, coding_for):
        try:
            parse(text)
        except ProtocolError:
            continue
    check = SequenceCheck(window=8)
    for source, parse in (("id", SseDecoder.parse), ("json:n", SseDecoder.parse), ("json:n", NdjsonDecoder.parse)):
        read = number_reader(source, parse)
        for chunk in data.split(b"\n\n"):
            number = read(chunk)
            if number is not None:
                check.add(number)
    assert check.lost >= 0


def one_input(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    target = provider.ConsumeIntInRange(0, len(STREAMS))
    sizes = [provider.ConsumeIntInRange(0, 40) for _ in range(provider.ConsumeIntInRange(0, 6))]
    rest = provider.ConsumeBytes(provider.remaining_bytes())
    if target == len(STREAMS):
        check_words(rest)
    elif rest:
        check_stream(STREAMS[target], rest, sizes)


def seeds() -> list[bytes]:
    """Streams to begin with; the fuzzer tries each on every parser."""
    text = b'{"n":1,"choices":[{"index":0,"delta":{"content":"a"}}]}'
    deflated = zlib.compressobj(wbits=-10)
    message = deflated.compress(b"hello hello") + deflated.flush(zlib.Z_SYNC_FLUSH)
    found = [
        b"\xef\xbb\xbfevent: e\r\nid: 1\rdata: a\ndata\n\n: c\n\ndata: [DONE]\n\nretry: 1\n\n",
        b"data: " + text + b'\n\ndata: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
        b'event: error\ndata: {"error":{"message":"no"}}\n\n' + text + b"\n",
        b"x\r\n--b\r\nContent-Length: 3\r\n\r\nabc\r\n--b \r\nA: b\r\n\r\nabc--bx\r\n--b--\r\ny",
        b"----b\n\nabc\n----b\nContent-Length: 1\n\na\n----b--",
        b"\x81\x02hi\x01\x01h\x89\x01p\x80\x01i\x82\x7e\x00\x80" + bytes(128) + b"\x88\x04\x03\xe8ok",
        b"\xc1" + bytes([len(message) - 4]) + message[:-4] + b"\x88\x00",
        b"5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\nrest",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 100 C\r\n\r\nHTTP/1.0 200\nContent-Length: 3\nA: b\n c\n\nabcd",
        gzip.compress(b"hello") + gzip.compress(b"you") + bytes(4),
        zlib.compress(b"hello"),
        message,
        b'permessage-deflate; server_max_window_bits="10"',
        b'multipart/mixed; a=b; boundary="a\\"b"',
    ]
    if "br" in CODINGS:
        import brotli

        found.append(brotli.compress(b"hello hello"))
    if "zstd" in CODINGS:
        zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
        found.append(zstd.compress(b"hello") + zstd.compress(b"you"))
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds()):
            for target in range(len(STREAMS) + 1):
                # FuzzedDataProvider takes numbers from the end: the count of splits before the parser.
                (Path(folder) / f"{number}-{target}").write_bytes(seed + bytes([5, 7, 2, target]))
        atheris.Setup([*sys.argv, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
