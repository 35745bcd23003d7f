"""Server-Sent Events: each user listens to one stream after another until its ``event: done``."""

from locust import task

from streamgauge.load import StreamUser


class SseListener(StreamUser):
    """Listens to ``/stream/sse``."""

    @task
    def listen(self) -> None:
        self.play("/stream/sse", protocol="sse", end="event:done", params={"chunks": 100, "interval_ms": 50})
