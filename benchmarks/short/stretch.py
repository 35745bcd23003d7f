"""Ends a Locust run after some streams, and notes what the CPU time of the last of them was.

The first streams, one for each user and more, belong to the start: connections are made and code runs for the first
time. What is between the two marks is the stretch that is measured.
"""

import json
import os
import time
from pathlib import Path

import gevent
from locust import events
from locust.env import Environment

#: The variables for the path of the streams, for the streams of the start and all together, and for the file to write.
PATH_VARIABLE, START_VARIABLE, TOTAL_VARIABLE, FILE_VARIABLE = "SHORT_PATH", "SHORT_START", "SHORT_TOTAL", "SHORT_FILE"
PATH = os.environ[PATH_VARIABLE]
_START, _TOTAL = int(os.environ[START_VARIABLE]), int(os.environ[TOTAL_VARIABLE])
_marks: list[tuple[float, float]] = []
_count = 0


def ended(environment: Environment) -> None:
    """Count a stream that has ended well."""
    global _count
    _count += 1
    if _count in (_START, _TOTAL):
        _marks.append((time.process_time(), time.monotonic()))
        if _count == _TOTAL and environment.runner is not None:
            gevent.spawn(environment.runner.quit)  # it ends the user that calls


@events.quit.add_listener
def write(**_: object) -> None:
    """Write CPU seconds, seconds and streams of the stretch."""
    (cpu_s, at_s), (end_cpu_s, end_s) = _marks
    found = {"cpu_s": end_cpu_s - cpu_s, "seconds": end_s - at_s, "streams": _TOTAL - _START}
    Path(os.environ[FILE_VARIABLE]).write_text(json.dumps(found))
