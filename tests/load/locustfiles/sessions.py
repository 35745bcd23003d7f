"""Every stream has a name of its own, as a session's id in it makes."""

import itertools

from locust import constant, task

from streamgauge.load import StreamUser


class Session(StreamUser):
    """Streams under a new name each."""

    wait_time = constant(0)
    numbers = itertools.count()

    @task
    def listen(self) -> None:
        self.client.stream("GET", "/sse?chunks=2&interval_ms=5", name=f"/session/{next(self.numbers)}", protocol="sse")
