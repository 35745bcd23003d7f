"""Streams that end too early, cleanly or not."""

import random

from benchmarks.testbed.fault_parts import (
    CHUNKED,
    DONE,
    END,
    SSE,
    Step,
    chunk_of,
    chunked,
    chunks_of,
    coded_body,
    event_of,
    events_of,
    paced,
)


def missing_end(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng)), END]


def missing_end_before_fin(rng: random.Random) -> list[Step]:
    return [SSE + b"\r\n", *paced(rng, events_of(rng)), "fin"]


def length_too_small(rng: random.Random) -> list[Step]:
    # In one write: a client that keeps its connection would take later data for the next response.
    events = b"".join(events_of(rng))
    length = len(events) + rng.randint(0, len(DONE) - 1)
    return [SSE + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % length + events + DONE, "fin"]


def fin_before_head(rng: random.Random) -> list[Step]:
    return [rng.choice((0.0, 0.01)), "fin"]


def fin_in_head(rng: random.Random) -> list[Step]:
    head = SSE + CHUNKED
    return [head[: rng.randint(1, len(head) - 1)], "fin"]


def fin_in_chunk(rng: random.Random) -> list[Step]:
    last = chunk_of(rng.choice((event_of(rng), DONE)))
    return [*chunked(rng, *events_of(rng)), last[: rng.randint(1, len(last) - 1)], "fin"]


def fin_between_chunks(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng), *rng.choice(((), (DONE,)))), rng.choice((b"", b"0\r\n")), "fin"]


def rst_in_body(rng: random.Random) -> list[Step]:
    return [*fin_in_chunk(rng)[:-1], rng.choice((0.0, 0.02)), "rst"]


def rst_before_fin(rng: random.Random) -> list[Step]:
    return [SSE + b"\r\n", *paced(rng, [*events_of(rng), DONE]), 0.02, "rst"]


def length_too_large(rng: random.Random) -> list[Step]:
    body = b"".join((*events_of(rng), DONE))
    return [SSE + b"Content-Length: %d\r\n\r\n" % (len(body) + rng.randint(1, 1000)), *paced(rng, [body]), "fin"]


def coding_cut_off(rng: random.Random) -> list[Step]:
    head, pieces = coded_body(rng)
    coded = b"".join(pieces)
    return [head, *paced(rng, chunks_of(rng, coded[: rng.randint(2, len(coded) - 1)])), END]
