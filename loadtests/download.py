"""Download: each user fetches a file whose blocks come at a pace, as from a service that makes them on the way."""

from locust import task

from streamgauge.load import StreamUser

# 60 × 120 ms: as long as the streams of the other scenarios, and inside a bucket for the same reason (see sse.py).
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
