"""Notes when a reader of lines gets each event of each stream, and writes the times at the end of the run."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

#: The variables that name the path to stream from, and the file which the arrivals are written to.
PATH_VARIABLE, FILE_VARIABLE = "STREAM_PATH", "ARRIVALS_FILE"

STREAMS: list[list[int]] = []


def path() -> str:
    """The path to stream from."""
    return os.environ[PATH_VARIABLE]


def time_events(lines: Iterable[str | bytes]) -> None:
    """Read ``lines`` to their end and note when each event's data came."""
    arrivals: list[int] = []
    STREAMS.append(arrivals)
    arrivals.extend(time.monotonic_ns() for line in lines if line[:5] in ("data:", b"data:"))


def write(**_: object) -> None:
    """Write what was noted: for each stream the monotonic ns of its events."""
    Path(os.environ[FILE_VARIABLE]).write_text(json.dumps(STREAMS))
