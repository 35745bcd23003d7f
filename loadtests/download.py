"""Download: each user fetches a file whose blocks come at a fixed pace, as from a service that generates them."""

from locust import task

from streamgauge.load import StreamUser

# 60 × 120 ms: the same duration as in the other scenarios, and inside a bucket for the same reason (see sse.py).
CHUNKS, INTERVAL_MS = 60, 120


class Downloader(StreamUser):
    """Fetches ``/stream/file/readings.csv``."""

    @task
    def fetch(self) -> None:
        self.play(
            "/stream/file/readings.csv",
            protocol="raw",
            name="/stream/file/{name}",
            params={"chunks": CHUNKS, "interval_ms": INTERVAL_MS},
        )
