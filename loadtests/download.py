"""Download: each user fetches a file whose blocks come at a pace, as from a service that makes them on the way."""

from locust import task

from streamgauge.load import StreamUser


class Downloader(StreamUser):
    """Fetches ``/stream/file/readings.csv``."""

    @task
    def fetch(self) -> None:
        self.play(
            "/stream/file/readings.csv",
            protocol="raw",
            name="/stream/file/{name}",
            params={"chunks": 50, "interval_ms": 100},
        )
