"""Server-Sent Events: each user listens to one stream after another until its ``event: done``."""

from locust import task

from streamgauge.load import StreamUser

# The interval and the duration (7.2 s) lie well inside buckets of the histograms (50 to 75 ms, 5 to 10 s): at a bound,
# values would fall into two buckets. The reader delays reads only of streams with 100 chunks or more.
CHUNKS, INTERVAL_MS = 120, 60


class SseListener(StreamUser):
    """Listens to ``/stream/sse``."""

    @task
    def listen(self) -> None:
        self.play(
            "/stream/sse", protocol="sse", end="event:done", params={"chunks": CHUNKS, "interval_ms": INTERVAL_MS}
        )
