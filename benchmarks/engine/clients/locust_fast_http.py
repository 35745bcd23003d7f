"""Reads with Locust's FastHttpUser, event by event as they arrive; its documented interface has no such reader.

``READER=events`` reads up to the empty line that ends an event. ``READER=pieces`` takes the data of each ``recv`` from
the response's own buffer, as a ``read1`` would: the cheapest way with this client.
"""

import os
import time
from array import array
from typing import Any

from locust import FastHttpUser, events, task

from benchmarks.engine.clients import crowd, orders

ARRIVALS = orders.arrivals()


def write(**_: object) -> None:
    """Write the arrivals."""
    orders.write(ARRIVALS)


events.quit.add_listener(write)


def read_events(response: Any, arrivals: "array[int]") -> None:
    """Read event by event."""
    note, now_ns = arrivals.append, time.monotonic_ns
    while response.readline(b"\n\n"):
        note(now_ns())


def read_pieces(response: Any, arrivals: "array[int]") -> None:
    """Cut the data of each read into events."""
    note, now_ns = arrivals.append, time.monotonic_ns
    buffer = response._body_buffer  # noqa: SLF001 - it has no read1
    while True:
        found = buffer.count(b"\n\n")
        for _ in range(found):
            note(now_ns())
        if found:
            del buffer[: buffer.rindex(b"\n\n") + 2]
        if response.message_complete:
            return
        response.feed(response._sock.recv(response.block_size))  # noqa: SLF001


class Reader(FastHttpUser):
    """Reads one stream."""

    @task
    def read(self) -> None:
        number = crowd.next_stream()
        inner = self.client.get(orders.path(number), stream=True, name="/sse")._response  # noqa: SLF001
        reader = read_pieces if os.environ["READER"] == "pieces" else read_events
        reader(inner, ARRIVALS[number])
        crowd.leave(self.environment)
