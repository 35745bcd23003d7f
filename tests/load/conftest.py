"""The paced source, and Locust in processes of its own: importing it here would patch this process."""

import contextlib
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import psutil
import pytest

from benchmarks.testbed.server import Server
from streamgauge.runner.finished_run import FinishedRun
from streamgauge.runner.runs import results_in
from tests.load.forked import Forked, ForkServer

SCENARIO = "loadtests/sse.py"
#: Users that a headless run starts in a second.
SPAWN_RATE = 100
#: For what comes to pass sooner or later, on a machine that has other things to do as well.
PATIENCE_S = 90
#: What Locust says once its users have started, as a master whose workers are slow to report them too.
SPAWNED = re.compile("All users spawned|Spawning is complete")


class Locust:
    """A Locust process, leader of a process group of its own, that may still be running."""

    def __init__(self, forks, directory, locustfile, *options, result_dir=None, variables=None):
        self.result_dir = result_dir
        where = ("--result-dir", result_dir) if result_dir else ()
        log = directory / f"printed-{time.monotonic_ns()}"
        self.child = Forked(forks, (locustfile, *options, *where), log, variables)

    @property
    def output(self):
        return self.child.output

    @property
    def results(self):
        return results_in(self.result_dir)

    def children(self):
        """The processes that it started."""
        return psutil.Process(self.child.pid).children(recursive=True)

    def spawned(self):
        """Whether all its users have started."""
        return SPAWNED.search(self.output) is not None

    def points(self):
        """The seconds of the timeline that it has written so far."""
        files = sorted(self.result_dir.glob("*/timeline.ndjson"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines(True) if line[-1] == "\n"]

    def connected(self, url):
        """How many connections it and its workers have to the source at ``url``."""
        port, every = int(url.rpartition(":")[2]), [psutil.Process(self.child.pid), *self.children()]
        return sum(to.raddr != () and to.raddr.port == port for each in every for to in each.net_connections("tcp"))

    def stop(self):
        """End the run: its streams under way end first. Returns what :meth:`wait` does."""
        self.child.ask_to_end()
        return self.wait()

    def interrupt(self):
        """What Ctrl-C in a terminal does: SIGINT to the whole process group."""
        os.killpg(self.child.pid, signal.SIGINT)

    def wait(self, timeout_s=PATIENCE_S):
        try:
            status = self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"Locust still runs after {timeout_s} s:\n{self.output}")
        return FinishedRun(status, self.output, self.results if self.result_dir else [])

    def kill(self):
        """End what is left of it and of its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.end()


class Starter:
    """Starts Locust, and ends at the end what did not end by itself."""

    def __init__(self, forks, directory):
        self._forks = forks
        self._directory = directory
        self._started = []

    def __call__(self, *arguments, locustfile=SCENARIO, **more):
        self._started.append(Locust(self._forks, self._directory, locustfile, *arguments, **more))
        return self._started[-1]

    def headless(self, url, *options, users, run_time, **more):
        """A headless run whose users all start at once."""
        load = ("--headless", "-H", url, "-u", users, "-r", SPAWN_RATE)
        return self(*load, *(("-t", run_time) if run_time else ()), *options, **more)

    def end(self):
        for each in self._started:
            each.kill()


@pytest.fixture(scope="session")
def forks():
    """Runs Locust in processes that have imported it already."""
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="session")
def run_locust(forks):
    """Runs Locust to its end."""
    return forks.run_locust


@pytest.fixture(scope="module")
def start(forks, tmp_path_factory):
    starter = Starter(forks, tmp_path_factory.mktemp("printed"))
    yield starter
    starter.end()


@pytest.fixture(scope="module")
def _server():
    with Server() as server:
        yield server


@pytest.fixture
def source(_server):
    """The paced source, with an empty log."""
    _server.log()
    return _server


class Recorder(http.server.BaseHTTPRequestHandler):
    """Keeps each request, and answers with a short event stream or, below ``/status/N``, with that status."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = {name.lower(): value for name, value in self.headers.items()}
        what = {"method": self.command, "path": self.path, "headers": fields, "body": body}
        self.server.requests.append({**what, "at_s": time.monotonic(), "from": self.client_address})
        status = int(self.path.rpartition("/status/")[2][:3]) if "/status/" in self.path else 200
        events = b"data: x\n\nevent: done\ndata: x\n\n"
        if status == 200:
            time.sleep(0.05)
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(events)))
        self.end_headers()
        self.wfile.write(events)

    do_GET = do_POST = do_PUT = answer  # noqa: N815

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def answering(handler):
    """A server whose requests are answered by a handler of ``http.server``, each in a thread of its own."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.requests, server.daemon_threads = [], True
        server.handle_error = lambda *_: None  # users hang up
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # how soon it sees its end
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def recorder():
    """A server that keeps the requests it gets."""
    with answering(Recorder) as server:
        yield server


@pytest.fixture(scope="session")
def two_processes(free_port):
    """Options for a master and two workers that it forks, on a port of their own."""

    def options():
        port = free_port()
        return "--processes", 2, "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port

    return options


@pytest.fixture(scope="session")
def locust_stats():
    """Reads what ``--json-file`` wrote, by name."""

    def read(path):
        return {each["name"]: each for each in json.loads(path.with_name(path.name + ".json").read_text())}

    return read


class Prometheus:
    """A real Prometheus that scrapes every second what it is told to, by ``instance``."""

    def __init__(self, directory, port):
        self.url = f"http://127.0.0.1:{port}"
        self._lock = threading.Lock()
        self._targets = directory / "targets.json"
        self._targets.write_text("[]")
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {"job_name": "load", "file_sd_configs": [{"files": [str(self._targets)], "refresh_interval": "1s"}]}
            ],
        }
        (directory / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        options = (f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data")
        with (directory / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", *options, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
            )

    def scrape(self, *ports, every_s=1):
        """Scrape these ports of this machine from now on; a scrape may take as long as the time between two."""
        pace = {"__scrape_interval__": f"{every_s}s", "__scrape_timeout__": f"{every_s}s"}
        ours = [{"targets": [f"127.0.0.1:{port}"], "labels": pace} for port in ports]
        with self._lock:
            written = self._targets.with_suffix(".new")
            written.write_text(json.dumps(json.loads(self._targets.read_text()) + ours))
            written.rename(self._targets)

    def ask(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=PATIENCE_S) as reply:
            answer = json.load(reply)
        assert answer["status"] == "success", answer
        return answer["data"]

    def ready(self):
        try:
            return self.ask("status/runtimeinfo")
        except OSError:
            return None

    def query(self, expression, at_s=None):
        """Values by labels."""
        found = self.ask("query", query=expression, **({} if at_s is None else {"time": at_s}))["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def samples(self, expression):
        """The samples of a range, each as time and value, by labels."""
        found = self.ask("query", query=expression)["result"]
        return [(each["metric"], [(t, float(value)) for t, value in each["values"]]) for each in found]


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory, free_port, until, program):
    """A Prometheus for all runs of this folder."""
    program("prometheus")
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), free_port())
    try:
        until(prometheus.ready, "Prometheus answers")
        yield prometheus
    finally:
        prometheus.process.terminate()
        prometheus.process.wait(PATIENCE_S)
