"""Slow reader: each user reads less than the service sends, through a small receive window, as on a bad connection.

It shows what the service does with what it cannot send: whether it waits, buffers, or hangs up. Its chunk times are
those at which the user read, so they show its pace once the service is faster.
"""

from locust import task

from streamgauge.byte_counts import byte_count, byte_rate
from streamgauge.load import Option, StreamUser, declare_options

RATE = Option(
    "--slow-reader-rate", "RATE", byte_rate, "Bytes per second that a user reads", default="50KB/s", label="Rate"
)
WINDOW = Option(
    "--slow-reader-window", "SIZE", byte_count, "Limit of TCP's receive window", default="16KiB", label="Window"
)
declare_options("Slow reader", RATE, WINDOW)

# 120 events of 4 KiB, 60 ms apart, are 68 KB/s: more than the user reads.
CHUNKS, INTERVAL_MS, CHUNK_BYTES = 120, 60, 4096


class SlowReader(StreamUser):
    """Reads ``/stream/sse`` slowly."""

    @task
    def read(self) -> None:
        self.play(
            "/stream/sse",
            protocol="sse",
            end="event:done",
            name="/stream/sse (slow reader)",
            params={"chunks": CHUNKS, "interval_ms": INTERVAL_MS, "chunk_bytes": CHUNK_BYTES},
            read_rate=self.value_of(RATE),
            receive_window_bytes=self.value_of(WINDOW),
        )
