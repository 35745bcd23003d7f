"""NDJSON: each user reads one stream of JSON lines after another."""

from locust import task

from streamgauge.load import StreamUser


class NdjsonReader(StreamUser):
    """Reads ``/stream/ndjson``."""

    @task
    def read(self) -> None:
        self.play("/stream/ndjson", protocol="ndjson", end=is_done, params={"chunks": 50, "interval_ms": 50})


def is_done(line: object) -> bool:
    """Whether a line is the one that ends the stream."""
    return isinstance(line, dict) and line.get("type") == "done"
