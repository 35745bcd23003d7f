"""Events from workers that users reach while Locust still initializes the process."""

import gevent
from locust import events, task
from locust.runners import WorkerRunner


@events.init.add_listener
def take_long(runner, **_):
    """Runs before streamgauge's own listener, which the import below adds."""
    if isinstance(runner, WorkerRunner):
        while not runner.user_count:
            gevent.sleep(0.01)
        gevent.sleep(1)  # some streams end


from streamgauge.load import StreamUser  # noqa: E402


class Early(StreamUser):
    @task
    def events(self):
        self.play("/sse?chunks=9&interval_ms=20", protocol="sse", end="event:done", name="early")
