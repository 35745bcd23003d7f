"""Runs short, unpaced streams as users do, and puts the figures and the verdict beside the source's log."""

import json
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.testbed.server import ROOT, Server, quantile_s
from streamgauge.runner.finished_run import run_locust
from streamgauge.runner.process import python_module

SECONDS = 5
QUANTILES = {"p50": 0.5, "p99": 0.99}
#: Seen and logged: the time to first chunk, and the chunk interval.
PARTS = ("first_chunk_s", "log_first_chunk_s", "interval_s", "log_interval_s")


def against_log(chunks: int, writes: int) -> dict[str, Any]:
    """Run one user's streams for a few seconds; return what was seen and logged, in seconds, and the verdict.

    The log's time to first chunk is from the request to the write at the source: what is seen adds the way there and
    back, a few dozen µs.
    """
    with Server(*python_module("benchmarks.testbed.quick_source"), "--log") as source:
        with tempfile.TemporaryDirectory() as place:
            options = ("--headless", "--only-summary", "-H", source.url, "-u", 1, "-t", f"{SECONDS}s")
            stream = ("--stream-path", f"/{chunks}/{writes}", "--stream-end", "event:done", "--metrics-port", "off")
            run = run_locust("loadtests/sse.py", *options, *stream, result_dir=Path(place), cwd=ROOT)
            result = run.result
        with urlopen(f"{source.url}/log", timeout=60) as reply:
            log = json.load(reply)
    (streams,) = result["streams"]
    firsts_ns = [written[0][0] - asked_ns for asked_ns, written in log]
    sent_ns = [_sent_ns(written) for _, written in log]
    gaps_ns = [after - before for each in sent_ns for before, after in pairwise(each)]
    return {
        "chunks": chunks,
        "writes": writes,
        "first_chunk_s": {name: streams["time_to_first_chunk"][name] for name in QUANTILES},
        "log_first_chunk_s": {name: quantile_s(firsts_ns, q) for name, q in QUANTILES.items()},
        "interval_s": {name: streams["chunk_interval"][name] or 0.0 for name in QUANTILES},
        "log_interval_s": {name: quantile_s(gaps_ns, q) if gaps_ns else 0.0 for name, q in QUANTILES.items()},
        "trust": result["verdict"]["trust"],
        "reasons": [f": {each}" for each in result["verdict"]["reasons"]],
    }


def _sent_ns(written: list[list[int]]) -> list[int]:
    """Return when each event was sent: with its write."""
    found: list[int] = []
    for before_ns, _, sent in written:
        found += [before_ns] * (sent - len(found))
    return found
