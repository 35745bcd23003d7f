"""Short streams by streamgauge, as a locustfile runs them: each event is cut out, timed and checked for the end."""

from locust import task

from benchmarks.short import stretch
from streamgauge.load import StreamUser


class Reader(StreamUser):
    """Reads one stream after another, each on the connection of the last."""

    @task
    def read(self) -> None:
        if self.client.stream("GET", stretch.PATH, protocol="sse", end="event:done", name="short").ok:
            stretch.ended(self.environment)
