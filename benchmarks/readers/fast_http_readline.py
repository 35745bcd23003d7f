"""Reads with FastHttpUser in its fastest way: with an undocumented ``readline`` and the streams' line end."""

from locust import FastHttpUser, events, task

from benchmarks.readers import stopwatch

events.quit.add_listener(stopwatch.write)


class Reader(FastHttpUser):
    """Reads one stream after another."""

    @task
    def read(self) -> None:
        response = self.client.get(stopwatch.path(), stream=True)
        inner = response._response  # noqa: SLF001 - the public readline waits for CRLF and cannot be given another line end
        assert inner is not None
        stopwatch.time_events(iter(lambda: inner.readline(b"\n"), b""))
