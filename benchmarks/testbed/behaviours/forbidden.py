"""Streams that violate a standard."""

import random
import zlib

from benchmarks.testbed.fault_parts import (
    CHUNKED,
    DONE,
    MAX_EVENT_BYTES,
    SSE,
    Step,
    chunk_of,
    chunked,
    events_of,
    paced,
)


def bad_chunk_size(rng: random.Random) -> list[Step]:
    size = rng.choice((b"zz", b"-5", b"0x5", b" 5", b"", b"5 5", b"123456789012345678", b"\xff"))
    return [*chunked(rng, *events_of(rng)), size + b"\r\ndata:\r\n", "hang"]


def bad_chunk_end(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng)), b"5\r\ndata:" + rng.choice((b"\n\n", b"ab", b"\rX")), "hang"]


def over_long_size_line(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng)), b"5;" + b"x" * 20_000, "hang"]


def over_long_header(rng: random.Random) -> list[Step]:
    field = b"X-Long: " + b"x" * rng.randint(65_536, 200_000)
    return [SSE + field + rng.choice((b"", b"\r\n" + CHUNKED)), "hang"]


def bad_header(rng: random.Random) -> list[Step]:
    field = rng.choice((b"no colon", b"bad name: x", b": x", b"A\x00B: x", b"A : b"))
    return [SSE + field + b"\r\n" + CHUNKED, "hang"]


def bad_status_line(rng: random.Random) -> list[Step]:
    line = rng.choice((b"SSH-2.0-x", b"HTTP/2.0 200 OK", b"HTTP/1.1 20 OK", b"ICY 200 OK", b"data: 1", b"HTTP/1.1200"))
    return [line + b"\r\n" + SSE.partition(b"\r\n")[2] + CHUNKED, "hang"]


def two_lengths(rng: random.Random) -> list[Step]:
    values = rng.choice((b"5\r\nContent-Length: 6", b"5, 6", b"-5", b"+5", b"5x", b""))
    return [SSE + b"Content-Length: " + values + b"\r\n\r\n" + DONE, "hang"]


def over_long_event(rng: random.Random) -> list[Step]:
    event = b"data: " + b"x" * (MAX_EVENT_BYTES + rng.randint(1, 50_000)) + rng.choice((b"", b"\n\n"))
    return [*chunked(rng, *events_of(rng), event), "hang"]


def coding_broken(rng: random.Random) -> list[Step]:
    head = SSE + b"Content-Encoding: gzip\r\n" + CHUNKED
    packer = zlib.compressobj(wbits=31)
    good = [packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in events_of(rng, 1)]
    # A block of deflate's reserved type.
    return [head, *paced(rng, [chunk_of(piece) for piece in (*good, b"\x07\xff\xff\xff")]), "hang"]
