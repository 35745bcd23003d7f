"""A run that begins late, since something is prepared for it first."""

import gevent
from locust import events, task

from streamgauge.load import StreamUser


@events.test_start.add_listener
def prepare(**_):
    gevent.sleep(3)


class Listener(StreamUser):
    @task
    def events(self):
        self.play("/sse?chunks=20&interval_ms=100", protocol="sse", end="event:done", name="/sse")
