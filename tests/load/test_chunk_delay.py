"""Chunk delay of whole runs, over real sockets and workers, against the log of the server that stamped."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

APP = Path(__file__).parent / "servers" / "stamping.py"
#: From uvicorn's being handed an event until the kernel has it at the other end, on a machine that others use too.
ON_THE_WAY_S = 0.001


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


@pytest.fixture
def serve():
    servers = []

    def start(offset_s=0.0, drift_ppm=0.0):
        servers.append(StampingServer(offset_s, drift_ppm))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


def run(start, server, directory, *options, run_time="6s"):
    """A run of 6 users, and the server's log of it."""
    stream = ("--stream-path", "/sse?chunks=50", "--stream-end", "event:done", *options)
    found = start.headless(server.url, *stream, users=6, run_time=run_time, result_dir=directory).wait()
    assert found.status == 0, found.output
    (streams,) = found.result["streams"]
    return streams, server.log()


def check(streams, log):
    delay, clock = streams["chunk_delay"], streams["chunk_delay_clock"]
    true_s = sorted(log["delays_s"])
    assert delay["count"] == streams["chunks"] == len(true_s)
    for name, q in (("p50", 0.5), ("p90", 0.9)):
        low_s, high_s = delay["uncertain"].get(name, (delay[name], delay[name]))
        slack_s = clock["uncertainty_s"] + ON_THE_WAY_S + 0.02 * delay[name]
        assert low_s - slack_s <= true_s[round(q * len(true_s))] <= high_s + slack_s, (name, clock)
    return clock


def test_on_one_machine_the_delay_is_the_logs_and_the_totals_are_the_servers(start, serve, tmp_path):
    streams, log = run(start, serve(), tmp_path, "--stream-stamps")
    clock = check(streams, log)
    assert clock["method"] == "same_clock"
    assert clock["uncertainty_s"] < 1e-4
    assert streams["bytes"] == log["stream_server_body_bytes_total"]
    assert streams["chunks"] == log["stream_server_chunks_total"]


def test_against_another_clock_the_delay_is_within_its_uncertainty(start, serve, tmp_path, two_processes):
    streams, log = run(start, serve(3600.0, 50.0), tmp_path, "--stream-stamps", *two_processes(), run_time="10s")
    clock = check(streams, log)
    assert clock["method"] == "minimum_filter"
    assert clock["pairs"] == 2
    assert clock["offset_s"] == pytest.approx((3600.0, 3600.0), abs=clock["uncertainty_s"] + 0.001)
    assert clock["uncertainty_s"] < 0.05


def test_without_being_asked_nothing_is_stamped(start, serve, tmp_path):
    streams, log = run(start, serve(), tmp_path, run_time="1s")
    assert log["delays_s"] == []
    assert streams["chunk_delay"] is None
    assert streams["chunk_delay_clock"] is None
