"""NDJSON: each user reads one stream of JSON lines after another, until the line of type ``done``."""

from locust import task

from streamgauge.load import StreamUser

# The same as in sse.py.
CHUNKS, INTERVAL_MS = 120, 60


class NdjsonReader(StreamUser):
    """Reads ``/stream/ndjson``."""

    @task
    def read(self) -> None:
        self.play(
            "/stream/ndjson",
            protocol="ndjson",
            end=f'data:{{"type":"done","chunks":{CHUNKS}}}',
            params={"chunks": CHUNKS, "interval_ms": INTERVAL_MS},
        )
