"""Streams that report an error themselves, refusals, and a stream on which the client hangs up."""

import json
import random

from benchmarks.testbed.fault_parts import (
    CHUNKED,
    DONE,
    END,
    LINES,
    SSE,
    Step,
    again,
    chunk_of,
    chunked,
    event_of,
    events_of,
)


def event_error(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng), b"event: error\ndata: too hot\n\n", *rng.choice(((), (DONE,)))), END]


def line_error(rng: random.Random) -> list[Step]:
    error = {"error": rng.choice(("too hot", {"code": 5}, True))}
    return [*chunked(rng, b'{"n": 1}\n', json.dumps(error).encode() + b"\n", head=LINES), END]


def status(rng: random.Random) -> list[Step]:
    code = rng.choice((400, 401, 403, 404, 429, 500, 502, 503, 504))
    return [b"HTTP/1.1 %d Oh\r\nContent-Type: text/event-stream\r\nContent-Length: 2\r\n\r\nno" % code]


def another_type(rng: random.Random) -> list[Step]:
    kind = rng.choice((b"text/html", b"application/json", b"text/plain", b""))
    return [SSE.replace(b"text/event-stream", kind) + b"Content-Length: %d\r\n\r\n" % len(DONE) + DONE]


def hang_up(rng: random.Random) -> list[Step]:
    return [SSE + CHUNKED, *again(600, chunk_of(event_of(rng)), 0.02), "hang"]
