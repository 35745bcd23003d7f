"""Streams that are complete, however unusual they look."""

import json
import random

from benchmarks.testbed.fault_parts import (
    CHUNKED,
    DONE,
    END,
    LINES,
    SSE,
    Step,
    chunk_of,
    chunked,
    coded_body,
    event_of,
    events_of,
    paced,
)


def good_chunked(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng), DONE), END]


def good_length(rng: random.Random) -> list[Step]:
    body = b"".join((*events_of(rng), DONE))
    return [SSE + b"Content-Length: %d\r\n\r\n" % len(body), *paced(rng, [body])]


def good_close(rng: random.Random) -> list[Step]:
    return [SSE + b"\r\n", *paced(rng, [*events_of(rng), DONE]), "fin"]


def good_then_rst(rng: random.Random) -> list[Step]:
    return [*good_chunked(rng), 0.05, "rst"]


def good_coded(rng: random.Random) -> list[Step]:
    head, pieces = coded_body(rng)
    return [head, *paced(rng, [chunk_of(piece) for piece in pieces if piece]), END]


def good_lines(rng: random.Random) -> list[Step]:
    lines = [json.dumps({"n": n, "text": event_of(rng).decode()}).encode() + b"\n" for n in range(rng.randint(1, 6))]
    return [*chunked(rng, *lines, head=LINES), END]


def good_line_ends(rng: random.Random) -> list[Step]:
    events = [b": hi\n\n", *(b"id: %d\n%b" % at for at in enumerate(events_of(rng))), b": ping\n\n", DONE]
    ended = [event.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\n"))) for event in events]
    return [*chunked(rng, b"\xef\xbb\xbf", *ended), END]


def slow_drip(rng: random.Random) -> list[Step]:
    whole = b"".join(step for step in good_chunked(random.Random(rng.random())) if isinstance(step, bytes))
    size = max(1, len(whole) // 40)
    return [step for at in range(0, len(whole), size) for step in (whole[at : at + size], 0.02)]


def bad_utf8(rng: random.Random) -> list[Step]:
    broken = rng.choice((b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80"))
    return [*chunked(rng, *events_of(rng), b"data: a" + broken + b"z\n\n", DONE), END]


def extensions_and_trailers(rng: random.Random) -> list[Step]:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * rng.randint(0, 2)
    chunks = [b"%x;name=%d\r\n%b\r\n" % (len(each), len(each), each) for each in (*events_of(rng), DONE)]
    return [interim + SSE + CHUNKED, *paced(rng, chunks), b"0\r\nDigest: x\r\nA: b\r\n\r\n"]
