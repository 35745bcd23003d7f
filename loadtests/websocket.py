"""WebSocket: each user takes one stream of messages after another, until the message of type ``done``."""

from locust import task

from streamgauge.load import StreamUser

# The same as in sse.py.
CHUNKS, INTERVAL_MS = 120, 60


class WebSocketListener(StreamUser):
    """Listens to ``/stream/ws``; ``--stream-send`` says what it sends first."""

    @task
    def listen(self) -> None:
        self.play(
            "/stream/ws",
            protocol="websocket",
            end="json:type=done",
            params={"chunks": CHUNKS, "interval_ms": INTERVAL_MS},
        )
