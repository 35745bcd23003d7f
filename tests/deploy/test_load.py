"""``make load`` on a Locust with its web interface, whose streams take longer to end than Locust takes to answer."""

import signal
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import pytest

from benchmarks.locust_run import command, environment
from benchmarks.server import ROOT, Server

LOAD = ROOT / "deploy" / "locust" / "load.py"
#: Longer than an ordinary question to Locust may take.
STOP_TIMEOUT_S = 12
PATIENCE_S = 90


class Load:
    """``load.py`` under way."""

    def __init__(self, url, directory):
        self._out, self._err = directory / "out", directory / "err"
        options = ("--master", url, "--users", "2", "--seconds", "300", "--results", str(directory.parent / "results"))
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen([sys.executable, LOAD, *options], stdout=out, stderr=err)

    def interrupt(self, once_it_says):
        until(lambda: once_it_says in self._out.read_text(), once_it_says)
        self._process.send_signal(signal.SIGINT)

    def end(self):
        status = self._process.wait(PATIENCE_S)
        return SimpleNamespace(status=status, out=self._out.read_text(), err=self._err.read_text())

    def kill(self):
        self._process.kill()
        self._process.wait()


def until(condition, what):
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline_s:
            pytest.fail(f"not within {PATIENCE_S} s: {what}")
        time.sleep(0.05)


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def ended(tmp_path_factory, free_port):
    """Two loads, of which the second finds the first under way; then one that is interrupted twice."""
    directory, port = tmp_path_factory.mktemp("load"), free_port()
    url, loads = f"http://127.0.0.1:{port}", []

    def load(name):
        (directory / name).mkdir()
        loads.append(Load(url, directory / name))
        return loads[-1]

    with Server() as source:
        options = ("-H", source.url, "--web-host", "127.0.0.1", "--web-port", port, "--metrics-port", "off")
        stream = ("--stream-path", "/sse?chunks=2000&interval_ms=50", "--stop-timeout", STOP_TIMEOUT_S)
        locust = subprocess.Popen(
            command("loadtests/sse.py", *options, *stream, "--result-dir", directory / "results"),
            cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until(lambda: answers(url), "Locust answers")
            first = load("first")
            until(lambda: "running" in (directory / "first" / "out").read_text(), "the first load runs")
            second = load("second").end()
            first.interrupt("running")
            once = first.end()
            impatient = load("impatient")
            impatient.interrupt("running")
            impatient.interrupt("Stopping")
            yield SimpleNamespace(once=once, second=second, twice=impatient.end())
        finally:
            for each in loads:
                each.kill()
            locust.kill()
            locust.wait()


def test_ctrl_c_stops_the_run_and_still_says_how_it_went(ended):
    assert ended.once.status in (0, 3), ended.once.err  # 3 where the machine was busy
    assert "Aggregated" in ended.once.out
    assert "result.json" in ended.once.out


def test_a_run_that_is_under_way_is_left_alone(ended):
    assert ended.second.status == 2
    assert "a run is under way there (running)" in ended.second.err
    assert not ended.second.out


def test_a_second_ctrl_c_leaves_the_run_to_itself_in_one_line(ended):
    assert ended.twice.status == 130, ended.twice.err
    assert ended.twice.err.count("\n") == 1
