"""Reads with Locust's HttpUser (requests): lines, or with ``READER=content`` urllib3's transfer chunks."""

import os
import time

from locust import HttpUser, events, task

from benchmarks.engine.clients import crowd, orders

ARRIVALS = orders.arrivals()


def write(**_: object) -> None:
    """Write the arrivals."""
    orders.write(ARRIVALS)


events.quit.add_listener(write)


class Reader(HttpUser):
    """Reads one stream."""

    @task
    def read(self) -> None:
        number = crowd.next_stream()
        note, now_ns = ARRIVALS[number].append, time.monotonic_ns
        response = self.client.get(orders.path(number), stream=True, name="/sse")
        if os.environ["READER"] == "content":
            for _ in response.iter_content(chunk_size=None):
                note(now_ns())
        else:
            for line in response.iter_lines():
                if line[:5] == b"data:":
                    note(now_ns())
        crowd.leave(self.environment)
