"""Short streams; each user appends its arrival and its times to the file that ``ARRIVING_LOG`` names."""

import json
import os
from pathlib import Path

from locust import constant, task

from streamgauge.load import StreamUser

LOG = os.environ["ARRIVING_LOG"]


class Caller(StreamUser):
    wait_time = constant(0.05)

    @task
    def call(self) -> None:
        record = self.play("/events", protocol="sse", end="event:done")
        second = (
            self.client.stream("GET", "/second", protocol="sse", end="event:done") if "TWICE" in os.environ else None
        )
        said = {
            "arrival": self.arrival,
            "outcome": record.outcome,
            "delay_s": record.start_delay_s,
            "duration_s": record.duration_s,
            "first_s": record.time_to_first_chunk_s,
            "second_delay_s": second and second.start_delay_s,
        }
        with Path(LOG).open("a") as file:  # one write, which no other process can break
            file.write(json.dumps(said) + "\n")
