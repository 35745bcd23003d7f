"""Short streams by Locust's ``FastHttpUser.get``, which reads the whole body and looks at none of its events."""

from locust import FastHttpUser, task

from benchmarks.short import stretch


class Reader(FastHttpUser):
    """Gets one response after another, each on the connection of the last."""

    @task
    def read(self) -> None:
        if self.client.get(stretch.PATH, name="short").status_code == 200:
            stretch.ended(self.environment)
