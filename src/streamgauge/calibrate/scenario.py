"""The scenario of a calibration: each user plays one paced stream after another, and states the time of each request.

A locustfile, which only Locust loads. With ``--result-dir`` it writes ``first_chunks.json`` there. For each stream that
delivered a chunk, the file holds the stated time, the stream's start and the chunk's arrival, in monotonic ns.
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
from streamgauge.load.options import result_dir

_first_chunks: list[tuple[int, int, int]] = []


class Listener(StreamUser):
    """Read streams of the paced source."""

    @task
    def listen(self) -> None:
        """Play one stream."""
        stated_ns = time.monotonic_ns()
        record = self.play("/sse", protocol="sse", end="event:done", headers={START_FIELD: str(stated_ns)})
        if record.time_to_first_chunk_s is not None:
            arrival_s = record.start_s + record.time_to_first_chunk_s
            _first_chunks.append((stated_ns, round(record.start_s * 1e9), round(arrival_s * 1e9)))


def write_first_chunks(environment: Environment, **_: Any) -> None:
    """Write what is known of each stream's first chunk."""
    if directory := result_dir(environment.parsed_options):
        (Path(directory) / FIRST_CHUNKS).write_text(json.dumps(_first_chunks))


events.quitting.add_listener(write_first_chunks)
