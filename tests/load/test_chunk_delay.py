"""Chunk delay of whole runs, over real sockets and workers, against the log of the server that stamped."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from benchmarks.testbed.server import quantile_s
from streamgauge.stats.histogram import RELATIVE_ERROR

APP = Path(__file__).parent / "servers" / "stamping.py"


class StampingServer:
    """The server's process."""

    def __init__(self, offset_s, drift_ppm):
        arguments = [sys.executable, str(APP), str(offset_s), str(drift_ppm)]
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def log(self):
        with build_opener(ProxyHandler({})).open(f"{self.url}/log") as log:
            return json.load(log)

    def end(self):
        self._process.terminate()
        self._process.stdout.close()
        self._process.wait()


#: How far the server's clock is ahead, in seconds, and its drift in ppm; and Locust's options.
RUNS = {
    "one clock": ((0.0, 0.0), ("--stream-stamps", "-t", "4s")),
    "another clock": ((3600.0, 50.0), ("--stream-stamps", "-t", "6s")),
    "not asked": ((0.0, 0.0), ("-t", "2s")),
}


@pytest.fixture(scope="module")
def runs(start, two_processes, tmp_path_factory):
    """What each run of 6 users measured, and the server's log of it; all at once, since they mostly wait."""

    def play(name):
        clock, options = RUNS[name]
        stream = ("--stream-path", "/sse?chunks=50", "--stream-end", "event:done")
        more = (*options, *(two_processes() if name == "another clock" else ()))
        server = StampingServer(*clock)
        try:
            load = ("--headless", "-H", server.url, "-u", 6, "-r", 100)
            found = start(*load, *stream, *more, result_dir=tmp_path_factory.mktemp("run")).wait()
            assert found.status == 0, found.output
            (streams,) = found.result["streams"]
            return streams, server.log()
        finally:
            server.end()

    with ThreadPoolExecutor() as pool:
        return dict(zip(RUNS, pool.map(play, RUNS), strict=True))


def check(streams, log, error):
    delay, clock = streams["chunk_delay"], streams["chunk_delay_clock"]
    assert delay["count"] == streams["chunks"] == len(log["before_ns"])
    for name, q in (("p50", 0.5), ("p90", 0.9)):
        # A chunk arrives while its server sends it, however long the server is kept from running before or after.
        least_s, most_s = (quantile_s(log[which], q) for which in ("before_ns", "after_ns"))
        low_s, high_s = delay["uncertain"].get(name, (delay[name], delay[name]))
        assert low_s <= most_s * (1 + error) + clock["uncertainty_s"], (name, clock)
        assert high_s >= least_s * (1 - error) - clock["uncertainty_s"], (name, clock)
    return clock


def test_on_one_machine_the_delay_is_the_logs_and_the_totals_are_the_servers(runs):
    streams, log = runs["one clock"]
    clock = check(streams, log, RELATIVE_ERROR)
    assert clock["method"] == "same_clock"
    assert clock["uncertainty_s"] < 1e-4
    assert streams["bytes"] == log["stream_server_body_bytes_total"]
    assert streams["chunks"] == log["stream_server_chunks_total"]


def test_against_another_clock_the_delay_is_within_its_uncertainty(runs):
    streams, log = runs["another clock"]
    clock = check(streams, log, 2 * RELATIVE_ERROR)  # rounded once as counted, and once as moved
    assert clock["method"] == "minimum_filter"
    assert clock["pairs"] == 2
    least_s, most_s = clock["offset_s"]
    assert 3600.0 - clock["uncertainty_s"] <= least_s <= most_s <= log["ahead_s"] + clock["uncertainty_s"]
    assert clock["uncertainty_s"] < streams["time_to_first_chunk"]["max"]  # half of the smallest round trip


def test_without_being_asked_nothing_is_stamped(runs):
    streams, log = runs["not asked"]
    assert log["before_ns"] == []
    assert streams["chunk_delay"] is None
    assert streams["chunk_delay_clock"] is None
