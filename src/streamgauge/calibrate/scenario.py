"""The scenario of a calibration: each user listens to one paced stream after another, and says when it asks for each.

A locustfile: Locust alone loads it. With ``--result-dir`` it leaves ``first_chunks.json`` there: for each stream that
delivered a chunk what it said, when the stream started, and the arrival of that chunk, monotonic ns.
"""

import json
import time
from pathlib import Path
from typing import Any

from locust import events, task
from locust.env import Environment

from streamgauge.calibrate.source import START_FIELD
from streamgauge.calibrate.truth import FIRST_CHUNKS
from streamgauge.load import StreamUser

_first_chunks: list[tuple[int, int, int]] = []


class Listener(StreamUser):
    """Listens to the paced source."""

    @task
    def listen(self) -> None:
        """One stream."""
        said_ns = time.monotonic_ns()
        record = self.play("/sse", protocol="sse", end="event:done", headers={START_FIELD: str(said_ns)})
        if record.time_to_first_chunk_s is not None:
            arrival_s = record.start_s + record.time_to_first_chunk_s
            _first_chunks.append((said_ns, round(record.start_s * 1e9), round(arrival_s * 1e9)))


def leave(environment: Environment, **_: Any) -> None:
    """Write what was seen."""
    if directory := getattr(environment.parsed_options, "result_dir", ""):
        (Path(directory) / FIRST_CHUNKS).write_text(json.dumps(_first_chunks))


events.quitting.add_listener(leave)
