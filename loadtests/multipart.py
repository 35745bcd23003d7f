"""Multipart: each user watches parts that replace each other, such as the pictures of a camera, to the closing line."""

from locust import task

from streamgauge.load import StreamUser

# The same as in sse.py.
CHUNKS, INTERVAL_MS = 120, 60


class PartWatcher(StreamUser):
    """Watches ``/stream/multipart``."""

    @task
    def watch(self) -> None:
        self.play("/stream/multipart", protocol="multipart", params={"chunks": CHUNKS, "interval_ms": INTERVAL_MS})
