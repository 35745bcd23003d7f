"""Streams that stall."""

import random

from benchmarks.testbed.fault_parts import CHUNKED, SSE, Step, again, chunk_of, chunked, event_of, events_of


def silent(_: random.Random) -> list[Step]:
    return ["hang"]


def silent_body(rng: random.Random) -> list[Step]:
    return [SSE + rng.choice((CHUNKED, b"Content-Length: 5\r\n\r\n", b"\r\n")), "hang"]


def stalls(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng, 1)), "hang"]


def heartbeats_only(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng)), *again(600, chunk_of(b": on\n\n"), 0.1), "hang"]


def drips_no_event(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng), b"data: "), *again(600, chunk_of(b"x"), 0.1), "hang"]


def endless(rng: random.Random) -> list[Step]:
    return [SSE + CHUNKED, *again(1_200, chunk_of(event_of(rng)), 0.05), "hang"]
