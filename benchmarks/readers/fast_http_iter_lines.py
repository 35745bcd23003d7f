"""Reads with FastHttpUser and ``iter_lines``, as Locust documents it."""

from locust import FastHttpUser, events, task

from benchmarks.readers import stopwatch

events.quit.add_listener(stopwatch.write)


class Reader(FastHttpUser):
    """Reads one stream after another."""

    @task
    def read(self) -> None:
        stopwatch.time_events(self.client.iter_lines(stopwatch.path()))
