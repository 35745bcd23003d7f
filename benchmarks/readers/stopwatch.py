"""Notes when a reader of lines gets each event of each stream, and writes the times at the end of the run."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

#: The variables for the path of the stream, and for the file of arrivals.
PATH_VARIABLE, FILE_VARIABLE = "STREAM_PATH", "ARRIVALS_FILE"

STREAMS: list[list[int]] = []


def path() -> str:
    """Return the path of the stream."""
    return os.environ[PATH_VARIABLE]


def time_events(lines: Iterable[str | bytes]) -> None:
    """Read ``lines`` to their end, and note when the data of each event arrives."""
    arrivals: list[int] = []
    STREAMS.append(arrivals)
    arrivals.extend(time.monotonic_ns() for line in lines if line[:5] in ("data:", b"data:"))


def write(**_: object) -> None:
    """Write the times of events (monotonic ns) of each stream."""
    Path(os.environ[FILE_VARIABLE]).write_text(json.dumps(STREAMS))
