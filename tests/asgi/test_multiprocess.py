"""Several worker processes count exactly as one, also when one of them is killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streamgauge.asgi.worker_liveness import mark_process_alive
from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.sse import SSE

SERVE = Path(__file__).parent / "workers" / "serve.py"


class Workers:
    """The service, its metrics as a scrape returns them, and what clients have received from it."""

    def __init__(self, process, port, metrics):
        self.process, self.port, self.metrics = process, port, metrics
        self.seen = Counter()

    def scraped(self):
        """Return the totals of a scrape by short name."""
        text = urllib.request.urlopen(self.metrics, timeout=60).read().decode()
        found = Counter()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name.removeprefix("stream_server_")] += sample.value
                if outcome := sample.labels.get("outcome"):
                    found[f"{sample.name.removeprefix('stream_server_')}:{outcome}"] += sample.value
        return found

    def by_pid(self, name):
        """Return a metric of each process, by process id."""
        text = urllib.request.urlopen(self.metrics, timeout=60).read().decode()
        found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {sample.labels["pid"]: sample.value for sample in found if sample.name == name}

    def totals(self):
        """Return those totals of a scrape that clients count too."""
        found = self.scraped()
        return {name: found[name] for name in ("started_total", "chunks_total", "body_bytes_total")}

    def stream(self, *lengths):
        """Read whole streams with the client engine, side by side."""
        url = f"http://127.0.0.1:{self.port}"
        plans = [StreamPlan("s", Request("GET", target_of(f"{url}/s?chunks={n}"), {}), SSE) for n in lengths]
        for record in run_streams(plans):
            assert record.outcome is Outcome.COMPLETED, record.reason
            self.saw(record.chunks, record.bytes)

    def saw(self, chunks, size_bytes):
        self.seen += {"started_total": 1, "chunks_total": chunks, "body_bytes_total": size_bytes}

    def hold(self, chunks):
        """Open a stream that sends everything and stays open. Return its connection and the worker's process id."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(b"GET /s?hold&chunks=%d HTTP/1.1\r\nHost: test\r\n\r\n" % chunks)
        read = b""
        while read.count(b"pid=") < chunks or not read.endswith(b"\n\n\r\n"):
            received = connection.recv(65536)
            assert received, "cut"
            read += received
        events = re.findall(rb"data: \d+ pid=\d+\n\n", read)
        self.saw(len(events), sum(map(len, events)))
        return connection, int(re.findall(rb"pid=(\d+)", read)[0])


@contextmanager
def serving(parser, workers):
    process = subprocess.Popen([sys.executable, SERVE, parser, str(workers)], stdout=subprocess.PIPE, text=True)
    try:
        yield Workers(process, **json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@pytest.fixture(params=[1, 4], ids=["1-worker", "4-workers"])
def workers(request, parser):
    with serving(parser, request.param) as service:
        yield service


def test_totals_equal_the_clients_despite_hang_ups_and_a_killed_worker(workers, until):
    workers.stream(*[5, 50, 200] * 4)
    until(lambda: workers.totals() == workers.seen)
    with ExitStack() as connections:
        held = [workers.hold(7) for _ in range(12)]
        for connection, _ in held:
            connections.enter_context(connection)
        until(lambda: workers.totals() == workers.seen and workers.scraped()["active"] == 12)
        victim = held[0][1]
        os.kill(victim, signal.SIGKILL)
        left = sum(pid != victim for _, pid in held)
        until(lambda: workers.scraped()["active"] == left)
        assert workers.totals() == workers.seen
    until(lambda: workers.scraped()["finished_total:client_disconnect"] == left)
    workers.stream(*[30] * 12)
    until(lambda: workers.totals() == workers.seen and workers.scraped()["active"] == 0)
    assert workers.scraped()["chunk_size_bytes_count"] == workers.seen["chunks_total"]
    assert workers.scraped()["finished_total:completed"] == 24


def test_the_cpu_memory_and_descriptors_of_each_live_worker_are_exposed(workers, until):
    with ExitStack() as connections:
        held = [workers.hold(1) for _ in range(12)]
        for connection, _ in held:
            connections.enter_context(connection)
        pids = {str(pid) for _, pid in held}
        for name in ("process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"):
            assert pids <= workers.by_pid(name).keys()
            assert min(workers.by_pid(name).values()) > 0
        victim = held[0][1]
        os.kill(victim, signal.SIGKILL)
        until(lambda: str(victim) not in workers.by_pid("process_open_fds"))


def run(code, **environment):
    """Run Python code in a process of its own."""
    variables = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=variables | environment, capture_output=True, text=True, timeout=60, check=False)


PREPARE = "from streamgauge.asgi import *; print(prepare_multiprocess())"


def test_a_temporary_directory_is_removed_with_the_process():
    done = run(PREPARE + "; import os; assert os.environ['PROMETHEUS_MULTIPROC_DIR'] == str(prepare_multiprocess())")
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()


def test_only_the_metrics_of_an_earlier_service_are_removed(tmp_path):
    ours = ("counter_7.db", "histogram_7.db", "gauge_livesum_7.db", "alive_7.lock")
    for name in (*ours, "notes.txt"):
        (tmp_path / name).touch()
    assert run(PREPARE, PROMETHEUS_MULTIPROC_DIR=str(tmp_path)).stdout.strip() == str(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_a_directory_that_a_process_still_writes_to_is_refused(tmp_path):
    mark_process_alive(tmp_path)
    done = run(PREPARE, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert f"MultiprocessError: metrics directory '{tmp_path}': process {os.getpid()} still writes" in done.stderr


def test_the_error_names_a_directory_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    done = run(PREPARE, PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "file"))
    assert f"MultiprocessError: cannot use metrics directory '{tmp_path}/file': File exists; set" in done.stderr
    done = run("from streamgauge.asgi import *; serve_metrics(0)", PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "none"))
    assert (
        f"MultiprocessError: PROMETHEUS_MULTIPROC_DIR: expected an existing directory, got '{tmp_path}/none'; create"
        in done.stderr
    )


@pytest.mark.parametrize("call", ["StreamMetrics(print)", "serve_metrics(0)", "Instruments(CollectorRegistry())"])
def test_a_missing_directory_is_named_whatever_needs_it_first(tmp_path, call):
    code = f"from prometheus_client import CollectorRegistry; from streamgauge.asgi import *; {call}"
    done = run(code, PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "none"))
    assert "MultiprocessError: PROMETHEUS_MULTIPROC_DIR: expected an existing directory" in done.stderr


def test_the_error_says_what_to_do_if_no_temporary_directory_can_be_made():
    done = run("import tempfile; tempfile._candidate_tempdir_list = lambda: ['/proc']; " + PREPARE)
    assert "MultiprocessError: cannot make a temporary metrics directory: No usable temporary directory" in done.stderr
    assert "set PROMETHEUS_MULTIPROC_DIR to a directory" in done.stderr


def test_the_error_names_a_call_that_is_too_late():
    done = run("from streamgauge.asgi import *; app = StreamMetrics(None); prepare_multiprocess()")
    assert "MultiprocessError: prepare_multiprocess() was called too late" in done.stderr
    late = "import os; from streamgauge.asgi import *; os.environ['PROMETHEUS_MULTIPROC_DIR'] = '/tmp'; "
    assert "was set after prometheus_client was imported" in run(late + "StreamMetrics(None)").stderr


def test_forks_of_a_process_that_called_prepare_multiprocess_are_counted():
    fork = """
import asyncio, os, urllib.request
from streamgauge.asgi import *
prepare_multiprocess()
async def work():
    from streamgauge.asgi.recorder import Recorder
    recorder = Recorder(Instruments.of())
    recorder.series("/s", "sse").count_send(None, 0, 100)
    recorder.series("/s", "sse").active.inc()
    recorder.stop()
for _ in range(2):
    if not (pid := os.fork()):
        asyncio.run(work())
        os._exit(0)
    os.waitpid(pid, 0)
with serve_metrics(0, "127.0.0.1") as server:
    print(urllib.request.urlopen(server.url, timeout=60).read().decode())
"""
    done = run(fork)
    assert 'stream_server_chunks_total{protocol="sse",route="/s"} 2.0' in done.stdout, done.stderr
    assert "stream_server_active{" not in done.stdout
