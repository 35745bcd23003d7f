"""Reads a client's settings, and writes its results: the arrivals of each stream's events, by the stream's number.

``URL`` is the source's URL, ``STREAMS`` how many to open at once, ``OUTPUT`` the file to write. Standard library only.
"""

import json
import os
from array import array
from collections.abc import Mapping
from pathlib import Path

URL_VARIABLE, STREAMS_VARIABLE, OUTPUT_VARIABLE = "BENCH_URL", "BENCH_STREAMS", "BENCH_OUTPUT"
#: Set if a client should note arrivals that it does not need itself.
TIMED_VARIABLE = "BENCH_TIMED"


def url() -> str:
    """Return the source's URL."""
    return os.environ[URL_VARIABLE]


def path(number: int) -> str:
    """Return the path of stream ``number``."""
    return f"/sse?stream={number}"


def streams() -> int:
    """Return how many streams to open."""
    return int(os.environ[STREAMS_VARIABLE])


def timed() -> bool:
    """Whether arrivals are asked for."""
    return bool(os.environ.get(TIMED_VARIABLE))


def arrivals() -> "dict[int, array[int]]":
    """Return an empty list of arrivals (monotonic ns) for each stream."""
    return {number: array("q") for number in range(streams())}


def write(seen: "Mapping[int, array[int]]", **more: object) -> None:
    """Write the arrivals and other results."""
    found = {"streams": {number: times.tolist() for number, times in seen.items()}, **more}
    Path(os.environ[OUTPUT_VARIABLE]).write_text(json.dumps(found))
