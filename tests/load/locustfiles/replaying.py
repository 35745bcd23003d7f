"""Conversations at the times of a trace; each user notes its arrival and the question that it asks by then."""

import json
import os
from pathlib import Path

from locust import task

from streamgauge.load.chat import ChatUser

LOG = os.environ["REPLAYING_LOG"]


class Caller(ChatUser):
    @task
    def call(self) -> None:
        question = self.begin().turns[0].messages[0]["content"]
        outcome = self.client.stream("GET", "/sse?chunks=3&interval_ms=20", protocol="sse", end="event:done").outcome
        said = {"arrival": self.arrival, "question": question, "outcome": outcome, "process": os.getpid()}
        with Path(LOG).open("a") as file:  # one write, which no other process can break
            file.write(json.dumps(said) + "\n")
