"""Reads with streamgauge, as a locustfile does. Notes the arrivals of each read if they are asked for."""

from array import array
from typing import Any

from locust import events, task

from benchmarks.engine.clients import crowd, orders
from streamgauge.client import recording
from streamgauge.client.read.body import BodyReader
from streamgauge.load import StreamUser

#: By stream, of each read that completed chunks: chunks so far, coalesced ones among them, arrival, read time.
READS: dict[int, "array[int]"] = {number: array("q") for number in range(orders.streams())}
COUNTS = {"chunks": 0, "completed": 0}


class TimedBodyReader(BodyReader):
    """A body reader that notes the times of its reads."""

    def __init__(self, plan: Any, *rest: Any) -> None:
        super().__init__(plan, *rest)
        self._reads = READS[int(plan.request.target.resource.partition("=")[2])]

    def feed(self, data: Any, arrival_ns: int, clock: Any, **more: Any) -> Any:
        timer = self._timer
        before = timer.chunks
        ending = super().feed(data, arrival_ns, clock, **more)
        if timer.chunks != before:
            self._reads.extend((timer.chunks, timer.coalesced, arrival_ns, clock.now_ns))
        return ending


if orders.timed():
    vars(recording)[BodyReader.__name__] = TimedBodyReader


def write(**_: object) -> None:
    """Write the arrivals."""
    orders.write(READS, **COUNTS)


events.quit.add_listener(write)


class Listener(StreamUser):
    """Reads one stream."""

    @task
    def listen(self) -> None:
        number = crowd.next_stream()
        record = self.client.stream("GET", orders.path(number), protocol="sse", end="event:done", sequence="id")
        COUNTS["chunks"] += record.chunks
        COUNTS["completed"] += record.outcome == "completed"
        crowd.leave(self.environment)
