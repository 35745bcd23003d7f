"""``make load`` on a Locust with its web interface, whose streams take longer to end than Locust takes to answer."""

import re
import signal
import subprocess
import sys
import urllib.request
from types import SimpleNamespace

import pytest

from benchmarks.testbed.server import ROOT, Server
from streamgauge.runner.load_plan import environment_without_locust, locust_command
from streamgauge.runner.process import Child
from tests.waiting import wait_until

LOAD = ROOT / "deploy" / "locust" / "load.py"
#: Longer than an ordinary question to Locust may take.
STOP_TIMEOUT_S = 12
PATIENCE_S = 90
NOBODY = "http://127.0.0.1:9"


class Load:
    """``load.py`` under way."""

    def __init__(self, url, directory, *options, **variables):
        self._out, self._err = directory / "out", directory / "err"
        around = environment_without_locust(
            {"LOAD_MASTER": url, "LOCUST_STREAM_RESULT_DIR": str(directory.parent / "results")} | variables
        )
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, LOAD, *options], cwd=ROOT, env=around, stdout=out, stderr=err
            )

    def interrupt(self, once_it_says):
        wait_until(lambda: once_it_says in self._err.read_text(), once_it_says)
        self._process.send_signal(signal.SIGINT)

    @property
    def progress(self):
        return self._err.read_text()

    def end(self):
        status = self._process.wait(PATIENCE_S)
        return SimpleNamespace(status=status, out=self._out.read_text(), err=self._err.read_text())

    def kill(self):
        self._process.kill()
        self._process.wait()


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def source():
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def web(source, tmp_path_factory, free_port):
    """Locust with its web interface, whose streams are long; gives what starts a load on it."""
    directory, port = tmp_path_factory.mktemp("load"), free_port()
    url, loads = f"http://127.0.0.1:{port}", []
    stream = {
        "LOCUST_LOCUSTFILE": "loadtests/sse.py",
        "LOCUST_HOST": source.url,
        "LOCUST_STREAM_PATH": "/sse?chunks=2000&interval_ms=50",
        "LOCUST_STOP_TIMEOUT": str(STOP_TIMEOUT_S),
    }

    def load(name, *options, **variables):
        (directory / name).mkdir()
        loads.append(Load(url, directory / name, *options, **stream | variables))
        return loads[-1]

    options = ("--web-host", "127.0.0.1", "--web-port", port, "--metrics-port", "off", "--class-picker")
    command = locust_command(stream["LOCUST_LOCUSTFILE"], *options, "--result-dir", directory / "results")
    locust = Child("Locust", command, directory / "locust.log", environment_without_locust(stream), ROOT)
    try:
        wait_until(lambda: answers(url), "Locust answers")
        yield load
    finally:
        for each in loads:
            each.kill()
        locust.end()


@pytest.fixture(scope="module")
def ended(web):
    """Loads: a whole one; two, of which the second finds the first under way; one that is interrupted twice."""
    long = ("--users", "2", "--run-time", "300")
    whole = web("whole", "-u", "3", "-t", "2s", "--stream-path", "/sse?chunks=20&interval_ms=60").end()
    first = web("first", *long)
    wait_until(lambda: "running" in first.progress, "the first load runs")
    second = web("second", *long).end()
    first.interrupt("running")
    once = first.end()
    impatient = web("impatient", *long)
    impatient.interrupt("running")
    impatient.interrupt("Ending")
    return SimpleNamespace(whole=whole, once=once, second=second, twice=impatient.end())


def test_a_load_says_what_the_demo_says(ended):
    busy = "invalid, not judged" in ended.whole.out
    assert ended.whole.status == (3 if busy else 0), ended.whole.err
    assert "interval" in ended.whole.out
    assert "/sse" in ended.whole.out
    assert re.search(r"result  +\S+/result\.json\n  report  +\S+/report\.html\n", ended.whole.out)
    assert "waiting for streams to end" in ended.whole.err


def test_ctrl_c_stops_the_run_and_still_says_how_it_went(ended):
    assert ended.once.status == 130, ended.once.err
    assert "/sse" in ended.once.out
    assert "result.json" in ended.once.out


def test_a_run_that_is_under_way_is_left_alone(ended):
    assert ended.second.status == 2
    assert "make load: a run is under way (running)" in ended.second.err
    assert not ended.second.out


def test_a_second_ctrl_c_leaves_the_run_to_itself_in_one_line(ended):
    assert ended.twice.status == 130, ended.twice.err
    assert ended.twice.err.splitlines()[-1] == "make load: interrupted; the run goes on, see Locust's web UI"
    assert "Traceback" not in ended.twice.err


def test_the_samples_mix_on_another_service_is_warned_of(web):
    mix = {"LOCUST_LOCUSTFILE": "loadtests/locustfile.py", "LOCUST_STREAM_PATH": ""}
    said = web("mix", **mix, LOAD_MASTER=NOBODY).end()
    assert said.status == 2
    assert "This is the sample app's mix of paths" in said.err
    assert "LOCUSTFILE" in said.err
