"""Reads with HttpUser (requests), ``stream=True`` and ``iter_lines``."""

from locust import HttpUser, events, task

from benchmarks.readers import stopwatch

events.quit.add_listener(stopwatch.write)


class Reader(HttpUser):
    """Reads one stream after another."""

    @task
    def read(self) -> None:
        stopwatch.time_events(self.client.get(stopwatch.path(), stream=True).iter_lines())
