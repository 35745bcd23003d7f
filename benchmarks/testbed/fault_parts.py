"""Makes the parts of a faulty source's scripts: events, transfer chunks, coded bodies."""

import importlib
import random
import zlib
from collections.abc import Sequence
from typing import Any

#: Bytes are sent in one or several writes, a number is a pause in seconds, ``fin`` and ``rst`` close, ``hang`` waits.
Step = bytes | float | str

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
LINES = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
DONE = b"event: done\ndata: bye\n\n"
END = b"0\r\n\r\n"
#: The longest event that clients should accept.
MAX_EVENT_BYTES = 20_000


def event_of(rng: random.Random) -> bytes:
    """Make an event of random length, partly not ASCII."""
    words = "".join(rng.choices("abcdefgå ∞", k=rng.randint(1, 300)))
    return f"data: {words}\n\n".encode()


def events_of(rng: random.Random, least: int = 0) -> list[bytes]:
    """Make up to six events."""
    return [event_of(rng) for _ in range(rng.randint(least, 6))]


def chunk_of(data: bytes) -> bytes:
    """Make one transfer chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunks_of(rng: random.Random, body: bytes) -> list[bytes]:
    """Cut ``body`` into transfer chunks at random places."""
    cuts = sorted(rng.sample(range(1, len(body)), min(len(body) - 1, rng.randint(0, 5)))) if len(body) > 1 else []
    return [chunk_of(body[start:end]) for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True) if end > start]


def paced(rng: random.Random, pieces: Sequence[bytes]) -> list[Step]:
    """Put pauses between the pieces, or none."""
    pause_s = rng.choice((0.0, 0.001, 0.01))
    return [step for piece in pieces for step in (piece, pause_s)]


def again(times: int, *steps: Step) -> list[Step]:
    """Repeat the same steps."""
    return list(steps) * times


def chunked(rng: random.Random, *events: bytes, head: bytes = SSE) -> list[Step]:
    """Make a head, and events in transfer chunks that are cut at other places than the events."""
    return [head + CHUNKED, *paced(rng, chunks_of(rng, b"".join(events)))]


def coded_body(rng: random.Random) -> tuple[bytes, list[bytes]]:
    """Make a head, a coded body that is flushed after each event, and its end."""
    name = rng.choice(("gzip", "deflate", "br", "zstd"))
    events = [*events_of(rng, 1), DONE]
    if name in ("gzip", "deflate"):
        packer = zlib.compressobj(wbits=31 if name == "gzip" else 15)
        pieces = [packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in events]
        pieces.append(packer.flush())
    elif name == "br":
        brotli = importlib.import_module("brotli").Compressor()
        pieces = [brotli.process(event) + brotli.flush() for event in events]
        pieces.append(brotli.finish())
    else:
        zstd = _zstd()
        packing = zstd.ZstdCompressor()
        pieces = [packing.compress(event, zstd.ZstdCompressor.FLUSH_BLOCK) for event in events]
        pieces.append(packing.flush(zstd.ZstdCompressor.FLUSH_FRAME))
    return SSE + b"Content-Encoding: " + name.encode() + b"\r\n" + CHUNKED, pieces


def _zstd() -> Any:
    try:
        return importlib.import_module("compression.zstd")
    except ImportError:
        return importlib.import_module("backports.zstd")
